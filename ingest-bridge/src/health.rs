//! Counters of a running bridge, and the report made of them.

use crate::ignored::Ignored;
use pm_api::Timestamp;
use pm_api::tick::BridgeHealth;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const LOG_AGAIN: Duration = Duration::from_secs(60);
const ERRORS_KEPT: usize = 8;

/// Counters since the start; all modules of the bridge add to them.
#[derive(Debug, Default)]
pub struct Health {
    /// What never changes: name, start, broker, topics.
    identity: BridgeHealth,
    /// Connected to the broker now?
    pub connected: AtomicBool,
    /// MQTT messages received.
    pub messages_received: AtomicU64,
    /// MQTT messages acknowledged.
    pub messages_acknowledged: AtomicU64,
    /// Readings found in messages.
    pub readings: AtomicU64,
    /// Readings that ingest says are committed.
    pub readings_committed: AtomicU64,
    /// Payloads, or parts of payloads, that could not be read.
    pub dead_letters: AtomicU64,
    /// What accepted messages hold besides readings.
    pub ignored: Ignored,
    /// Messages in memory.
    pub queue_size: AtomicU64,
    /// Batches on disk, per lane.
    pub spool_batches: Vec<AtomicU64>,
    /// Bytes on disk, per lane.
    pub spool_bytes: Vec<AtomicU64>,
    /// Posts to ingest that failed.
    pub post_failures: AtomicU64,
    /// Mails that the SMTP server took.
    pub mails_sent: AtomicU64,
    /// Failed attempts to send a mail.
    pub mail_failures: AtomicU64,
    /// Ticks that failed.
    pub tick_failures: AtomicU64,
    /// The last different errors, newest last, each with the time it was logged.
    errors: Mutex<Vec<(String, Instant)>>,
}

impl Health {
    /// All zero. `identity` gives name, start, broker and topics.
    #[must_use]
    pub fn new(identity: BridgeHealth, lanes: usize) -> Self {
        let zeros = || (0..lanes).map(|_| AtomicU64::new(0)).collect();
        Self { identity, spool_batches: zeros(), spool_bytes: zeros(), ..Self::default() }
    }

    /// Adds to a counter.
    pub fn add(counter: &AtomicU64, n: u64) {
        counter.fetch_add(n, Relaxed);
    }

    /// Records the error for the report, and logs it, the same one at most once a minute.
    pub fn failed(&self, error: String) {
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        let known = errors.iter().position(|(text, _)| *text == error).map(|at| errors.remove(at).1);
        let logged = match known.filter(|logged| logged.elapsed() < LOG_AGAIN) {
            Some(logged) => logged,
            None => {
                tracing::warn!("{error}");
                Instant::now()
            }
        };
        if errors.len() >= ERRORS_KEPT {
            errors.remove(0);
        }
        errors.push((error, logged));
    }

    /// The report as of now.
    #[must_use]
    pub fn report(&self) -> BridgeHealth {
        let sum = |counters: &[AtomicU64]| counters.iter().map(|c| c.load(Relaxed)).sum();
        let (messages_with_ignored_fields, ignored_fields) = self.ignored.report();
        BridgeHealth {
            messages_with_ignored_fields,
            ignored_fields,
            connected: self.connected.load(Relaxed),
            messages_received: self.messages_received.load(Relaxed),
            messages_acknowledged: self.messages_acknowledged.load(Relaxed),
            readings: self.readings.load(Relaxed),
            readings_committed: self.readings_committed.load(Relaxed),
            dead_letters: self.dead_letters.load(Relaxed),
            queue_size: self.queue_size.load(Relaxed),
            spool_batches: sum(&self.spool_batches),
            spool_bytes: sum(&self.spool_bytes),
            post_failures: self.post_failures.load(Relaxed),
            mails_sent: self.mails_sent.load(Relaxed),
            mail_failures: self.mail_failures.load(Relaxed),
            last_error: {
                let errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
                errors.last().map(|(text, _)| text.clone())
            },
            ..self.identity.clone()
        }
    }
}

/// Wall clock that does not give the same instant twice, so that undated values of one sensor stay apart.
///
/// A clock that is put back a little is waited for, a microsecond per message. One that is put back by more than
/// [`Clock::WAITED_FOR_US`] was wrong before and is followed, else everything would be dated ahead until it caught up.
#[derive(Debug, Default)]
pub struct Clock {
    next: i64,
}

impl Clock {
    /// Longest jump back that is waited for, µs: 5 s.
    pub const WAITED_FOR_US: i64 = 5_000_000;

    /// Now.
    pub fn now(&mut self) -> Timestamp {
        self.read(wall_clock())
    }

    fn read(&mut self, wall: Timestamp) -> Timestamp {
        let ahead = self.next.saturating_sub(wall.0);
        let now = if ahead > Self::WAITED_FOR_US { wall.0 } else { wall.0.max(self.next) };
        self.next = now.saturating_add(1);
        Timestamp(now)
    }

    /// Keeps the `count` microseconds after the last instant for the elements of an array.
    pub fn reserve(&mut self, count: usize) {
        self.next = self.next.saturating_add(count as i64);
    }
}

/// The system's wall clock.
#[must_use]
pub fn wall_clock() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_never_repeats_and_follows_large_jumps() {
        const SECOND: i64 = 1_000_000;
        let mut clock = Clock::default();
        let mut read = |wall: i64| clock.read(Timestamp(wall)).0;
        let start = 1_800_000_000 * SECOND;
        assert_eq!([read(start), read(start), read(start + 5)], [start, start + 1, start + 5]);
        assert_eq!(read(start - SECOND), start + 6, "a step back is waited for");
        let ahead = start + 3600 * SECOND;
        assert_eq!(read(ahead), ahead, "a jump ahead is followed");
        assert_eq!([read(start + 7), read(start + 7)], [start + 7, start + 8], "and a jump back");
        clock.reserve(10);
        assert_eq!(clock.read(Timestamp(start + 7)).0, start + 19);
    }
}
