//! Instances of a component and how long they live: as in Spin, up to 128 requests each, 1 s idle; half as many at a time
//! as there, so that few connections keep all processors busy: an instance has one thread.

use super::caller::Caller;
use super::component::ComponentInfo;
use super::guest::{Guest, TurnState, on_tick};
use super::outbound::{Application, Outbound};
use super::pool::Pools;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::time::Sleep;
use wasmtime::component::GuestTaskId;
use wasmtime::{Engine, Result, Store, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, ProxyPre, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};

/// Requests that one instance answers in its life.
const REQUESTS_PER_INSTANCE: usize = 128;
/// Requests that one instance answers at one time.
const CONCURRENT_REQUESTS: usize = 8;
/// How long an instance without work is kept.
const IDLE: Duration = Duration::from_secs(1);

/// Starts instances of one component.
pub(crate) struct Workers {
    /// The engine.
    pub(crate) engine: Engine,
    /// The linked component.
    pub(crate) component: ProxyPre<Guest>,
    /// What instances share.
    pub(crate) info: Arc<ComponentInfo>,
    /// Database connections of the application.
    pub(crate) pools: Arc<Pools>,
    /// The application.
    pub(crate) app: Weak<dyn Application>,
}

impl HandlerState for Workers {
    type StoreData = Guest;
    type WorkerExpiration = Idle;
    type WorkerState = Worker;

    async fn instantiate(&self) -> Result<Instance<Guest, Idle, Worker>> {
        let turns = Arc::new(TurnState::default());
        let outbound = Outbound { info: self.info.clone(), app: self.app.clone() };
        let guest = Guest::new(self.info.clone(), self.pools.clone(), outbound, turns.clone())?;
        let mut store = Store::new(&self.engine, guest);
        store.limiter(Guest::limiter);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(on_tick);
        let proxy = self.component.instantiate_async(&mut store).await?;
        let expiration = Idle { sleep: Box::pin(tokio::time::sleep(IDLE)), turns };
        let state = Worker { component: self.info.id.clone() };
        Ok(Instance { store, proxy, view: Guest::http, expiration, state })
    }
}

/// Ends an instance that had no work for [`IDLE`]; one that works is never ended by time alone.
pub(crate) struct Idle {
    sleep: Pin<Box<Sleep>>,
    turns: Arc<TurnState>,
}

impl WorkerExpiration for Idle {
    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        status: WorkerStatus,
        start: Instant,
    ) -> Poll<()> {
        self.turns.turn_ended();
        if status != WorkerStatus::Idle {
            return Poll::Pending;
        }
        let deadline = (start + IDLE).into();
        if self.sleep.deadline() != deadline {
            self.sleep.as_mut().reset(deadline);
        }
        self.sleep.as_mut().poll(cx)
    }
}

/// The rules of one instance.
pub(crate) struct Worker {
    component: Arc<str>,
}

impl WorkerState for Worker {
    type StoreData = Guest;
    type RequestData = Caller;

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        match (concurrent, total) {
            (_, REQUESTS_PER_INSTANCE..) => ShouldAccept::Never,
            (CONCURRENT_REQUESTS.., _) => ShouldAccept::No,
            _ => ShouldAccept::Yes,
        }
    }

    fn on_request_start(
        &self,
        mut store: StoreContextMut<'_, Guest>,
        caller: Caller,
        task: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + 'static + Send + Sync>> {
        store.data_mut().begin(task, caller);
        Box::pin(std::future::pending())
    }

    fn drop(&self, store: Store<Guest>, result: Result<()>) {
        drop(store);
        if let Err(error) = result {
            // one line: a trap brings its backtrace along
            let error = format!("{error:#}").replace('\n', " | ");
            tracing::error!(
                component = &*self.component,
                "an instance ended, with all its requests: {error}"
            );
        }
    }
}
