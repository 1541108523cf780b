//! What one client, one account or one address can take away from the others.

use crate::client::{ADMIN, Client, ENGINEER};
use anyhow::{Context, Result, ensure};
use http::Method;
use http_body_util::BodyExt;
use pm_test_support::{Stack, StackOptions};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const SLOW_BODIES: usize = 2000;
const STREAMS: usize = 400;
/// The setting `events.streams_per_account` unless it is changed.
const STREAMS_PER_ACCOUNT: usize = 100;
const ROUNDS: usize = 100;

/// Resident memory of a process, MiB.
fn memory_mib(pid: i32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse::<u64>()? / 1024)
}

/// All but the slowest of a hundred.
fn p99(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() * 99 / 100 - 1]
}

#[tokio::test]
async fn slow_bodies_and_many_streams_leave_others_served() -> Result<()> {
    let stack =
        Stack::start(StackOptions { demo: true, without_bridge: true, ..StackOptions::default() }).await?;
    let client = Client::new(&stack.base_url());
    let (admin, engineer) = (client.sign_in(ADMIN).await?, client.sign_in(ENGINEER).await?);
    admin.get("/dashboard/overview").await?.expect(200)?;
    let host = stack.pid("host").context("no host")?;
    let before_mib = memory_mib(host)?;

    let mut slow = Vec::new();
    for _ in 0..SLOW_BODIES {
        let mut stream = TcpStream::connect(stack.host_address()).await?;
        let head = "POST /users/login HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-www-form-urlencoded\r\n\
                    content-length: 1000\r\n\r\nusername=";
        stream.write_all(head.as_bytes()).await?;
        slow.push(stream);
    }
    let (mut open, mut refused) = (Vec::new(), 0);
    for _ in 0..STREAMS {
        let response = engineer.open(Method::GET, "/ws/events/stream", &[], "").await?;
        match response.status().as_u16() {
            200 => open.push(response),
            429 => refused += 1,
            other => anyhow::bail!("{other}"),
        }
    }
    assert_eq!((open.len(), refused), (STREAMS_PER_ACCOUNT, STREAMS - STREAMS_PER_ACCOUNT));

    let (mut logins, mut overviews) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let started = Instant::now();
        client.login(ADMIN.0, ADMIN.1).await?.expect(200)?;
        logins.push(started.elapsed());
        let started = Instant::now();
        admin.get("/dashboard/overview").await?.expect(200)?;
        overviews.push(started.elapsed());
    }
    let grown_mib = memory_mib(host)?.saturating_sub(before_mib);
    eprintln!(
        "login {:?}, overview {:?}, memory +{grown_mib} MiB",
        p99(logins.clone()),
        p99(overviews.clone())
    );
    // printed above is how long they take on a quiet machine; here they must not wait for the slow ones to end
    ensure!(p99(logins.clone()) <= Duration::from_secs(15), "login took {:?}", p99(logins));
    ensure!(p99(overviews.clone()) <= Duration::from_secs(15), "the overview took {:?}", p99(overviews));
    ensure!(grown_mib < 512, "the host took {grown_mib} MiB more");

    // the first of them made room for later ones, the others are told
    let mut last = String::new();
    let mut stream = slow.pop().context("no body")?;
    tokio::time::timeout(Duration::from_secs(15), stream.read_to_string(&mut last)).await??;
    assert!(last.starts_with("HTTP/1.1 408 ") && last.contains("request_id"), "{last}");

    // a stream that ends makes room for another: when it would have sent something, or after a minute
    drop(open);
    for _ in 0..450 {
        if engineer.open(Method::GET, "/ws/events/stream", &[], "").await?.status() == 200 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    anyhow::bail!("the slots of streams that ended are still taken")
}

