//! Requests to the world outside.

use crate::log_warning;
use bytes::Bytes;
use futures::future::{Either, select};
use http::{HeaderName, HeaderValue, header, request};
use http_body_util::{BodyExt, Full};
use spin_sdk::{
    http::send,
    wasip3::{http::types::RequestOptions, http_compat::RequestOptionsExtension},
};
use std::{pin::pin, time::Duration};

/// What somebody outside answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalResponse {
    /// Status code.
    pub status: u16,
    /// Beginning of the body, as text.
    pub body: String,
}

/// What is reported of a receiver without answer, whatever the cause. Whoever chooses the address must not learn from the
/// words which ports of a network are open; the cause is in the log.
const NO_ANSWER: &str = "the receiver gave no answer";

/// Posts a body and hears the answer: at most `most_bytes` of it, within `timeout` in all. Redirects are not followed.
/// The caller has checked the address.
///
/// # Errors
/// One sentence, the same for every cause.
pub async fn post_external(
    url: &str,
    headers: &[(String, String)],
    body: &str,
    timeout: Duration,
    most_bytes: usize,
) -> Result<ExternalResponse, String> {
    let request = http::Request::post(url).header(header::CONTENT_LENGTH, body.len());
    hear(url, request, headers, body, timeout, most_bytes).await
}

/// Gets a document, likewise.
///
/// # Errors
/// One sentence, the same for every cause.
pub async fn get_external(
    url: &str,
    headers: &[(String, String)],
    timeout: Duration,
    most_bytes: usize,
) -> Result<ExternalResponse, String> {
    hear(url, http::Request::get(url), headers, "", timeout, most_bytes).await
}

async fn hear(
    url: &str,
    request: request::Builder,
    headers: &[(String, String)],
    body: &str,
    timeout: Duration,
    most_bytes: usize,
) -> Result<ExternalResponse, String> {
    let exchange = pin!(exchange(request, headers, body, timeout, most_bytes));
    let late = pin!(spin_sdk::time::sleep(timeout));
    let heard = match select(exchange, late).await {
        Either::Left((heard, _)) => heard,
        Either::Right(_) => Err(format!("no answer within {} s", timeout.as_secs())),
    };
    heard.map_err(|cause| {
        let authority = url.parse().ok().and_then(|uri: http::Uri| uri.authority().cloned());
        log_warning(&format!("{}: {cause}", authority.map_or_else(String::new, |a| a.to_string())));
        NO_ANSWER.to_owned()
    })
}

async fn exchange(
    request: request::Builder,
    headers: &[(String, String)],
    body: &str,
    timeout: Duration,
    most_bytes: usize,
) -> Result<ExternalResponse, String> {
    let options = RequestOptions::new();
    let timeout_ns = u64::try_from(timeout.as_nanos()).ok();
    // a host may know no such option: the time as a whole is kept all the same
    let _ = options.set_connect_timeout(timeout_ns);
    let _ = options.set_first_byte_timeout(timeout_ns);
    let mut request = request
        .extension(RequestOptionsExtension(options))
        .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))
        .map_err(|e| e.to_string())?;
    for (name, value) in headers {
        let name = HeaderName::try_from(name).map_err(|e| e.to_string())?;
        request.headers_mut().insert(name, HeaderValue::try_from(value).map_err(|e| e.to_string())?);
    }
    let answer = send(request).await.map_err(|e| format!("cannot be reached: {e:?}"))?;
    let status = answer.status().as_u16();
    let mut answer = answer.into_body();
    let mut text = Vec::new();
    while let Some(frame) = answer.frame().await {
        let frame = frame.map_err(|e| format!("the answer broke off: {e:?}"))?;
        if let Some(data) = frame.data_ref() {
            text.extend_from_slice(data);
        }
        if text.len() >= most_bytes {
            text.truncate(most_bytes);
            break;
        }
    }
    Ok(ExternalResponse { status, body: String::from_utf8_lossy(&text).replace('\0', "") })
}
