//! How an application is run: its variables, its cache, what its components may use up.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What a component's instance may use up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// All linear memories of one instance together, in bytes.
    pub memory_bytes: usize,
    /// Time that one request may compute without waiting for anything.
    pub cpu: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory_bytes: 512 * 1024 * 1024, cpu: Duration::from_secs(30) }
    }
}

/// Gets short lines about what the start is doing, as in `compiling ingest (3/16)`.
pub type Progress = Arc<dyn Fn(&str) + Send + Sync>;

/// How to run an application.
#[derive(Clone)]
pub struct Options {
    /// Values of application variables; they win over `SPIN_VARIABLE_<NAME>` and over defaults.
    pub variables: HashMap<String, String>,
    /// Where compiled components and copies of mounted files are kept.
    pub cache_dir: PathBuf,
    /// What instances may use up.
    pub limits: Limits,
    /// Gets the progress of the start.
    pub progress: Progress,
}

impl Options {
    /// No variables, usual limits, progress to the log.
    #[must_use]
    pub fn new(cache_dir: impl Into<PathBuf>) -> Self {
        Self {
            variables: HashMap::new(),
            cache_dir: cache_dir.into(),
            limits: Limits::default(),
            progress: Arc::new(|line| tracing::info!("{line}")),
        }
    }
}
