//! Requests of our own: from component to component, inside the host (`http://NAME.spin.internal`), and to others.

use crate::{Refusal, trace, trace_context::TRACEPARENT, variable};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, header};
use http_body_util::{BodyExt, Full};
use pm_api::ingest::{BATCH_CONTENT_TYPE, Batch, BatchReport};
use serde::{Serialize, de::DeserializeOwned};

/// Why a call to another component failed.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// It could not be reached.
    #[error("not reachable: {0}")]
    Unreachable(String),
    /// It answered, but not 200.
    #[error("answered {0}: {1}")]
    Refused(u16, String),
    /// Its answer could not be read.
    #[error("answer not understood: {0}")]
    Unreadable(String),
}

/// Sends a request to wherever `allowed_outbound_hosts` permits, and reads the answer to its end.
///
/// # Errors
/// [`ChainError::Unreachable`] if there is no answer.
pub async fn send(request: http::Request<Bytes>) -> Result<http::Response<Bytes>, ChainError> {
    let unreachable = |e| ChainError::Unreachable(format!("{e:?}"));
    let answer = spin_sdk::http::send(request.map(Full::new)).await.map_err(unreachable)?;
    let (parts, body) = answer.into_parts();
    let body = body.collect().await.map_err(unreachable)?.to_bytes();
    Ok(http::Response::from_parts(parts, body))
}

/// Another component of the application.
#[derive(Debug, Clone, Copy)]
pub struct Component(pub &'static str);

impl Component {
    /// Posts a postcard message; the answer is postcard too.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn post_postcard<T: DeserializeOwned>(
        self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ChainError> {
        let answer = self.post(path, encode(body)?, "application/octet-stream", None).await?;
        postcard::from_bytes(&answer).map_err(|e| ChainError::Unreadable(e.to_string()))
    }

    /// Posts a postcard message; the answer is JSON.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn post_postcard_for_json<T: DeserializeOwned>(
        self,
        path: &str,
        body: &impl Serialize,
        content_type: &str,
        token: Option<&str>,
    ) -> Result<T, ChainError> {
        let answer = self.post(path, encode(body)?, content_type, token).await?;
        serde_json::from_slice(&answer).map_err(|e| ChainError::Unreadable(e.to_string()))
    }

    /// Posts a JSON message with the service token; the answer is JSON.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn post_json<T: DeserializeOwned>(
        self,
        path: &str,
        body: &impl Serialize,
        token: &str,
    ) -> Result<T, ChainError> {
        let body = serde_json::to_vec(body).map_err(|e| ChainError::Unreadable(e.to_string()))?;
        let answer = self.post(path, body, "application/json", Some(token)).await?;
        serde_json::from_slice(&answer).map_err(|e| ChainError::Unreadable(e.to_string()))
    }

    /// Asks for a JSON document.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub async fn get_json<T: DeserializeOwned>(self, path: &str) -> Result<T, ChainError> {
        let request = http::Request::get(self.url(path)).body(Bytes::new());
        let answer = self.exchange(request).await?;
        serde_json::from_slice(&answer).map_err(|e| ChainError::Unreadable(e.to_string()))
    }

    fn url(self, path: &str) -> String {
        format!("http://{}.spin.internal{path}", self.0)
    }

    async fn post(
        self,
        path: &str,
        body: Vec<u8>,
        content_type: &str,
        token: Option<&str>,
    ) -> Result<Bytes, ChainError> {
        let mut request = http::Request::post(self.url(path))
            .header(header::CONTENT_TYPE, content_type)
            .header(header::CONTENT_LENGTH, body.len());
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        self.exchange(request.body(Bytes::from(body))).await
    }

    async fn exchange(self, request: http::Result<http::Request<Bytes>>) -> Result<Bytes, ChainError> {
        let mut request = request.map_err(|e| ChainError::Unreachable(e.to_string()))?;
        // the callee's log lines carry id and trace of the request that caused them
        let current = trace::current();
        if let Some(id) = current.as_ref().and_then(|t| HeaderValue::from_str(&t.id).ok()) {
            request.headers_mut().insert(HeaderName::from_static("x-request-id"), id);
        }
        if let Some(parent) = current.and_then(|t| HeaderValue::from_str(&t.context.traceparent()).ok()) {
            request.headers_mut().insert(TRACEPARENT, parent);
        }
        let answer = send(request).await?;
        let (status, body) = (answer.status(), answer.into_body());
        if status == http::StatusCode::OK {
            Ok(body)
        } else {
            Err(ChainError::Refused(
                status.as_u16(),
                String::from_utf8_lossy(&body).chars().take(300).collect(),
            ))
        }
    }
}

/// Hands readings and dead letters to `ingest`, the way of all readings. What it answers is committed.
///
/// # Errors
/// [`Refusal::Unavailable`] if they could not be stored.
pub async fn ingest(batch: &Batch) -> Result<BatchReport, Refusal> {
    let token = variable("component_token").await?;
    Component("ingest")
        .post_postcard_for_json("/internal/ingest", batch, BATCH_CONTENT_TYPE, Some(&token))
        .await
        .map_err(|e| Refusal::Unavailable(format!("ingest {e}")))
}

fn encode(body: &impl Serialize) -> Result<Vec<u8>, ChainError> {
    postcard::to_allocvec(body).map_err(|e| ChainError::Unreadable(e.to_string()))
}
