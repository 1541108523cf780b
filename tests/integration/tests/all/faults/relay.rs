//! A relay between two parts that can do what networks do: cut, stall, delay, throttle, lose one direction, or forget
//! connections without telling.

use anyhow::Result;
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    sync::watch,
    time::sleep,
};

const CHUNK_BYTES: usize = 16 * 1024;

/// What happens to bytes on their way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum LinkState {
    /// They pass.
    Clear,
    /// Connections are reset, new ones too.
    Cut,
    /// Connections stay, and nothing passes.
    Stalled,
    /// Requests pass, answers wait.
    AnswersHeld,
    /// They pass later.
    Delayed(Duration),
    /// This many of them pass per second, in each direction.
    BytesPerSecond(usize),
}

#[derive(Clone, Copy, Debug)]
struct RelayState {
    link: LinkState,
    /// Connections before this number are reset.
    reset_before: u64,
    /// Bytes sent on connections before this number are dropped without notice.
    lost_before: u64,
}

/// A relay on a port of its own; it ends with the test's process.
pub(crate) struct Relay {
    port: u16,
    target: Arc<OnceLock<SocketAddr>>,
    state: watch::Sender<RelayState>,
    count: Arc<std::sync::atomic::AtomicU64>,
}

impl Relay {
    /// Listens; connections are reset until [`Self::lead_to`] says where they lead.
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let target = Arc::new(OnceLock::new());
        let (state, _) =
            watch::channel(RelayState { link: LinkState::Clear, reset_before: 0, lost_before: 0 });
        let count = Arc::new(std::sync::atomic::AtomicU64::new(0));
        tokio::spawn(accept(listener, target.clone(), state.clone(), count.clone()));
        Ok(Self { port, target, state, count })
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Where it listens, as an address.
    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// Says where connections lead.
    pub(crate) fn lead_to(&self, target: SocketAddr) {
        self.target.get_or_init(|| target);
    }

    /// Changes the link for all connections.
    pub(crate) fn set(&self, link: LinkState) {
        self.state.send_modify(|state| state.link = link);
    }

    /// Resets the connections there are.
    pub(crate) fn reset(&self) {
        let count = self.count.load(std::sync::atomic::Ordering::SeqCst);
        self.state.send_modify(|state| state.reset_before = count);
    }

    /// Forgets the connections there are, as a firewall does that was restarted: both ends believe in them.
    pub(crate) fn forget(&self) {
        let count = self.count.load(std::sync::atomic::Ordering::SeqCst);
        self.state.send_modify(|state| state.lost_before = count);
    }
}

async fn accept(
    listener: TcpListener,
    target: Arc<OnceLock<SocketAddr>>,
    state: watch::Sender<RelayState>,
    count: Arc<std::sync::atomic::AtomicU64>,
) {
    while let Ok((client, _)) = listener.accept().await {
        let number = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let (target, state) = (target.clone(), state.subscribe());
        tokio::spawn(async move {
            // the reset of the one end when the other is gone
            let _ = client.set_zero_linger();
            let Some(target) = target.get() else { return };
            if state.borrow().link == LinkState::Cut {
                return;
            }
            let Ok(server) = TcpStream::connect(target).await else { return };
            let _ = (client.set_nodelay(true), server.set_nodelay(true), server.set_zero_linger());
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            tokio::select! {
                () = pump(from_client, to_server, false, number, state.clone()) => {}
                () = pump(from_server, to_client, true, number, state.clone()) => {}
                () = ends(number, state) => {}
            }
        });
    }
}

/// Returns when the connection is to be reset.
async fn ends(number: u64, mut state: watch::Receiver<RelayState>) {
    let _ = state.wait_for(|state| state.link == LinkState::Cut || number < state.reset_before).await;
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    answers: bool,
    number: u64,
    mut state: watch::Receiver<RelayState>,
) {
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let Ok(length @ 1..) = from.read(&mut chunk).await else {
            // the end of a forgotten connection is not passed on
            if number < state.borrow().lost_before {
                std::future::pending::<()>().await;
            }
            return;
        };
        let held = |state: &RelayState| {
            number >= state.lost_before
                && (state.link == LinkState::Stalled || (answers && state.link == LinkState::AnswersHeld))
        };
        let Ok(now) = state.wait_for(|state| !held(state)).await.map(|state| *state) else { return };
        if number < now.lost_before {
            continue;
        }
        match now.link {
            LinkState::Delayed(delay) => sleep(delay).await,
            LinkState::BytesPerSecond(rate) => {
                sleep(Duration::from_secs_f64(length as f64 / rate as f64)).await;
            }
            _ => {}
        }
        if to.write_all(&chunk[..length]).await.is_err() {
            return;
        }
    }
}
