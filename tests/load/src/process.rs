//! Processor time and memory of processes, as Linux tells them in /proc.

use pm_test_support::Stack;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    fs::{read_dir, read_to_string},
};

/// What a process, or one with its children, has used.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Usage {
    /// Processor time since the start, s.
    pub(crate) cpu_s: f64,
    /// Memory now, shared pages by their share, MiB.
    pub(crate) memory_mib: f64,
}

/// Usage of the process alone, as of this program, whose children are the parts.
fn own(pid: i32) -> Usage {
    let cpu_s = Stat::of(pid).map_or(0.0, |s| s.own_s);
    Usage { cpu_s, memory_mib: memory_mib(pid) }
}

/// Usage of the process and of its children, as of the database; zero if it is gone.
fn with_children(pid: i32) -> Usage {
    let mut usage = own(pid);
    // those that have ended count with their parent
    usage.cpu_s += Stat::of(pid).map_or(0.0, |s| s.ended_children_s);
    for entry in read_dir("/proc").into_iter().flatten().flatten() {
        let Some(child) = entry.file_name().to_str().and_then(|n| n.parse::<i32>().ok()) else { continue };
        if let Some(stat) = Stat::of(child).filter(|s| s.parent == pid) {
            usage.cpu_s += stat.own_s;
            usage.memory_mib += memory_mib(child);
        }
    }
    usage
}

struct Stat {
    parent: i32,
    own_s: f64,
    ended_children_s: f64,
}

impl Stat {
    fn of(pid: i32) -> Option<Self> {
        let text = read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // the name before it, in parentheses, may hold anything
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = rustix::param::clock_ticks_per_second() as f64;
        let seconds = |at: usize| fields.get(at).and_then(|f| f.parse::<f64>().ok()).map(|n| n / ticks);
        Some(Self {
            parent: fields.get(1)?.parse().ok()?,
            own_s: seconds(11)? + seconds(12)?,
            ended_children_s: seconds(13)? + seconds(14)?,
        })
    }
}

/// Shared pages count by their share.
fn memory_mib(pid: i32) -> f64 {
    let text = read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find(|l| l.starts_with("Pss:")).unwrap_or_default();
    let kib: f64 = line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or_default();
    kib / 1024.0
}

/// What each of these parts of a stack has used, and this program under the name `load`.
pub(crate) fn usages(stack: &Stack, parts: &[&'static str]) -> BTreeMap<&'static str, Usage> {
    let of = |part: &&'static str| Some((*part, with_children(stack.pid(part)?)));
    let load = ("load", own(std::process::id().cast_signed()));
    parts.iter().filter_map(of).chain([load]).collect()
}
