//! Whatever a client sends to whatever operation, the answer is JSON and no fault of ours. The operations come from
//! the route table, so that a new one is covered by being there.

use crate::client::{ADMIN, Answer, Client};
use anyhow::{Context, Result};
use bytes::Bytes;
use http::Method;
use pm_api::route::{Access, ROUTES, Route};
use pm_test_support::{Stack, StackOptions};
use std::time::Duration;
use tokio::time::timeout;

const SOME_ID: &str = "01890000-0000-7000-8000-000000000000";
const LIMIT: Duration = Duration::from_secs(60);

/// Operations that answer with a stream or a page when all is well.
fn streams(route: &Route) -> bool {
    route.access == Access::Stream
}

fn path(route: &Route, parameter: &str) -> String {
    let segments = route.path.split('/').map(|s| if s.starts_with('{') { parameter } else { s });
    segments.collect::<Vec<_>>().join("/")
}

fn name(route: &Route) -> String {
    format!("{} {}", route.method, route.path)
}

async fn stack() -> Result<(Stack, Client, Client)> {
    let options = StackOptions { demo: true, without_bridge: true, ..StackOptions::default() };
    let stack = Stack::start(options).await?;
    let nobody = Client::new(&stack.base_url());
    let admin = nobody.sign_in(ADMIN).await?;
    Ok((stack, nobody, admin))
}

/// A client that passes the route's access.
fn admitted(stack: &Stack, admin: &Client, route: &Route) -> Client {
    if route.access == Access::Service { admin.with_token(stack.service_token()) } else { admin.clone() }
}

async fn send(
    client: &Client,
    route: &Route,
    path: &str,
    headers: &[(&str, &str)],
    body: Bytes,
) -> Result<Option<Answer>> {
    let method = Method::from_bytes(route.method.as_bytes())?;
    if streams(route) {
        let response =
            timeout(LIMIT, client.open(method, path, headers, body)).await.context("no answer")??;
        let (parts, _) = response.into_parts();
        assert!(parts.status.as_u16() < 500, "{}: {}", name(route), parts.status);
        return Ok(None);
    }
    timeout(LIMIT, client.send(method, path, headers, body)).await.context("no answer")?.map(Some)
}

/// No fault of ours, and what is refused is refused in JSON.
fn check(answer: Option<Answer>, what: &str) {
    let Some(answer) = answer else { return };
    let body = String::from_utf8_lossy(&answer.body);
    let status = answer.status.as_u16();
    assert!(status < 500, "{what}: {status} {body}");
    if status >= 400 {
        let kind = answer.headers.get("content-type").and_then(|v| v.to_str().ok()).unwrap_or_default();
        assert_eq!(kind, "application/json", "{what}: {status}");
        // tests of mail and webhooks answer {"ok": false, "error"}, as documented
        let detail = answer.json().ok().and_then(|j| j.get("detail").or(j.get("error")).cloned());
        assert!(detail.is_some(), "{what}: {status} {body}");
    }
}

