//! Birth certificates: the metrics behind a node's aliases. Stored on disk, one file for each node and device, written
//! before the message is acknowledged. A file that cannot be read counts as absent, and its node is asked for its births
//! again.
//!
//! Memory and disk are bounded by [`MAX_NODES`], [`MAX_GROUPS`], [`MAX_METRICS`] and [`MAX_TEXT_BYTES`]. A birth beyond
//! them is a dead letter; its values are readings all the same.

use super::wire::{Metric, Payload};
use pm_api::ingest::MAX_NAME_BYTES;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Most edge nodes.
const MAX_NODES: usize = 2_000;
/// Most nodes and devices together.
const MAX_GROUPS: usize = 10_000;
/// Most metrics of all nodes and devices.
const MAX_METRICS: usize = 200_000;
/// Most bytes of the names and units of all metrics.
const MAX_TEXT_BYTES: usize = 16 * 1024 * 1024;
/// Largest file of a birth, in bytes.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// A metric as its birth certificate describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Born {
    name: Box<str>,
    alias: Option<u64>,
    datatype: Option<u32>,
    unit: Option<Box<str>>,
}

/// The metrics of a node itself or of one of its devices, by name.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Group {
    node: String,
    device: Option<String>,
    bd_seq: Option<u64>,
    metrics: Vec<Born>,
}

#[derive(Debug, Default)]
struct Node {
    bd_seq: Option<u64>,
    /// Number of the last message.
    seq: Option<u64>,
    groups: Vec<Group>,
    /// Group and metric behind an alias.
    by_alias: HashMap<u64, (u32, u32)>,
}

/// What is known of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Known<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its type.
    pub datatype: Option<u32>,
    /// Its unit.
    pub unit: Option<&'a str>,
}

/// What births take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Size {
    groups: usize,
    metrics: usize,
    text_bytes: usize,
}

/// All nodes.
#[derive(Debug, Default)]
pub struct Births {
    nodes: HashMap<String, Node>,
    size: Size,
    folder: Option<PathBuf>,
}

impl Births {
    /// The births in `folder`, as many as the bounds allow.
    pub fn open(folder: PathBuf) -> Self {
        let mut births = Self { folder: Some(folder.clone()), ..Self::default() };
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let is_small = entry.metadata().is_ok_and(|file| file.len() <= MAX_FILE_BYTES);
            let text = is_small.then(|| fs::read(entry.path()).ok()).flatten();
            let group = text.and_then(|text| serde_json::from_slice::<Group>(&text).ok());
            let added = group.is_some_and(|group| {
                let node = births.nodes.entry(group.node.clone()).or_default();
                node.bd_seq = node.bd_seq.or(group.bd_seq);
                births.add(group).is_ok()
            });
            if !added {
                let _ = fs::remove_file(entry.path());
            }
        }
        births
    }

    /// Notes a birth certificate, of a node (which ends what was known of it and its devices) or of a device. False
    /// when a message before it is missing.
    ///
    /// # Errors
    /// It is beyond the bounds.
    pub fn born(&mut self, name: &str, device: Option<&str>, payload: &Payload) -> Result<bool, String> {
        if !self.nodes.contains_key(name) && self.nodes.len() >= MAX_NODES {
            return Err(format!("birth: more than {MAX_NODES} nodes"));
        }
        let node = self.nodes.entry(name.to_owned()).or_default();
        let in_order = if device.is_none() {
            (node.bd_seq, node.seq) = (payload.bd_seq(), payload.seq);
            true
        } else {
            node.follows(payload.seq)
        };
        let bd_seq = node.bd_seq;
        self.forget(name, |group| device.is_none() || group.device.as_deref() == device);
        let born = |metric: &Metric| {
            Some(Born {
                name: bounded(metric.name.as_deref()?),
                alias: metric.alias,
                datatype: metric.datatype,
                unit: metric.unit().map(String::into_boxed_str),
            })
        };
        let mut metrics: Vec<Born> = payload.metrics.iter().filter_map(born).collect();
        metrics.sort_by(|a, b| a.name.cmp(&b.name));
        let device = device.map(str::to_owned);
        let group = Group { node: name.to_owned(), device, bd_seq, metrics };
        let at = group.file();
        let text = serde_json::to_vec(&group).unwrap_or_default();
        self.add(group)?;
        if let Some(folder) = &self.folder
            && let Err(error) = write(folder, &at, &text)
        {
            tracing::warn!(name, "a birth certificate cannot be stored: {error}");
        }
        Ok(in_order)
    }

    fn add(&mut self, group: Group) -> Result<(), String> {
        let size = self.size.plus(group.size());
        let bounds = [
            (size.groups, MAX_GROUPS, "nodes and devices"),
            (size.metrics, MAX_METRICS, "metrics"),
            (size.text_bytes, MAX_TEXT_BYTES, "bytes of names and units"),
        ];
        if let Some((_, most, what)) = bounds.iter().find(|(now, most, _)| now > most) {
            return Err(format!("birth: more than {most} {what} of all nodes"));
        }
        self.size = size;
        let node = self.nodes.entry(group.node.clone()).or_default();
        node.index(node.groups.len() as u32, &group);
        node.groups.push(group);
        Ok(())
    }

    /// Forgets groups of a node, in memory and on disk.
    fn forget(&mut self, name: &str, which: impl Fn(&Group) -> bool) {
        let Some(node) = self.nodes.get_mut(name) else { return };
        let gone: Vec<Group> = node.groups.extract_if(.., |group| which(group)).collect();
        if gone.is_empty() {
            return;
        }
        node.by_alias.clear();
        let left = std::mem::take(&mut node.groups);
        (0..).zip(&left).for_each(|(number, group)| node.index(number, group));
        node.groups = left;
        node.by_alias.shrink_to_fit();
        for group in gone {
            self.size = self.size.minus(group.size());
            if let Some(folder) = &self.folder {
                let _ = fs::remove_file(folder.join(group.file()));
            }
        }
    }

    /// Notes a data message; false when one before it is missing or the node is not known.
    pub fn follows(&mut self, name: &str, seq: Option<u64>) -> bool {
        self.nodes.get_mut(name).is_some_and(|node| node.follows(seq))
    }

    /// Notes a node's death; a death of an earlier connection than the last birth is none.
    pub fn died(&mut self, name: &str, payload: &Payload) {
        let of_now = self.nodes.get(name).is_some_and(|node| {
            payload.bd_seq().is_none() || node.bd_seq.is_none() || payload.bd_seq() == node.bd_seq
        });
        if of_now {
            tracing::info!(name, "a Sparkplug node died");
            self.forget(name, |_| true);
            self.nodes.remove(name);
        }
    }

    /// Notes a device's death; false when a message before it is missing.
    pub fn device_died(&mut self, name: &str, device: Option<&str>, seq: Option<u64>) -> bool {
        tracing::info!(name, device, "a Sparkplug device died");
        self.follows(name, seq)
    }

    /// The metric with this name, which needs no birth, or with this alias.
    pub fn known<'a>(&'a self, name: &str, device: Option<&str>, metric: &'a Metric) -> Option<Known<'a>> {
        let node = self.nodes.get(name);
        let own_name = metric.name.as_deref().filter(|name| !name.is_empty());
        let born = node.and_then(|node| match (own_name, metric.alias) {
            (Some(name), _) => node.by_name(device, name),
            (None, Some(alias)) => node.by_alias(device, alias),
            (None, None) => None,
        });
        let name = own_name.or(born.map(|born| &*born.name))?;
        Some(Known {
            name,
            datatype: born.and_then(|born| born.datatype),
            unit: born.and_then(|born| born.unit.as_deref()),
        })
    }
}