#[tokio::test]
async fn the_application_works_within_the_limits_of_hosted_functions() -> Result<()> {
    let environment = vec![("SPIN_VARIABLE_EVENT_STREAM_S".to_owned(), "2".to_owned())];
    let options = StackOptions { demo: true, hosted_limits: true, environment, ..StackOptions::default() };
    let (_stack, client) = crate::client::with_bridge(options).await?;
    let engineer = client.sign_in(ENGINEER).await?;

    // a stream ends in time, and the next one goes on where it ended
    let mut response = engineer.open(Method::GET, "/ws/events/stream?events=alarm.*", &[], "").await?;
    let failure = json!({"machine_id": "machine-1", "sensor_id": "pressure-head", "duration": 6});
    engineer.post("/simulator/trigger-failure", failure).await?.expect(200)?;
    let mut text = String::new();
    let started = Instant::now();
    while let Some(frame) = response.body_mut().frame().await {
        text += &String::from_utf8_lossy(frame?.data_ref().map_or(&[][..], |data| data));
    }
    ensure!(started.elapsed() < Duration::from_secs(20), "the stream did not end");
    let first = text.lines().find_map(|line| line.strip_prefix("id: ")).context("no event")?;
    let before = (first.parse::<i64>()? - 1).to_string();
    let resumed = [("last-event-id", before.as_str())];
    let mut response = engineer.open(Method::GET, "/ws/events/stream?events=alarm.*", &resumed, "").await?;
    let mut again = String::new();
    while let Some(frame) = response.body_mut().frame().await {
        again += &String::from_utf8_lossy(frame?.data_ref().map_or(&[][..], |data| data));
    }
    assert!(again.contains(&format!("id: {first}\n")), "{again}");

    engineer.get("/dashboard/overview").await?.expect(200)?;
    engineer.get("/ai/status").await?.expect(200)?;
    for format in ["pdf", "xlsx", "csv"] {
        let made = engineer.post("/reports/generate", json!({"format": format})).await?.expect(200)?;
        assert_eq!(engineer.get(made["url"].as_str().context("no url")?).await?.status, 200);
    }
    let too_large = "x".repeat(11 << 20);
    let refused = engineer.send(Method::POST, "/sensor-data/batch", &[], too_large).await?.expect(413)?;
    assert_eq!(refused["detail"], "The request body is too large");
    Ok(())
}

#[tokio::test]
async fn simulated_readings_need_to_be_switched_on_and_are_marked() -> Result<()> {
    let environment = vec![("SPIN_VARIABLE_SIMULATOR".to_owned(), "false".to_owned())];
    let options = StackOptions { demo: true, without_bridge: true, environment, ..StackOptions::default() };
    let stack = Stack::start(options).await?;
    let admin = Client::new(&stack.base_url()).sign_in(ADMIN).await?;
    for path in ["/simulator/trigger-failure", "/simulator/generate-test-data"] {
        let refused = admin.post(path, json!({})).await?.expect(403)?;
        assert_eq!(refused["detail"], "Simulated readings are switched off (variable SIMULATOR)");
    }
    assert_eq!(admin.get("/sensor-data").await?.expect(200)?, json!([]));

    let stack =
        Stack::start(StackOptions { demo: true, without_bridge: true, ..StackOptions::default() }).await?;
    let admin = Client::new(&stack.base_url()).sign_in(ADMIN).await?;
    admin.post("/simulator/trigger-failure", json!({"duration": 4})).await?.expect(200)?;
    admin.post("/simulator/generate-test-data?count=1", json!({})).await?.expect(200)?;
    let readings = admin.get("/sensor-data?limit=100").await?.expect(200)?;
    let readings = readings.as_array().context("no list")?;
    assert_eq!(readings.len(), 12);
    for reading in readings {
        assert_eq!(reading["metadata"]["simulated"], true, "{reading}");
    }
    Ok(())
}

#[tokio::test]
async fn a_system_without_database_is_not_ready() -> Result<()> {
    let options = StackOptions { own_database: true, without_bridge: true, ..StackOptions::default() };
    let mut stack = Stack::start(options).await?;
    let client = Client::new(&stack.base_url());
    assert_eq!(client.get("/health/ready").await?.expect(200)?["status"], "ready");
    stack.kill("database").await?;
    let readiness = client.get("/health/ready").await?.expect(503)?;
    assert_eq!((&readiness["status"], &readiness["database"]), (&json!("not_ready"), &json!("disconnected")));
    client.get("/health/live").await?.expect(200)?;
    Ok(())
}

#[tokio::test]
async fn each_caller_of_internal_routes_has_a_token_of_its_own() -> Result<()> {
    let environment = vec![("SPIN_VARIABLE_COMPONENT_TOKEN".to_owned(), "c".repeat(40))];
    let options = StackOptions { demo: true, without_bridge: true, environment, ..StackOptions::default() };
    let stack = Stack::start(options).await?;
    let client = Client::new(&stack.base_url());
    let deliver = || json!("due");
    for token in [stack.service_token(), &"c".repeat(40)] {
        client.with_token(token).post("/internal/deliver", deliver()).await?.expect(200)?;
    }
    client.with_token("wrong").post("/internal/deliver", deliver()).await?.expect(401)?;
    // what only the manifest tells: a component that calls others does not know the token of the bridge
    let manifest: toml::Table = std::fs::read_to_string(pm_test_support::manifest())?.parse()?;
    let variables = &manifest["component"]["webhooks"]["variables"];
    assert!(variables.get("component_token").is_some() && variables.get("service_token").is_none());
    Ok(())
}
