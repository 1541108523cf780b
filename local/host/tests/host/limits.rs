//! What clients and requests may use up.

use crate::running::{Running, manifest, text};
use http::StatusCode;
use pm_host::Limits;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

const SECOND: Duration = Duration::from_secs(1);

/// Everything that the host sends until it closes the connection.
async fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(10 * SECOND, stream.read_to_end(&mut bytes)).await;
    read.expect("the connection is closed").ok();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn upload(length: usize, begin: &str) -> String {
    format!("POST /probe/size HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n{begin}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_stands_still_is_answered_408_and_holds_no_instance() {
    // were the bodies' senders served, nobody else would be
    let limits = Limits { body_stall: SECOND, requests_per_component: 2, ..Limits::default() };
    let host = Running::start_within(&manifest(""), limits).await;
    let mut slow = Vec::new();
    for _ in 0..200 {
        slow.push(host.raw(&upload(10, "x")).await);
    }
    let started = Instant::now();
    assert_eq!(host.ok("/probe/seen").await, "1");
    assert!(started.elapsed() < SECOND, "{:?}", started.elapsed());
    for stream in slow {
        let response = rest(stream).await;
        assert!(response.starts_with("HTTP/1.1 408 "), "{response}");
        assert!(response.contains("\"request_id\":\""), "{response}");
    }
    // of this instance, or of a new one
    let seen = host.ok("/probe/seen").await;
    assert!(
        ["1", "2"].contains(&seen.as_str()),
        "the bodies reached the component: it has seen {seen} requests"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_makes_progress_is_taken_until_its_deadline() {
    let limits = Limits { body_stall: SECOND / 2, body_time: 3 * SECOND, ..Limits::default() };
    let host = Running::start_within(&manifest(""), limits).await;
    for (parts, expected) in [(6, "200"), (20, "408")] {
        let mut stream = host.raw(&upload(parts * 1024, "")).await;
        for _ in 0..parts {
            tokio::time::sleep(SECOND / 4).await;
            // the host may have given up
            if stream.write_all(&[b'x'; 1024]).await.is_err() {
                break;
            }
        }
        let mut status = [0; 12];
        stream.read_exact(&mut status).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&status[9..]), expected, "{parts} parts");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_large_is_answered_413() {
    let host =
        Running::start_within(&manifest(""), Limits { body_bytes: 1 << 20, ..Limits::default() }).await;
    assert_eq!(host.post("/probe/size", &"x".repeat(1 << 20)).await, (1 << 20).to_string());
    let (status, fault) = text(host.send("POST", "/probe/size", "x".repeat((1 << 20) + 1)).await).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(fault.contains("request_id"), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_makes_room_for_a_new_one() {
    let limits = Limits { connections: 3, connections_per_address: 3, ..Limits::default() };
    let host = Running::start_within(&manifest(""), limits).await;
    let idle = host.raw("").await;
    tokio::time::sleep(SECOND / 10).await;
    let others = [host.raw("").await, host.raw(&upload(10, "x")).await];
    assert_eq!(host.ok("/probe/hello").await, "hello");
    assert_eq!(rest(idle).await, "", "the one that waited longest is closed");
    drop(others);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_stays_unread_is_given_up() {
    let host = Running::start_within(&manifest(""), Limits { unread: SECOND, ..Limits::default() }).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(host.address).await.unwrap();
    let length = 32 << 20;
    let head = format!("POST /probe/echo HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b'x'; length]).await.unwrap();
    tokio::time::sleep(4 * SECOND).await;
    assert!(rest(stream).await.len() < length, "the whole response was kept for a client that does not read");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_compute_within_their_limit_do_not_use_up_their_instance() {
    let host = Running::start_limited(&manifest("")).await;
    for _ in 0..8 {
        assert_eq!(host.ok("/probe/busy?200").await, "done");
    }
    assert_eq!(host.ok("/probe/seen").await, "9", "one instance answered all");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_and_its_response_end_in_time() {
    let limits = Limits { request: Some(SECOND), ..Limits::hosted() };
    let host = Running::start_within(&manifest(""), limits).await;
    let (status, fault) = host.get("/probe/sleep?5000").await;
    assert_eq!(status, StatusCode::GATEWAY_TIMEOUT);
    assert!(fault.contains("request_id"), "{fault}");
    let stream = host.raw("GET /probe/events?100 HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let started = Instant::now();
    let events = rest(stream).await;
    assert!(events.contains("data: 3\n"), "{events}");
    assert!(started.elapsed() < 3 * SECOND, "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_wait_for_their_turn_and_other_requests_are_served() {
    let host =
        Running::start_within(&manifest(""), Limits { requests_per_component: 1, ..Limits::default() }).await;
    let started = Instant::now();
    let (first, second) = tokio::join!(host.ok("/probe/sleep?500"), host.ok("/probe/sleep?500"));
    assert_eq!((first.as_str(), second.as_str()), ("slept", "slept"));
    assert!(started.elapsed() >= SECOND, "{:?}", started.elapsed());
}
