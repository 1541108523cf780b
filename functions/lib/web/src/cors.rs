//! Which pages of other origins may call the API (the Fetch standard's CORS protocol).
//!
//! An origin may call if the application's variable `cors_allowed_origins` (separated by commas) or the setting
//! `cors.origins` names it. `*` in one of them allows any origin, without credentials. The variable is read once per
//! instance, the setting at most every [`SETTING_VALID_FOR`] and only for an origin that the variable does not allow. A
//! component without database (`docs`, `site`) follows the variable alone.

use crate::{
    Refusal,
    database::database,
    log_warning,
    reply::{Answer, empty},
};
use futures::future::{Either, select};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use pm_domain::settings::Key;
use pm_store::setting;
use std::{
    pin::pin,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
/// Headers that a page may read.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "x-total-count, x-next-cursor, x-request-id, x-ignored-fields, idempotency-replayed, etag, link, location, retry-after, \
     content-disposition",
);
/// How long a browser may remember the answer to a preflight request, seconds.
const MAX_AGE_S: HeaderValue = HeaderValue::from_static("600");
/// How long the setting is used before it is read again: a change takes effect within this time.
const SETTING_VALID_FOR: Duration = Duration::from_secs(5);
/// The setting counts as unreadable when the database has not answered within this time.
const SETTING_TIMEOUT: Duration = Duration::from_secs(1);

/// The origins that may call.
#[derive(Debug, PartialEq, Eq)]
enum Allowed {
    Any,
    These(Vec<String>),
}

impl Allowed {
    fn new<'o>(origins: impl IntoIterator<Item = &'o str>) -> Self {
        let origins = origins.into_iter().map(|o| o.trim().trim_end_matches('/').to_owned());
        let origins: Vec<_> = origins.filter(|o| !o.is_empty()).collect();
        if origins.iter().any(|o| o == "*") { Self::Any } else { Self::These(origins) }
    }

    /// The headers for a page of this origin.
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
    let mut headers = by_variable().await.headers(origin);
    if headers.is_empty() {
        headers = by_setting().await.headers(origin);
    }
    if !headers.is_empty() {
        headers.push((header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED));
    }
    headers
}

/// The answer to `OPTIONS`: the methods of the path, and for a preflight request what a page may send.
pub(crate) fn options(request: &HeaderMap, allow: &str) -> Answer {
    let mut answer = empty(StatusCode::NO_CONTENT);
    let headers = answer.headers_mut();
    if let Ok(allow) = HeaderValue::from_str(allow) {
        headers.insert(header::ALLOW, allow);
    }
    if request.contains_key(header::ORIGIN) && request.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE_S);
        if let Some(requested) = request.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, requested.clone());
        }
    }
    answer
}

/// The origins of the variable, read once per instance.
async fn by_variable() -> &'static Allowed {
    static ALLOWED: OnceLock<Allowed> = OnceLock::new();
    if let Some(allowed) = ALLOWED.get() {
        return allowed;
    }
    let list = spin_sdk::variables::get("cors_allowed_origins").await.unwrap_or_default();
    ALLOWED.get_or_init(|| Allowed::new(list.split(',')))
}

/// The origins of the setting. While it cannot be read, the last known ones hold, at first none.
async fn by_setting() -> Arc<Allowed> {
    static READ: Mutex<Option<(Instant, Arc<Allowed>)>> = Mutex::new(None);
    let known = READ.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some((at, allowed)) = &known
        && at.elapsed() < SETTING_VALID_FOR
    {
        return allowed.clone();
    }
    let allowed = match select(pin!(read_setting()), pin!(spin_sdk::time::sleep(SETTING_TIMEOUT))).await {
        Either::Left((Ok(origins), _)) => Arc::new(Allowed::new(origins.iter().map(String::as_str))),
        Either::Left((Err(_), _)) | Either::Right(_) => {
            log_warning("the setting cors.origins cannot be read");
            known.map_or_else(|| Arc::new(Allowed::These(Vec::new())), |(_, allowed)| allowed)
        }
    };
    *READ.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), allowed.clone()));
    allowed
}

async fn read_setting() -> Result<Vec<String>, Refusal> {
    if spin_sdk::variables::get("database_url").await.is_err() {
        return Ok(Vec::new());
    }
    Ok(setting::read(&database().await?, &[Key::CorsOrigins]).await?.list(Key::CorsOrigins))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers_for(list: &str, origin: &'static str) -> Vec<String> {
        let headers = Allowed::new(list.split(',')).headers(&HeaderValue::from_static(origin));
        headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect()
    }

    #[test]
    fn only_listed_origins_are_allowed_and_any_comes_without_credentials() {
        let page = "https://app.example.com";
        let listed = [
            "access-control-allow-origin: https://app.example.com",
            "access-control-allow-credentials: true",
        ];
        assert_eq!(headers_for("http://localhost:3000, https://app.example.com/", page), listed);
        assert_eq!(headers_for("*", page), ["access-control-allow-origin: *"]);
        assert_eq!(headers_for("https://app.example.com, *", page), ["access-control-allow-origin: *"]);
        for list in ["", "https://example.com", "https://app.example.com.evil.org", "http://app.example.com"]
        {
            assert!(headers_for(list, page).is_empty(), "{list}");
        }
        assert!(headers_for("https://app.example.com", "null").is_empty());
    }
}
