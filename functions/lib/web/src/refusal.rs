//! Why a request is not served, and the answer that says so.

use crate::reply::{self, Answer};
use http::{HeaderValue, StatusCode, header};
use pm_api::error::{Detail, FieldError, ValidationProblem};
use pm_store::StoreError;
use serde_json::json;

/// A refusal; the web layer turns it into the documented answer.
#[derive(Debug)]
pub enum Refusal {
    /// 401 without a usable `Authorization` header.
    NotAuthenticated,
    /// 401 with a token that is not good.
    BadToken,
    /// 401 with a text of its own (bad login, bad refresh token).
    Unauthorized(String),
    /// 403.
    Forbidden(String),
    /// 404: no such path or resource.
    NotFound,
    /// 405 with the methods that the path knows.
    MethodNotAllowed(Vec<&'static str>),
    /// 400: a business rule.
    BadRequest(String),
    /// 409: somebody else was faster.
    Conflict(String),
    /// 413.
    TooLarge,
    /// 422: these fields.
    Invalid(Vec<FieldError>),
    /// 429: try again after so many seconds.
    TooManyRequests(i64),
    /// 503: something we need is not there now; the text goes to the log.
    Unavailable(String),
    /// 500: an error of ours; the text goes to the log.
    Internal(String),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Unavailable(error.to_string()),
            // what a client's value can trip over has its own refusal in the handler; values that the database
            // cannot represent are the client's all the same
            StoreError::Invalid(_) => Self::BadRequest("A value is outside what can be stored".to_owned()),
            StoreError::Constraint(_) | StoreError::Failed(_) => Self::Internal(error.to_string()),
        }
    }
}

impl Refusal {
    /// A single invalid field; `loc` begins with `body`, `query` or `path`.
    #[must_use]
    pub fn field(kind: &str, loc: &[&str], message: impl Into<String>, input: serde_json::Value) -> Self {
        Self::Invalid(vec![FieldError::new(kind, loc, message, input)])
    }

    /// The answer to a request for `path`.
    pub(crate) fn answer(self, path: &str) -> Answer {
        let detail = |status, text: &str| reply::json(status, &Detail { detail: text.to_owned() });
        match self {
            Self::NotAuthenticated => {
                let mut answer = detail(StatusCode::UNAUTHORIZED, "Not authenticated");
                answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
                answer
            }
            Self::BadToken => detail(StatusCode::UNAUTHORIZED, "Could not validate credentials"),
            Self::Unauthorized(text) => detail(StatusCode::UNAUTHORIZED, &text),
            Self::Forbidden(text) => detail(StatusCode::FORBIDDEN, &text),
            Self::NotFound => reply::json(StatusCode::NOT_FOUND, &not_found(path)),
            Self::MethodNotAllowed(methods) => {
                let mut answer = detail(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
                if let Ok(allow) = HeaderValue::from_str(&methods.join(", ")) {
                    answer.headers_mut().insert(header::ALLOW, allow);
                }
                answer
            }
            Self::BadRequest(text) => detail(StatusCode::BAD_REQUEST, &text),
            Self::Conflict(text) => detail(StatusCode::CONFLICT, &text),
            Self::TooLarge => detail(StatusCode::PAYLOAD_TOO_LARGE, "The request body is too large"),
            Self::Invalid(errors) => reply::json(
                StatusCode::UNPROCESSABLE_ENTITY,
                &ValidationProblem {
                    detail: "Validation error".to_owned(),
                    message: "The request data is invalid. Please check your input.".to_owned(),
                    errors,
                    path: path.to_owned(),
                },
            ),
            Self::TooManyRequests(seconds) => {
                let mut answer = detail(
                    StatusCode::TOO_MANY_REQUESTS,
                    "Too many failed attempts. Please try again later.",
                );
                answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
                answer
            }
            Self::Unavailable(text) => {
                eprintln!("503 {path}: {text}");
                let mut answer =
                    detail(StatusCode::SERVICE_UNAVAILABLE, "The service is temporarily unavailable");
                answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
                answer
            }
            Self::Internal(text) => {
                eprintln!("500 {path}: {text}");
                detail(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
            }
        }
    }
}

fn not_found(path: &str) -> serde_json::Value {
    json!({
        "detail": format!("Endpoint not found: {path}"),
        "message": "The requested endpoint does not exist. Here are some available endpoints:",
        "available_endpoints": {
            "root": "/", "health": "/health", "status": "/status", "api_docs": "/docs", "openapi": "/openapi.json",
            "dashboard": "/dashboard/overview", "ai_status": "/ai/status", "mqtt_status": "/mqtt/status",
            "machines": "/machines", "sensors": "/sensors", "predictions": "/predictions", "alarms": "/alarms",
            "tickets": "/tickets", "reports": "/reports/generate"
        },
        "tip": "Visit /docs for the complete API documentation"
    })
}

/// The documented answer for a path that no component knows.
#[must_use]
pub fn unknown_path(path: &str) -> Answer {
    Refusal::NotFound.answer(path)
}

/// The documented answer for a known path and an unknown method.
#[must_use]
pub fn other_method(methods: &[&'static str]) -> Answer {
    Refusal::MethodNotAllowed(methods.to_vec()).answer("")
}
