//! One listener: takes what is new to it from the hub and writes it.

use crate::{
    hub::{self, StreamEvent, Subscription},
    slot::Slot,
};
use pm_api::{UserId, event::EventPattern};
use pm_domain::session::STREAM_CHECK_S;
use pm_web::{Feed, Refusal, Watch, log_error, now, variable};
use std::time::Duration;

/// Time after which a listener looks for new events.
const LISTENER_INTERVAL: Duration = Duration::from_millis(250);
const HEARTBEAT_S: f64 = 15.0;
/// How long a stream lasts unless the variable `event_stream_s` says otherwise, seconds; the client connects again.
const MAX_STREAM_S: f64 = 3600.0;
/// The stream ends after this many failed reads of the database in a row; the client connects again.
const MAX_FAILURES: u32 = 20;

pub(crate) struct Listener {
    /// Which events it wants; all if there is no pattern.
    patterns: Vec<EventPattern>,
    subscription: Subscription,
    slot: Slot,
    life_s: f64,
    watch: Watch,
    /// Events of the outbox up to here have been dealt with.
    position: i64,
    /// The hub's events up to here have been dealt with.
    seq: u64,
}

impl Listener {
    pub(crate) async fn start(
        patterns: Vec<EventPattern>,
        watch: Watch,
        resume_after: Option<i64>,
        user: UserId,
    ) -> Result<Self, Refusal> {
        let slot = Slot::take(user).await?;
        let life_s = variable("event_stream_s").await?.parse().unwrap_or(MAX_STREAM_S);
        let (subscription, newest) = hub::join().await?;
        let position = resume_after.map_or(newest, |p| p.min(newest));
        Ok(Self { patterns, subscription, watch, slot, life_s, position, seq: 0 })
    }

    /// Runs until the client has gone, or may no longer listen.
    pub(crate) async fn run(mut self, feed: Feed) {
        self.feed(feed).await;
        self.slot.release().await;
    }

    async fn feed(&mut self, mut feed: Feed) {
        let started = now();
        let (mut sent_at, mut checked_at) = (started, started);
        if !feed.send("retry: 2000\n\n".to_owned()).await {
            return;
        }
        while now().seconds_since(started) < self.life_s && self.slot.renew().await {
            if hub::refresh().await >= MAX_FAILURES {
                return;
            }
            if now().seconds_since(checked_at) >= STREAM_CHECK_S as f64 {
                if self.watch.is_over().await {
                    return;
                }
                checked_at = now();
            }
            let news = match self.news().await {
                Ok(news) => news,
                Err(error) => {
                    log_error(&format!("events missed while away cannot be read: {error:?}"));
                    return;
                }
            };
            let news = if news.is_empty() && now().seconds_since(sent_at) >= HEARTBEAT_S {
                hub::line(None, "heartbeat", now(), None)
            } else {
                news
            };
            if !news.is_empty() {
                sent_at = now();
                if !feed.send(news).await {
                    return;
                }
            }
            spin_sdk::time::sleep(LISTENER_INTERVAL).await;
        }
    }

    /// The text of what is new.
    async fn news(&mut self) -> Result<String, Refusal> {
        let mut text = String::new();
        let Some(events) = hub::after(self.seq, self.position) else {
            let missed = hub::catch_up(self.position).await?;
            if missed.is_empty() {
                // what it missed is no longer kept
                self.position = hub::floor();
            }
            for event in &missed {
                self.take(event, &mut text);
            }
            return Ok(text);
        };
        for event in &events {
            self.seq = event.seq + 1;
            self.take(event, &mut text);
        }
        Ok(text)
    }

    fn take(&mut self, event: &StreamEvent, text: &mut String) {
        match event.position {
            Some(position) if position <= self.position => return,
            Some(position) => self.position = position,
            // readings and predictions of before this listener came
            None if event.seq < self.subscription.next_seq => return,
            None => {}
        }
        if self.patterns.is_empty() || self.patterns.iter().any(|pattern| pattern.covers(&event.kind)) {
            *text += &event.text;
        }
    }
}
