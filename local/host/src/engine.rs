//! The wasmtime engine: its settings, its clock, and components compiled once and kept on disk.

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use wasmtime::component::Component;
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

/// How often running guest code is interrupted to account its time.
pub(crate) const TICK: Duration = Duration::from_millis(10);
/// Instances of all components at one time.
const MAX_INSTANCES: u32 = 1_000;

/// An engine and the thread that advances its epoch; the thread ends with the last clone of the engine.
///
/// # Errors
/// The machine does not offer what wasmtime needs.
pub(crate) fn engine(memory_limit_bytes: usize) -> Result<Engine> {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(MAX_INSTANCES)
        .total_core_instances(8 * MAX_INSTANCES)
        .total_memories(2 * MAX_INSTANCES)
        .total_tables(4 * MAX_INSTANCES)
        .total_stacks(4 * MAX_INSTANCES)
        .max_memory_size(memory_limit_bytes)
        .linear_memory_keep_resident(256 * 1024)
        .table_keep_resident(16 * 1024);
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .wasm_component_model_async(true)
        .epoch_interruption(true)
        .parallel_compilation(true)
        .memory_init_cow(true)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    let engine = Engine::new(&config).or_else(|error| {
        tracing::warn!(
            "instances are allocated one by one, because reserving address space failed: {error:#}"
        );
        Engine::new(config.allocation_strategy(InstanceAllocationStrategy::OnDemand))
    })?;
    let clock = engine.weak();
    std::thread::Builder::new().name("epoch".into()).spawn(move || {
        while let Some(engine) = clock.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TICK);
        }
    })?;
    Ok(engine)
}

/// A component from the cache, or compiled and put there.
#[derive(Debug)]
pub(crate) struct Compiler<'a> {
    /// The engine it is for.
    pub(crate) engine: &'a Engine,
    /// The folder of compiled components.
    pub(crate) cache_dir: &'a Path,
}

impl Compiler<'_> {
    /// The place of the compiled form of `wasm`: named by its content and by everything that the engine puts into code.
    #[must_use]
    pub(crate) fn cached(&self, wasm: &[u8]) -> PathBuf {
        let mut settings = DefaultHasher::new();
        self.engine.precompile_compatibility_hash().hash(&mut settings);
        let digest: String = Sha256::digest(wasm).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        self.cache_dir.join(format!("{digest}-{:016x}.cwasm", settings.finish()))
    }

    /// Loads the compiled form, if it is there and whole.
    #[must_use]
    pub(crate) fn load(&self, path: &Path) -> Option<Component> {
        if !path.exists() {
            return None;
        }
        #[expect(
            unsafe_code,
            reason = "wasmtime runs the file as code; only this host writes into its own cache folder"
        )]
        let loaded = unsafe { Component::deserialize_file(self.engine, path) };
        loaded.inspect_err(|error| tracing::warn!("{} is compiled again: {error:#}", path.display())).ok()
    }

    /// Compiles a component and keeps the result; a cache that cannot be written only costs time.
    ///
    /// # Errors
    /// The bytes are not a component that wasmtime can compile.
    pub(crate) fn compile(&self, wasm: &[u8], path: &Path) -> Result<Component> {
        let component = Component::from_binary(self.engine, wasm)?;
        if let Err(error) =
            component.serialize().map_err(anyhow::Error::from).and_then(|code| store(&code, path))
        {
            tracing::warn!("{} is not kept: {error:#}", path.display());
        }
        Ok(component)
    }
}

/// Writes a file so that it is whole or absent, whatever happens in between.
fn store(bytes: &[u8], path: &Path) -> Result<()> {
    let folder = path.parent().context("the cache has no folder")?;
    fs::create_dir_all(folder)?;
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let temporary = path.with_extension(format!("{}-{number}.tmp", std::process::id()));
    let mut file = fs::File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    Ok(())
}
