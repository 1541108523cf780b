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
pub mod manifest;
mod outbound;
mod output;
mod postgres;
mod route;
mod server;
pub mod template;
mod variables;
mod worker;

use allow::AllowedHosts;
use anyhow::{Context, Result, ensure};
use app::App;
use engine::Compiler;
use guest::{ComponentInfo, Guest};
use manifest::Manifest;
use postgres::Pools;
use route::Router;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;
use template::{Values, expand};
use tokio::net::TcpListener;
use wasmtime::Engine;
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime_wasi_http::handler::{ProxyHandler, ProxyPre};
use worker::Workers;

pub use server::GRACE;

/// Generated from local/wit.
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
        tokio::task::spawn_blocking(move || load(&path, &options)).await?
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

fn load(path: &Path, options: &Options) -> Result<Host> {
    let manifest = Manifest::load(path)?;
    let directory = path.parent().map(Path::to_owned).unwrap_or_default();
    let values = template::values(&manifest.variables, &options.variables)?;
    let router = Router::new(&manifest.trigger.http)?;
    let engine = engine::engine(options.limits.memory_bytes)?;
    let mut infos = BTreeMap::new();
    for (id, component) in &manifest.component {
        let info = component_info(id, component, &values, &directory, options);
        infos.insert(id.as_str(), Arc::new(info.with_context(|| format!("component {id:?}"))?));
    }
    let compiled = compile_all(&manifest, &directory, &engine, options)?;
    let linker = linker(&engine)?;
    let pools = Arc::new(Pools::default());
    let mut linked = Vec::new();
    for (id, component) in compiled {
        linked.push((
            id.clone(),
            link(&linker, &component).with_context(|| format!("component {id:?} cannot run here"))?,
        ));
    }
    let app = Arc::new_cyclic(|app: &Weak<App>| {
        let workers = |(id, component): (String, ProxyPre<Guest>)| {
            let info = infos[id.as_str()].clone();
            let (engine, pools, app) = (engine.clone(), pools.clone(), app.clone());
            (id, ProxyHandler::new(Workers { engine, component, info, pools, app }))
        };
        App {
            name: manifest.application.name.clone(),
            version: manifest.application.version.clone(),
            router,
            components: linked.into_iter().map(workers).collect(),
            listening: OnceLock::new(),
        }
    });
    Ok(Host { app })
}

fn component_info(
    id: &str,
    component: &manifest::Component,
    values: &Values,
    directory: &Path,
    options: &Options,
) -> Result<ComponentInfo> {
    let mut variables = BTreeMap::new();
    for (name, template) in &component.variables {
        variables.insert(name.clone(), expand(template, values)?);
    }
    let entries: Vec<String> =
        component.allowed_outbound_hosts.iter().map(|entry| expand(entry, values)).collect::<Result<_>>()?;
    Ok(ComponentInfo {
        id: id.into(),
        variables,
        environment: component.environment.clone().into_iter().collect(),
        mounts: files::mounts(&component.files, directory, &options.cache_dir.join("files").join(id))?,
        allowed: Arc::new(AllowedHosts::parse(&entries)?),
        limits: options.limits,
    })
}

fn compile_all(
    manifest: &Manifest,
    directory: &Path,
    engine: &Engine,
    options: &Options,
) -> Result<Vec<(String, Component)>> {
    let cache_dir = options.cache_dir.join("compiled");
    let compiler = Compiler { engine, cache_dir: &cache_dir };
    let mut ready = Vec::new();
    let mut missing = Vec::new();
    for (id, component) in &manifest.component {
        let source = directory.join(&component.source);
        let wasm = std::fs::read(&source)
            .with_context(|| format!("component {id:?}: cannot read {}; build it first", source.display()))?;
        let cached = compiler.cached(&wasm);
        match compiler.load(&cached) {
            Some(component) => ready.push((id.clone(), component)),
            None => missing.push((id, wasm, cached)),
        }
    }
    let count = missing.len();
    // One after the other: wasmtime itself compiles the functions of one component on all processors.
    for (number, (id, wasm, cached)) in missing.into_iter().enumerate() {
        (options.progress)(&format!("compiling {id} ({}/{count})", number + 1));
        let component =
            compiler.compile(&wasm, &cached).with_context(|| format!("component {id:?} does not compile"))?;
        ready.push((id.clone(), component));
    }
    ensure!(!ready.is_empty(), "the manifest has no component");
    Ok(ready)
}

fn linker(engine: &Engine) -> Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    bindings::spin::postgres::postgres::add_to_linker::<_, HasSelf<Guest>>(&mut linker, |guest| guest)?;
    bindings::spin::variables::variables::add_to_linker::<_, HasSelf<Guest>>(&mut linker, |guest| guest)?;
    Ok(linker)
}

/// Links a component as a service of WASI 0.3, or else of 0.2.
fn link(linker: &Linker<Guest>, component: &Component) -> Result<ProxyPre<Guest>> {
    let pre = linker.instantiate_pre(component)?;
    match wasmtime_wasi_http::p3::bindings::ServicePre::new(pre.clone()) {
        Ok(service) => Ok(ProxyPre::P3(service)),
        Err(_) => {
            let proxy = wasmtime_wasi_http::p2::bindings::ProxyPre::new(pre);
            let unknown = "it exports neither wasi:http/handler@0.3.0 nor wasi:http/incoming-handler@0.2";
            Ok(ProxyPre::P2(proxy.map_err(|error| error.context(unknown))?))
        }
    }
}
