//! Kill a part under load: every published reading is stored once.

use crate::{client::with_bridge, mqtt::Publisher};
use anyhow::{Context, Result, ensure};
use pm_local::stack::testing::{Stack, StackOptions};
use serde_json::json;
use std::{collections::HashSet, time::Duration};
use tokio::time::{Instant, sleep};

const SENSORS: usize = 20;
const PER_SECOND: usize = 2000;
const SECONDS: usize = 6;

/// Publishes `PER_SECOND` readings a second, each with a value of its own; returns how many.
async fn load(mqtt_url: String) -> Result<usize> {
    let mut mqtt = Publisher::connect(&mqtt_url)?;
    let slices = SECONDS * 20;
    let per_slice = PER_SECOND / 20;
    let started = Instant::now();
    let start_us = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_micros() as u64;
    for slice in 0..slices {
        let messages = (slice * per_slice..(slice + 1) * per_slice)
            .map(|n| {
                let us = start_us + (n / SENSORS) as u64 * 10_000;
                let payload = json!({
                    "machine_id": format!("crash-{}", n % 4), "sensor_id": format!("s{}", n % SENSORS), "value": n,
                    "timestamp": us
                });
                (format!("factory/crash/line/m{}/sensors", n % 4), payload.to_string().into_bytes())
            })
            .collect();
        mqtt.publish_all(messages).await?;
        let due = started + Duration::from_millis(50) * (slice as u32 + 1);
        tokio::time::sleep_until(due).await;
    }
    Ok(slices * per_slice)
}

/// Waits until all readings are there, each once.
async fn check(db_url: &str, expected: usize) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let (db, connection) = tokio_postgres::connect(db_url, tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        let rows = db.query("select value::int8 from sensor_data", &[]).await?;
        let distinct: HashSet<i64> = rows.iter().map(|r| r.get(0)).collect();
        ensure!(rows.len() == distinct.len(), "{} readings are stored twice", rows.len() - distinct.len());
        if distinct.len() == expected {
            return Ok(());
        }
        ensure!(Instant::now() < end, "{} of {expected} readings are stored", distinct.len());
        sleep(Duration::from_millis(200)).await;
    }
}

async fn survives_the_death_of(part: &str, own_database: bool) -> Result<()> {
    let (mut stack, _) = with_bridge(StackOptions { own_database, ..StackOptions::default() }).await?;
    let publishing = tokio::spawn(load(stack.mqtt_url().to_owned()));
    sleep(Duration::from_secs(2)).await;
    stack.kill(part).await?;
    sleep(Duration::from_secs(3)).await;
    stack.restart(part).await?;
    let published = publishing.await??;
    let checked = check(stack.db(), published).await;
    checked.with_context(|| {
        format!("bridge: {}\nhost: {}", tail(&stack.log("bridge")), tail(&stack.log("host")))
    })
}

fn tail(log: &str) -> String {
    let lines: Vec<_> = log.lines().rev().take(15).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn the_host_is_killed_under_load() -> Result<()> {
    survives_the_death_of("host", false).await
}

#[tokio::test]
async fn the_bridge_is_killed_under_load() -> Result<()> {
    survives_the_death_of("bridge", false).await
}

#[tokio::test]
async fn the_database_is_killed_under_load() -> Result<()> {
    survives_the_death_of("database", true).await
}

#[tokio::test]
async fn the_checker_sees_a_lost_reading() -> Result<()> {
    let stack = Stack::start(StackOptions { without_bridge: true, ..StackOptions::default() }).await?;
    let (db, connection) = tokio_postgres::connect(stack.db(), tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    db.batch_execute(
        "insert into sensor_data (time, sensor_id, machine_id, value, status)
         select now() + n * interval '1 second', uuid_v7(), uuid_v7(), 7, 0 from generate_series(1, 2) n",
    )
    .await?;
    assert!(check(stack.db(), 2).await.is_err_and(|e| e.to_string().contains("twice")));
    Ok(())
}
