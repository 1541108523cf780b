//! Why a request is not served, and the answer that says so.

use crate::{
    log_error,
    reply::{self, Answer},
    trace,
};
use http::{HeaderValue, StatusCode, header};
use pm_api::{
    error::{ActionRequired, Detail, Fault, FieldError, NotFound, SecondFactorRequired, ValidationProblem},
    input::FieldFault,
};
use pm_domain::sign_in::Restriction;
use pm_store::StoreError;

/// A refusal; the web layer turns it into the documented answer.
#[derive(Debug)]
pub enum Refusal {
    /// 401 without a usable `Authorization` header.
    NotAuthenticated,
    /// 401 with a token that is not good.
    BadToken,
    /// 401 with a text of its own (bad login, bad refresh token).
    Unauthorized(String),
    /// 401 to a login with the right password that lacks a good code of the second factor.
    SecondFactor(String),
    /// 403.
    Forbidden(String),
    /// 403 to a person who has to do something first.
    Restricted(Restriction),
    /// 404: no such path or resource.
    NotFound,
    /// 405 with the methods that the path knows.
    MethodNotAllowed(Vec<&'static str>),
    /// 400: a business rule.
    BadRequest(String),
    /// 409: somebody else was faster.
    Conflict(String),
    /// 408: the body did not arrive in time.
    BodyTimeout,
    /// 413.
    TooLarge,
    /// 415: these fields hold something of a type that is not accepted.
    UnsupportedType(Vec<FieldError>),
    /// 422: these fields.
    Invalid(Vec<FieldError>),
    /// 429 after failed attempts: try again after so many seconds.
    TooManyRequests(i64),
    /// 429 for a client that asks too often: try again after so many seconds.
    TooFast(i64),
    /// 502: somebody outside gives no answer that can be used.
    BadGateway(String),
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

    /// Invalid fields of the body.
    #[must_use]
    pub fn in_body(faults: Vec<FieldFault>) -> Self {
        let located = |fault: FieldFault| {
            let FieldFault { field, refused, input } = fault;
            FieldError::new(refused.kind, &["body", field], refused.message, input)
        };
        Self::Invalid(faults.into_iter().map(located).collect())
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
            Self::SecondFactor(detail) => {
                let body = SecondFactorRequired { detail, second_factor_required: true };
                reply::json(StatusCode::UNAUTHORIZED, &body)
            }
            Self::Restricted(restriction) => {
                let body = ActionRequired {
                    detail: restriction.hint().to_owned(),
                    action_required: restriction.as_str().to_owned(),
                };
                reply::json(StatusCode::FORBIDDEN, &body)
            }
            Self::Forbidden(text) => detail(StatusCode::FORBIDDEN, &text),
            Self::NotFound => reply::json(StatusCode::NOT_FOUND, &NotFound::of(path)),
            Self::MethodNotAllowed(methods) => {
                let mut answer = detail(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
                if let Ok(allow) = HeaderValue::from_str(&allow(&methods)) {
                    answer.headers_mut().insert(header::ALLOW, allow);
                }
                answer
            }
            Self::BadRequest(text) => detail(StatusCode::BAD_REQUEST, &text),
            Self::Conflict(text) => detail(StatusCode::CONFLICT, &text),
            Self::BodyTimeout => {
                detail(StatusCode::REQUEST_TIMEOUT, "The request body did not arrive in time")
            }
            Self::TooLarge => detail(StatusCode::PAYLOAD_TOO_LARGE, "The request body is too large"),
            Self::UnsupportedType(errors) => {
                reply::json(StatusCode::UNSUPPORTED_MEDIA_TYPE, &problem(errors, path))
            }
            Self::Invalid(errors) => reply::json(StatusCode::UNPROCESSABLE_ENTITY, &problem(errors, path)),
            Self::TooManyRequests(seconds) => {
                too_many(seconds, "Too many failed attempts. Please try again later.")
            }
            Self::TooFast(seconds) => too_many(seconds, "Too many requests. Please try again later."),
            Self::BadGateway(text) => detail(StatusCode::BAD_GATEWAY, &text),
            Self::Unavailable(text) => {
                let sentence = "The service is temporarily unavailable";
                let mut answer = fault(StatusCode::SERVICE_UNAVAILABLE, sentence, path, &text);
                answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
                answer
            }
            Self::Internal(text) => {
                fault(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error", path, &text)
            }
        }
    }
}

fn too_many(seconds: i64, text: &str) -> Answer {
    let detail = Detail { detail: text.to_owned() };
    let mut answer = reply::json(StatusCode::TOO_MANY_REQUESTS, &detail);
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    answer
}

fn problem(errors: Vec<FieldError>, path: &str) -> ValidationProblem {
    ValidationProblem {
        detail: "Validation error".to_owned(),
        message: "The request data is invalid. Please check your input.".to_owned(),
        errors,
        path: path.to_owned(),
    }
}

/// The methods that a path knows, for the header `allow`.
pub(crate) fn allow(methods: &[&'static str]) -> String {
    let mut all = methods.to_vec();
    if all.contains(&"GET") {
        all.push("HEAD");
    }
    all.push("OPTIONS");
    all.join(", ")
}

/// An answer about something that is not the caller's fault; the text goes to the log, with the request's id.
fn fault(status: StatusCode, detail: &str, path: &str, text: &str) -> Answer {
    log_error(&format!("{} {path}: {text}", status.as_u16()));
    let request_id = trace::current().map(|t| t.id.clone()).unwrap_or_default();
    reply::json(status, &Fault { detail: detail.to_owned(), request_id })
}

/// The documented answer for a path that no component knows.
#[must_use]
pub fn unknown_path(path: &str) -> Answer {
    Refusal::NotFound.answer(path)
}
