//! What every answer gets on its way out: security headers, the request's id, validation (`etag`), compression.

use crate::{
    cors,
    reply::{Answer, CompleteBody, empty},
};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use spin_sdk::http::{FullBody, box_body};
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    io::Write,
};

/// Answers longer than this are compressed, bytes.
const COMPRESS_FROM: usize = 1000;
const JSON_MAY_BE_KEPT: HeaderValue = HeaderValue::from_static("private, no-cache");
/// For whatever is no page: it may load nothing and stand in no frame.
const NO_PAGE: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
const ONE_YEAR: HeaderValue = HeaderValue::from_static("max-age=31536000; includeSubDomains");

/// What must be known of a request to finish its answer.
pub(crate) struct RequestInfo {
    readable: bool,
    pub(crate) headers: HeaderMap,
    secure: bool,
}

impl RequestInfo {
    pub(crate) fn of(method: &Method, headers: &HeaderMap) -> Self {
        let forwarded = headers.get("x-forwarded-proto").and_then(|v| v.to_str().ok());
        let full = headers.get("spin-full-url").and_then(|v| v.to_str().ok());
        Self {
            readable: method == Method::GET || method == Method::HEAD,
            headers: headers.clone(),
            secure: forwarded.is_some_and(|p| p.eq_ignore_ascii_case("https"))
                || full.is_some_and(|u| u.starts_with("https:")),
        }
    }
}

/// Finishes an answer.
pub(crate) async fn finish(request_info: &RequestInfo, mut answer: Answer, request_id: &str) -> Answer {
    if request_info.readable && answer.status() == StatusCode::OK {
        answer = validated(request_info, answer);
    }
    answer = compressed(request_info, answer);
    let cors = cors::headers(&request_info.headers).await;
    let headers = answer.headers_mut();
    for (name, value) in cors {
        headers.insert(name, value);
    }
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(NO_PAGE);
    if request_info.secure {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, ONE_YEAR);
    }
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    answer
}

/// Gives a JSON answer a tag of its content, and leaves the content out for a caller that has it.
fn validated(request_info: &RequestInfo, mut answer: Answer) -> Answer {
    if !is(&answer, "application/json") || answer.headers().contains_key(header::ETAG) {
        return answer;
    }
    let Some(CompleteBody(body)) = answer.extensions().get() else { return answer };
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    // weak: the same content may be compressed or not
    let tag = format!("W/\"{:016x}\"", hasher.finish());
    let known =
        request_info.headers.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if matches_tag(known, &tag) {
        let mut unchanged = empty(StatusCode::NOT_MODIFIED);
        std::mem::swap(unchanged.headers_mut(), answer.headers_mut());
        unchanged.headers_mut().remove(header::CONTENT_LENGTH);
        unchanged.headers_mut().remove(header::CONTENT_TYPE);
        answer = unchanged;
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        answer.headers_mut().insert(header::ETAG, tag);
        answer.headers_mut().insert(header::CACHE_CONTROL, JSON_MAY_BE_KEPT);
    }
    answer
}

/// Does a list of tags (`if-none-match`) name this one? Weak comparison of RFC 9110.
pub(crate) fn matches_tag(list: &str, tag: &str) -> bool {
    let bare = |t: &str| t.trim().trim_start_matches("W/").to_owned();
    list.split(',').any(|t| t.trim() == "*" || bare(t) == bare(tag))
}

fn compressed(request_info: &RequestInfo, mut answer: Answer) -> Answer {
    let text = is(&answer, "application/json") || is(&answer, "text/");
    let Some(CompleteBody(body)) = answer.extensions().get().filter(|_| text) else { return answer };
    if body.len() <= COMPRESS_FROM || answer.headers().contains_key(header::CONTENT_ENCODING) {
        return answer;
    }
    let accepted =
        request_info.headers.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let packed = accepts(accepted, "gzip").then(|| gzip(body)).flatten();
    if let Some(packed) = packed {
        answer.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(packed.len()));
        answer.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        *answer.body_mut() = box_body(FullBody::new(packed));
    }
    answer.headers_mut().append(header::VARY, HeaderValue::from_static("accept-encoding"));
    answer
}

/// A light compression: an instance that compresses answers nobody else meanwhile.
fn gzip(body: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

/// Does an `accept-encoding` take this coding?
pub(crate) fn accepts(header: &str, coding: &str) -> bool {
    let weight = |name: &str| {
        header.split(',').find_map(|item| {
            let mut parts = item.split(';').map(str::trim);
            parts.next().filter(|n| n.eq_ignore_ascii_case(name))?;
            let q = parts.find_map(|p| p.strip_prefix("q=").or_else(|| p.strip_prefix("Q=")));
            Some(q.map_or(1.0, |q| q.parse().unwrap_or(0.0)))
        })
    };
    weight(coding).or_else(|| weight("*")).is_some_and(|q: f32| q > 0.0)
}

fn is(answer: &Answer, kind: &str) -> bool {
    let given = answer.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    given.is_some_and(|g| g.starts_with(kind)) && !given.is_some_and(|g| g.starts_with("text/event-stream"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::json;
    use std::io::Read;

    fn request_info(headers: &[(&'static str, &str)]) -> RequestInfo {
        let headers = headers.iter().map(|(n, v)| (HeaderName::from_static(n), v.parse().unwrap())).collect();
        RequestInfo::of(&Method::GET, &headers)
    }

    #[test]
    fn gzip_is_used_only_where_the_client_accepts_it() {
        for (header, takes) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip; q=0.000", false),
            ("*", true),
            ("*;q=0, br", false),
            ("identity", false),
            ("", false),
        ] {
            assert_eq!(accepts(header, "gzip"), takes, "{header}");
        }
    }

    #[test]
    fn long_answers_are_compressed_for_clients_that_accept_it() {
        let long = "x".repeat(5000);
        let answer = compressed(&request_info(&[("accept-encoding", "gzip")]), json(StatusCode::OK, &long));
        assert_eq!(answer.headers()["content-encoding"], "gzip");
        assert_eq!(answer.headers()["vary"], "accept-encoding");
        let length: usize = answer.headers()["content-length"].to_str().unwrap().parse().unwrap();
        assert!(length < 200, "{length}");
        for (headers, body) in [(&[][..], long.as_str()), (&[("accept-encoding", "gzip")][..], "short")] {
            let answer = compressed(&request_info(headers), json(StatusCode::OK, &body));
            assert!(!answer.headers().contains_key("content-encoding"));
            assert_eq!(answer.headers()["content-length"], HeaderValue::from(body.len() + 2));
        }
        let mut text = String::new();
        flate2::read::GzDecoder::new(&gzip(long.as_bytes()).unwrap()[..]).read_to_string(&mut text).unwrap();
        assert_eq!(text, long);
    }

    #[test]
    fn an_unchanged_answer_is_304() {
        let first = validated(&request_info(&[]), json(StatusCode::OK, &"a"));
        let tag = first.headers()["etag"].to_str().unwrap();
        let second = validated(&request_info(&[("if-none-match", tag)]), json(StatusCode::OK, &"a"));
        assert_eq!(second.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(second.headers()["etag"], tag);
        assert!(!second.headers().contains_key("content-length"));
        let changed = validated(&request_info(&[("if-none-match", tag)]), json(StatusCode::OK, &"b"));
        assert_eq!(changed.status(), StatusCode::OK);
        assert!(matches_tag("\"x\", W/\"y\"", "\"y\"") && !matches_tag("\"x\"", "\"y\""));
    }
}
