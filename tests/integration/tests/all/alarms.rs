//! Conditions, alarms and tickets.

use crate::{
    client::{Client, ENGINEER, VIEWER, with_bridge},
    mqtt::Publisher,
};
use anyhow::{Context, Result};
use pm_test_support::{Stack, StackOptions};
use serde_json::{Value, json};

/// A demonstration sensor: warning from 150 psi, critical from 180.
async fn publish(mqtt: &mut Publisher, value: f64) -> Result<()> {
    let payload =
        json!({"machine_id": "machine-1", "sensor_id": "pressure-head", "value": value, "unit": "psi"});
    mqtt.publish("factory/demo/line1/machine1/sensors", payload.to_string()).await
}

fn only_threshold(alarms: &Value) -> Option<Value> {
    let found: Vec<_> = alarms.as_array()?.iter().filter(|a| a["kind"] == "threshold").collect();
    (found.len() == 1).then(|| found[0].clone())
}

#[tokio::test]
async fn one_alarm_per_cause_from_first_breach_to_resolution() -> Result<()> {
    let (stack, client) = with_bridge(StackOptions { demo: true, ..StackOptions::default() }).await?;
    let engineer = client.sign_in(ENGINEER).await?;
    let mut mqtt = Publisher::connect(stack.mqtt_url())?;
    publish(&mut mqtt, 120.0).await?;
    publish(&mut mqtt, 160.0).await?;
    let alarm = engineer.wait_for("/alarms?status=active", only_threshold).await?;
    assert_eq!((&alarm["severity"], &alarm["status"]), (&json!("warning"), &json!("open")));
    assert_eq!(alarm["condition_active"], true);
    assert!(alarm["message"].as_str().is_some_and(|m| m.ends_with("reported 160.0 psi")), "{alarm}");
    let id = alarm["id"].as_str().context("no id")?.to_owned();
    let path = format!("/alarms/{id}");
    let of_alarm =
        |tickets: &Value| tickets.as_array()?.iter().find(|t| t["alarm_id"] == id.as_str()).cloned();
    let ticket = of_alarm(&engineer.get("/tickets").await?.expect(200)?).context("no ticket")?;
    assert_eq!((&ticket["priority"], &ticket["auto_created"]), (&json!("high"), &json!(true)));
    let title = ticket["title"].as_str().context("no title")?;
    assert!(title.starts_with("Alarm WARNING - "), "{title}");

    // the same cause again: the same alarm with a higher severity
    publish(&mut mqtt, 200.0).await?;
    let escalated = engineer.wait_for(&path, |a| (a["severity"] == "critical").then(|| a.clone())).await?;
    assert_eq!(escalated["occurrences"], 2);
    engineer.wait_for("/tickets", |t| of_alarm(t).filter(|t| t["priority"] == "critical")).await?;

    // back to normal: the condition ends, the alarm waits for people
    publish(&mut mqtt, 120.0).await?;
    let ended = engineer.wait_for(&path, |a| (a["condition_active"] == false).then(|| a.clone())).await?;
    assert_eq!(ended["status"], "open");

    let viewer = client.sign_in(VIEWER).await?;
    viewer.patch(&path, json!({"status": "acknowledged"})).await?.expect(403)?;
    let acknowledged = engineer.patch(&path, json!({"status": "acknowledged"})).await?.expect(200)?;
    assert_eq!(acknowledged["status"], "acknowledged");
    assert!(acknowledged["acknowledged_by"].is_string());
    engineer.patch(&path, json!({"status": "open"})).await?.expect(400)?;
    let resolved =
        engineer.post(&format!("{path}/resolve?resolution_notes=seal%20changed"), json!({})).await?;
    let resolved = resolved.expect(200)?;
    assert_eq!(
        (&resolved["status"], &resolved["resolution_notes"]),
        (&json!("resolved"), &json!("seal changed"))
    );
    let ticket = of_alarm(&engineer.get("/tickets").await?.expect(200)?).context("no ticket")?;
    assert_eq!(ticket["status"], "resolved");

    // a new breach after the resolution is a new alarm
    publish(&mut mqtt, 190.0).await?;
    let new = engineer.wait_for("/alarms?status=active", only_threshold).await?;
    assert_ne!(new["id"], id.as_str());
    Ok(())
}

#[tokio::test]
async fn a_late_reading_is_stored_and_raises_no_alarm() -> Result<()> {
    let (stack, client) = with_bridge(StackOptions { demo: true, ..StackOptions::default() }).await?;
    let engineer = client.sign_in(ENGINEER).await?;
    let mut mqtt = Publisher::connect(stack.mqtt_url())?;
    let hour_ago = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs() - 3600;
    let late = json!({"machine_id": "machine-1", "sensor_id": "pressure-head", "value": 999.0, "timestamp": hour_ago});
    mqtt.publish("factory/demo/line1/machine1/sensors", late.to_string()).await?;
    publish(&mut mqtt, 121.0).await?;
    let rows = engineer
        .wait_for("/sensor-data/logs", |rows| rows.as_array().filter(|r| r.len() == 2).cloned())
        .await?;
    assert_eq!((&rows[1]["value"], &rows[1]["status"]), (&json!(999.0), &json!("critical")));
    assert_eq!(engineer.get("/alarms").await?.expect(200)?, json!([]));
    Ok(())
}

#[tokio::test]
async fn an_injected_failure_makes_an_alarm_and_a_ticket() -> Result<()> {
    let stack =
        Stack::start(StackOptions { demo: true, without_bridge: true, ..StackOptions::default() }).await?;
    let engineer = Client::new(&stack.base_url()).sign_in(ENGINEER).await?;
    let body = json!({"machine_id": "machine-1", "sensor_id": "pressure-head", "anomaly_type": "critical", "duration": 6,
                      "value_multiplier": 2.0});
    let answer = engineer.post("/simulator/trigger-failure", body).await?.expect(200)?;
    assert_eq!((&answer["ok"], &answer["readings_sent"]), (&json!(true), &json!(3)));
    let alarms = engineer.get("/alarms?status=active").await?.expect(200)?;
    let alarm = only_threshold(&alarms).with_context(|| alarms.to_string())?;
    assert_eq!((&alarm["severity"], &alarm["occurrences"]), (&json!("critical"), &json!(3)));
    assert_eq!(engineer.get("/tickets").await?.expect(200)?[0]["alarm_id"], alarm["id"]);
    // a machine without the documented sensor fails at one that has a limit
    let answer =
        engineer.post("/simulator/trigger-failure", json!({"machine_id": "machine-2"})).await?.expect(200)?;
    assert_eq!(answer["sensor_id"], "current-phase-a");
    let machines = engineer.get("/machines?search=Motor-02").await?.expect(200)?;
    let machine = machines[0]["id"].as_str().context("no Motor-02")?;
    let alarms = engineer.get(&format!("/alarms?status=active&machine_id={machine}")).await?.expect(200)?;
    let alarm = only_threshold(&alarms).with_context(|| alarms.to_string())?;
    assert_eq!(alarm["severity"], "critical");
    Ok(())
}
