//! HTTP/1.1 over every listener, until it is stopped.

use super::app::App;
use anyhow::Result;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use wasmtime_wasi_http::WasiBody;

/// How long running requests may take after the stop.
pub const GRACE: Duration = Duration::from_secs(5);
/// How long a client may take to send its request's head.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// Accepts until `shutdown` is done, then gives running requests [`GRACE`].
///
/// # Errors
/// A listener's address cannot be read.
pub(crate) async fn serve(
    app: Arc<App>,
    listeners: Vec<TcpListener>,
    shutdown: impl Future<Output = ()>,
) -> Result<()> {
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let (accepted, mut incoming) = tokio::sync::mpsc::channel(64);
    let mut acceptors = JoinSet::new();
    for listener in listeners {
        app.listening.get_or_init(|| listener.local_addr().unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0))));
        acceptors.spawn(accept(listener, accepted.clone()));
    }
    drop(accepted);
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            connection = incoming.recv() => {
                let Some((stream, client)) = connection else { break };
                connections.spawn(connection_task(app.clone(), stream, client, &graceful));
            }
        }
    }
    acceptors.shutdown().await;
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("{} connections were cut after {GRACE:?}", connections.len());
    }
    connections.shutdown().await;
    Ok(())
}

async fn accept(listener: TcpListener, accepted: tokio::sync::mpsc::Sender<(TcpStream, SocketAddr)>) {
    loop {
        match listener.accept().await {
            Ok(connection) => {
                if accepted.send(connection).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                // Out of file descriptors, mostly: wait for some to be closed.
                tracing::warn!("a connection was not accepted: {error}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

fn connection_task(
    app: Arc<App>,
    stream: TcpStream,
    client: SocketAddr,
    graceful: &GracefulShutdown,
) -> impl Future<Output = ()> + Send + use<> {
    // Answers are short: a second segment must not wait for the first one's acknowledgement.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("TCP_NODELAY is not set: {error}");
    }
    let service = service_fn(move |request| answer(app.clone(), request, client));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let connection = graceful.watch(connection);
    async move {
        if let Err(error) = connection.await {
            tracing::debug!(%client, "a connection ended early: {error}");
        }
    }
}

async fn answer(
    app: Arc<App>,
    request: Request<Incoming>,
    client: SocketAddr,
) -> Result<Response<WasiBody>, Infallible> {
    let request = request.map(|body| body.map_err(Into::into).boxed_unsync());
    Ok(app.public(request, client).await)
}
