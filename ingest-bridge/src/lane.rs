//! One lane: the batches of a fixed share of the machines, one after the other.
//!
//! While the ingest function answers, a batch is posted, and its messages are acknowledged by the answer 200, while
//! the next batch fills. Once something has waited for [`Settings::spill_after`], everything that waits goes to the
//! spool and is acknowledged from there; from then on the spool's oldest records are posted, as many at once as
//! make a batch, and newer batches follow them on disk, so that the order stays. When the spool is full too, nothing is
//! acknowledged.

use crate::ack::Share;
use crate::batch::{ClosedBatch, Item, MAX_BATCH_BYTES, Queue, join};
use crate::deliver::Functions;
use crate::health::Health;
use crate::spool::{AppendError, Spool};
use bytes::Bytes;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::block_in_place;
use tokio::time::{Instant, sleep_until};

const SPOOL_RETRY: Duration = Duration::from_millis(500);
const RECEIVE_AT_ONCE: usize = 1024;

/// When a lane closes a batch.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Most readings in a batch.
    pub max_readings: usize,
    /// Longest time that a batch stays open.
    pub linger: Duration,
    /// A batch is closed when nothing has arrived for this long: the sender has paused, or the broker's window of
    /// unacknowledged messages is used up. Longer, up to `linger`, when the last post took more than twice as long: a
    /// busy system spends far less on few large batches than on many small ones.
    pub quiet: Duration,
    /// Items that have waited this long go to the spool.
    pub spill_after: Duration,
}

/// A lane with its own spool.
pub struct Lane {
    /// Number of the lane, for its counters.
    pub index: usize,
    /// When to close and to spill.
    pub settings: Settings,
    /// Where batches go.
    pub functions: Arc<Functions>,
    /// Where they wait.
    pub spool: Spool,
    /// Counters.
    pub health: Arc<Health>,
}

enum Origin {
    Memory {
        shares: Vec<Share>,
        oldest: Instant,
    },
    /// This many of the spool's oldest records.
    Spool {
        records: usize,
    },
}

struct InFlight {
    body: Bytes,
    origin: Origin,
    since: Instant,
    delivery: Pin<Box<dyn Future<Output = ()> + Send>>,
}

#[derive(Default)]
struct State {
    queue: Queue,
    /// Closed batches, neither in flight nor on disk: the spool was full.
    closed: VecDeque<ClosedBatch>,
    in_flight: Option<InFlight>,
    /// How long the last delivery took.
    last_post: Duration,
    /// The spool refused a record; it is not tried again before this.
    spool_again: Option<Instant>,
    /// No more items will come.
    ended: bool,
}

