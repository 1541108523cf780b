//! The times of receipt of messages without a time of their own. A message keeps its time when the broker delivers it
//! again, so a message that was stored before the broker had its acknowledgement is not stored twice.
//!
//! A broker delivers again the messages that it has no acknowledgement of, before newer messages of the same topic (MQTT
//! 3.1.1, 4.4 and 4.6). So the times of unacknowledged messages are held in memory and in a file that outlives the
//! process, and are given to the messages of the next connection, topic by topic, as long as their payloads agree.
//! Acknowledgements may be lost with a connection: messages that were acknowledged in its last [`RECENT_ACK_US`] are
//! recognised by their packet ids, if the broker marks them as repeated. A longer memory or a weaker condition could make
//! one reading of two messages, which is worse than two readings of one.
//!
//! The file is written without fsync: it survives the end of the process, and is ignored after a restart of the machine.

use pm_api::Timestamp;
use std::collections::{HashMap, HashSet, VecDeque};
use std::fs::{self, File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Acknowledgements of messages that are this much older than the newest one, or less, may have been lost, µs.
pub const RECENT_ACK_US: i64 = 5_000_000;
/// Entries in the file: no more messages than packet ids are unacknowledged.
const SLOTS: u64 = 1 << 16;
/// Most acknowledged messages that are remembered: a quarter of the packet ids, which a broker uses again in turn.
const RECENT_ACK_MESSAGES: usize = 1 << 14;
const FIELDS: usize = 5;
const ENTRY_BYTES: usize = FIELDS * 8;
/// Identity of session and machine start, and the last serial number that was acknowledged.
const HEADER_BYTES: u64 = 16;

/// One delivery of a message by the broker.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// Its topic.
    pub topic: &'a str,
    /// Its payload.
    pub payload: &'a [u8],
    /// Its packet id.
    pub packet: u16,
    /// Did the broker mark it as delivered before?
    pub repeated: bool,
    /// May a message of the topic be delivered again to another bridge instead (a shared subscription)?
    pub shared: bool,
}

/// A message that was dated on receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ReceiptTime {
    /// Number among dated messages, from 1.
    serial: u64,
    topic: u64,
    payload: u64,
    packet: u64,
    time: i64,
}

impl ReceiptTime {
    fn key(&self) -> Key {
        (self.topic, self.payload, self.packet)
    }
}

/// Topic, payload, packet id.
type Key = (u64, u64, u64);

/// The times of receipt that were given to messages.
#[derive(Debug, Default)]
pub struct ReceiptTimes {
    file: Option<File>,
    /// Not acknowledged, in the order of arrival, with the message's number in the session; 0 for an earlier process.
    unacknowledged: VecDeque<(u64, ReceiptTime)>,
    /// Acknowledged, but the acknowledgement may be lost.
    recent: VecDeque<ReceiptTime>,
    /// Unacknowledged on earlier connections, by topic.
    expected: HashMap<u64, VecDeque<ReceiptTime>>,
    /// Of earlier connections, acknowledged or not.
    repeated: HashMap<Key, i64>,
    last_serial: u64,
}

