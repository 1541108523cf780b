//! Messages without a time of their own get the time of their receipt, and keep it when the broker delivers them
//! again. So a message that was stored before the broker had its acknowledgement is not stored a second time under
//! another time.
//!
//! What a broker delivers again is what it has no acknowledgement of, before anything newer of the same topic (MQTT
//! 3.1.1, 4.4 and 4.6). So the times of unacknowledged messages are kept, in memory and in a file that outlives the
//! process, and given again to the messages of the next connection, topic by topic, as long as their payloads agree.
//! Acknowledgements may be lost with a connection: messages that were acknowledged in its last [`UNSURE_US`] are known
//! again by their packet ids too, if the broker marks them as repeated. To remember longer, or to ask less, could make one
//! reading of two messages, which is worse than two of one.
//!
//! The file is written without fsync: it is for the death of a process. After that of the machine it does not count.

use pm_api::Timestamp;
use std::collections::{HashMap, HashSet, VecDeque};
use std::fs::{self, File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// How long before the last message's an acknowledgement may have been lost, by the messages' times, µs.
pub const UNSURE_US: i64 = 5_000_000;
/// No more messages than packet ids are unacknowledged.
const PLACES: u64 = 1 << 16;
/// Packet ids are used again after so many messages; an acknowledged one is known for a part of them.
const UNSURE_MESSAGES: usize = 1 << 14;
const FIELDS: usize = 5;
const ENTRY_BYTES: usize = FIELDS * 8;
/// Identity of session and machine start, and the last serial number that was acknowledged.
const HEADER_BYTES: u64 = 16;

/// One delivery of a message, as the broker tells of it.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// Its topic.
    pub topic: &'a str,
    /// Its payload.
    pub payload: &'a [u8],
    /// Its packet id.
    pub packet: u16,
    /// Does the broker say that it was delivered before?
    pub repeated: bool,
    /// May a message of the topic be delivered again to another bridge instead (a shared subscription)?
    pub shared: bool,
}

/// A message that was dated on receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    /// Number among dated messages, from 1.
    serial: u64,
    topic: u64,
    payload: u64,
    packet: u64,
    time: i64,
}

impl Stamp {
    fn key(&self) -> Key {
        (self.topic, self.payload, self.packet)
    }
}

/// Topic, payload, packet id.
type Key = (u64, u64, u64);

/// The times that were given to messages.
#[derive(Debug, Default)]
pub struct Stamps {
    file: Option<File>,
    /// Not acknowledged, in the order of arrival, with the message's number in the session; 0 for an earlier process.
    open: VecDeque<(u64, Stamp)>,
    /// Acknowledged lately.
    unsure: VecDeque<Stamp>,
    /// Unacknowledged on earlier connections, by topic.
    expected: HashMap<u64, VecDeque<Stamp>>,
    /// Of earlier connections, acknowledged or not.
    repeated: HashMap<Key, i64>,
    last_serial: u64,
}

