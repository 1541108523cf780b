//! Responses that the host gives by itself, in the form in which the components report faults.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use wasmtime_wasi_http::WasiBody;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest request id that is taken over from a client, in bytes.
const MAX_ID_BYTES: usize = 100;

/// The request's id. A request without a usable one gets one here, so that the component's log and the host's name the
/// same id.
pub(crate) fn request_id(headers: &mut HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).filter(|id| is_usable(id));
    if let Some(id) = given {
        return id.to_owned();
    }
    let id = uuid::Uuid::now_v7().simple().to_string();
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, value);
    }
    id
}

fn is_usable(id: &str) -> bool {
    (1..=MAX_ID_BYTES).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
}

/// A response about a request that no component answered.
pub(crate) fn fault(status: StatusCode, request_id: &str) -> Response<WasiBody> {
    let detail = match status {
        StatusCode::REQUEST_TIMEOUT => "The request body did not arrive in time",
        StatusCode::PAYLOAD_TOO_LARGE => "The request body is too large",
        StatusCode::SERVICE_UNAVAILABLE => "The service is temporarily unavailable",
        _ => status.canonical_reason().unwrap_or("Internal Server Error"),
    };
    let body = serde_json::json!({ "detail": detail, "request_id": request_id }).to_string();
    let mut response = text(status, "application/json", body);
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, id);
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// A response with a text.
pub(crate) fn text(status: StatusCode, content_type: &'static str, body: String) -> Response<WasiBody> {
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(Full::new(Bytes::from(body)).map_err(Into::into).boxed_unsync());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_LENGTH, length);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_keeps_its_id_and_gets_one_where_it_has_none() {
        let mut headers = HeaderMap::new();
        let made = request_id(&mut headers);
        assert_eq!(made.len(), 32);
        assert_eq!(request_id(&mut headers), made);
        for unusable in ["", "a b", "a\"b"] {
            headers.insert(REQUEST_ID, HeaderValue::from_str(unusable).unwrap());
            assert_eq!(request_id(&mut headers).len(), 32, "{unusable}");
        }
    }
}
