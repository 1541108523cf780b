//! An HTTP client for tests.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use pm_test_support::{Stack, StackOptions};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// A stack whose bridge has subscribed: what is published from now on is its.
pub(crate) async fn with_bridge(options: StackOptions) -> Result<(Stack, Client)> {
    let stack = Stack::start(options).await?;
    let client = Client::new(&stack.base_url());
    client.wait_for("/status", |s| (s["mqtt"]["connected"] == true).then_some(())).await?;
    Ok((stack, client))
}

/// An answer that was read to its end.
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body)
            .with_context(|| format!("{}: {:?}", self.status, String::from_utf8_lossy(&self.body)))
    }

    /// The JSON of an answer with this status.
    pub(crate) fn expect(&self, status: u16) -> Result<Value> {
        ensure!(
            self.status == status,
            "{} instead of {status}: {}",
            self.status,
            String::from_utf8_lossy(&self.body)
        );
        if self.body.is_empty() { Ok(Value::Null) } else { self.json() }
    }
}

/// A text in an answer.
pub(crate) fn text<'v>(value: &'v Value, name: &str) -> Result<&'v str> {
    value[name].as_str().with_context(|| format!("no {name} in {value}"))
}

/// Talks to a stack, perhaps with a token.
#[derive(Clone)]
pub(crate) struct Client {
    address: String,
    token: Option<String>,
}

pub(crate) const ADMIN: (&str, &str) = ("admin@example.com", "admin123");
pub(crate) const ENGINEER: (&str, &str) = ("engineer@example.com", "engineer123");
pub(crate) const VIEWER: (&str, &str) = ("viewer@example.com", "viewer123");

impl Client {
    pub(crate) fn new(base_url: &str) -> Self {
        Self { address: base_url.trim_start_matches("http://").to_owned(), token: None }
    }

    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The token, empty without one.
    pub(crate) fn token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    /// Signs in as a demonstration user.
    pub(crate) async fn sign_in(&self, (email, password): (&str, &str)) -> Result<Self> {
        let pair = self.login(email, password).await?.expect(200)?;
        Ok(self.with_token(pair["access_token"].as_str().context("no access token")?))
    }

    pub(crate) async fn login(&self, email: &str, password: &str) -> Result<Answer> {
        let form = format!("username={email}&password={password}");
        self.send(
            Method::POST,
            "/users/login",
            &[("content-type", "application/x-www-form-urlencoded")],
            form,
        )
        .await
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Answer> {
        self.send(Method::GET, path, &[], "").await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Result<Answer> {
        self.send(Method::POST, path, &[("content-type", "application/json")], body.to_string()).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Result<Answer> {
        self.send(Method::PATCH, path, &[("content-type", "application/json")], body.to_string()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<Answer> {
        self.send(Method::DELETE, path, &[], "").await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Answer> {
        let response = self.open(method, path, headers, body).await?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }

    /// Sends a request and leaves the answer's body to the caller.
    pub(crate) async fn open(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<http::Response<Incoming>> {
        let stream = TcpStream::connect(&self.address).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let mut request = Request::builder().method(method).uri(path).header("host", &self.address);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        Ok(sender.send_request(request.body(Full::new(body.into()))?).await?)
    }

    /// Asks again and again until `wanted` is found in the JSON answer, at most 20 s.
    pub(crate) async fn wait_for<T>(&self, path: &str, wanted: impl Fn(&Value) -> Option<T>) -> Result<T> {
        self.wait_for_within(path, Duration::from_secs(20), wanted).await
    }

    /// Asks again and again until `wanted` is found in the JSON answer, at most for `time`.
    pub(crate) async fn wait_for_within<T>(
        &self,
        path: &str,
        time: Duration,
        wanted: impl Fn(&Value) -> Option<T>,
    ) -> Result<T> {
        let end = Instant::now() + time;
        let mut last = json!(null);
        while Instant::now() < end {
            // a part under test may be away for a moment
            if let Ok(answer) = self.get(path).await
                && let Ok(value) = answer.json()
            {
                if let Some(found) = wanted(&value) {
                    return Ok(found);
                }
                last = value;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("{path} does not show what was waited for; last: {last}")
    }

    /// Waits until a GET is refused with this detail: what was seen of an account is believed for some seconds.
    pub(crate) async fn wait_for_refusal(&self, path: &str, detail: &str) -> Result<()> {
        let refused = |answer: &Value| answer["detail"].as_str().is_some_and(|text| text.starts_with(detail));
        self.wait_for(path, |answer| refused(answer).then_some(())).await
    }
}
