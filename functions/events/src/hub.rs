//! What the listeners of one instance share: the newest events, read from the database by whichever listener finds
//! that the last look is too long ago. Nobody waits for another: each listener comes by and takes what is new to it.
//!
//! The hub keeps a contiguous piece of the outbox, from behind [`Hub::floor`] to [`Hub::position`]. A listener that is
//! behind the floor reads the database by itself until it is not.

use pm_api::{Timestamp, event::LiveEvent};
use pm_store::event;
use pm_web::{Refusal, database, log_error, now};
use serde::Serialize;
use serde_json::Value;
use std::{
    cell::RefCell,
    collections::{HashMap, VecDeque},
    rc::Rc,
};

/// Time between two looks at the database, microseconds.
const POLL_INTERVAL_US: i64 = 500_000;
/// Rows become visible when their transaction ends, a little after the time they carry: each poll looks back this far.
const OVERLAP_US: i64 = 2 * Timestamp::SECOND;
/// Events in memory for the listeners.
const MAX_BUFFERED_EVENTS: usize = 4096;
/// Events that one read of the outbox gives at most.
const EVENTS_PER_POLL: usize = 500;

/// One event as the listeners get it.
#[derive(Clone)]
pub(crate) struct StreamEvent {
    /// Place in the hub.
    pub(crate) seq: u64,
    /// Place in the outbox, for an event that can be resumed after.
    pub(crate) position: Option<i64>,
    /// Kind, e.g. `alarm.created`.
    pub(crate) kind: Rc<str>,
    /// Its lines.
    pub(crate) text: Rc<str>,
}

#[derive(Default)]
struct Hub {
    listeners: usize,
    events: VecDeque<StreamEvent>,
    next_seq: u64,
    floor: i64,
    position: i64,
    since: Timestamp,
    recent: HashMap<String, Timestamp>,
    polled_at: Timestamp,
    polling: bool,
    failures: u32,
}

thread_local! {
    /// An instance has one thread; nothing is borrowed while something is awaited.
    static HUB: RefCell<Hub> = RefCell::default();
}

/// A listener's membership; the hub forgets what it holds when the last one leaves.
pub(crate) struct Subscription {
    /// Where the hub's events begin that are new to this listener.
    pub(crate) next_seq: u64,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        HUB.with_borrow_mut(|hub| hub.listeners -= 1);
    }
}

/// Joins the hub; gives the newest position of the outbox too.
pub(crate) async fn join() -> Result<(Subscription, i64), Refusal> {
    let (since, newest) = event::now(&database().await?).await?;
    let next_seq = HUB.with_borrow_mut(|hub| {
        if hub.listeners == 0 {
            // nobody has looked for a while
            let next_seq = hub.next_seq;
            *hub = Hub { next_seq, floor: newest, position: newest, since, ..Hub::default() };
        }
        hub.listeners += 1;
        hub.next_seq
    });
    Ok((Subscription { next_seq }, newest))
}

/// Looks at the database if it is time. Gives the number of looks that failed in a row.
pub(crate) async fn refresh() -> u32 {
    let due = HUB.with_borrow_mut(|hub| {
        let due = !hub.polling && now().0 - hub.polled_at.0 >= POLL_INTERVAL_US;
        hub.polling |= due;
        due
    });
    if due {
        let looked = look().await;
        HUB.with_borrow_mut(|hub| {
            hub.polling = false;
            hub.polled_at = now();
            match looked {
                Ok(()) => hub.failures = 0,
                Err(error) => {
                    hub.failures += 1;
                    log_error(&format!("no look at the database for events: {error:?}"));
                }
            }
        });
    }
    HUB.with_borrow(|hub| hub.failures)
}

/// Events in the hub from `seq` on; or none, if the outbox must be read after `position` first.
pub(crate) fn after(seq: u64, position: i64) -> Option<Vec<StreamEvent>> {
    HUB.with_borrow(|hub| {
        if position < hub.floor {
            return None;
        }
        let first = hub.events.front().map_or(hub.next_seq, |t| t.seq);
        let skip = usize::try_from(seq.saturating_sub(first)).unwrap_or(usize::MAX);
        Some(hub.events.iter().skip(skip).cloned().collect())
    })
}

/// Events of the outbox up to here are not in the hub.
pub(crate) fn floor() -> i64 {
    HUB.with_borrow(|hub| hub.floor)
}

/// Events of the outbox after `position`, for a listener that is behind the hub.
pub(crate) async fn catch_up(position: i64) -> Result<Vec<StreamEvent>, Refusal> {
    let events = event::outbox_after(&database().await?, position).await?;
    Ok(events.into_iter().map(|e| outbox_event(e, 0)).collect())
}

fn outbox_event(e: event::OutboxEvent, seq: u64) -> StreamEvent {
    let text = line(Some(e.position), &e.event_type, e.created_at, Some(e.data));
    StreamEvent { seq, position: Some(e.position), kind: e.event_type.into(), text: text.into() }
}

async fn look() -> Result<(), Refusal> {
    let db = database().await?;
    loop {
        let position = HUB.with_borrow(|hub| hub.position);
        let events = event::outbox_after(&db, position).await?;
        let full = events.len() >= EVENTS_PER_POLL;
        HUB.with_borrow_mut(|hub| events.into_iter().for_each(|e| hub.add_outbox_event(e)));
        if !full {
            break;
        }
    }
    let since = HUB.with_borrow(|hub| hub.since);
    let look_from = Timestamp(since.0 - OVERLAP_US);
    let readings = event::latest_since(&db, look_from).await?;
    let predictions = event::predictions_since(&db, look_from).await?;
    HUB.with_borrow_mut(|hub| {
        for (data, stored) in readings {
            let key = format!("r{}{}", data.sensor_id, data.timestamp.0);
            hub.add_once(key, stored, "sensor_data.created", &data);
        }
        for (data, stored) in predictions {
            hub.add_once(format!("p{}", data.id), stored, "prediction.created", &data);
        }
        let forget_before = Timestamp(hub.since.0 - 2 * OVERLAP_US);
        hub.recent.retain(|_, stored| *stored > forget_before);
    });
    Ok(())
}

impl Hub {
    fn add_outbox_event(&mut self, event: event::OutboxEvent) {
        self.position = event.position;
        let event = outbox_event(event, self.next_seq);
        self.push(event);
    }

    /// Adds a reading or prediction unless an earlier read has.
    fn add_once(&mut self, key: String, stored: Timestamp, kind: &str, data: &impl Serialize) {
        self.since = self.since.max(stored);
        if self.recent.insert(key, stored).is_none() {
            let text = line(None, kind, now(), serde_json::to_value(data).ok());
            self.push(StreamEvent {
                seq: self.next_seq,
                position: None,
                kind: kind.into(),
                text: text.into(),
            });
        }
    }

    fn push(&mut self, event: StreamEvent) {
        self.next_seq += 1;
        self.events.push_back(event);
        if self.events.len() > MAX_BUFFERED_EVENTS
            && let Some(position) = self.events.pop_front().and_then(|old| old.position)
        {
            self.floor = position;
        }
    }
}

/// One event in the wire form: an id if it can be resumed after, then a line of JSON.
pub(crate) fn line(id: Option<i64>, kind: &str, timestamp: Timestamp, data: Option<Value>) -> String {
    let event = LiveEvent { kind: kind.to_owned(), data, timestamp };
    let json = serde_json::to_string(&event).unwrap_or_default();
    match id {
        Some(id) => format!("id: {id}\ndata: {json}\n\n"),
        None => format!("data: {json}\n\n"),
    }
}
