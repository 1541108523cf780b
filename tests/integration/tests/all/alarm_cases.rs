//! One trouble is one case with one ticket, whatever notices it.

use crate::{
    client::{Client, ENGINEER, text, with_bridge},
    mqtt::Publisher,
};
use anyhow::{Context, Result};
use pm_test_support::{Stack, StackOptions};
use serde_json::{Value, json};

async fn publish(mqtt: &mut Publisher, sensor: &str, value: f64) -> Result<()> {
    let payload = json!({"machine_id": "machine-1", "sensor_id": sensor, "value": value});
    mqtt.publish("factory/demo/line1/machine1/sensors", payload.to_string()).await
}

/// A stack, an engineer, and a publisher.
async fn plant() -> Result<(Stack, Client, Publisher)> {
    let (stack, client) = with_bridge(StackOptions { demo: true, ..StackOptions::default() }).await?;
    let engineer = client.sign_in(ENGINEER).await?;
    let mqtt = Publisher::connect(stack.mqtt_url())?;
    Ok((stack, engineer, mqtt))
}

/// Waits for so many alarms about limits that are not resolved, oldest first.
async fn active(engineer: &Client, count: usize) -> Result<Vec<Value>> {
    engineer
        .wait_for("/alarms?status=active&kind=threshold&sort=triggered_at", |alarms| {
            alarms.as_array().filter(|alarms| alarms.len() == count).cloned()
        })
        .await
}

async fn tickets(engineer: &Client) -> Result<Vec<Value>> {
    Ok(engineer.get("/tickets").await?.expect(200)?.as_array().context("no list")?.clone())
}

#[tokio::test]
async fn a_failure_that_two_sensors_see_is_one_case_with_one_ticket() -> Result<()> {
    let (_stack, engineer, mut mqtt) = plant().await?;
    publish(&mut mqtt, "pressure-head", 160.0).await?;
    let first = active(&engineer, 1).await?.remove(0);
    assert_eq!(first["case_id"], first["id"], "an alarm alone began its own case");
    assert_eq!(tickets(&engineer).await?[0]["priority"], "high");

    // another sensor of the machine, more severe: the same case, whose ticket gets more urgent
    publish(&mut mqtt, "temp-core", 300.0).await?;
    let alarms = active(&engineer, 2).await?;
    assert_eq!((&alarms[1]["severity"], &alarms[1]["case_id"]), (&json!("critical"), &first["id"]));
    let all = tickets(&engineer).await?;
    assert_eq!((all.len(), &all[0]["priority"]), (1, &json!("critical")), "{all:?}");
    let case = engineer.get(&format!("/alarms?case_id={}", text(&first, "id")?)).await?.expect(200)?;
    assert_eq!(case.as_array().map(Vec::len), Some(2));

    // the work is done once every alarm of the case is resolved
    let resolve = async |alarm: &Value| {
        engineer.post(&format!("/alarms/{}/resolve", text(alarm, "id")?), json!({})).await?.expect(200)
    };
    for (sensor, normal) in [("pressure-head", 120.0), ("temp-core", 60.0)] {
        publish(&mut mqtt, sensor, normal).await?;
    }
    engineer
        .wait_for("/alarms?condition_active=true&kind=threshold", |a| a.as_array()?.is_empty().then_some(()))
        .await?;
    resolve(&alarms[0]).await?;
    assert_eq!(tickets(&engineer).await?[0]["status"], "open");
    resolve(&alarms[1]).await?;
    assert_eq!(tickets(&engineer).await?[0]["status"], "resolved");

    // what happens after that is another trouble
    publish(&mut mqtt, "temp-core", 300.0).await?;
    let next = active(&engineer, 1).await?.remove(0);
    assert_eq!(next["case_id"], next["id"]);
    assert_eq!(tickets(&engineer).await?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn resolving_while_the_value_is_still_high_stays_in_the_case() -> Result<()> {
    let (_stack, engineer, mut mqtt) = plant().await?;
    publish(&mut mqtt, "pressure-head", 190.0).await?;
    let first = active(&engineer, 1).await?.remove(0);
    let path = format!("/alarms/{}/resolve", text(&first, "id")?);
    engineer.post(&path, json!({})).await?.expect(200)?;
    assert_eq!(tickets(&engineer).await?[0]["status"], "resolved");

    publish(&mut mqtt, "pressure-head", 191.0).await?;
    let again = active(&engineer, 1).await?.remove(0);
    assert_eq!(again["case_id"], first["id"]);
    let all = tickets(&engineer).await?;
    assert_eq!((all.len(), &all[0]["status"]), (1, &json!("open")), "the one ticket is open again: {all:?}");
    Ok(())
}

#[tokio::test]
async fn alarms_raised_at_once_are_one_case() -> Result<()> {
    let (_stack, engineer, mut mqtt) = plant().await?;
    let sensors = ["pressure-head", "temp-core", "vibe-x", "flow-rate"];
    let messages = (0..40)
        .map(|n| {
            let sensor = sensors[n % sensors.len()];
            let body = json!({"machine_id": "machine-1", "sensor_id": sensor, "value": 1e4 + n as f64});
            (format!("factory/demo/line{n}/machine1/sensors"), body.to_string().into_bytes())
        })
        .collect();
    mqtt.publish_all(messages).await?;
    let alarms = active(&engineer, sensors.len()).await?;
    assert!(alarms.iter().all(|alarm| alarm["case_id"] == alarms[0]["case_id"]), "{alarms:?}");
    assert_eq!(tickets(&engineer).await?.len(), 1);
    Ok(())
}
