//! Requests, answers, and what happens to instances.

use crate::running::{Running, logged, manifest, options, text};
use http::StatusCode;
use http_body_util::BodyExt;
use pm_host::{GRACE, Options};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn a_component_sees_what_spin_tells_it() {
    let host = Running::start(&manifest("")).await;
    let seen = host.ok("/probe/headers?a=b").await;
    for line in [
        "spin-path-info: \"/headers\"",
        "spin-full-url: \"http://example.test/probe/headers?a=b\"",
        "spin-matched-route: \"/probe/...\"",
        "spin-component-route: \"/probe\"",
        "spin-base-path: \"/\"",
        "spin-client-addr: \"127.0.0.1:",
    ] {
        assert!(seen.contains(line), "{line} is missing in\n{seen}");
    }
    assert!(!seen.contains("forged"), "{seen}");
    assert_eq!(host.get("/elsewhere").await.0, StatusCode::NOT_FOUND);
    assert_eq!(host.ok("/.well-known/spin/health").await, "OK");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_pass_both_ways() {
    let host = Running::start(&manifest("")).await;
    let large = "x".repeat(3 << 20);
    assert_eq!(host.post("/probe/echo", &large).await, large);
    assert_eq!(host.post("/probe/size", &large).await, large.len().to_string());
    assert_eq!(host.post("/probe/echo", "").await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_is_used_again_and_retired_after_128_requests() {
    let host = Running::start(&manifest("")).await;
    let mut seen = Vec::new();
    for _ in 0..130 {
        seen.push(host.ok("/probe/seen").await.parse::<u32>().unwrap());
    }
    assert_eq!(seen.iter().max(), Some(&128), "{seen:?}");
    assert_eq!(seen.last(), Some(&2), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_answered_by_a_fault_with_the_requests_id_and_the_next_request_is_fine() {
    let host = Running::start(&manifest("")).await;
    assert_eq!(host.ok("/probe/seen").await, "1");
    let response = host.send("GET", "/probe/panic", "").await;
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let (status, fault) = text(response).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(fault, format!("{{\"detail\":\"Internal Server Error\",\"request_id\":\"{id}\"}}"));
    logged(&["component=probe", "a request failed", &id]).await;
    assert_eq!(host.ok("/probe/seen").await, "1");
    logged(&["component=\"probe\"", "stderr", "asked to panic"]).await;
    logged(&["component=\"probe\"", "an instance ended", "unreachable"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_ends_the_other_requests_of_its_instance_at_once() {
    let host = Running::start(&manifest("")).await;
    let started = Instant::now();
    let (sleeping, panicking) = tokio::join!(host.get("/probe/sleep?8000"), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        host.get("/probe/panic").await
    });
    assert_eq!(panicking.0, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(sleeping.0, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_component_prints_is_logged_with_its_name() {
    let host = Running::start(&manifest("")).await;
    host.ok("/probe/print?something").await;
    logged(&["component=\"probe\"", "stdout", "printed something"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_notices_that_its_client_went_away() {
    let host = Running::start(&manifest("")).await;
    let mut body = host.send("GET", "/probe/events?20", "").await.into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    logged(&["component=\"probe\"", "the client went away"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_computing_ends_and_waiting_does_not_count() {
    let host = Running::start_limited(&manifest("")).await;
    let started = Instant::now();
    let (computing, waiting) = tokio::join!(host.get("/probe/compute"), async {
        // On an instance of its own: the first one is busy.
        tokio::time::sleep(Duration::from_millis(100)).await;
        host.get("/probe/hello").await
    });
    assert_eq!(computing.0, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(waiting, (StatusCode::OK, "hello".to_owned()));
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    assert_eq!(host.ok("/probe/sleep?1500").await, "slept");
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_has_a_limit() {
    let host = Running::start_limited(&manifest("")).await;
    assert_eq!(host.ok("/probe/allocate?16").await, (16 << 20).to_string());
    assert_eq!(host.get("/probe/allocate?100").await.0, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(host.ok("/probe/allocate?16").await, (16 << 20).to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn events_arrive_one_by_one() {
    let host = Running::start(&manifest("")).await;
    let mut body = host.send("GET", "/probe/events?200", "").await.into_body();
    let mut arrivals = Vec::new();
    for number in 0..4 {
        let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(frame, format!("data: {number}\n\n"));
        arrivals.push(Instant::now());
    }
    let spread = arrivals[3] - arrivals[0];
    assert!(spread >= Duration::from_millis(500), "events came together: {spread:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn running_requests_finish_after_the_stop_and_new_ones_are_refused() {
    let mut host = Running::start(&manifest("")).await;
    let address = host.address;
    let (slept, ()) = tokio::join!(host_sleep(address), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        host.stop();
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(tokio::net::TcpStream::connect(address).await.is_err());
    });
    assert!(slept.ends_with("slept"), "{slept}");
    host.ended().await;
}

/// A request as bytes, because the host is borrowed at the same time.
async fn host_sleep(address: std::net::SocketAddr) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream
        .write_all(b"GET /probe/sleep?1000 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_answer_is_cut_after_the_grace() {
    let host = Running::start(&manifest("")).await;
    let mut body = host.send("GET", "/probe/events?50", "").await.into_body();
    body.frame().await.unwrap().unwrap();
    let started = Instant::now();
    tokio::join!(host.ended(), async { while matches!(body.frame().await, Some(Ok(_))) {} });
    assert!(started.elapsed() < GRACE + Duration::from_secs(3), "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_files_and_environment_reach_the_component() {
    let extra = "files = [{ source = \"data\", destination = \"/data\" }]\n\
                 variables = { greeting = \"hello {{ who }}\" }\n[variables]\nwho = { default = \"nobody\" }";
    let manifest = manifest(extra);
    let folder = crate::running::folder();
    std::fs::create_dir_all(folder.join("data")).unwrap();
    std::fs::write(folder.join("data/note.txt"), "from a file").unwrap();
    let source = format!("source = {:?}", folder.join("data").display().to_string());
    assert!(crate::running::load(&manifest.replace("source = \"data\"", &source), options()).await.is_err());
    std::fs::write(folder.join("spin.toml"), manifest).unwrap();
    let options = Options { variables: [("who".to_owned(), "world".to_owned())].into(), ..options() };
    let host = Running::start_at(&folder.join("spin.toml"), options).await;
    assert_eq!(host.ok("/probe/variable?greeting").await, "hello world");
    assert!(host.ok("/probe/variable?other").await.starts_with("refused: "));
    assert_eq!(host.ok("/probe/read?/data/note.txt").await, "from a file");
    assert!(host.ok("/probe/write?/data/note.txt").await.starts_with("refused: "));
    assert!(host.ok("/probe/read?/etc/passwd").await.starts_with("refused: "));
}