impl ReceiptTimes {
    /// Times in memory only.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// Times in the file at `path`, with those of an earlier process if they belong to the same `session` and the machine
    /// was not restarted since.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn open(path: &Path, session: &str) -> io::Result<Self> {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let identity = hash_of(&(session, boot));
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let (mut times, through) = match read(&file)? {
            Some((of, through, times)) if of == identity => (times, through),
            _ => {
                file.set_len(0)?;
                file.write_all_at(&[identity.to_le_bytes(), 0_u64.to_le_bytes()].concat(), 0)?;
                (Vec::new(), 0)
            }
        };
        let last_serial = times.last().map_or(through, |last| last.serial.max(through));
        let unacknowledged = times.split_off(times.partition_point(|message| message.serial <= through));
        // a message that was delivered again is in the file twice, with the same time
        let mut known = HashSet::new();
        let unacknowledged =
            unacknowledged.into_iter().filter(|message| known.insert(message.time)).map(|s| (0, s)).collect();
        let mut all =
            Self { file: Some(file), unacknowledged, recent: times.into(), last_serial, ..Self::default() };
        let newest = all.unacknowledged.back().map(|(_, message)| *message).or(all.recent.back().copied());
        all.trim(newest.map_or(0, |message| message.time));
        Ok(all)
    }

    /// A connection begins. Without `session_present` the broker has forgotten the session and delivers nothing again.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn connected(&mut self, session_present: bool) -> io::Result<()> {
        let open: Vec<ReceiptTime> = self.unacknowledged.drain(..).map(|(_, message)| message).collect();
        let recent = std::mem::take(&mut self.recent);
        let before = std::mem::take(&mut self.expected);
        if !session_present {
            self.repeated.clear();
            if let Some(file) = &self.file {
                file.set_len(HEADER_BYTES)?;
            }
            return self.forget_through(self.last_serial);
        }
        self.repeated.extend(recent.iter().chain(&open).map(|message| (message.key(), message.time)));
        // messages that were delivered again on the last connection are older than those still expected
        for message in open {
            self.expected.entry(message.topic).or_default().push_back(message);
        }
        for (topic, times) in before {
            self.expected.entry(topic).or_default().extend(times);
        }
        Ok(())
    }

    /// The time that the message got at its first delivery; `None` if this is the first one.
    #[must_use]
    pub fn find_repeated(&self, delivery: Delivery<'_>) -> Option<Timestamp> {
        if self.expected.is_empty() && self.repeated.is_empty() {
            return None;
        }
        let (topic, payload, packet) = key(delivery);
        let exactly = || self.repeated.get(&(topic, payload, packet)).copied();
        let in_order = || {
            let expected = self.expected.get(&topic)?;
            expected.iter().find(|message| message.payload == payload).map(|message| message.time)
        };
        let time = delivery.repeated.then(exactly).flatten();
        time.or_else(|| (!delivery.shared).then(in_order).flatten()).map(Timestamp)
    }

    /// Records the time of message `sequence` of the session (from 1, growing from call to call) until it is
    /// acknowledged; `known` if [`Self::find_repeated`] returned it.
    ///
    /// # Errors
    /// The file cannot be written; the time is recorded in memory.
    pub fn record(
        &mut self,
        sequence: u64,
        delivery: Delivery<'_>,
        time: Timestamp,
        known: bool,
    ) -> io::Result<()> {
        let (topic, payload, packet) = key(delivery);
        self.last_serial += 1;
        let message = ReceiptTime { serial: self.last_serial, topic, payload, packet, time: time.0 };
        self.unacknowledged.push_back((sequence, message));
        // the packet id belongs to this message now
        self.repeated.remove(&message.key());
        if let Some(expected) = self.expected.get_mut(&topic) {
            // earlier messages will not be delivered any more: the broker keeps the order of a topic
            let at = expected.iter().position(|old| (old.payload, old.time) == (payload, time.0));
            let gone = at.map_or(if known { 0 } else { expected.len() }, |at| at + 1);
            expected.drain(..gone);
            if expected.is_empty() {
                self.expected.remove(&topic);
            }
        }
        match &self.file {
            Some(file) => file.write_all_at(&encode(message), slot(message.serial)),
            None => Ok(()),
        }
    }

    /// Messages up to `sequence` are about to be acknowledged.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn acknowledged(&mut self, sequence: u64) -> io::Result<()> {
        let before = self.recent.len();
        while let Some((_, message)) = self.unacknowledged.pop_front_if(|(of, _)| *of <= sequence) {
            self.recent.push_back(message);
        }
        let Some(last) = self.recent.back().copied().filter(|_| self.recent.len() > before) else {
            return Ok(());
        };
        self.trim(last.time);
        self.forget_through(last.serial)
    }

    /// Drops what was acknowledged too long before the newest message.
    fn trim(&mut self, newest: i64) {
        let excess = self.recent.len().saturating_sub(RECENT_ACK_MESSAGES);
        self.recent.drain(..excess);
        while self
            .recent
            .pop_front_if(|message| message.time < newest.saturating_sub(RECENT_ACK_US))
            .is_some()
        {}
    }

    fn forget_through(&self, serial: u64) -> io::Result<()> {
        self.file.as_ref().map_or(Ok(()), |file| file.write_all_at(&serial.to_le_bytes(), 8))
    }
}

fn key(delivery: Delivery<'_>) -> Key {
    (hash_of(delivery.topic), hash_of(delivery.payload), delivery.packet.into())
}

fn slot(serial: u64) -> u64 {
    HEADER_BYTES + serial % SLOTS * ENTRY_BYTES as u64
}

fn encode(message: ReceiptTime) -> [u8; ENTRY_BYTES] {
    let mut entry = [0; ENTRY_BYTES];
    let fields =
        [message.serial, message.topic, message.payload, message.packet, message.time.cast_unsigned()];
    for (bytes, field) in entry.chunks_exact_mut(8).zip(fields) {
        bytes.copy_from_slice(&field.to_le_bytes());
    }
    entry
}

/// Identity, last acknowledged serial number, and the messages in the order of arrival.
fn read(file: &File) -> io::Result<Option<(u64, u64, Vec<ReceiptTime>)>> {
    let mut bytes = vec![0; usize::try_from(file.metadata()?.len()).unwrap_or_default()];
    file.read_exact_at(&mut bytes, 0)?;
    let numbers: Vec<u64> = bytes
        .chunks_exact(8)
        .map(|chunk| chunk.try_into().map(u64::from_le_bytes).unwrap_or_default())
        .collect();
    let Some(([identity, through], entries)) = numbers.split_first_chunk() else { return Ok(None) };
    let (entries, _) = entries.as_chunks::<FIELDS>();
    let mut times: Vec<ReceiptTime> = entries
        .iter()
        .filter(|entry| entry[0] > 0)
        .map(|&[serial, topic, payload, packet, time]| ReceiptTime {
            serial,
            topic,
            payload,
            packet,
            time: time.cast_signed(),
        })
        .collect();
    times.sort_unstable_by_key(|message| message.serial);
    Ok(Some((*identity, *through, times)))
}

fn hash_of(value: &(impl Hash + ?Sized)) -> u64 {
    // a hasher without random keys: the same in every process
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
