//! A small S3-compatible store that checks every signature.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use pm_s3::signature::{Signer, sha256_hex};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::net::TcpListener;

const KEYS: (&str, &str) = ("test-key", "test-secret");
const REGION: &str = "eu-central-1";

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Bytes>,
    refused: Vec<String>,
    away: bool,
}

/// The store; it ends with the test.
pub(crate) struct ObjectStore {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl ObjectStore {
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let store = Self { address: listener.local_addr()?, state: Arc::default() };
        let state = store.state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = state.clone();
                let service = service_fn(move |request| serve(state.clone(), request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Ok(store)
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The settings that name this store.
    pub(crate) fn settings(&self) -> [(&'static str, String); 6] {
        [
            ("attachments.s3_endpoint", self.url()),
            ("attachments.s3_bucket", "files".to_owned()),
            ("attachments.s3_region", REGION.to_owned()),
            ("attachments.s3_access_key_id", KEYS.0.to_owned()),
            ("attachments.s3_secret_access_key", KEYS.1.to_owned()),
            ("attachments.store", "s3".to_owned()),
        ]
    }

    /// `bucket/key` of every object.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.state.lock().map(|s| s.objects.keys().cloned().collect()).unwrap_or_default()
    }

    /// Requests whose signature did not fit.
    pub(crate) fn refused(&self) -> Vec<String> {
        self.state.lock().map(|s| s.refused.clone()).unwrap_or_default()
    }

    /// Answers 503 from now on.
    pub(crate) fn refuse(&self) {
        if let Ok(mut state) = self.state.lock() {
            state.away = true;
        }
    }
}

async fn serve(
    state: Arc<Mutex<State>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(|b| b.to_bytes()).unwrap_or_default();
    let path = parts.uri.path().trim_start_matches('/').to_owned();
    let checked = check(&parts.method, parts.uri.path(), &parts.headers, &body);
    let Ok(mut state) = state.lock() else { return Ok(answer(StatusCode::INTERNAL_SERVER_ERROR, "")) };
    if state.away {
        return Ok(answer(StatusCode::SERVICE_UNAVAILABLE, "SlowDown"));
    }
    if let Err(problem) = checked {
        state.refused.push(format!("{} {path}: {problem:#}", parts.method));
        return Ok(answer(StatusCode::FORBIDDEN, "SignatureDoesNotMatch"));
    }
    Ok(match parts.method {
        Method::PUT => {
            state.objects.insert(path, body);
            answer(StatusCode::OK, "")
        }
        Method::GET => match state.objects.get(&path) {
            Some(object) => answer(StatusCode::OK, object.clone()),
            None => answer(StatusCode::NOT_FOUND, "NoSuchKey"),
        },
        Method::DELETE => {
            state.objects.remove(&path);
            answer(StatusCode::NO_CONTENT, "")
        }
        _ => answer(StatusCode::METHOD_NOT_ALLOWED, ""),
    })
}

/// Does the signature cover this request as it arrived?
fn check(method: &Method, path: &str, headers: &HeaderMap, body: &[u8]) -> Result<()> {
    let header =
        |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).with_context(|| format!("no {name}"));
    let hash = header("x-amz-content-sha256")?;
    ensure!(hash == sha256_hex(body), "the content is not what was signed");
    let authorization = header("authorization")?;
    let names =
        authorization.split("SignedHeaders=").nth(1).and_then(|s| s.split(',').next()).context("no names")?;
    let signed = names.split(';').map(|name| Ok((name, header(name)?))).collect::<Result<Vec<_>>>()?;
    for needed in ["host", "x-amz-content-sha256", "x-amz-date"] {
        ensure!(signed.iter().any(|(name, _)| *name == needed), "{needed} is not signed");
    }
    let signer = Signer::new(KEYS.0, KEYS.1, REGION);
    let expected = signer.authorization(method.as_str(), path, "", &signed, hash, header("x-amz-date")?);
    ensure!(authorization == expected, "{authorization}");
    Ok(())
}

fn answer(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer
}