impl Lane {
    /// Works until the channel is closed and everything from it is committed or on disk.
    pub async fn run(mut self, mut items: mpsc::UnboundedReceiver<Item>) {
        let mut state = State::default();
        let mut received = Vec::with_capacity(RECEIVE_AT_ONCE);
        self.count_spool();
        loop {
            self.start_delivery(&mut state);
            let in_memory = matches!(&state.in_flight, Some(InFlight { origin: Origin::Memory { .. }, .. }));
            if state.ended && state.queue.is_empty() && state.closed.is_empty() && !in_memory {
                return;
            }
            let due = self.due(&state);
            tokio::select! {
                () = async {
                    match &mut state.in_flight {
                        Some(in_flight) => in_flight.delivery.as_mut().await,
                        None => std::future::pending().await,
                    }
                } => self.delivered(&mut state),
                count = items.recv_many(&mut received, RECEIVE_AT_ONCE), if !state.ended => {
                    state.ended = count == 0;
                    let now = Instant::now();
                    for item in received.drain(..) {
                        state.queue.push(item, now);
                    }
                }
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    if in_memory || !self.spool.is_empty() {
                        block_in_place(|| self.spill(&mut state));
                    }
                }
            }
        }
    }

    fn start_delivery(&mut self, state: &mut State) {
        if state.in_flight.is_some() {
            return;
        }
        let (body, origin) = if let Some((body, records)) = block_in_place(|| self.oldest_of_spool()) {
            (body, Origin::Spool { records })
        } else {
            let ready = self.closes_at(state).is_some_and(|at| at <= Instant::now());
            let closed = state.closed.pop_front();
            match closed.or_else(|| ready.then(|| state.queue.close(self.settings.max_readings)).flatten()) {
                Some(ClosedBatch { body, shares, oldest }) => (body, Origin::Memory { shares, oldest }),
                None => return,
            }
        };
        let (functions, posted) = (self.functions.clone(), body.clone());
        let delivery = Box::pin(async move { functions.deliver(posted).await });
        state.in_flight = Some(InFlight { body, origin, since: Instant::now(), delivery });
    }

    /// When the open batch is to be closed.
    fn closes_at(&self, state: &State) -> Option<Instant> {
        let (oldest, newest) = (state.queue.oldest()?, state.queue.newest()?);
        let full = state.queue.len() >= self.settings.max_readings || state.queue.bytes() >= MAX_BATCH_BYTES;
        let at_once = full || state.ended;
        let quiet = self.settings.quiet.max(state.last_post / 2);
        Some(if at_once { oldest } else { (oldest + self.settings.linger).min(newest + quiet) })
    }

    /// When to act without an event from outside.
    fn due(&self, state: &State) -> Option<Instant> {
        let spill_at = match &state.in_flight {
            None => return self.closes_at(state),
            Some(InFlight { origin: Origin::Memory { oldest, .. }, .. }) => {
                Some(*oldest + self.settings.spill_after)
            }
            Some(InFlight { origin: Origin::Spool { records }, .. }) => {
                let waiting = state.closed.front().map(|c| c.oldest);
                if self.spool.records() > *records as u64 {
                    waiting.or_else(|| self.closes_at(state))
                } else {
                    // the spool holds no other record: waiting items may soon be posted without the disk again
                    waiting.or_else(|| state.queue.oldest()).map(|oldest| oldest + self.settings.spill_after)
                }
            }
        };
        spill_at.map(|at| state.spool_again.map_or(at, |again| again.max(at)))
    }

    fn delivered(&mut self, state: &mut State) {
        let Some(delivered) = state.in_flight.take() else { return };
        state.last_post = delivered.since.elapsed();
        match delivered.origin {
            Origin::Memory { shares, .. } => shares.into_iter().for_each(Share::safe),
            Origin::Spool { records } => {
                if let Err(error) = block_in_place(|| self.spool.advance(records)) {
                    self.health.failed(format!("the spool cannot be emptied: {error}"));
                }
                state.spool_again = None;
                self.count_spool();
            }
        }
    }

    /// Moves everything that waits to the spool, oldest first, as far as it takes it.
    fn spill(&mut self, state: &mut State) {
        while let Some(closed) = state.queue.close(self.settings.max_readings) {
            state.closed.push_back(closed);
        }
        if let Some(InFlight { body, origin, .. }) = &mut state.in_flight
            && let Origin::Memory { shares, .. } = origin
        {
            let shares = std::mem::take(shares);
            if let Err(error) = self.spool.append(std::slice::from_ref(body)) {
                *origin = Origin::Memory { shares, oldest: Instant::now() };
                return self.refused(state, error);
            }
            // It is the spool's oldest record now; the post goes on.
            *origin = Origin::Spool { records: 1 };
            if let Err(error) = self.spool.peek(0) {
                self.health.failed(format!("the spool cannot be read: {error}"));
            }
            shares.into_iter().for_each(Share::safe);
        }
        let bodies: Vec<Bytes> = state.closed.iter().map(|c| c.body.clone()).collect();
        match self.spool.append(&bodies) {
            Ok(()) => {
                let shares = state.closed.drain(..).flat_map(|c| c.shares);
                shares.for_each(Share::safe);
            }
            Err(error) => self.refused(state, error),
        }
        self.count_spool();
    }

    fn refused(&self, state: &mut State, error: AppendError) {
        state.spool_again = Some(Instant::now() + SPOOL_RETRY);
        self.health.failed(match error {
            AppendError::Full => {
                "the spool is full: messages stay with the broker until ingest answers".to_owned()
            }
            AppendError::Io(e) => format!("the spool cannot be written, messages stay with the broker: {e}"),
        });
    }

    /// The spool's oldest records as one batch, and how many they are; a damaged record is set aside and logged as an error.
    fn oldest_of_spool(&mut self) -> Option<(Bytes, usize)> {
        loop {
            match self.spool.peek(MAX_BATCH_BYTES) {
                Ok(records) => return join(&records, self.settings.max_readings),
                Err(error) => {
                    let lost = self.spool.set_aside_damaged();
                    tracing::error!(?lost, "a spool file is damaged, a copy is kept: {error}");
                    self.health.failed(format!("a spool file is damaged, a copy is kept: {error}"));
                    self.count_spool();
                    if lost.is_err() {
                        return None;
                    }
                }
            }
        }
    }

    fn count_spool(&self) {
        self.health.spool_batches[self.index].store(self.spool.records(), Relaxed);
        self.health.spool_bytes[self.index]
            .store(if self.spool.is_empty() { 0 } else { self.spool.bytes() }, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::ItemContent;
    use pm_api::{ingest::DeadLetter, tick::BridgeHealth};

    #[test]
    fn a_batch_waits_longer_when_posts_take_long() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let health = Arc::new(Health::new(BridgeHealth::default(), 1));
        let ms = Duration::from_millis;
        let settings = Settings { max_readings: 2, linger: ms(100), quiet: ms(5), spill_after: ms(1000) };
        let functions = Arc::new(Functions::new(&"http://localhost".parse()?, "token", health.clone())?);
        let spool = Spool::open(folder.path(), 1 << 20)?.0;
        let lane = Lane { index: 0, settings, functions, spool, health };

        let item = || {
            let (topic, reason) = ("t".to_owned(), "r".to_owned());
            let letter = DeadLetter { topic, reason, ..DeadLetter::default() };
            Item { content: ItemContent::DeadLetter(letter), share: None }
        };
        for (took, waits) in [(0, 5), (9, 5), (60, 30), (5000, 100)] {
            let now = Instant::now();
            let mut state = State { last_post: ms(took), ..State::default() };
            state.queue.push(item(), now);
            assert_eq!(lane.closes_at(&state), Some(now + ms(waits)), "after {took} ms");
            // a full batch does not wait
            state.queue.push(item(), now);
            assert_eq!(lane.closes_at(&state), Some(now));
        }
        Ok(())
    }
}
