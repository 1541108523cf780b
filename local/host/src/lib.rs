//! The local host: runs the components of a `spin.toml` where the `spin` command is not installed.
//!
//! Purpose: the same manifest and the same component files as `spin up`, on wasmtime, with the interfaces that this
//! application's components import: WASI 0.2 and 0.3, `wasi:http` in and out, `spin:postgres@4.2.0` and
//! `spin:variables@3.0.0`.
//!
//! Invariants: a manifest key or an import that is not understood stops the start with its name; no request leaves a
//! component but to `allowed_outbound_hosts`; a component that panics, takes too much memory or computes too long loses
//! that one instance and nothing else; a client that is slow to send or to read holds no instance; a request that no
//! component answers is answered with a JSON fault that names its id; nothing works here that fails on Spin. Where the two differ, this one is
//! stricter: a connection that is dropped inside a transaction is rolled back with an error in the log, where Spin hands
//! the open transaction to the next user.
//!
//! Imports go one way: what a component may do (`allow`, `component`, `outbound`, `connection`), its instances (`guest`,
//! with `postgres` and `variables`), their life (`worker`), the application (`app`), and around it `load` and `server`.
//!
//! Deliberately absent: TLS for listeners and for database connections, key-value stores and other Spin interfaces,
//! triggers other than HTTP, components from a registry.

mod allow;
mod app;
mod bindings;
mod block;
mod body;
mod caller;
mod clients;
mod component;
mod connection;
mod engine;
mod fault;
mod files;
mod guest;
mod load;
#[expect(
    dead_code,
    reason = "a manifest may have keys that only Spin reads; they are listed because unknown keys are refused"
)]
mod manifest;
mod options;
mod outbound;
mod output;
mod pool;
mod postgres;
mod route;
mod send;
mod server;
mod telemetry;
mod template;
mod unread;
mod variables;
mod worker;

use anyhow::Result;
use app::App;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;

pub use block::BlockedNetworks;
pub use options::{Limits, Options, Progress};
pub use server::GRACE;

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

    /// Compiles the components of a manifest that are not in the cache yet.
    ///
    /// # Errors
    /// One sentence, with its causes, that names what is missing or does not compile.
    pub async fn compile(manifest_path: impl AsRef<Path>, options: Options) -> Result<()> {
        let path = manifest_path.as_ref().to_owned();
        tokio::task::spawn_blocking(move || load::compile(&path, &options)).await?
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
