//! Everything live comes from one event stream: readings in batches four times a second, and for each kind of thing
//! a counter that is incremented, at most once a second, when one of them changed.
//!
//! Invariants: one stream for the whole page; it is closed while the page is hidden or no user is signed in; while it
//! is down, `fallback` is incremented every ten seconds so that data stays at most that old.

mod stream;

use crate::api::Api;
use leptos::prelude::*;
use pm_api::event::{LiveEvent, SensorDataCreated};
use std::{sync::Arc, time::Duration};

/// Kinds of resources that change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// Readings.
    Readings,
    /// Predictions.
    Predictions,
    /// Alarms.
    Alarms,
    /// Tickets.
    Tickets,
}

/// State of the event stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Connection {
    /// No user is signed in, or the page is hidden.
    Idle,
    /// Being made for the first time.
    Connecting,
    /// Events arrive.
    Live,
    /// Lost; the next attempt is at this time, milliseconds since 1970.
    Waiting(f64),
}

/// The page's event stream.
#[derive(Clone, Copy)]
pub struct Live {
    /// State of the stream.
    pub connection: RwSignal<Connection>,
    /// The newest readings, in order of arrival, up to four times a second.
    pub readings: RwSignal<Arc<Vec<SensorDataCreated>>>,
    /// Incremented every ten seconds while there is no stream, and when everything is to be fetched again.
    pub fallback: RwSignal<u32>,
    /// Incremented every ten seconds.
    pub pulse: RwSignal<u32>,
    topics: [RwSignal<u32>; 4],
    inbox: StoredValue<Inbox>,
    retry: RwSignal<u32>,
}

#[derive(Default)]
struct Inbox {
    readings: Vec<SensorDataCreated>,
    touched: [bool; 4],
}

/// How often readings are passed on, milliseconds.
const FLUSH_MS: u64 = 250;

impl Live {
    /// Opens the stream whenever a user is signed in and the page is visible.
    #[must_use]
    pub fn start(api: Api, visible: RwSignal<bool>) -> Self {
        let live = Self {
            connection: RwSignal::new(Connection::Idle),
            readings: RwSignal::new(Arc::default()),
            fallback: RwSignal::new(0),
            pulse: RwSignal::new(0),
            topics: [RwSignal::new(0), RwSignal::new(0), RwSignal::new(0), RwSignal::new(0)],
            inbox: StoredValue::new(Inbox::default()),
            retry: RwSignal::new(0),
        };
        stream::run(live, api, visible);
        let ticks = StoredValue::new(0_u64);
        set_interval(
            move || {
                ticks.update_value(|n| *n += 1);
                live.flush_readings();
                if ticks.get_value().is_multiple_of(4) {
                    live.flush_topics();
                }
            },
            Duration::from_millis(FLUSH_MS),
        );
        set_interval(
            move || {
                if !visible.get_untracked() {
                    return;
                }
                live.pulse.update(|n| *n = n.wrapping_add(1));
                if !matches!(live.connection.get_untracked(), Connection::Live) {
                    live.refetch();
                }
            },
            Duration::from_secs(10),
        );
        live
    }

    /// Incremented when a resource of this kind changed.
    #[must_use]
    pub fn topic(self, topic: Topic) -> RwSignal<u32> {
        self.topics[topic as usize]
    }

    /// Resources of this kind were changed by this page: they are fetched again without waiting for the event.
    pub fn touch(self, topic: Topic) {
        self.topic(topic).update(|n| *n = n.wrapping_add(1));
    }

    /// Everything on the page is fetched again.
    pub fn refetch(self) {
        self.fallback.update(|n| *n = n.wrapping_add(1));
    }

    /// Tries to connect at once.
    pub fn retry_now(self) {
        self.retry.update(|n| *n = n.wrapping_add(1));
    }

    /// Events may have been missed: everything is fetched again.
    fn touch_all(self) {
        self.inbox.update_value(|inbox| inbox.touched = [true; 4]);
        self.flush_topics();
    }

    fn receive(self, event: LiveEvent) {
        self.inbox.update_value(|inbox| match event.kind.split('.').next() {
            Some("sensor_data") => {
                inbox.touched[Topic::Readings as usize] = true;
                let reading = event.data.and_then(|data| serde_json::from_value(data).ok());
                inbox.readings.extend(reading);
            }
            Some("prediction") => inbox.touched[Topic::Predictions as usize] = true,
            Some("alarm") => inbox.touched[Topic::Alarms as usize] = true,
            Some("ticket") => inbox.touched[Topic::Tickets as usize] = true,
            _ => {}
        });
    }

    fn flush_readings(self) {
        let batch =
            self.inbox.try_update_value(|inbox| std::mem::take(&mut inbox.readings)).unwrap_or_default();
        if !batch.is_empty() {
            self.readings.set(Arc::new(batch));
        }
    }

    fn flush_topics(self) {
        let touched =
            self.inbox.try_update_value(|inbox| std::mem::take(&mut inbox.touched)).unwrap_or_default();
        for (topic, touched) in self.topics.into_iter().zip(touched) {
            if touched {
                topic.update(|n| *n = n.wrapping_add(1));
            }
        }
    }
}