/// Bodies that are wrong in every way, with what is wrong with them.
fn bodies() -> Vec<(&'static str, Bytes)> {
    let deep = "[".repeat(100_000);
    let deep_object = format!("{{\"metadata\":{}1{}", "{\"a\":".repeat(2000), "}".repeat(2001));
    let fields = [
        "name",
        "email",
        "password",
        "full_name",
        "role",
        "status",
        "metadata",
        "machine_id",
        "sensor_id",
        "title",
        "content",
        "value",
        "timestamp",
        "key",
        "url",
        "events",
        "limit",
        "priority",
        "due_at",
        "format",
        "report_name",
        "refresh_token",
        "current_password",
        "new_password",
        "token",
        "severity",
        "message",
        "duration",
        "bridge",
    ];
    let each = |value: &str| {
        let pairs: Vec<_> = fields.iter().map(|f| format!("\"{f}\":{value}")).collect();
        Bytes::from(format!("{{{}}}", pairs.join(",")))
    };
    vec![
        ("nothing", Bytes::new()),
        ("truncated", Bytes::from_static(br#"{"name": "x"#)),
        ("an array", Bytes::from_static(b"[1, 2]")),
        ("a text", Bytes::from_static(b"\"x\"")),
        ("null", Bytes::from_static(b"null")),
        ("a number", Bytes::from_static(b"-1e400")),
        ("no JSON", Bytes::from_static(b"\x00\x01\x02")),
        ("invalid UTF-8", Bytes::from_static(b"{\"name\":\"\xff\xfe\"}")),
        ("a lone surrogate", Bytes::from_static(br#"{"name":"\ud800","content":"\udfff"}"#)),
        ("deep arrays", deep.into()),
        ("deep objects", deep_object.into()),
        ("numbers", each("12345")),
        ("huge numbers", each("1e308")),
        ("endless digits", each(&"9".repeat(400))),
        ("truth", each("true")),
        ("nulls", each("null")),
        ("arrays", each("[[]]")),
        ("objects", each(r#"{"a":{"b":"\u0000"}}"#)),
        ("NUL", each(r#""a\u0000b""#)),
        ("long texts", each(&format!("\"{}\"", "ä".repeat(9000)))),
        ("odd texts", each("\"\u{202e}\u{feff}'; drop table machines; --\"")),
        ("old and far times", each("\"-9999-12-31T23:59:59Z\"")),
    ]
}

#[tokio::test]
async fn malformed_bodies_cause_no_server_error_on_any_route() -> Result<()> {
    let (stack, _, admin) = stack().await?;
    for route in ROUTES.iter().filter(|r| r.method != "GET") {
        let client = admitted(&stack, &admin, route);
        for (kind, body) in bodies() {
            let content_type = if route.path == "/users/login" {
                "application/x-www-form-urlencoded"
            } else {
                "application/json"
            };
            let headers = [("content-type", content_type)];
            let answer = send(&client, route, &path(route, SOME_ID), &headers, body).await;
            check(answer.with_context(|| kind)?, &format!("{}: {kind}", name(route)));
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_large_body_is_refused() -> Result<()> {
    let (stack, _, admin) = stack().await?;
    let large = Bytes::from(vec![b' '; 10 * 1024 * 1024]);
    // A GET has no body; a client that sends one nevertheless finds the connection closed after the answer. Files may be as
    // large as this; their own limit has its own test.
    let limited =
        |r: &&Route| r.access != Access::Service && r.method != "GET" && r.component != "attachments";
    for route in ROUTES.iter().filter(limited) {
        let client = admitted(&stack, &admin, route);
        let headers = [("content-type", "application/json")];
        let answer = send(&client, route, &path(route, SOME_ID), &headers, large.clone()).await;
        let answer = answer.with_context(|| name(route))?;
        if let Some(answer) = &answer {
            assert_eq!(answer.status, 413, "{}", name(route));
        }
        check(answer, &name(route));
    }
    Ok(())
}

#[tokio::test]
async fn malformed_ids_queries_and_headers_cause_no_server_error_on_any_route() -> Result<()> {
    let (stack, nobody, admin) = stack().await?;
    let long = "a".repeat(3000);
    let ids = [
        "0",
        "-1",
        "null",
        "%00",
        "%ff%fe",
        "..%2f..",
        "%F0%9F%92%A5",
        "a%20b",
        "1e9999",
        "{}",
        "%7B%7D",
        "'--",
        "01890000-0000-7000-8000-00000000000g",
        "00000000000000000000000000000000",
        &long,
    ];
    let values = [
        "",
        "%00",
        "%ff",
        "-1",
        "999999999999999999999",
        "1e999",
        "NaN",
        "%F0%9F%92%A5",
        "banana",
        "'",
        &long,
    ];
    let document = pm_openapi::document();
    for route in ROUTES {
        let client = admitted(&stack, &admin, route);
        if route.path.contains('{') {
            for id in ids {
                let answer = send(&client, route, &path(route, id), &[], Bytes::new()).await;
                check(
                    answer.with_context(|| format!("{} {id}", name(route)))?,
                    &format!("{}: id {id}", name(route)),
                );
            }
        }
        let path = path(route, SOME_ID);
        let parameters = &document["paths"][route.path][route.method.to_ascii_lowercase()]["parameters"];
        let named = parameters.as_array().into_iter().flatten().filter(|p| p["in"] == "query");
        for parameter in named.filter_map(|p| p["name"].as_str()) {
            for value in values {
                let asked = format!("{path}?{parameter}={value}");
                let answer = send(&client, route, &asked, &[], Bytes::new()).await;
                check(answer.with_context(|| asked.clone())?, &format!("{} {asked}", route.method));
            }
        }
        for query in ["&&&", "%", "a=%zz", "=", "limit=1&limit=banana"] {
            let answer = send(&client, route, &format!("{path}?{query}"), &[], Bytes::new()).await?;
            check(answer, &format!("{}?{query}", name(route)));
        }
        for headers in [
            [("content-type", "nonsense")],
            [("accept-encoding", ";;;q=,gzip;q=x")],
            [("if-none-match", "W/\"")],
            [("last-event-id", "banana")],
            [("user-agent", long.as_str())],
            [("x-request-id", long.as_str())],
            [("x-forwarded-for", "not an address")],
            [("origin", "null")],
            [("content-encoding", "gzip")],
            [("range", "bytes=9-1")],
            [("expect", "nonsense")],
        ] {
            let answer = send(&client, route, &path, &headers, Bytes::new()).await;
            check(answer.with_context(|| format!("{headers:?}"))?, &format!("{} {headers:?}", name(route)));
        }
        for token in ["", " ", "x", "a.b.c", &long, "eyJhbGciOiJub25lIn0.e30.", "..", "Bearer Bearer"] {
            let header = format!("Bearer {token}");
            let answer = send(&nobody, route, &path, &[("authorization", &header)], Bytes::new()).await?;
            if let Some(answer) = &answer
                && route.access != Access::Public
            {
                assert_eq!(answer.status, 401, "{}: {token}", name(route));
            }
            check(answer, &format!("{}: token {token}", name(route)));
        }
    }
    Ok(())
}