impl Node {
    /// Notes the aliases of the group that gets this number.
    fn index(&mut self, number: u32, group: &Group) {
        let aliases = (0..).zip(&group.metrics).filter_map(|(m, born)| Some((born.alias?, (number, m))));
        self.by_alias.extend(aliases);
    }

    fn by_name(&self, device: Option<&str>, name: &str) -> Option<&Born> {
        let group = self.groups.iter().find(|group| group.device.as_deref() == device)?;
        let at = group.metrics.binary_search_by(|born| (*born.name).cmp(name)).ok()?;
        group.metrics.get(at)
    }

    fn by_alias(&self, device: Option<&str>, alias: u64) -> Option<&Born> {
        let (group, metric) = *self.by_alias.get(&alias)?;
        let group = self.groups.get(group as usize).filter(|group| group.device.as_deref() == device)?;
        group.metrics.get(metric as usize)
    }

    /// True when `seq` is the next number, or a repeat of the last message, or the first one seen since the start.
    fn follows(&mut self, seq: Option<u64>) -> bool {
        let (before, Some(seq)) = (self.seq, seq) else { return true };
        self.seq = Some(seq);
        before.is_none_or(|before| seq == before || seq == (before + 1) % 256)
    }
}

impl Group {
    fn size(&self) -> Size {
        let text = |born: &Born| born.name.len() + born.unit.as_ref().map_or(0, |unit| unit.len());
        Size { groups: 1, metrics: self.metrics.len(), text_bytes: self.metrics.iter().map(text).sum() }
    }

    fn file(&self) -> String {
        let digest = Sha256::digest(format!("{}\0{}", self.node, self.device.as_deref().unwrap_or_default()));
        digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>() + ".json"
    }
}

impl Size {
    fn plus(self, other: Self) -> Self {
        Self {
            groups: self.groups + other.groups,
            metrics: self.metrics + other.metrics,
            text_bytes: self.text_bytes + other.text_bytes,
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            groups: self.groups - other.groups,
            metrics: self.metrics - other.metrics,
            text_bytes: self.text_bytes - other.text_bytes,
        }
    }
}

/// The name, cut to one byte more than a sensor's may have: it is refused for its length when its values come.
fn bounded(name: &str) -> Box<str> {
    let end = (0..=name.len().min(MAX_NAME_BYTES + 4)).rev().find(|&i| name.is_char_boundary(i)).unwrap_or(0);
    name[..end].into()
}

fn write(folder: &Path, name: &str, text: &[u8]) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let file = folder.join(name);
    let new = file.with_extension("new");
    let mut out = fs::File::create(&new)?;
    out.write_all(text)?;
    out.sync_all()?;
    fs::rename(&new, &file)
}
