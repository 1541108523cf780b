//! Connections that ask one after the other, as fast as they are answered.

use crate::latency::Percentiles;
use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use std::{sync::Arc, time::Duration};
use tokio::{net::TcpStream, time::Instant};

/// A request that is sent again and again.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    /// GET or POST.
    pub(crate) method: Method,
    /// Path with query.
    pub(crate) path: String,
    /// Form to send, if any.
    pub(crate) form: Option<String>,
    /// Access token, if any.
    pub(crate) token: Option<String>,
}

/// What asking has shown.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Endpoint {
    /// Its name in the table.
    pub(crate) name: String,
    /// Answers 200 per second.
    pub(crate) requests_per_s: f64,
    /// From sending a request to the last byte of its answer.
    pub(crate) latency: Percentiles,
    /// Bytes of one answer.
    pub(crate) answer_bytes: usize,
}

/// One kept connection.
pub(crate) struct Connection {
    address: String,
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    /// Opens a connection to `http://host:port`.
    pub(crate) async fn open(base_url: &str) -> Result<Self> {
        let address = base_url.trim_start_matches("http://").to_owned();
        let stream = TcpStream::connect(&address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { address, sender })
    }

    /// Sends a request and reads its answer, which must be 200.
    pub(crate) async fn ask(&mut self, ask: &Ask) -> Result<Bytes> {
        let mut request = Request::builder().method(&ask.method).uri(&ask.path).header("host", &self.address);
        if let Some(token) = &ask.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if ask.form.is_some() {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        let body = Full::new(Bytes::from(ask.form.clone().unwrap_or_default()));
        let answer = self.sender.send_request(request.body(body)?).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        ensure!(status == 200, "{} answers {status}: {}", ask.path, String::from_utf8_lossy(&body));
        Ok(body)
    }
}

/// Asks over so many connections for so long.
pub(crate) async fn measure(
    base_url: &str,
    name: &str,
    ask: Ask,
    connections: usize,
    seconds: f64,
) -> Result<Endpoint> {
    let ask = Arc::new(ask);
    let mut tasks = Vec::new();
    let began = Instant::now();
    let end = began + Duration::from_secs_f64(seconds);
    for _ in 0..connections {
        let (ask, mut connection) = (ask.clone(), Connection::open(base_url).await?);
        tasks.push(tokio::spawn(async move {
            let (mut all_us, mut bytes) = (Vec::new(), 0);
            while Instant::now() < end {
                let sent = Instant::now();
                bytes = connection.ask(&ask).await?.len();
                all_us.push(sent.elapsed().as_micros() as u32);
            }
            anyhow::Ok((all_us, bytes))
        }));
    }
    let (mut all_us, mut answer_bytes) = (Vec::new(), 0);
    for task in tasks {
        let (of_one, bytes) = task.await?.with_context(|| format!("cannot measure {name}"))?;
        all_us.extend(of_one);
        answer_bytes = bytes;
    }
    let requests_per_s = all_us.len() as f64 / began.elapsed().as_secs_f64();
    Ok(Endpoint { name: name.to_owned(), requests_per_s, latency: Percentiles::of(all_us), answer_bytes })
}
