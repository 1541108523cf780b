//! Answers to whoever watches over the process: `/health/live` and `/health/ready`, with the bridge's report as JSON.

use crate::health::Health;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

const PATIENCE: Duration = Duration::from_secs(5);
const LONGEST_HEAD_BYTES: usize = 8 * 1024;

/// Answers until it is dropped: `/health/live` with 200, `/health/ready` with 200 while the bridge is connected to the
/// broker and 503 while it is not, anything else with 404.
pub async fn serve(listener: TcpListener, health: Arc<Health>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(timeout(PATIENCE, answer(stream, health.clone())));
            }
            // out of file descriptors, mostly
            Err(_) => sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn answer(mut stream: TcpStream, health: Arc<Health>) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|w| w == b"\r\n\r\n") && head.len() < LONGEST_HEAD_BYTES {
        if stream.read_buf(&mut head).await? == 0 {
            break;
        }
    }
    let status = match target(&head) {
        Some("/health/live") => "200 OK",
        Some("/health/ready") if health.connected.load(Relaxed) => "200 OK",
        Some("/health/ready") => "503 Service Unavailable",
        _ => "404 Not Found",
    };
    let body = serde_json::to_string(&health.report()).unwrap_or_default();
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

/// The path of a GET request, without its query.
fn target(head: &[u8]) -> Option<&str> {
    let line = std::str::from_utf8(head).ok()?.lines().next()?;
    line.strip_prefix("GET ")?.split([' ', '?']).next()
}

#[cfg(test)]
mod tests {
    use super::*;

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
    async fn ready_is_connected() -> anyhow::Result<()> {
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
