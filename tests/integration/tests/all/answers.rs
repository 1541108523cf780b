//! What every answer carries: the documented refusals, request ids, security headers, origins, compression, tags.

use crate::client::{ADMIN, Answer, Client, ENGINEER, VIEWER};
use anyhow::{Context, Result};
use http::Method;
use pm_api::route::{Access, ROUTES};
use pm_test_support::{Stack, StackOptions};
use serde_json::{Value, json};

const PAGE: &str = "https://dashboards.example.com";

async fn stack() -> Result<(Stack, Client)> {
    with_options(StackOptions::default()).await
}

async fn with_options(options: StackOptions) -> Result<(Stack, Client)> {
    let variable = |name: &str, value: &str| (format!("SPIN_VARIABLE_{name}"), value.to_owned());
    let environment = vec![variable("CORS_ALLOWED_ORIGINS", PAGE)];
    let options = StackOptions { demo: true, without_bridge: true, environment, ..options };
    let stack = Stack::start(options).await?;
    let client = Client::new(&stack.base_url());
    Ok((stack, client))
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
}

/// Lines of the host's log, each of which must be a JSON object.
fn lines(stack: &Stack, event: &str) -> Vec<Value> {
    let log = stack.log("host");
    // the last line may still be on its way
    let whole = log.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let object = |line: &str| match serde_json::from_str(line) {
        Ok(Value::Object(object)) => Value::Object(object),
        _ => panic!("a line of the log is no JSON object: {line}"),
    };
    whole.lines().map(object).filter(|l: &Value| l["event"] == event).collect()
}

