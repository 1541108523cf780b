//! The readings and dead letters of messages, collected until they are posted as one [`Batch`].

use crate::ack::Share;
use crate::payload::{BatchBuilder, ParsedReading};
use bytes::Bytes;
use pm_api::ingest::{Batch, DeadLetter};
use std::collections::VecDeque;
use tokio::time::Instant;

/// A batch is closed before its encoded form gets longer than about this.
pub const MAX_BATCH_BYTES: usize = 1024 * 1024;

/// One reading or dead letter of a message.
#[derive(Debug)]
pub struct Item {
    /// The reading or dead letter.
    pub content: ItemContent,
    /// Set on a message's last item in this lane.
    pub share: Option<Share>,
}

/// The content of an [`Item`].
#[derive(Debug)]
pub enum ItemContent {
    /// A value.
    Reading(ParsedReading),
    /// A payload that could not be read.
    DeadLetter(DeadLetter),
}

impl ItemContent {
    /// About how many bytes it takes, encoded or in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Reading(r) => {
                let s = &r.sensor;
                let texts = [&s.sensor_type, &s.unit, &s.location, &s.topic, &r.metadata];
                let texts: usize = texts.iter().map(|t| t.as_ref().map_or(0, String::len)).sum();
                32 + s.machine.len() + s.sensor.len() + texts
            }
            Self::DeadLetter(d) => 32 + d.topic.len() + d.payload.len() + d.reason.len(),
        }
    }
}

/// Items that wait for a batch, oldest first.
#[derive(Debug, Default)]
pub struct Queue {
    items: VecDeque<(Instant, Item)>,
    bytes: usize,
    last_arrival: Option<Instant>,
}

/// An encoded batch and the shares that are safe once it is.
#[derive(Debug)]
pub struct ClosedBatch {
    /// The batch, postcard.
    pub body: Bytes,
    /// To be marked as safe once the batch is.
    pub shares: Vec<Share>,
    /// Arrival of its oldest item.
    pub oldest: Instant,
}

impl Queue {
    /// Adds an item that arrived at `now`.
    pub fn push(&mut self, item: Item, now: Instant) {
        self.bytes += item.content.bytes();
        self.last_arrival = Some(now);
        self.items.push_back((now, item));
    }

    /// Items that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// About how many bytes wait.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Arrival of the oldest item.
    #[must_use]
    pub fn oldest(&self) -> Option<Instant> {
        self.items.front().map(|(at, _)| *at)
    }

    /// Arrival of the newest item.
    #[must_use]
    pub fn newest(&self) -> Option<Instant> {
        self.last_arrival.filter(|_| !self.items.is_empty())
    }

    /// Takes up to `max_readings` items, oldest first, and encodes them.
    pub fn close(&mut self, max_readings: usize) -> Option<ClosedBatch> {
        let oldest = self.oldest()?;
        let mut builder = BatchBuilder::default();
        let mut shares = Vec::new();
        let mut bytes = 0;
        while let Some((_, item)) = self.items.front() {
            let size = item.content.bytes();
            if builder.len() >= max_readings || (!builder.is_empty() && bytes + size > MAX_BATCH_BYTES) {
                break;
            }
            let Some((_, item)) = self.items.pop_front() else { break };
            bytes += size;
            shares.extend(item.share);
            add(&mut builder, item.content);
        }
        self.bytes -= bytes;
        Some(ClosedBatch { body: encode(&builder.finish()), shares, oldest })
    }
}

/// The encoded batch.
#[must_use]
pub fn encode(batch: &Batch) -> Bytes {
    // Writing plain data into a growing buffer has no way to fail.
    postcard::to_stdvec(batch).unwrap_or_default().into()
}

fn add(builder: &mut BatchBuilder, content: ItemContent) {
    match content {
        ItemContent::DeadLetter(letter) => builder.add_letter(letter),
        ItemContent::Reading(parsed) => builder.add(parsed),
    }
}

fn item_count(batch: &Batch) -> usize {
    batch.readings.len() + batch.dead_letters.len()
}

/// The content of a batch in order: readings, then dead letters.
fn contents(batch: &Batch) -> impl Iterator<Item = ItemContent> {
    let readings = batch.readings.iter().filter_map(|r| {
        let sensor = batch.sensors.get(r.sensor as usize)?.clone();
        Some(ItemContent::Reading(ParsedReading::join(sensor, r.clone())))
    });
    readings.chain(batch.dead_letters.iter().cloned().map(ItemContent::DeadLetter))
}

/// Joins the first of these encoded batches, as many as have at most `max_readings` items together but at least one.
/// Returns the joined batch and the number of batches in it; `None` if there are no batches.
#[must_use]
pub fn join(bodies: &[Bytes], max_readings: usize) -> Option<(Bytes, usize)> {
    let first = bodies.first()?;
    let readable = |body: &Bytes| postcard::from_bytes::<Batch>(body).ok();
    let mut joined = BatchBuilder::default();
    let mut count = 0;
    for batch in bodies.iter().map_while(readable) {
        if count > 0 && joined.len() + item_count(&batch) > max_readings {
            break;
        }
        contents(&batch).for_each(|content| add(&mut joined, content));
        count += 1;
    }
    // a single batch is posted unchanged, even if it cannot be read: then ingest refuses it
    Some(if count > 1 { (encode(&joined.finish()), count) } else { (first.clone(), 1) })
}

