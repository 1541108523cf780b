//! What one instance of a component has: its WASI context, its tables and its limits.

use super::caller::Caller;
use super::component::ComponentInfo;
use super::engine::TICK;
use super::outbound::Outbound;
use super::output::ComponentOutput;
use super::pool::Pools;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};
use wasmtime::component::{GuestTaskId, ResourceTable};
use wasmtime::{ResourceLimiter, Result, StoreContextMut, UpdateDeadline, bail};
use wasmtime_wasi::sockets::SocketAddrUse;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// The data of one instance's store.
pub(crate) struct Guest {
    /// The component.
    pub(crate) info: Arc<ComponentInfo>,
    /// Database connections of the application.
    pub(crate) pools: Arc<Pools>,
    /// Resources that the instance holds.
    pub(crate) table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outbound: Outbound,
    memory: Memory,
    cpu: Cpu,
    /// Who waits for the response of a request.
    callers: HashMap<GuestTaskId, Caller>,
}

impl Guest {
    /// A fresh context.
    ///
    /// # Errors
    /// A mounted folder is gone.
    pub(crate) fn new(
        info: Arc<ComponentInfo>,
        pools: Arc<Pools>,
        outbound: Outbound,
        turns: Arc<TurnState>,
    ) -> Result<Self> {
        let mut wasi = WasiCtx::builder();
        wasi.envs(&info.environment)
            .stdout(ComponentOutput::new(info.id.clone(), "stdout"))
            .stderr(ComponentOutput::new(info.id.clone(), "stderr"))
            .allow_tcp(true)
            .allow_udp(true);
        let (allowed, blocked) = (info.allowed.clone(), info.blocked.clone());
        wasi.socket_addr_check(move |address, usage| {
            let to_allowed = |scheme| {
                !blocked.blocks(address.ip())
                    && allowed.allows(scheme, &address.ip().to_string(), Some(address.port()))
            };
            let granted = match usage {
                SocketAddrUse::TcpConnect => to_allowed("tcp"),
                SocketAddrUse::UdpSend | SocketAddrUse::UdpReceive => to_allowed("udp"),
                // What the system does on its own before it connects.
                SocketAddrUse::TcpBind | SocketAddrUse::UdpBind => {
                    address.ip().is_unspecified() && address.port() == 0
                }
                SocketAddrUse::TcpListen | SocketAddrUse::TcpAccept => false,
            };
            Box::pin(async move { granted })
        });
        for mount in &info.mounts {
            wasi.preopened_dir(&mount.source, &mount.destination, FsPerms::ReadOnly)?;
        }
        let memory =
            Memory { component: info.id.clone(), used_bytes: 0, limit_bytes: info.limits.memory_bytes };
        let cpu = Cpu { limit: info.limits.cpu, turns, last: Instant::now(), used: HashMap::new() };
        Ok(Self {
            info,
            pools,
            table: ResourceTable::new(),
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            outbound,
            memory,
            cpu,
            callers: HashMap::new(),
        })
    }

    /// A request begins. Its task may have the id of one that has ended, whose computing time is not its own.
    pub(crate) fn begin(&mut self, task: GuestTaskId, caller: Caller) {
        self.cpu.used.remove(&Some(task));
        self.callers.insert(task, caller);
    }

    /// Who waits for the response of a request.
    pub(crate) fn caller(&self, task: GuestTaskId) -> Option<Caller> {
        self.callers.get(&task).cloned()
    }

    /// The limiter of the instance's memory.
    pub(crate) fn limiter(&mut self) -> &mut dyn ResourceLimiter {
        &mut self.memory
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.outbound }
    }
}

/// All linear memories of one instance together.
struct Memory {
    component: Arc<str>,
    used_bytes: usize,
    limit_bytes: usize,
}

impl ResourceLimiter for Memory {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        let used = self.used_bytes + (desired - current);
        if used > self.limit_bytes {
            let Self { component, limit_bytes, .. } = self;
            tracing::error!(component = &**component, "more memory than {limit_bytes} bytes was refused");
            return Ok(false);
        }
        self.used_bytes = used;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        Ok(desired <= 1_000_000)
    }
}

/// Time that requests computed without pause, by request; `None` stands for the instance's start.
///
/// Every tick interrupts running guest code. The time since the last tick counts only if the instance did not wait for
/// anything in between, so a request that waits, however long and often, uses nothing up; one that only computes is
/// charged in full.
struct Cpu {
    limit: Duration,
    turns: Arc<TurnState>,
    last: Instant,
    used: HashMap<Option<GuestTaskId>, Duration>,
}

/// How an instance's turns end, noted by the worker that drives it.
#[derive(Debug, Default)]
pub(crate) struct TurnState {
    interrupted: AtomicBool,
    waited: AtomicBool,
}

impl TurnState {
    /// The instance gave up its turn: because of a tick, or because it waits for something.
    pub(crate) fn turn_ended(&self) {
        if !self.interrupted.swap(false, Relaxed) {
            self.waited.store(true, Relaxed);
        }
    }

    /// Whether the instance waited since the last tick.
    fn tick(&self) -> bool {
        self.interrupted.store(true, Relaxed);
        self.waited.swap(false, Relaxed)
    }
}

/// Accounts the running request's time, gives other tasks of the host their turn, and traps at the limit.
///
/// # Errors
/// The request used up its time.
pub(crate) fn on_tick(mut store: StoreContextMut<'_, Guest>) -> Result<UpdateDeadline> {
    let request = store.async_call_stack().ok().and_then(Iterator::last);
    let cpu = &mut store.data_mut().cpu;
    let elapsed = cpu.last.elapsed();
    cpu.last = Instant::now();
    if !cpu.turns.tick() {
        let used = cpu.used.entry(request).or_default();
        // between two ticks the instance may have waited for a processor, too
        *used += elapsed.min(TICK);
        if *used > cpu.limit {
            bail!("a request computed for more than {:?}", cpu.limit);
        }
    }
    Ok(UpdateDeadline::Yield(1))
}