/// The line of a request; it is written once the answer is on its way.
async fn line_of(stack: &Stack, event: &str, request_id: &str) -> Result<Value> {
    for _ in 0..200 {
        if let Some(line) = lines(stack, event).into_iter().find(|l| l["request_id"] == request_id) {
            return Ok(line);
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    anyhow::bail!("no line of {request_id} in the log: {}", stack.log("host"))
}

#[tokio::test]
async fn every_kind_of_refusal_has_its_documented_answer() -> Result<()> {
    let (_stack, nobody) = stack().await?;
    let detail = |text: &str| json!({ "detail": text });
    let not_authenticated = nobody.get("/users/me").await?;
    assert_eq!(not_authenticated.expect(401)?, detail("Not authenticated"));
    assert_eq!(header(&not_authenticated, "www-authenticate"), "Bearer");
    for scheme in ["Basic YWRtaW46YWRtaW4=", "Bearer", "Bearer ", "Digest x"] {
        let other = nobody.send(Method::GET, "/users/me", &[("authorization", scheme)], "").await?;
        assert_eq!(other.expect(401)?, detail("Not authenticated"), "{scheme}");
    }
    let bad = nobody.with_token("x.y.z").get("/users/me").await?;
    assert_eq!(bad.expect(401)?, detail("Could not validate credentials"));
    assert!(!bad.headers.contains_key("www-authenticate"));
    assert_eq!(nobody.login(ADMIN.0, "wrong").await?.expect(401)?, detail("Invalid credentials"));
    let viewer = nobody.sign_in(VIEWER).await?;
    let pair = nobody.login(VIEWER.0, VIEWER.1).await?.expect(200)?;
    for wrong in ["x", pair["access_token"].as_str().context("no token")?] {
        let refused = nobody.post("/users/refresh", json!({ "refresh_token": wrong })).await?;
        assert_eq!(refused.expect(401)?, detail("Invalid or expired refresh token"));
    }
    let denied = detail("Access denied. Required roles: admin, engineer");
    assert_eq!(viewer.get("/metrics").await?.expect(403)?, denied);
    let admin = nobody.sign_in(ADMIN).await?;
    let again = json!({ "email": VIEWER.0, "password": "long enough" });
    assert_eq!(admin.post("/users", again).await?.expect(400)?, detail("Email already registered"));
    let change = json!({ "current_password": "wrong", "new_password": "long enough" });
    let refused = viewer.post("/users/change-password", change).await?.expect(400)?;
    assert_eq!(refused, detail("Current password is incorrect"));

    let missing = "/machines/01890000-0000-7000-8000-000000000000";
    for path in ["/nope", missing] {
        let not_found = admin.get(path).await?.expect(404)?;
        assert_eq!(not_found["detail"], format!("Endpoint not found: {path}"));
        assert_eq!(
            not_found["message"],
            "The requested endpoint does not exist. Here are some available endpoints:"
        );
        assert_eq!(not_found["available_endpoints"]["reports"], "/reports/generate");
        assert_eq!(not_found["tip"], "Visit /docs for the complete API documentation");
    }
    let method = admin.send(Method::PUT, "/machines", &[], "").await?;
    assert_eq!(method.expect(405)?, detail("Method Not Allowed"));
    assert_eq!(header(&method, "allow"), "GET, POST, HEAD, OPTIONS");
    let invalid = admin.post("/machines", json!({})).await?.expect(422)?;
    assert_eq!(invalid["detail"], "Validation error");
    assert_eq!(invalid["message"], "The request data is invalid. Please check your input.");
    assert_eq!(invalid["path"], "/machines");
    assert_eq!(
        invalid["errors"],
        json!([{ "type": "missing", "loc": ["body", "name"], "msg": "Field required", "input": {} }])
    );
    let id = admin.get("/machines/xyz").await?.expect(422)?;
    assert_eq!(id["errors"][0]["type"], "uuid_parsing");
    assert_eq!(id["errors"][0]["input"], "xyz");
    let stream = nobody.get("/ws/events/stream").await?.expect(401)?;
    let text =
        "Authentication required. Provide token as query parameter '?token=...' or Authorization header";
    assert_eq!(stream, detail(text));
    let updates = nobody.get("/ws/updates").await?.expect(426)?;
    assert!(updates["detail"].as_str().is_some_and(|d| d.contains("/ws/events/stream")), "{updates}");
    Ok(())
}

#[tokio::test]
async fn a_request_id_is_in_the_answer_and_in_the_log() -> Result<()> {
    let options = StackOptions { own_database: true, ..StackOptions::default() };
    let (mut stack, nobody) = with_options(options).await?;
    let admin = nobody.sign_in(ADMIN).await?;
    let own = admin.send(Method::GET, "/machines?limit=3", &[("x-request-id", "client-7.a")], "").await?;
    own.expect(200)?;
    assert_eq!(header(&own, "x-request-id"), "client-7.a");
    let odd = admin.send(Method::GET, "/machines", &[("x-request-id", "a b")], "").await?;
    assert_eq!(header(&odd, "x-request-id").len(), 32, "{:?}", odd.headers);
    let me = admin.get("/users/me").await?.expect(200)?;
    let line = line_of(&stack, "request", "client-7.a").await?;
    assert_eq!(
        (&line["component"], &line["method"], &line["route"], &line["status"], &line["user_id"]),
        (&json!("machines"), &json!("GET"), &json!("/machines"), &json!(200), &me["id"])
    );
    assert!(line["duration_ms"].as_f64().is_some_and(|ms| ms > 0.0), "{line}");

    // secrets travel in queries, headers and bodies; none may be written
    let secret = "eyJhbGciOiJIUzI1NiJ9.c2VjcmV0LXBhcnQ.x";
    nobody.get(&format!("/ws/events/stream?token={secret}")).await?.expect(401)?;
    nobody.with_token(secret).get("/machines").await?.expect(401)?;
    nobody.login(ADMIN.0, secret).await?.expect(401)?;
    let log = stack.log("host");
    assert!(!log.contains("c2VjcmV0LXBhcnQ"), "a secret is in the log");

    // what is not the caller's fault names the request, and the log says more under the same id
    stack.kill("database").await?;
    let fault = admin.send(Method::GET, "/machines", &[("x-request-id", "fault-1")], "").await?;
    let body = fault.json()?;
    assert_eq!((fault.status.as_u16(), &body["request_id"]), (503, &json!("fault-1")));
    assert_eq!(body["detail"], "The service is temporarily unavailable");
    assert_eq!(line_of(&stack, "message", "fault-1").await?["level"], "error");
    Ok(())
}

#[tokio::test]
async fn every_path_answers_options_and_only_listed_origins_may_call() -> Result<()> {
    let (_stack, nobody) = stack().await?;
    for route in ROUTES.iter().filter(|r| r.access != Access::Service) {
        let path = route.path.replace(['{', '}'], "");
        for prefix in ["", "/api"] {
            let path = format!("{prefix}{path}");
            let ask = [
                ("origin", PAGE),
                ("access-control-request-method", route.method),
                ("access-control-request-headers", "authorization,content-type"),
            ];
            let answer = nobody.send(Method::OPTIONS, &path, &ask, "").await?;
            assert_eq!(answer.status, 204, "{path}");
            assert_eq!(header(&answer, "access-control-allow-origin"), PAGE, "{path}");
            assert!(header(&answer, "access-control-allow-methods").contains(route.method), "{path}");
            assert_eq!(header(&answer, "access-control-allow-headers"), "authorization,content-type");
            assert!(header(&answer, "allow").contains(route.method), "{path}");
            let foreign = [("origin", "https://evil.example.com"), ask[1]];
            let answer = nobody.send(Method::OPTIONS, &path, &foreign, "").await?;
            assert!(!answer.headers.contains_key("access-control-allow-origin"), "{path}");
        }
    }
    for path in ["/", "/app/machines"] {
        let answer = nobody.send(Method::OPTIONS, path, &[("origin", PAGE)], "").await?;
        assert_eq!((answer.status.as_u16(), header(&answer, "access-control-allow-origin")), (204, PAGE));
    }
    let answer = nobody.send(Method::GET, "/health", &[("origin", PAGE)], "").await?;
    assert_eq!(header(&answer, "access-control-allow-credentials"), "true");
    assert!(header(&answer, "access-control-expose-headers").contains("x-total-count"));
    let refused = nobody.send(Method::GET, "/machines", &[("origin", PAGE)], "").await?;
    assert_eq!((refused.status.as_u16(), header(&refused, "access-control-allow-origin")), (401, PAGE));
    Ok(())
}

#[tokio::test]
async fn origins_of_the_setting_may_call_within_seconds() -> Result<()> {
    const OTHER: &str = "https://plant.example.com";
    let (_stack, nobody) = stack().await?;
    let admin = nobody.sign_in(ADMIN).await?;
    let allowed = async |origin: &str| -> Result<String> {
        let answer = nobody.send(Method::GET, "/health", &[("origin", origin)], "").await?;
        Ok(header(&answer, "access-control-allow-origin").to_owned())
    };
    let until = async |origin: &str, expected: &str| -> Result<()> {
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(15);
        while allowed(origin).await? != expected {
            anyhow::ensure!(tokio::time::Instant::now() < deadline, "{origin}: not {expected:?} in time");
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
        Ok(())
    };
    assert_eq!(allowed(OTHER).await?, "");
    let path = "/settings/cors.origins";
    admin.patch(path, json!({"value": json!([OTHER]).to_string()})).await?.expect(200)?;
    until(OTHER, OTHER).await?;
    assert_eq!(allowed(PAGE).await?, PAGE, "an origin of the variable stays allowed");
    assert_eq!(allowed("https://evil.example.com").await?, "");
    admin.patch(path, json!({"value": "[\"*\"]"})).await?.expect(200)?;
    until("https://evil.example.com", "*").await?;
    assert_eq!(allowed(PAGE).await?, PAGE);
    assert_eq!(admin.delete(path).await?.status, 204);
    until(OTHER, "").await
}

#[tokio::test]
async fn security_headers_are_on_every_answer() -> Result<()> {
    let (_stack, nobody) = stack().await?;
    let viewer = nobody.sign_in(VIEWER).await?;
    for path in ["/health", "/machines", "/nope", "/", "/machines/xyz", "/app/", "/docs", "/openapi.json"] {
        let answer = viewer.send(Method::GET, path, &[("accept", "text/html")], "").await?;
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff", "{path}");
        assert!(header(&answer, "content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        assert!(!header(&answer, "referrer-policy").is_empty(), "{path}");
        assert!(!header(&answer, "x-request-id").is_empty(), "{path}");
        assert!(!answer.headers.contains_key("strict-transport-security"), "{path}");
        let length: usize = header(&answer, "content-length").parse().with_context(|| path.to_owned())?;
        assert_eq!(length, answer.body.len(), "{path}");
    }
    let secure = nobody.send(Method::GET, "/health", &[("x-forwarded-proto", "https")], "").await?;
    assert!(header(&secure, "strict-transport-security").starts_with("max-age="));
    Ok(())
}

#[tokio::test]
async fn long_answers_are_compressed_tagged_and_answered_to_head() -> Result<()> {
    let (_stack, nobody) = stack().await?;
    let engineer = nobody.sign_in(ENGINEER).await?;
    let plain = engineer.get("/sensors").await?;
    assert!(plain.body.len() > 1000 && !plain.headers.contains_key("content-encoding"));
    let packed = engineer.send(Method::GET, "/sensors", &[("accept-encoding", "br, gzip")], "").await?;
    assert_eq!(header(&packed, "content-encoding"), "gzip");
    assert!(packed.headers.get_all("vary").iter().any(|v| v == "accept-encoding"));
    assert!(packed.body.starts_with(&[0x1f, 0x8b]) && packed.body.len() * 2 < plain.body.len());
    let short = engineer.send(Method::GET, "/users/me", &[("accept-encoding", "gzip")], "").await?;
    assert!(!short.headers.contains_key("content-encoding"));

    let tag = header(&plain, "etag").to_owned();
    assert_eq!(header(&packed, "etag"), tag);
    let again = engineer.send(Method::GET, "/sensors", &[("if-none-match", &tag)], "").await?;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
    let body = json!({ "name": "new", "location": "here" });
    engineer.post("/machines", body).await?.expect(201)?;
    let machines = engineer.get("/machines").await?;
    let changed = engineer.send(Method::GET, "/machines", &[("if-none-match", &tag)], "").await?;
    assert_eq!(changed.status, 200);

    let head = engineer.send(Method::HEAD, "/machines", &[], "").await?;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    for name in ["content-length", "content-type", "x-total-count", "etag"] {
        assert_eq!(header(&head, name), header(&machines, name), "{name}");
    }
    assert_eq!(nobody.send(Method::HEAD, "/users/login", &[], "").await?.status, 405);
    Ok(())
}
