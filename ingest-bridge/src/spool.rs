//! A bounded queue of byte records on disk, for the time when the ingest function cannot be reached.
//!
//! Invariants: a record counts only after [`Spool::append`] returned, which is after fsync; records come back in the
//! order of appending; a record whose checksum does not match is never returned. A process that is killed at any
//! point leaves at most one torn record, the last one, which was not acknowledged. Damage inside a file costs the
//! records it touches: the whole ones around it are saved into a file of the same number, and the damaged file is kept
//! as `<number>.damaged` in the same folder, for repair by hand.
//!
//! Form: `<number>.seg` files, each `PMSPOOL1` and then records of length (u32), CRC-32 of length and data (u32), data.
//! A start never writes to an old file. A file is deleted once all of its records are delivered, so a restart repeats
//! at most one file's records; the receiver stores a repeat once.

use bytes::Bytes;
use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"PMSPOOL1";
const HEADER_BYTES: u64 = MAGIC.len() as u64;
const RECORD_HEADER_BYTES: u64 = 8;
/// A file that has grown past this is followed by a new one.
const SEGMENT_BYTES: u64 = 4 * 1024 * 1024;
/// A length beyond this is damage, not a record.
const MAX_RECORD_BYTES: u32 = 64 * 1024 * 1024;

/// Why nothing was appended.
#[derive(Debug)]
pub enum AppendError {
    /// The bound is reached (or the disk is full).
    Full,
    /// The disk refused.
    Io(io::Error),
}

/// What a start found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Whole records from earlier runs.
    pub records: u64,
    /// Files that ended in an incomplete or damaged record.
    pub torn_files: u64,
    /// Bytes cut off them.
    pub torn_bytes: u64,
    /// Files with damage before their last whole record, now kept as `.damaged`.
    pub damaged_files: u64,
}

struct Segment {
    number: u64,
    /// End of the last whole record.
    end: u64,
    records: u64,
}

/// The queue. Not for several processes at once: the owner of the directory holds a lock on it.
pub struct Spool {
    directory: PathBuf,
    max_bytes: u64,
    /// Oldest first. The last one is open for writing if `writer` is set.
    segments: VecDeque<Segment>,
    writer: Option<File>,
    reader: Option<File>,
    /// Where the next record of the oldest segment starts, and how many were taken from it.
    position: u64,
    taken: u64,
    /// Lengths of the records that [`Spool::peek`] returned last.
    seen: Vec<u64>,
    next_number: u64,
}

impl Spool {
    /// Opens or creates the queue in `directory` and checks every record in it.
    ///
    /// # Errors
    /// The directory cannot be read or written.
    pub fn open(directory: &Path, max_bytes: u64) -> io::Result<(Self, Recovery)> {
        fs::create_dir_all(directory)?;
        let mut numbers: Vec<u64> = Vec::new();
        for entry in fs::read_dir(directory)? {
            let name = entry?.file_name();
            if let Some(number) = name.to_str().and_then(|n| n.strip_suffix(".seg")?.parse().ok()) {
                numbers.push(number);
            }
        }
        numbers.sort_unstable();
        let mut spool = Self {
            directory: directory.to_owned(),
            max_bytes,
            segments: VecDeque::new(),
            writer: None,
            reader: None,
            position: HEADER_BYTES,
            taken: 0,
            seen: Vec::new(),
            next_number: numbers.last().map_or(0, |n| n + 1),
        };
        let mut recovery = Recovery::default();
        for number in numbers {
            let segment = spool.check(number, &mut recovery)?;
            if segment.records == 0 {
                fs::remove_file(spool.path(number))?;
            } else {
                recovery.records += segment.records;
                spool.segments.push_back(segment);
            }
        }
        sync_directory(directory)?;
        Ok((spool, recovery))
    }

    /// Reads a file through, cuts it after its last whole record; one that is damaged before that is saved.
    fn check(&self, number: u64, recovery: &mut Recovery) -> io::Result<Segment> {
        let path = self.path(number);
        let file = fs::read(&path)?;
        let found = whole_records(&file, 0);
        let end = found.last().map_or(HEADER_BYTES as usize, |last| last.end);
        let mut segment = Segment { number, end: end as u64, records: found.len() as u64 };
        let gaps = found.iter().map(|r| r.end - r.start).sum::<usize>() + HEADER_BYTES as usize != end;
        let headless = !found.is_empty() && !file.starts_with(MAGIC);
        if gaps || headless || is_long_enough(file.get(end..).unwrap_or_default()) {
            recovery.damaged_files += 1;
            segment.end = self.save(number, &file, &found)?;
        } else if file.len() > end || !file.starts_with(MAGIC) {
            recovery.torn_files += 1;
            recovery.torn_bytes += file.len().saturating_sub(end) as u64;
            let file = OpenOptions::new().write(true).open(&path)?;
            file.set_len(segment.end)?;
            file.sync_all()?;
        }
        Ok(segment)
    }