impl Stamps {
    /// Keeps times in memory only.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// Keeps times in a file, and knows those of an earlier process if they are of the same `session` and the machine
    /// has not been started again since.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn keeping_in(path: &Path, session: &str) -> io::Result<Self> {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let identity = hash_of(&(session, boot));
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let (mut stamps, through) = match read(&file)? {
            Some((of, through, stamps)) if of == identity => (stamps, through),
            _ => {
                file.set_len(0)?;
                file.write_all_at(&[identity.to_le_bytes(), 0_u64.to_le_bytes()].concat(), 0)?;
                (Vec::new(), 0)
            }
        };
        let last_serial = stamps.last().map_or(through, |last| last.serial.max(through));
        let unacknowledged = stamps.split_off(stamps.partition_point(|stamp| stamp.serial <= through));
        // a message that was delivered again is there twice; its time is its own
        let mut known = HashSet::new();
        let open =
            unacknowledged.into_iter().filter(|stamp| known.insert(stamp.time)).map(|s| (0, s)).collect();
        let mut all = Self { file: Some(file), open, unsure: stamps.into(), last_serial, ..Self::default() };
        let newest = all.open.back().map(|(_, stamp)| *stamp).or(all.unsure.back().copied());
        all.trim(newest.map_or(0, |stamp| stamp.time));
        Ok(all)
    }

    /// A connection begins; the broker still knows the session, or not, and then delivers nothing again.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn connected(&mut self, session_present: bool) -> io::Result<()> {
        let open: Vec<Stamp> = self.open.drain(..).map(|(_, stamp)| stamp).collect();
        let unsure = std::mem::take(&mut self.unsure);
        let before = std::mem::take(&mut self.expected);
        if !session_present {
            self.repeated.clear();
            if let Some(file) = &self.file {
                file.set_len(HEADER_BYTES)?;
            }
            return self.forget_through(self.last_serial);
        }
        self.repeated.extend(unsure.iter().chain(&open).map(|stamp| (stamp.key(), stamp.time)));
        // what was delivered again on the last connection is older than what was not
        for stamp in open {
            self.expected.entry(stamp.topic).or_default().push_back(stamp);
        }
        for (topic, stamps) in before {
            self.expected.entry(topic).or_default().extend(stamps);
        }
        Ok(())
    }

    /// The time that the message got when it came for the first time; `None` if this is the first time.
    #[must_use]
    pub fn again(&self, delivery: Delivery<'_>) -> Option<Timestamp> {
        if self.expected.is_empty() && self.repeated.is_empty() {
            return None;
        }
        let (topic, payload, packet) = key(delivery);
        let exactly = || self.repeated.get(&(topic, payload, packet)).copied();
        let in_order = || {
            let expected = self.expected.get(&topic)?;
            expected.iter().find(|stamp| stamp.payload == payload).map(|stamp| stamp.time)
        };
        let time = delivery.repeated.then(exactly).flatten();
        time.or_else(|| (!delivery.shared).then(in_order).flatten()).map(Timestamp)
    }

    /// Keeps the time given to message `sequence` of the session (from 1, growing from call to call) until it is
    /// acknowledged; `known` if [`Self::again`] knew it.
    ///
    /// # Errors
    /// The file cannot be written; the time is kept in memory.
    pub fn given(
        &mut self,
        sequence: u64,
        delivery: Delivery<'_>,
        time: Timestamp,
        known: bool,
    ) -> io::Result<()> {
        let (topic, payload, packet) = key(delivery);
        self.last_serial += 1;
        let stamp = Stamp { serial: self.last_serial, topic, payload, packet, time: time.0 };
        self.open.push_back((sequence, stamp));
        // whoever comes with this packet id is not an older message any more
        self.repeated.remove(&stamp.key());
        if let Some(expected) = self.expected.get_mut(&topic) {
            // those before it will not come any more: the order of a topic is kept
            let at = expected.iter().position(|old| (old.payload, old.time) == (payload, time.0));
            let gone = at.map_or(if known { 0 } else { expected.len() }, |at| at + 1);
            expected.drain(..gone);
            if expected.is_empty() {
                self.expected.remove(&topic);
            }
        }
        match &self.file {
            Some(file) => file.write_all_at(&encode(stamp), place(stamp.serial)),
            None => Ok(()),
        }
    }

    /// Messages up to `sequence` are about to be acknowledged.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn acknowledged(&mut self, sequence: u64) -> io::Result<()> {
        let before = self.unsure.len();
        while let Some((_, stamp)) = self.open.pop_front_if(|(of, _)| *of <= sequence) {
            self.unsure.push_back(stamp);
        }
        let Some(last) = self.unsure.back().copied().filter(|_| self.unsure.len() > before) else {
            return Ok(());
        };
        self.trim(last.time);
        self.forget_through(last.serial)
    }

    /// Drops what was acknowledged too long before the newest message.
    fn trim(&mut self, newest: i64) {
        let excess = self.unsure.len().saturating_sub(UNSURE_MESSAGES);
        self.unsure.drain(..excess);
        while self.unsure.pop_front_if(|stamp| stamp.time < newest.saturating_sub(UNSURE_US)).is_some() {}
    }

    fn forget_through(&self, serial: u64) -> io::Result<()> {
        self.file.as_ref().map_or(Ok(()), |file| file.write_all_at(&serial.to_le_bytes(), 8))
    }
}

fn key(delivery: Delivery<'_>) -> Key {
    (hash_of(delivery.topic), hash_of(delivery.payload), delivery.packet.into())
}

fn place(serial: u64) -> u64 {
    HEADER_BYTES + serial % PLACES * ENTRY_BYTES as u64
}

fn encode(stamp: Stamp) -> [u8; ENTRY_BYTES] {
    let mut entry = [0; ENTRY_BYTES];
    let fields = [stamp.serial, stamp.topic, stamp.payload, stamp.packet, stamp.time.cast_unsigned()];
    for (bytes, field) in entry.chunks_exact_mut(8).zip(fields) {
        bytes.copy_from_slice(&field.to_le_bytes());
    }
    entry
}

/// Identity, last acknowledged serial number, and the messages in the order of arrival.
fn read(file: &File) -> io::Result<Option<(u64, u64, Vec<Stamp>)>> {
    let mut bytes = vec![0; usize::try_from(file.metadata()?.len()).unwrap_or_default()];
    file.read_exact_at(&mut bytes, 0)?;
    let numbers: Vec<u64> = bytes
        .chunks_exact(8)
        .map(|chunk| chunk.try_into().map(u64::from_le_bytes).unwrap_or_default())
        .collect();
    let Some(([identity, through], entries)) = numbers.split_first_chunk() else { return Ok(None) };
    let (entries, _) = entries.as_chunks::<FIELDS>();
    let mut stamps: Vec<Stamp> = entries
        .iter()
        .filter(|entry| entry[0] > 0)
        .map(|&[serial, topic, payload, packet, time]| Stamp {
            serial,
            topic,
            payload,
            packet,
            time: time.cast_signed(),
        })
        .collect();
    stamps.sort_unstable_by_key(|stamp| stamp.serial);
    Ok(Some((*identity, *through, stamps)))
}

fn hash_of(value: &(impl Hash + ?Sized)) -> u64 {
    // without keys: the same in every process
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
