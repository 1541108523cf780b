//! How an application is run: its variables, its cache, what its components and its clients may use up.

use super::block::BlockedNetworks;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What instances, requests and clients may use up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// All linear memories of one instance together, in bytes.
    pub memory_bytes: usize,
    /// Time that one request may compute without waiting for anything.
    pub cpu: Duration,
    /// Time from a complete request to the end of its response; none: any time.
    pub request: Option<Duration>,
    /// Requests of one component that may be without response at one time; more of them wait.
    pub requests_per_component: usize,
    /// The largest request body, in bytes.
    pub body_bytes: usize,
    /// How long a request body may take to arrive.
    pub body_time: Duration,
    /// A body has to make progress in every such time: [`MIN_BODY_BYTES_PER_S`] on average.
    pub body_stall: Duration,
    /// How long a client may leave a response unread.
    pub unread: Duration,
    /// Connections in all.
    pub connections: usize,
    /// Connections from one address (of IPv6: from one network of 64 bits).
    pub connections_per_address: usize,
}

/// The least rate at which a request body has to arrive.
pub const MIN_BODY_BYTES_PER_S: u32 = 1024;

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 512 * 1024 * 1024,
            cpu: Duration::from_secs(30),
            request: None,
            requests_per_component: 128,
            body_bytes: 64 * 1024 * 1024,
            body_time: Duration::from_secs(120),
            body_stall: Duration::from_secs(10),
            unread: Duration::from_secs(60),
            connections: 4096,
            connections_per_address: 1024,
        }
    }
}

impl Limits {
    /// The limits of hosted WebAssembly functions such as Akamai's.
    #[must_use]
    pub fn hosted() -> Self {
        Self {
            memory_bytes: 128 * 1024 * 1024,
            request: Some(Duration::from_secs(30)),
            body_bytes: 10 * 1024 * 1024,
            ..Self::default()
        }
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
    /// What instances, requests and clients may use up.
    pub limits: Limits,
    /// Networks that no component may connect to, besides the application's own database.
    pub blocked_networks: BlockedNetworks,
    /// Variables such as `OTEL_EXPORTER_OTLP_ENDPOINT`; they win over the environment.
    pub telemetry: HashMap<String, String>,
    /// Gets the progress of the start.
    pub progress: Progress,
}

impl Options {
    /// No variables, usual limits, no blocked networks, progress to the log.
    #[must_use]
    pub fn new(cache_dir: impl Into<PathBuf>) -> Self {
        Self {
            variables: HashMap::new(),
            cache_dir: cache_dir.into(),
            limits: Limits::default(),
            blocked_networks: BlockedNetworks::default(),
            telemetry: HashMap::new(),
            progress: Arc::new(|line| tracing::info!("{line}")),
        }
    }
}
