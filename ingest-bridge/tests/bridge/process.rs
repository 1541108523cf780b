//! The bridge as a process of its own.

use crate::functions::{Functions, TOKEN};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A running bridge; killed (-9) when dropped.
pub(crate) struct Bridge(Child);

impl Bridge {
    /// Starts the program with a client id of this test's own.
    pub(crate) fn start(
        mqtt: &str,
        functions: &Functions,
        spool: &Path,
        extra: &[&str],
    ) -> anyhow::Result<Self> {
        Self::start_as("bridge-under-test", mqtt, functions, spool, extra)
    }

    /// Starts the program with a client id.
    pub(crate) fn start_as(
        id: &str,
        mqtt: &str,
        functions: &Functions,
        spool: &Path,
        extra: &[&str],
    ) -> anyhow::Result<Self> {
        let child = Command::new(env!("CARGO_BIN_EXE_ingest-bridge"))
            .args(["--mqtt-url", mqtt, "--ingest-url", &functions.url, "--mqtt-client-id", id])
            .arg("--spool-dir")
            .arg(spool)
            .args(extra)
            .env("PM_SERVICE_TOKEN", TOKEN)
            .env("RUST_LOG", "warn")
            .stdout(Stdio::null())
            .spawn()?;
        Ok(Self(child))
    }

    /// kill -9.
    pub(crate) fn kill(mut self) -> anyhow::Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }

    /// SIGTERM; returns how it ended and after how long.
    pub(crate) fn terminate(mut self) -> anyhow::Result<(ExitStatus, Duration)> {
        let started = Instant::now();
        Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status()?;
        Ok((self.0.wait()?, started.elapsed()))
    }

    /// Highest memory so far, MiB.
    pub(crate) fn peak_memory_mib(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
        let kib: u64 = line.and_then(|l| l.split_whitespace().next()?.parse().ok()).unwrap_or(u64::MAX);
        Ok(kib / 1024)
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
