//! A proxy between bridge and host that understands HTTP: it answers batches itself, late, never, or not truthfully.
//! Everything else passes.

use anyhow::Result;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::Incoming, client::conn::http1 as client, server::conn::http1 as server, service::service_fn,
};
use hyper_util::rt::TokioIo;
use std::{
    net::SocketAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    time::sleep,
};

/// What becomes of a batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ProxyBehaviour {
    /// It passes, and its answer too.
    Honest,
    /// It does not pass; the answer is this status.
    Refuses(u16),
    /// It passes, and its answer after this time.
    Slow(Duration),
    /// It does not pass, and there is no answer until the behaviour changes.
    Silent,
    /// It passes, and the connection ends without an answer.
    LosesAnswers,
    /// It does not pass and is answered as committed. No platform survives this: the checker must find it.
    Lies,
}

#[derive(Clone)]
pub(crate) struct HttpProxy {
    address: SocketAddr,
    target: Arc<OnceLock<SocketAddr>>,
    behaviour: watch::Sender<ProxyBehaviour>,
    /// Batches that were not treated honestly.
    mistreated: Arc<AtomicU64>,
}

impl HttpProxy {
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let http_proxy = Self {
            address: listener.local_addr()?,
            target: Arc::default(),
            behaviour: watch::channel(ProxyBehaviour::Honest).0,
            mistreated: Arc::default(),
        };
        let serving = http_proxy.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let http_proxy = serving.clone();
                let _ = stream.set_nodelay(true);
                tokio::spawn(async move {
                    let service = service_fn(move |request| http_proxy.clone().answer(request));
                    let _ = server::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Ok(http_proxy)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn lead_to(&self, target: SocketAddr) {
        self.target.get_or_init(|| target);
    }

    pub(crate) fn set(&self, behaviour: ProxyBehaviour) {
        self.behaviour.send_replace(behaviour);
    }

    /// Batches so far that were not treated honestly.
    pub(crate) fn mistreated(&self) -> u64 {
        self.mistreated.load(SeqCst)
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let mut behaviour = self.behaviour.subscribe();
        let now = *behaviour.borrow();
        if head.uri.path() != "/internal/ingest" || now == ProxyBehaviour::Honest {
            return self.pass(head, body).await;
        }
        self.mistreated.fetch_add(1, SeqCst);
        match now {
            ProxyBehaviour::Honest => self.pass(head, body).await,
            ProxyBehaviour::Refuses(status) => answer(status, r#"{"detail": "Internal Server Error"}"#),
            ProxyBehaviour::Slow(delay) => {
                let answer = self.pass(head, body).await;
                sleep(delay).await;
                answer
            }
            ProxyBehaviour::Silent => {
                let _ = behaviour.wait_for(|behaviour| *behaviour != ProxyBehaviour::Silent).await;
                anyhow::bail!("no answer")
            }
            ProxyBehaviour::LosesAnswers => {
                self.pass(head, body).await?;
                anyhow::bail!("the answer is lost")
            }
            ProxyBehaviour::Lies => {
                answer(200, &serde_json::to_string(&pm_api::ingest::BatchReport::default())?)
            }
        }
    }

    async fn pass(&self, head: http::request::Parts, body: Bytes) -> Result<Response<Full<Bytes>>> {
        let Some(target) = self.target.get() else { return answer(503, "{}") };
        let Ok(stream) = TcpStream::connect(target).await else { anyhow::bail!("nobody there") };
        stream.set_nodelay(true)?;
        let (mut sender, connection) = client::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let answer = sender.send_request(Request::from_parts(head, Full::new(body))).await?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await?.to_bytes();
        connection.abort();
        Ok(Response::from_parts(head, Full::new(body)))
    }
}

fn answer(status: u16, body: &str) -> Result<Response<Full<Bytes>>> {
    let answer = Response::builder().status(StatusCode::from_u16(status)?);
    Ok(answer.header("content-type", "application/json").body(Full::from(body.to_owned()))?)
}
