//! Live events.

use crate::{
    client::{ENGINEER, with_bridge},
    mqtt::Publisher,
};
use anyhow::{Context, Result, ensure};
use http::Method;
use http_body_util::BodyExt;
use pm_local::stack::testing::StackOptions;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;

/// Reads events until one of `kind` comes; gives its id and data.
async fn until(body: &mut hyper::body::Incoming, kind: &str) -> Result<(Option<String>, Value)> {
    let mut text = String::new();
    loop {
        let frame = timeout(Duration::from_secs(20), body.frame()).await.context("no event came")?;
        let frame = frame.context("the stream ended")??;
        if let Some(data) = frame.data_ref() {
            text.push_str(std::str::from_utf8(data)?);
        }
        while let Some((event, rest)) = text.split_once("\n\n") {
            let line = |name: &str| event.lines().find_map(|l| l.strip_prefix(name)).map(str::to_owned);
            let data: Value = line("data: ").map_or(Ok(Value::Null), |d| serde_json::from_str(&d))?;
            if data["type"] == kind {
                return Ok((line("id: "), data));
            }
            text = rest.to_owned();
        }
    }
}

#[tokio::test]
async fn every_listener_hears_and_a_new_one_catches_up() -> Result<()> {
    let (stack, nobody) = with_bridge(StackOptions { demo: true, ..StackOptions::default() }).await?;
    nobody.get("/ws/events/stream").await?.expect(401)?;
    let pair = nobody.login(ENGINEER.0, ENGINEER.1).await?.expect(200)?;
    let path = format!("/ws/events/stream?token={}", pair["access_token"].as_str().context("no token")?);
    let mut listeners = Vec::new();
    for _ in 0..3 {
        let answer = nobody.open(Method::GET, &path, &[], "").await?;
        ensure!(answer.status() == 200, "{}", answer.status());
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        listeners.push(answer.into_body());
    }
    let mut mqtt = Publisher::connect(stack.mqtt_url())?;
    let payload = json!({"machine_id": "machine-1", "sensor_id": "pressure-head", "value": 170.5});
    mqtt.publish("factory/demo/line1/machine1/sensors", payload.to_string()).await?;
    let mut first_id = None;
    for listener in &mut listeners {
        let (id, alarm) = until(listener, "alarm.created").await?;
        assert_eq!(alarm["data"]["severity"], "warning");
        let id: i64 = id.context("an id to resume after")?.parse()?;
        assert_eq!(*first_id.get_or_insert(id), id);
    }
    let before = (first_id.context("an id")? - 1).to_string();
    let resumed = nobody.open(Method::GET, &path, &[("last-event-id", &before)], "").await?;
    let (id, _) = until(&mut resumed.into_body(), "alarm.created").await?;
    assert_eq!(id.context("an id")?.parse::<i64>()?, first_id.context("an id")?);

    let payload = json!({"machine_id": "machine-1", "sensor_id": "pressure-head", "value": 171.25});
    mqtt.publish("factory/demo/line1/machine1/sensors", payload.to_string()).await?;
    loop {
        let (_, reading) = until(&mut listeners[0], "sensor_data.created").await?;
        if reading["data"]["value"] == 171.25 {
            return Ok(());
        }
    }
}
