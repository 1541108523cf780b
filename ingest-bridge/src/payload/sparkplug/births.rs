//! Birth certificates: the metrics behind a node's aliases. Stored on disk, one file per node, written before the message
//! is acknowledged. A file that cannot be read counts as absent, and its node is asked for its births again.

use super::wire::{Metric, Payload};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A metric as its birth certificate describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Born {
    device: Option<String>,
    name: String,
    alias: Option<u64>,
    datatype: Option<u32>,
    unit: Option<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Node {
    name: String,
    bd_seq: Option<u64>,
    metrics: Vec<Born>,
    /// Number of the last message; not stored on disk.
    #[serde(skip)]
    seq: Option<u64>,
    #[serde(skip)]
    by_alias: HashMap<u64, usize>,
    #[serde(skip)]
    by_name: HashMap<(Option<String>, String), usize>,
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

/// All nodes.
#[derive(Debug, Default)]
pub struct Births {
    nodes: HashMap<String, Node>,
    folder: Option<PathBuf>,
}

impl Births {
    /// The births in `folder`.
    pub fn open(folder: PathBuf) -> Self {
        let mut nodes = HashMap::new();
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let node =
                fs::read(entry.path()).ok().and_then(|text| serde_json::from_slice::<Node>(&text).ok());
            if let Some(mut node) = node {
                node.index();
                nodes.insert(node.name.clone(), node);
            }
        }
        Self { nodes, folder: Some(folder) }
    }

    /// Notes a birth certificate, of a node (which ends what was known of it and its devices) or of a device. False
    /// when a message before it is missing.
    pub fn born(&mut self, name: &str, device: Option<&str>, payload: &Payload) -> bool {
        let node = self.nodes.entry(name.to_owned()).or_default();
        node.name = name.to_owned();
        let in_order = match device {
            None => {
                node.bd_seq = payload.bd_seq();
                node.metrics.clear();
                node.seq = payload.seq;
                true
            }
            Some(device) => {
                node.metrics.retain(|m| m.device.as_deref() != Some(device));
                node.follows(payload.seq)
            }
        };
        node.metrics.extend(payload.metrics.iter().filter_map(|metric| {
            Some(Born {
                device: device.map(str::to_owned),
                name: metric.name.clone()?,
                alias: metric.alias,
                datatype: metric.datatype,
                unit: metric.unit(),
            })
        }));
        node.index();
        if let Some(folder) = &self.folder
            && let Err(error) = node.keep(folder)
        {
            tracing::warn!(name, "a birth certificate cannot be stored: {error}");
        }
        in_order
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
            if let (Some(node), Some(folder)) = (self.nodes.remove(name), &self.folder) {
                let _ = fs::remove_file(node.file(folder));
            }
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
        let born = node.and_then(|node| match (&metric.name, metric.alias) {
            (Some(name), _) if !name.is_empty() => {
                node.by_name.get(&(device.map(str::to_owned), name.clone())).map(|i| &node.metrics[*i])
            }
            (_, Some(alias)) => node
                .by_alias
                .get(&alias)
                .map(|i| &node.metrics[*i])
                .filter(|born| born.device.as_deref() == device),
            _ => None,
        });
        match (&metric.name, born) {
            (Some(name), _) if !name.is_empty() => Some(Known {
                name,
                datatype: born.and_then(|b| b.datatype),
                unit: born.and_then(|b| b.unit.as_deref()),
            }),
            (_, Some(born)) => {
                Some(Known { name: &born.name, datatype: born.datatype, unit: born.unit.as_deref() })
            }
            _ => None,
        }
    }
}

impl Node {
    fn index(&mut self) {
        let numbered = || self.metrics.iter().enumerate();
        self.by_alias = numbered().filter_map(|(i, m)| Some((m.alias?, i))).collect();
        self.by_name = numbered().map(|(i, m)| ((m.device.clone(), m.name.clone()), i)).collect();
    }

    /// True when `seq` is the next number, or a repeat of the last message, or the first one seen since the start.
    fn follows(&mut self, seq: Option<u64>) -> bool {
        let (before, Some(seq)) = (self.seq, seq) else { return true };
        self.seq = Some(seq);
        before.is_none_or(|before| seq == before || seq == (before + 1) % 256)
    }

    fn file(&self, folder: &Path) -> PathBuf {
        let digest = Sha256::digest(&self.name);
        folder.join(digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>() + ".json")
    }

    fn keep(&self, folder: &Path) -> std::io::Result<()> {
        fs::create_dir_all(folder)?;
        let file = self.file(folder);
        let new = file.with_extension("new");
        let mut out = fs::File::create(&new)?;
        out.write_all(&serde_json::to_vec(self)?)?;
        out.sync_all()?;
        fs::rename(&new, &file)
    }
}
