//! What machine this is, as far as it matters for the figures.

use serde::Serialize;
use std::fs::read_to_string;

/// The machine, without its name.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Machine {
    /// Model of its processor.
    pub(crate) cpu: String,
    /// Processors that this process may use.
    pub(crate) cores: usize,
    /// Main memory, MiB.
    pub(crate) memory_mib: u64,
    /// Kernel's version.
    pub(crate) kernel: String,
}

impl Machine {
    /// This machine.
    pub(crate) fn here() -> Self {
        let field = |path: &str, key: &str| {
            let text = read_to_string(path).unwrap_or_default();
            let line = text.lines().find(|l| l.starts_with(key)).unwrap_or_default();
            line.split_once(':').map(|(_, v)| v.trim().to_owned()).unwrap_or_default()
        };
        let memory = field("/proc/meminfo", "MemTotal");
        let kib: u64 = memory.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or_default();
        let release = read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Self {
            cpu: field("/proc/cpuinfo", "model name"),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_mib: kib / 1024,
            // the number alone: what follows it may name who built it
            kernel: release.trim().split('-').next().unwrap_or_default().to_owned(),
        }
    }
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let gib = self.memory_mib as f64 / 1024.0;
        write!(f, "{} × {}, {gib:.0} GiB, Linux {}", self.cores, self.cpu, self.kernel)
    }
}
