//! HTTP/1.1 over every listener, until it is stopped.

use super::app::App;
use super::body::{Until, WithGuard};
use super::clients::{Client, Clients, Entry};
use super::fault::{fault, request_id};
use super::unread::Unread;
use anyhow::Result;
use http::header::CONNECTION;
use http::{HeaderValue, Request, Response, StatusCode};
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
    let clients = Clients::new(app.limits.connections, app.limits.connections_per_address);
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
                match clients.admit(client.ip()) {
                    Some(entry) => {
                        connections.spawn(connection_task(app.clone(), stream, client, entry, &graceful));
                    }
                    None => tracing::warn!(%client, "a connection was closed: there are too many"),
                }
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
    address: SocketAddr,
    entry: Entry,
    graceful: &GracefulShutdown,
) -> impl Future<Output = ()> + Send + use<> {
    // Answers are short: a second segment must not wait for the first one's acknowledgement.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("TCP_NODELAY is not set: {error}");
    }
    let client = entry.client.clone();
    let stream = Unread::new(stream, app.limits.unread);
    let service = service_fn(move |request| answer(app.clone(), request, address, client.clone()));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let connection = graceful.watch(connection);
    async move {
        tokio::select! {
            ended = connection => if let Err(error) = ended {
                tracing::debug!(client = %address, "a connection ended early: {error}");
            },
            () = entry.client.closed() => tracing::debug!(client = %address, "a connection made room for another"),
        }
    }
}

async fn answer(
    app: Arc<App>,
    mut request: Request<Incoming>,
    address: SocketAddr,
    client: Arc<Client>,
) -> Result<Response<WasiBody>, Infallible> {
    let id = request_id(request.headers_mut());
    let (head, body) = request.into_parts();
    let body = match app.bodies.take(body, address.ip()).await {
        Ok(body) => body,
        Err(status) => return Ok(refused(status, &id)),
    };
    let serving = client.serving();
    let request = Request::from_parts(head, body);
    let response = match app.limits.request {
        None => app.public(request, address).await,
        Some(time) => match tokio::time::timeout(time, app.public(request, address)).await {
            Ok(response) => response.map(|body| Until::new(body, time).boxed_unsync()),
            Err(_) => fault(StatusCode::GATEWAY_TIMEOUT, &id),
        },
    };
    Ok(response.map(|body| WithGuard::new(body, serving).boxed_unsync()))
}

/// The rest of the body is not read, so the connection cannot serve another request.
fn refused(status: StatusCode, id: &str) -> Response<WasiBody> {
    let mut response = fault(status, id);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}
