//! From an MQTT message to an HTTP answer.

use crate::{
    client::{Client, ENGINEER, VIEWER, with_bridge},
    mqtt::Publisher,
};
use anyhow::{Context, Result};
use pm_test_support::{Broker, Stack, StackOptions};
use serde_json::{Value, json};

const TOPIC: &str = "factory/plant1/line1/press7/sensors";

async fn start(broker: Broker) -> Result<(Stack, Client, Publisher)> {
    let (stack, client) = with_bridge(StackOptions { broker, demo: true, ..StackOptions::default() }).await?;
    let viewer = client.sign_in(VIEWER).await?;
    let publisher = Publisher::connect(stack.mqtt_url())?;
    Ok((stack, viewer, publisher))
}

async fn a_new_sensor_appears(broker: Broker) -> Result<()> {
    let (_stack, viewer, mut mqtt) = start(broker).await?;
    let payload = r#"{"machine_id":"press-7","sensor_id":"temp","value":93.5,"unit":"°C"}"#;
    mqtt.publish(TOPIC, payload).await?;
    let row = viewer
        .wait_for("/sensor-data/logs?limit=5", |rows| {
            rows.as_array()?.iter().find(|r| r["value"] == 93.5).cloned()
        })
        .await?;
    assert_eq!(row["metadata"]["sensor_unit"], "°C");
    assert_eq!(row["metadata"]["sensor_name"], "temp");
    let machines = viewer.get("/machines").await?.expect(200)?;
    let press =
        machines.as_array().and_then(|m| m.iter().find(|m| m["name"] == "press-7")).context("press-7")?;
    assert_eq!(press["id"], row["machine_id"]);
    Ok(())
}

#[tokio::test]
async fn a_new_sensor_appears_through_the_embedded_broker() -> Result<()> {
    a_new_sensor_appears(Broker::Embedded).await
}

#[tokio::test]
async fn a_new_sensor_appears_through_mosquitto_with_password() -> Result<()> {
    a_new_sensor_appears(Broker::Mosquitto).await
}