/// Both halves of a batch of at least two items, in order, each with only the sensors that it needs.
#[must_use]
pub fn halves(batch: &Batch) -> Option<(Batch, Batch)> {
    let items = item_count(batch);
    if items < 2 {
        return None;
    }
    let (mut first, mut second) = (BatchBuilder::default(), BatchBuilder::default());
    for (i, content) in contents(batch).enumerate() {
        add(if i < items / 2 { &mut first } else { &mut second }, content);
    }
    Some((first.finish(), second.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pm_api::{Timestamp, ingest::SensorRef};

    fn reading(machine: &str, us: i64) -> ItemContent {
        ItemContent::Reading(ParsedReading {
            sensor: SensorRef { machine: machine.into(), sensor: "s".into(), ..SensorRef::default() },
            time: Timestamp(us),
            value: us as f64,
            ..ParsedReading::default()
        })
    }

    fn queue(contents: Vec<ItemContent>) -> Queue {
        let mut queue = Queue::default();
        for content in contents {
            queue.push(Item { content, share: None }, Instant::now());
        }
        queue
    }

    #[test]
    fn a_batch_keeps_the_order_and_names_each_sensor_once() -> Result<(), postcard::Error> {
        let mut queue = queue(vec![reading("a", 1), reading("b", 2), reading("a", 3), reading("a", 4)]);
        let closed = queue.close(3).map(|c| c.body).unwrap_or_default();
        let batch: Batch = postcard::from_bytes(&closed)?;
        assert_eq!(batch.sensors.len(), 2);
        assert_eq!(
            batch.readings.iter().map(|r| (r.sensor, r.time.0)).collect::<Vec<_>>(),
            [(0, 1), (1, 2), (0, 3)]
        );
        assert_eq!(queue.len(), 1);
        assert!(queue.close(3).is_some() && queue.close(3).is_none());
        assert_eq!(queue.bytes(), 0);
        Ok(())
    }

    #[test]
    fn a_batch_stays_below_its_byte_limit() -> Result<(), postcard::Error> {
        let letter = |i: i64| {
            ItemContent::DeadLetter(DeadLetter {
                topic: "t".into(),
                payload: vec![0; 64 * 1024],
                reason: "r".into(),
                received_at: Timestamp(i),
                ..DeadLetter::default()
            })
        };
        let mut queue = queue((0..40).map(letter).collect());
        let mut letters = 0;
        while let Some(closed) = queue.close(2000) {
            assert!(closed.body.len() <= MAX_BATCH_BYTES, "{}", closed.body.len());
            letters += postcard::from_bytes::<Batch>(&closed.body)?.dead_letters.len();
        }
        assert_eq!(letters, 40);
        Ok(())
    }

    #[test]
    fn batches_are_joined_up_to_the_reading_limit() -> Result<(), postcard::Error> {
        let body = |us: i64| {
            queue(vec![reading("a", us), reading("b", us + 1)]).close(9).map(|c| c.body).unwrap_or_default()
        };
        let bodies = [body(1), body(3), body(5)];
        let Some((joined, count)) = join(&bodies, 5) else { panic!("there is something to join") };
        let batch: Batch = postcard::from_bytes(&joined)?;
        assert_eq!((count, batch.sensors.len()), (2, 2));
        let times: Vec<_> = batch.readings.iter().map(|r| (r.sensor, r.time.0)).collect();
        assert_eq!(times, [(0, 1), (1, 2), (0, 3), (1, 4)]);
        assert_eq!(join(&bodies, 1), Some((bodies[0].clone(), 1)), "one goes in any case");
        assert_eq!(join(&[bodies[0].clone(), Bytes::from_static(&[255])], 9), Some((bodies[0].clone(), 1)));
        let unreadable = [Bytes::from_static(&[255]), bodies[0].clone()];
        assert_eq!(join(&unreadable, 9), Some((unreadable[0].clone(), 1)));
        assert_eq!(join(&[], 9), None);
        Ok(())
    }

    #[test]
    fn halves_hold_every_reading_once() -> Result<(), postcard::Error> {
        let mut queue = queue(vec![reading("a", 1), reading("b", 2), reading("c", 3)]);
        let batch: Batch = postcard::from_bytes(&queue.close(9).map(|c| c.body).unwrap_or_default())?;
        let Some((first, second)) = halves(&batch) else { panic!("three readings have two halves") };
        let names = |b: &Batch| {
            b.readings.iter().map(|r| b.sensors[r.sensor as usize].machine.clone()).collect::<Vec<_>>()
        };
        assert_eq!(
            (names(&first), names(&second)),
            (vec!["a".to_owned()], vec!["b".to_owned(), "c".to_owned()])
        );
        assert!(halves(&first).is_none());
        Ok(())
    }
}
