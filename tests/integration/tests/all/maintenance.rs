//! What a machine under maintenance shows raises no alarm, is listed, and raises its alarm if it lasts.

use crate::{
    client::{ENGINEER, VIEWER, text, with_bridge},
    mqtt::Publisher,
};
use anyhow::Result;
use pm_api::Timestamp;
use pm_test_support::StackOptions;
use serde_json::{Value, json};
use std::time::Duration;

async fn publish(mqtt: &mut Publisher, value: f64) -> Result<()> {
    let payload = json!({"machine_id": "machine-1", "sensor_id": "pressure-head", "value": value});
    mqtt.publish("factory/demo/line1/machine1/sensors", payload.to_string()).await
}

/// The number of rows of a list.
fn length(list: &Value) -> usize {
    list.as_array().map_or(0, Vec::len)
}

const ABOUT_LIMITS: &str = "/alarms?kind=threshold";

#[tokio::test]
async fn a_machine_under_maintenance_raises_no_alarm_until_it_has_ended() -> Result<()> {
    let (stack, client) = with_bridge(StackOptions { demo: true, ..StackOptions::default() }).await?;
    let engineer = client.sign_in(ENGINEER).await?;
    let mut mqtt = Publisher::connect(stack.mqtt_url())?;
    let machines = engineer.get("/machines?sort=name").await?.expect(200)?;
    publish(&mut mqtt, 120.0).await?;
    let sensors = engineer
        .wait_for("/sensors?q=Pressure%20at", |s| s.as_array().filter(|s| s.len() == 1).cloned())
        .await?;
    let machine = text(&sensors[0], "machine_id")?.to_owned();
    assert!(length(&machines) > 1);

    let path = format!("/machines/{machine}");
    engineer.patch(&path, json!({"status": "maintenance"})).await?.expect(200)?;
    for value in [200.0, 201.0, 202.0] {
        publish(&mut mqtt, value).await?;
    }
    let suppressed = engineer
        .wait_for(&format!("/suppressed-conditions?machine_id={machine}"), |list| {
            list.as_array()?.iter().find(|row| row["kind"] == "threshold" && row["occurrences"] == 3).cloned()
        })
        .await?;
    assert_eq!((&suppressed["severity"], &suppressed["window_id"]), (&json!("critical"), &Value::Null));
    assert_eq!(length(&engineer.get(ABOUT_LIMITS).await?.expect(200)?), 0);
    assert_eq!(length(&engineer.get("/tickets").await?.expect(200)?), 0);

    // the condition lasts when the maintenance ends: now it is an alarm
    engineer.patch(&path, json!({"status": "online"})).await?.expect(200)?;
    publish(&mut mqtt, 203.0).await?;
    let alarm = engineer.wait_for(ABOUT_LIMITS, |list| list.as_array()?.first().cloned()).await?;
    assert_eq!((&alarm["severity"], &alarm["occurrences"]), (&json!("critical"), &json!(1)));
    assert_eq!(length(&engineer.get("/tickets").await?.expect(200)?), 1);
    Ok(())
}

#[tokio::test]
async fn a_maintenance_window_suppresses_its_machines_while_it_is_on() -> Result<()> {
    let (stack, client) = with_bridge(StackOptions { demo: true, ..StackOptions::default() }).await?;
    let engineer = client.sign_in(ENGINEER).await?;
    let mut mqtt = Publisher::connect(stack.mqtt_url())?;
    publish(&mut mqtt, 120.0).await?;
    let sensors = engineer
        .wait_for("/sensors?q=Pressure%20at", |s| s.as_array().filter(|s| s.len() == 1).cloned())
        .await?;
    let machine = text(&sensors[0], "machine_id")?.to_owned();
    let now = Timestamp(i64::try_from(std::time::UNIX_EPOCH.elapsed()?.as_micros())?);
    let at = |offset_s: i64| now.plus_seconds(offset_s).to_string();
    let window = |from_s: i64, to_s: i64| json!({"reason": "seal change", "machine_id": machine, "starts_at": at(from_s), "ends_at": at(to_s)});

    // one for another time, and one that is on
    let later = engineer.post("/maintenance-windows", window(3600, 7200)).await?.expect(201)?;
    assert_eq!((&later["is_on"], &later["zone"]), (&json!(false), &json!("UTC")));
    let on = engineer.post("/maintenance-windows", window(-60, 3600)).await?.expect(201)?;
    assert_eq!(on["is_on"], true);
    publish(&mut mqtt, 200.0).await?;
    let suppressed =
        engineer.wait_for("/suppressed-conditions", |list| list.as_array()?.first().cloned()).await?;
    assert_eq!(suppressed["window_id"], on["id"]);
    assert_eq!(length(&engineer.get(ABOUT_LIMITS).await?.expect(200)?), 0);

    // it ends early
    let path = format!("/maintenance-windows/{}", text(&on, "id")?);
    let ended = engineer.patch(&path, json!({"ends_at": at(-1)})).await?.expect(200)?;
    assert_eq!(ended["is_on"], false);
    tokio::time::sleep(Duration::from_millis(50)).await;
    publish(&mut mqtt, 201.0).await?;
    engineer.wait_for(ABOUT_LIMITS, |list| list.as_array()?.first().cloned()).await?;

    // who may what, and what is refused
    let viewer = client.sign_in(VIEWER).await?;
    viewer.get("/maintenance-windows").await?.expect(200)?;
    viewer.post("/maintenance-windows", window(0, 60)).await?.expect(403)?;
    for (field, value) in [
        ("ends_at", json!(at(-3600))),
        ("ends_at", json!(at(40 * 86_400))),
        ("zone", json!("Mars/Base")),
        ("machine_id", json!("01890000-0000-7000-8000-000000000000")),
        ("machine_class", json!("pump")),
        ("repeats", json!("hourly")),
        ("reason", json!("")),
    ] {
        let mut body = window(0, 60);
        body[field] = value;
        let refused = engineer.post("/maintenance-windows", body).await?.expect(422)?;
        assert_eq!(refused["errors"][0]["loc"], json!(["body", field]), "{refused}");
    }
    assert_eq!(engineer.delete(&path).await?.status, 204);
    engineer.patch(&path, json!({})).await?.expect(404)?;
    let audited = client.sign_in(crate::client::ADMIN).await?;
    let audited = audited.get("/audit/logs?resource_type=maintenance_window").await?.expect(200)?;
    assert_eq!(length(&audited), 4, "{audited}");
    Ok(())
}
