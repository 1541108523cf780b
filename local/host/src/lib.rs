//! The local host: runs the components of a `spin.toml` where the `spin` command is not installed.
//!
//! Purpose: the same manifest and the same component files as `spin up`, on wasmtime, with the interfaces that this
//! application's components import: WASI 0.2 and 0.3, `wasi:http` in and out, `spin:postgres@4.2.0` and
//! `spin:variables@3.0.0`.
//!
//! Invariants: a manifest key or an import that is not understood stops the start with its name; no request leaves a
//! component but to `allowed_outbound_hosts`; a component that panics, takes too much memory or computes too long loses
//! that one instance and nothing else; nothing works here that fails on Spin. Where the two differ, this one is
//! stricter: a connection that is dropped inside a transaction is rolled back with an error in the log, where Spin hands
//! the open transaction to the next user.
//!
//! Deliberately absent: TLS for listeners and for database connections, key-value stores and other Spin interfaces,
//! triggers other than HTTP, components from a registry.

pub mod allow;
mod app;
mod engine;
mod files;
mod guest;
mod load;
pub mod manifest;
mod outbound;
mod output;
mod postgres;
mod route;
mod server;
pub mod template;
mod variables;
mod worker;

use anyhow::Result;
use app::App;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

pub use server::GRACE;

/// Generated from the folder wit.
mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "pm:local/imports",
        imports: { default: async | trappable },
        with: {
            "spin:postgres/postgres.connection": super::postgres::Connection,
            "spin:postgres/postgres.connection-builder": super::postgres::ConnectionBuilder,
        },
    });
}

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

/// Told in short lines what the start is doing, as in `compiling ingest (3/16)`.
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
    /// Who is told about the start.
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

/// A loaded application.
#[derive(Debug, Clone)]
pub struct Host {
    app: Arc<App>,
}

impl Host {
    /// Reads a manifest, checks it, and compiles its components.
    ///
    /// # Errors
    /// One sentence, with its causes, that names what is missing, unknown or not offered.
    pub async fn load(manifest_path: impl AsRef<Path>, options: Options) -> Result<Self> {
        let path = manifest_path.as_ref().to_owned();
        let app = tokio::task::spawn_blocking(move || load::load(&path, &options)).await??;
        Ok(Self { app })
    }

    /// Answers requests on every listener until `shutdown` is done; running requests then have [`GRACE`] to finish.
    ///
    /// # Errors
    /// A listener does not work.
    pub async fn serve(&self, listeners: Vec<TcpListener>, shutdown: impl Future<Output = ()>) -> Result<()> {
        server::serve(self.app.clone(), listeners, shutdown).await
    }

    /// Public routes with their components, in the order in which they are tried.
    pub fn routes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.app.router.routes()
    }
}
