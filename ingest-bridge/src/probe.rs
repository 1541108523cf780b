//! Health probes: `/health/live` and `/health/ready`, with the bridge's report as JSON.

use crate::health::Health;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

/// How long one connection may take, from its first byte to the end of the answer.
const CONNECTION_LIMIT: Duration = Duration::from_secs(5);

/// Answers until it is dropped: `/health/live` with 200, `/health/ready` with 200 while the bridge is connected to the
/// broker and 503 while it is not, anything else with 404.
pub async fn serve(listener: TcpListener, health: Arc<Health>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(timeout(CONNECTION_LIMIT, connection(stream, health.clone())));
            }
            // out of file descriptors, mostly
            Err(_) => sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn connection(stream: TcpStream, health: Arc<Health>) {
    let service =
        service_fn(move |request| std::future::ready(Ok::<_, Infallible>(answer(&request, &health))));
    let served =
        http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), service).await;
    if let Err(error) = served {
        tracing::debug!("a probe's connection ended early: {error}");
    }
}

fn answer(request: &Request<Incoming>, health: &Health) -> Response<Full<Bytes>> {
    let status = match (request.method(), request.uri().path()) {
        (&Method::GET, "/health/live") => StatusCode::OK,
        (&Method::GET, "/health/ready") if health.connected.load(Relaxed) => StatusCode::OK,
        (&Method::GET, "/health/ready") => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::NOT_FOUND,
    };
    let body = serde_json::to_vec(&health.report()).unwrap_or_default();
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    async fn get(path: &str, connected: bool) -> anyhow::Result<(String, serde_json::Value)> {
        let health = Arc::new(Health::default());
        health.connected.store(connected, Relaxed);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut stream = TcpStream::connect(listener.local_addr()?).await?;
        let server = tokio::spawn(serve(listener, health));
        // in two pieces, as a network may bring it
        stream.write_all(format!("GET {path} HTTP/1.1\r\nho").as_bytes()).await?;
        stream.write_all(b"st: x\r\n\r\n").await?;
        let mut text = String::new();
        stream.read_to_string(&mut text).await?;
        server.abort();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_default();
        Ok((head.lines().next().unwrap_or_default().to_owned(), serde_json::from_str(body)?))
    }

    #[tokio::test]
    async fn ready_only_while_connected_to_the_broker() -> anyhow::Result<()> {
        for (path, connected, expected) in [
            ("/health/live", false, "HTTP/1.1 200 OK"),
            ("/health/ready", false, "HTTP/1.1 503 Service Unavailable"),
            ("/health/ready?verbose", true, "HTTP/1.1 200 OK"),
            ("/other", true, "HTTP/1.1 404 Not Found"),
        ] {
            let (status, report) = get(path, connected).await?;
            assert_eq!((status.as_str(), &report["connected"]), (expected, &connected.into()), "{path}");
        }
        Ok(())
    }
}
