//! A receiver of webhooks on loopback with configurable answers.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use standardwebhooks::Webhook;
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU16, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::net::TcpListener;

/// A request that came in.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    pub(crate) fn json(&self) -> Result<Value> {
        Ok(serde_json::from_slice(&self.body)?)
    }

    pub(crate) fn event(&self) -> String {
        self.json().map(|j| j["event"].as_str().unwrap_or_default().to_owned()).unwrap_or_default()
    }

    /// Checks the signature with the reference library of the specification.
    pub(crate) fn verify(&self, secret: &str) -> Result<()> {
        let webhook = Webhook::new(secret)?;
        webhook.verify(&self.body, &self.headers).with_context(|| format!("{:?}", self.headers))
    }
}

/// The receiver; it listens until dropped.
pub(crate) struct Receiver {
    pub address: SocketAddr,
    answer: Arc<AtomicU16>,
    received: Arc<Mutex<Vec<Received>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Receiver {
    pub(crate) async fn start() -> Result<Self> {
        Self::at(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    pub(crate) async fn at(address: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let answer = Arc::new(AtomicU16::new(200));
        let received = Arc::new(Mutex::new(Vec::new()));
        let (status, kept) = (answer.clone(), received.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (status, kept) = (status.clone(), kept.clone());
                tokio::spawn(async move {
                    let service = service_fn(move |request| {
                        take(request, status.load(Ordering::Relaxed), kept.clone())
                    });
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Ok(Self { address, answer, received, task })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Answers with this status from now on.
    pub(crate) fn answer(&self, status: u16) {
        self.answer.store(status, Ordering::Relaxed);
    }

    pub(crate) fn all(&self) -> Vec<Received> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn of(&self, event: &str) -> Vec<Received> {
        self.all().into_iter().filter(|r| r.event() == event).collect()
    }

    /// Waits until this many requests have arrived, at most 20 s.
    pub(crate) async fn wait_for(&self, count: usize) -> Result<Vec<Received>> {
        let end = Instant::now() + Duration::from_secs(20);
        while self.all().len() < count {
            ensure!(
                Instant::now() < end,
                "{} of {count} requests came in: {:?}",
                self.all().len(),
                self.all()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(self.all())
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn take(
    request: Request<Incoming>,
    status: u16,
    kept: Arc<Mutex<Vec<Received>>>,
) -> Result<Response<Full<Bytes>>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    kept.lock().unwrap_or_else(PoisonError::into_inner).push(Received { headers: parts.headers, body });
    Ok(Response::builder().status(status).body(Full::from("received"))?)
}