    /// Replaces a damaged file by its whole records, and keeps it as `.damaged`; returns the new file's length.
    fn save(&self, number: u64, file: &[u8], records: &[Range<usize>]) -> io::Result<u64> {
        let path = self.path(number);
        let mut saved = MAGIC.to_vec();
        records.iter().for_each(|record| saved.extend_from_slice(&file[record.clone()]));
        let new = path.with_extension("new");
        let mut writer = File::create(&new)?;
        writer.write_all(&saved)?;
        writer.sync_all()?;
        // a death between the two leaves the damaged file where the next start finds it
        fs::hard_link(&path, path.with_extension("damaged")).or_else(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Ok(()),
            _ => Err(error),
        })?;
        fs::rename(&new, &path)?;
        sync_directory(&self.directory)?;
        Ok(saved.len() as u64)
    }

    /// Adds records at the end, all or none, and returns when they are safe on disk.
    ///
    /// # Errors
    /// `Full` if the bound would be passed, `Io` if the disk refuses; then nothing was added.
    pub fn append(&mut self, records: &[Bytes]) -> Result<(), AppendError> {
        let added: u64 = records.iter().map(|r| RECORD_HEADER_BYTES + r.len() as u64).sum();
        if added == 0 {
            return Ok(());
        }
        if self.bytes() + added + HEADER_BYTES > self.max_bytes {
            return Err(AppendError::Full);
        }
        self.try_append(records, added).map_err(|error| {
            // What was written beyond the last known end stays unread; later records go to a new file.
            if let (Some(file), Some(segment)) = (self.writer.take(), self.segments.back()) {
                let _ = file.set_len(segment.end);
            }
            match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => AppendError::Full,
                _ => AppendError::Io(error),
            }
        })
    }

    fn try_append(&mut self, records: &[Bytes], added: u64) -> io::Result<()> {
        if self.segments.back().is_none_or(|s| s.end >= SEGMENT_BYTES) {
            self.writer = None;
        }
        if self.writer.is_none() {
            let number = self.next_number;
            let mut file = OpenOptions::new().write(true).create_new(true).open(self.path(number))?;
            self.next_number += 1;
            self.segments.push_back(Segment { number, end: HEADER_BYTES, records: 0 });
            file.write_all(MAGIC)?;
            sync_directory(&self.directory)?;
            self.writer = Some(file);
        }
        let (Some(file), Some(segment)) = (&mut self.writer, self.segments.back_mut()) else {
            return Err(io::Error::other("no open file"));
        };
        let mut buffer = Vec::with_capacity(added as usize);
        for record in records {
            let length = u32::try_from(record.len()).ok().filter(|l| *l <= MAX_RECORD_BYTES);
            let length = length.ok_or_else(|| io::Error::other("record too long"))?;
            buffer.extend_from_slice(&length.to_le_bytes());
            buffer.extend_from_slice(&checksum(length, record).to_le_bytes());
            buffer.extend_from_slice(record);
        }
        file.seek(SeekFrom::Start(segment.end))?;
        file.write_all(&buffer)?;
        file.sync_data()?;
        segment.end += added;
        segment.records += records.len() as u64;
        Ok(())
    }

    /// The oldest records, without removing them: one, and those after it in the same file as long as they are whole and
    /// all have no more than `max_bytes` together. Empty if there are none.
    ///
    /// # Errors
    /// The disk refuses, or the oldest record was whole and is damaged now.
    pub fn peek(&mut self, max_bytes: usize) -> io::Result<Vec<Bytes>> {
        self.seen.clear();
        self.drop_finished()?;
        let Some(segment) = self.segments.front() else { return Ok(Vec::new()) };
        let (path, end) = (self.path(segment.number), segment.end);
        let file = match &mut self.reader {
            Some(file) => file,
            none => none.insert(File::open(path)?),
        };
        let (mut records, mut bytes, mut at) = (Vec::new(), 0, self.position);
        file.seek(SeekFrom::Start(at))?;
        while at < end {
            match read_record(file, at, end) {
                Ok(Some(record)) if records.is_empty() || bytes + record.len() <= max_bytes => {
                    bytes += record.len();
                    at += RECORD_HEADER_BYTES + record.len() as u64;
                    self.seen.push(record.len() as u64);
                    records.push(record);
                }
                // reported when it is the oldest
                _ if !records.is_empty() => break,
                Ok(_) => return Err(io::Error::other("a spooled record is damaged")),
                Err(error) => return Err(error),
            }
        }
        Ok(records)
    }

    /// Removes the first `count` of the records that [`Spool::peek`] returned: they are delivered.
    ///
    /// # Errors
    /// A finished file cannot be deleted.
    pub fn advance(&mut self, count: usize) -> io::Result<()> {
        for length in self.seen.drain(..).take(count) {
            self.position += RECORD_HEADER_BYTES + length;
            self.taken += 1;
        }
        self.drop_finished()
    }

    /// Saves what is whole of the rest of the oldest file, in which a record has gone bad; returns how many records are
    /// lost.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn set_aside_damaged(&mut self) -> io::Result<u64> {
        let Some(segment) = self.segments.pop_front() else { return Ok(0) };
        if self.segments.is_empty() {
            self.writer = None;
        }
        let (left, from) = (segment.records - self.taken, self.position);
        self.start_over();
        let file = fs::read(self.path(segment.number))?;
        let found = whole_records(&file[..file.len().min(segment.end as usize)], from as usize);
        let end = self.save(segment.number, &file, &found)?;
        let records = found.len() as u64;
        self.segments.push_front(Segment { number: segment.number, end, records });
        self.drop_finished()?;
        Ok(left.saturating_sub(records))
    }

    fn drop_finished(&mut self) -> io::Result<()> {
        while let Some(segment) = self.segments.front()
            && self.taken >= segment.records
        {
            let path = self.path(segment.number);
            self.segments.pop_front();
            if self.segments.is_empty() {
                self.writer = None;
            }
            self.start_over();
            fs::remove_file(path)?;
        }
        Ok(())
    }

    fn start_over(&mut self) {
        self.reader = None;
        self.seen.clear();
        self.position = HEADER_BYTES;
        self.taken = 0;
    }

    /// Nothing left to deliver?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records() == 0
    }

    /// Records left to deliver.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.segments.iter().map(|s| s.records).sum::<u64>() - self.taken
    }

    /// Bytes on disk.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|s| s.end).sum()
    }

    fn path(&self, number: u64) -> PathBuf {
        self.directory.join(format!("{number:020}.seg"))
    }
}

