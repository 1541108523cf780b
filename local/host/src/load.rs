//! From a manifest to an application that is ready to answer.

use super::allow::AllowedHosts;
use super::app::{App, Served};
use super::bindings;
use super::body::Bodies;
use super::component::ComponentInfo;
use super::engine::{self, Compiler};
use super::files;
use super::guest::Guest;
use super::manifest::{self, Manifest};
use super::options::{Options, Progress};
use super::outbound::Application;
use super::pool::Pools;
use super::route::Router;
use super::telemetry::Telemetry;
use super::template::{self, Values, expand};
use super::worker::Workers;
use anyhow::{Context, Result, anyhow, ensure};
use std::collections::BTreeMap;
use std::iter;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::thread;
use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime_wasi_http::handler::{ProxyHandler, ProxyPre};

/// Does everything that comes before the first request.
///
/// # Errors
/// As [`super::Host::load`].
pub(crate) fn load(path: &Path, options: &Options) -> Result<Arc<App>> {
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
        let app: Weak<dyn Application> = app.clone();
        let workers = |(id, component): (String, ProxyPre<Guest>)| {
            let info = infos[id.as_str()].clone();
            let (engine, pools, app) = (engine.clone(), pools.clone(), app.clone());
            let workers = ProxyHandler::new(Workers { engine, component, info, pools, app });
            let turns = Semaphore::new(options.limits.requests_per_component);
            (id, Served { workers, turns })
        };
        App {
            name: manifest.application.name.clone(),
            version: manifest.application.version.clone(),
            router,
            components: linked.into_iter().map(workers).collect(),
            limits: options.limits,
            telemetry: Telemetry::start(&manifest.application.name, |name| {
                options.telemetry.get(name).cloned().or_else(|| std::env::var(name).ok())
            }),
            bodies: Bodies::new(options.limits),
            listening: OnceLock::new(),
        }
    });
    Ok(app)
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
        mounts: files::mounts(
            &component.files,
            directory,
            &files::staging_dir(&options.cache_dir, directory, id),
        )?,
        allowed: Arc::new(AllowedHosts::parse(&entries)?),
        blocked: Arc::new(options.blocked_networks.clone()),
        limits: options.limits,
    })
}

/// Compiles every component that is not in the cache yet.
///
/// # Errors
/// As [`super::Host::compile`].
pub(crate) fn compile(path: &Path, options: &Options) -> Result<()> {
    let manifest = Manifest::load(path)?;
    let directory = path.parent().map(Path::to_owned).unwrap_or_default();
    let engine = engine::engine(options.limits.memory_bytes)?;
    compile_all(&manifest, &directory, &engine, options).map(drop)
}

/// A component that is not in the cache.
struct Missing<'m> {
    id: &'m str,
    wasm: Vec<u8>,
    cached: PathBuf,
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
    let mut missing: Vec<Missing<'_>> = Vec::new();
    let mut same_file = Vec::new();
    for (id, component) in &manifest.component {
        let source = directory.join(&component.source);
        let wasm = std::fs::read(&source)
            .with_context(|| format!("component {id:?}: cannot read {}; build it first", source.display()))?;
        let cached = compiler.cached(&wasm);
        match compiler.load(&cached) {
            Some(component) => ready.push((id.clone(), component)),
            None if missing.iter().any(|other| other.cached == cached) => same_file.push((id, cached)),
            None => missing.push(Missing { id, wasm, cached }),
        }
    }
    ready.extend(compile_missing(&compiler, &missing, &options.progress)?);
    for (id, cached) in same_file {
        let component =
            compiler.load(&cached).with_context(|| format!("component {id:?} is not in the cache"));
        ready.push((id.clone(), component?));
    }
    ensure!(!ready.is_empty(), "the manifest has no component");
    Ok(ready)
}

/// As many at a time as there are processors: wasmtime compiles the functions of one component on all of them, and reads,
/// links and writes it on one.
fn compile_missing(
    compiler: &Compiler<'_>,
    missing: &[Missing<'_>],
    progress: &Progress,
) -> Result<Vec<(String, Component)>> {
    let next = AtomicUsize::new(0);
    let compile_next = || -> Option<Result<(String, Component)>> {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let Missing { id, wasm, cached } = missing.get(number)?;
        progress(&format!("compiling {id} ({}/{})", number + 1, missing.len()));
        let compiled = compiler.compile(wasm, cached).map(|component| ((*id).to_owned(), component));
        Some(compiled.with_context(|| format!("component {id:?} does not compile")))
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(missing.len());
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| iter::from_fn(compile_next).collect::<Result<Vec<_>>>()))
            .collect();
        let mut compiled = Vec::new();
        for worker in workers {
            compiled.extend(worker.join().map_err(|_| anyhow!("the compiler panicked"))??);
        }
        Ok(compiled)
    })
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
