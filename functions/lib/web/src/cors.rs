//! Which pages of other origins may call the API (the Fetch standard's CORS protocol).
//!
//! The application's variable `cors_allowed_origins` lists them, separated by commas; `*` is any, and then without
//! credentials. Nothing is allowed where a component does not get the variable.

use crate::reply::{Answer, empty};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use std::sync::OnceLock;

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
/// Headers that a page may read.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "x-total-count, x-next-cursor, x-request-id, etag, link, location, retry-after, content-disposition",
);
/// How long a browser may remember the answer to its question, seconds.
const MAX_AGE_S: HeaderValue = HeaderValue::from_static("600");

/// The origins that may call.
#[derive(Debug, PartialEq, Eq)]
enum Allowed {
    Any,
    These(Vec<String>),
}

impl Allowed {
    fn parse(list: &str) -> Self {
        let origins: Vec<_> = list
            .split(',')
            .map(|o| o.trim().trim_end_matches('/').to_owned())
            .filter(|o| !o.is_empty())
            .collect();
        if origins.iter().any(|o| o == "*") { Self::Any } else { Self::These(origins) }
    }

    /// What to say to a page of this origin.
    fn headers(&self, origin: &HeaderValue) -> Vec<(HeaderName, HeaderValue)> {
        match self {
            Self::Any => vec![(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"))],
            Self::These(origins) if origins.iter().any(|o| o.as_bytes() == origin.as_bytes()) => vec![
                (header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone()),
                (header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true")),
            ],
            Self::These(_) => Vec::new(),
        }
    }
}

/// Headers for a page of another origin; none for one that may not call.
pub(crate) async fn headers(request: &HeaderMap) -> Vec<(HeaderName, HeaderValue)> {
    let Some(origin) = request.get(header::ORIGIN) else { return Vec::new() };
    let mut headers = allowed().await.headers(origin);
    if !headers.is_empty() {
        headers.push((header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED));
    }
    headers
}

/// The answer to `OPTIONS`: what the path knows, and for a browser's question what a page may send.
pub(crate) fn options(request: &HeaderMap, allow: &str) -> Answer {
    let mut answer = empty(StatusCode::NO_CONTENT);
    let headers = answer.headers_mut();
    if let Ok(allow) = HeaderValue::from_str(allow) {
        headers.insert(header::ALLOW, allow);
    }
    if request.contains_key(header::ORIGIN) && request.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE_S);
        if let Some(asked) = request.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
        }
    }
    answer
}

/// The setting, read once per instance.
async fn allowed() -> &'static Allowed {
    static ALLOWED: OnceLock<Allowed> = OnceLock::new();
    if let Some(allowed) = ALLOWED.get() {
        return allowed;
    }
    let list = spin_sdk::variables::get("cors_allowed_origins").await.unwrap_or_default();
    ALLOWED.get_or_init(|| Allowed::parse(&list))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(list: &str, origin: &'static str) -> Vec<String> {
        let headers = Allowed::parse(list).headers(&HeaderValue::from_static(origin));
        headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect()
    }

    #[test]
    fn only_listed_origins_are_allowed_and_any_comes_without_credentials() {
        let page = "https://app.example.com";
        let listed = [
            "access-control-allow-origin: https://app.example.com",
            "access-control-allow-credentials: true",
        ];
        assert_eq!(said("http://localhost:3000, https://app.example.com/", page), listed);
        assert_eq!(said("*", page), ["access-control-allow-origin: *"]);
        assert_eq!(said("https://app.example.com, *", page), ["access-control-allow-origin: *"]);
        for list in ["", "https://example.com", "https://app.example.com.evil.org", "http://app.example.com"]
        {
            assert!(said(list, page).is_empty(), "{list}");
        }
        assert!(said("https://app.example.com", "null").is_empty());
    }
}