/// Reads the record at `start` (where `file` stands) of a file of `length` bytes; `None` if there is no whole one.
fn read_record(file: &mut File, start: u64, length: u64) -> io::Result<Option<Bytes>> {
    let left = length.saturating_sub(start);
    if left < RECORD_HEADER_BYTES {
        return Ok(None);
    }
    let mut header = [0; RECORD_HEADER_BYTES as usize];
    file.read_exact(&mut header)?;
    let (size, sum) = header_of(header);
    if size > MAX_RECORD_BYTES || u64::from(size) > left - RECORD_HEADER_BYTES {
        return Ok(None);
    }
    let mut data = vec![0; size as usize];
    file.read_exact(&mut data)?;
    Ok((checksum(size, &data) == sum).then(|| Bytes::from(data)))
}

/// Where the whole records of a file lie, from `start` on. Behind damage, the next one is looked for at every byte.
fn whole_records(file: &[u8], start: usize) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = start.max(HEADER_BYTES as usize);
    while at < file.len() {
        match whole_record(&file[at..]) {
            Some(length) => {
                found.push(at..at + length);
                at += length;
            }
            None => at += 1,
        }
    }
    found
}

/// Length of the whole record, header included, that the bytes begin with. No batch is empty, but a hole in a file is
/// full of zeros, which would pass for empty records.
fn whole_record(bytes: &[u8]) -> Option<usize> {
    let (header, rest) = bytes.split_first_chunk::<{ RECORD_HEADER_BYTES as usize }>()?;
    let (size, sum) = header_of(*header);
    let data = rest.get(..size as usize).filter(|_| (1..=MAX_RECORD_BYTES).contains(&size))?;
    (checksum(size, data) == sum).then(|| header.len() + data.len())
}

/// Are the bytes as long as their header says? Then they may be a stored record that was damaged since, and not one
/// whose writing was interrupted.
fn is_long_enough(bytes: &[u8]) -> bool {
    bytes.split_first_chunk::<{ RECORD_HEADER_BYTES as usize }>().is_some_and(|(header, rest)| {
        let size = header_of(*header).0 as usize;
        (1..=rest.len()).contains(&size)
    })
}

/// Length and checksum of a record's data.
fn header_of(header: [u8; RECORD_HEADER_BYTES as usize]) -> (u32, u32) {
    let [l0, l1, l2, l3, c0, c1, c2, c3] = header;
    (u32::from_le_bytes([l0, l1, l2, l3]), u32::from_le_bytes([c0, c1, c2, c3]))
}

fn checksum(length: u32, data: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length.to_le_bytes());
    hasher.update(data);
    hasher.finalize()
}

fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests;
