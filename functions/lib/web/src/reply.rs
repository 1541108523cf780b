//! Answers.

use crate::log_error;
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use spin_sdk::http::{BoxBody, FullBody, box_body};

/// An HTTP answer.
pub type Answer = http::Response<BoxBody>;

/// The whole body of an answer, kept beside it so that it can be tagged and compressed on its way out.
#[derive(Clone)]
pub(crate) struct CompleteBody(pub(crate) Bytes);

/// Cache-control value of everything that belongs to one caller.
pub const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// A JSON answer.
pub fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    match serde_json::to_vec(body) {
        Ok(body) => bytes(status, JSON, body),
        Err(error) => {
            log_error(&format!("cannot write JSON: {error}"));
            bytes(StatusCode::INTERNAL_SERVER_ERROR, JSON, r#"{"detail":"Internal Server Error"}"#)
        }
    }
}

/// A plain text answer.
#[must_use]
pub fn text(status: StatusCode, body: &str) -> Answer {
    bytes(status, TEXT, body.as_bytes().to_vec())
}

/// An answer without body.
#[must_use]
pub fn empty(status: StatusCode) -> Answer {
    let mut answer = Answer::new(box_body(FullBody::new(Bytes::new())));
    *answer.status_mut() = status;
    if status != StatusCode::NO_CONTENT && status != StatusCode::NOT_MODIFIED {
        answer.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    answer
}

/// An answer of some bytes.
pub fn bytes(status: StatusCode, content_type: HeaderValue, body: impl Into<Bytes>) -> Answer {
    let body = body.into();
    let length = HeaderValue::from(body.len());
    let mut answer = Answer::new(box_body(FullBody::new(body.clone())));
    *answer.status_mut() = status;
    answer.extensions_mut().insert(CompleteBody(body));
    answer.headers_mut().insert(header::CONTENT_TYPE, content_type);
    answer.headers_mut().insert(header::CONTENT_LENGTH, length);
    answer.headers_mut().insert(header::CACHE_CONTROL, NO_STORE);
    answer
}
