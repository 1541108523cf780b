//! Processor time and memory of processes, as Linux tells them in /proc.

use serde::Serialize;
use std::fs::{read_dir, read_to_string};

/// What a process and its children have used.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Usage {
    /// Processor time since the start, s.
    pub cpu_s: f64,
    /// Memory now, shared pages by their share, MiB.
    pub memory_mib: f64,
}

/// Usage of the process and of its children; zero if it is gone.
pub fn usage(pid: i32) -> Usage {
    let mut usage = Usage::default();
    for entry in read_dir("/proc").into_iter().flatten().flatten() {
        let Some(of) = entry.file_name().to_str().and_then(|n| n.parse::<i32>().ok()) else { continue };
        let Some(stat) = Stat::of(of) else { continue };
        if of == pid || stat.parent == pid {
            // children that have ended count with their parent
            usage.cpu_s += if of == pid { stat.own_s + stat.children_s } else { stat.own_s };
            usage.memory_mib += proportional_kib(of) as f64 / 1024.0;
        }
    }
    usage
}

struct Stat {
    parent: i32,
    own_s: f64,
    children_s: f64,
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
            children_s: seconds(13)? + seconds(14)?,
        })
    }
}

fn proportional_kib(pid: i32) -> u64 {
    let text = read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find(|l| l.starts_with("Pss:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or_default()
}