#[tokio::test]
async fn every_payload_variant_gives_one_reading_per_value() -> Result<()> {
    let (_stack, viewer, mut mqtt) = start(Broker::Embedded).await?;
    let messages: &[(&str, &str)] = &[
        ("factory/m-a/telemetry", r#"{"machineId":"m-a","temperature":20.5,"vibration":1.5,"pressure":3.5}"#),
        ("sensors/m-b/telemetry", r#"{"machineId":"m-b","vibration":1,"temperature":50,"rpm":1500}"#),
        ("edge/line/sensors", r#"{"machine_id":"m-c","sensor_id":"s","values":{"x":7.25,"y":8.25}}"#),
        (
            "edge/aggregated",
            r#"{"batch":[{"machine_id":"m-d","sensor_id":"t","value":"11.5"},{"machine_id":"m-e","sensor_id":"t","value":12.5}]}"#,
        ),
    ];
    for (topic, payload) in messages {
        mqtt.publish(topic, *payload).await?;
    }
    let mut expected = vec![1.0, 1.5, 3.5, 7.25, 8.25, 11.5, 12.5, 20.5, 50.0, 1500.0];
    let mut values = viewer
        .wait_for("/sensor-data/logs?limit=100", |rows| {
            let values: Vec<f64> = rows.as_array()?.iter().filter_map(|r| r["value"].as_f64()).collect();
            (values.len() >= expected.len()).then_some(values)
        })
        .await?;
    values.sort_by(f64::total_cmp);
    expected.sort_by(f64::total_cmp);
    assert_eq!(values, expected);
    // the same sensor name on two machines is two sensors
    let sensors = viewer.get("/sensors").await?.expect(200)?;
    let t: Vec<&Value> = sensors.as_array().context("a list")?.iter().filter(|s| s["name"] == "t").collect();
    assert_eq!(t.len(), 2);
    assert_ne!(t[0]["machine_id"], t[1]["machine_id"]);
    Ok(())
}

#[tokio::test]
async fn unreadable_messages_are_listed_as_dead_letters_with_their_reason() -> Result<()> {
    let (stack, viewer, mut mqtt) = start(Broker::Embedded).await?;
    let far_future = r#"{"machine_id":"m","sensor_id":"s","value":1,"timestamp":"2199-01-01T00:00:00Z"}"#;
    for bad in
        ["not json", r#"{"sensor_id":"s","value":1}"#, r#"{"machine_id":"m","sensor_id":"s"}"#, far_future]
    {
        mqtt.publish(TOPIC, bad).await?;
    }
    mqtt.publish(TOPIC, vec![0xff, 0xfe, 0x00]).await?;
    mqtt.publish(TOPIC, r#"{"machine_id":"m","sensor_id":"s","value":1}"#).await?;
    let engineer = Client::new(&stack.base_url()).sign_in(ENGINEER).await?;
    let letters =
        engineer.wait_for("/mqtt/dead-letters", |l| l.as_array().filter(|l| l.len() >= 5).cloned()).await?;
    let reasons: Vec<_> = letters.iter().filter_map(|l| l["reason"].as_str()).collect();
    for field in ["machine_id", "value", "timestamp"] {
        assert!(reasons.iter().any(|r| r.contains(field)), "no reason names {field}: {reasons:?}");
    }
    let rows = viewer
        .wait_for("/sensor-data/logs", |rows| rows.as_array().filter(|r| !r.is_empty()).cloned())
        .await?;
    assert_eq!(rows.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_repeated_message_is_stored_once_and_predictions_are_made() -> Result<()> {
    let (_stack, viewer, mut mqtt) = start(Broker::Embedded).await?;
    let start = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs() - 40;
    let messages: Vec<_> = (0..40)
        .map(|i| {
            let value = 100.0 + f64::from(i % 5);
            let payload =
                json!({"machine_id": "m", "sensor_id": "s", "value": value, "timestamp": start + i as u64});
            (TOPIC.to_owned(), payload.to_string().into_bytes())
        })
        .collect();
    mqtt.publish_all(messages.clone()).await?;
    mqtt.publish_all(messages).await?;
    mqtt.publish(TOPIC, r#"{"machine_id":"m","sensor_id":"s","value":101}"#).await?;
    let sensor = viewer
        .wait_for("/sensors", |s| {
            s.as_array()?.iter().find(|s| s["name"] == "s" && s["latest"]["value"] == 101.0).cloned()
        })
        .await?;
    let id = sensor["id"].as_str().context("no id")?;
    let rows = viewer.get(&format!("/sensor-data?sensor_id={id}&limit=1000&sort=asc")).await?.expect(200)?;
    let rows = rows.as_array().context("a list")?;
    assert_eq!(rows.len(), 41);
    assert!(rows.windows(2).all(|w| w[0]["timestamp"].as_str() < w[1]["timestamp"].as_str()));
    let trend = viewer.get(&format!("/sensors/{id}/trend?interval=1h")).await?.expect(200)?;
    assert_eq!((&trend["statistics"]["count"], &trend["statistics"]["max"]), (&json!(41), &json!(104.0)));

    let prediction = viewer
        .wait_for(&format!("/predictions?sensor_id={id}"), |p| {
            p.as_array()?.iter().find(|p| p["status"] != "buffering").cloned()
        })
        .await?;
    assert_eq!(prediction["status"], "normal");
    assert_ne!(prediction["model_version"], "rule-based");
    let score = prediction["score"].as_f64().context("a score")?;
    assert!((0.0..0.75).contains(&score), "{score}");
    let explained = format!("/predictions/{}/explain", prediction["id"].as_str().context("no id")?);
    let explained = viewer.get(&explained).await?.expect(200)?;
    assert_eq!(explained["explanation"]["predicted_class"], "normal");
    Ok(())
}
