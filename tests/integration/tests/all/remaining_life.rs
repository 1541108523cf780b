//! Remaining useful life, from MQTT messages to predictions: by trend, and by the network of a machine that has one.

use crate::{
    client::{ENGINEER, with_bridge},
    mqtt::Publisher,
};
use anyhow::{Context, Result};
use pm_test_support::StackOptions;
use serde_json::{Value, json};

const TOPIC: &str = "factory/plant1/line1/test/sensors";
const NETWORK: &str = "rul-cmapss/1.0.0";

fn now_s() -> Result<u64> {
    Ok(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs())
}

#[tokio::test]
async fn the_network_in_the_component_gives_the_golden_answers() -> Result<()> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models").join(NETWORK);
    let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(folder.join("golden.json"))?)?;
    let (stack, client) = with_bridge(StackOptions { demo: true, ..StackOptions::default() }).await?;
    let engineer = client.sign_in(ENGINEER).await?;
    let mut mqtt = Publisher::connect(stack.mqtt_url())?;
    for (i, case) in cases.iter().enumerate() {
        let channels: Vec<&str> =
            case["channels"].as_array().context("channels")?.iter().filter_map(Value::as_str).collect();
        let sensors: Value = channels.iter().map(|c| ((*c).to_owned(), json!(c))).collect();
        let name = format!("engine-{i}");
        let metadata = json!({"rul_model": NETWORK, "rul_sensors": sensors, "rul_hours_per_cycle": 2.0});
        let machine =
            engineer.post("/machines", json!({"name": name, "metadata": metadata})).await?.expect(201)?;
        let id = machine["id"].as_str().context("an id")?;
        let history = case["history"].as_array().context("a history")?;
        let start = now_s()? - 2 * history.len() as u64;
        let message = |k: usize, cycle: &Value| {
            let values: Value = channels
                .iter()
                .zip(cycle.as_array().into_iter().flatten())
                .map(|(c, v)| ((*c).to_owned(), v.clone()))
                .collect();
            let at = start + 2 * k as u64;
            let payload = json!({"machine_id": name, "values": values, "timestamp": at});
            (TOPIC.to_owned(), payload.to_string().into_bytes())
        };
        mqtt.publish_all(history.iter().enumerate().map(|(k, c)| message(k, c)).collect()).await?;
        let expected =
            |what: &str| Ok::<_, anyhow::Error>(2.0 * case["cycles"][what].as_f64().context("a number")?);
        let (hours, lower, upper) = (expected("expected")?, expected("lower")?, expected("upper")?);
        let life = engineer
            .wait_for(&format!("/predictions?machine_id={id}&limit=1000"), |predictions| {
                let lives = predictions.as_array()?.iter().map(|p| &p["remaining_life"]);
                let mut lives = lives.filter(|l| (l["hours"].as_f64().unwrap_or(-1.0) - hours).abs() < 0.02);
                lives.next().cloned()
            })
            .await?;
        assert_eq!((&life["method"], &life["model"]), (&json!("network"), &json!(NETWORK)));
        assert!(
            (life["lower_hours"].as_f64().context("a lower limit")? - lower).abs() < 0.02,
            "{life} {lower}"
        );
        match life["upper_hours"].as_f64() {
            Some(given) => assert!((given - upper).abs() < 0.02, "{life} {upper}"),
            None => assert!(upper >= 250.0 - 1e-6, "{life} {upper}"),
        }
        let summary = engineer.get(&format!("/machines/{id}/summary")).await?.expect(200)?;
        assert_eq!(summary["remainingLife"]["method"], "network");
    }
    Ok(())
}

#[tokio::test]
async fn a_drift_towards_a_limit_gives_a_remaining_life_with_its_interval() -> Result<()> {
    let (stack, client) = with_bridge(StackOptions { demo: true, ..StackOptions::default() }).await?;
    let engineer = client.sign_in(ENGINEER).await?;
    let machine = engineer.post("/machines", json!({"name": "drifting"})).await?.expect(201)?;
    let id = machine["id"].as_str().context("an id")?;
    let sensor = json!({
        "machine_id": id, "name": "level", "sensor_type": "pressure", "max_threshold": 40.0, "critical_threshold": 40.0
    });
    engineer.post("/sensors", sensor).await?.expect(201)?;
    let mut mqtt = Publisher::connect(stack.mqtt_url())?;
    // 4 per minute with a ripple, for 4 minutes up to 26: 14 more take 3.5 minutes.
    let start = now_s()? - 240;
    let messages = (0..240u32)
        .map(|k| {
            let value = 10.0 + f64::from(k) / 15.0 + f64::from(k % 3) * 0.2;
            let payload = json!({
                "machine_id": "drifting", "sensor_id": "level", "value": value, "timestamp": start + u64::from(k)
            });
            (TOPIC.to_owned(), payload.to_string().into_bytes())
        })
        .collect();
    mqtt.publish_all(messages).await?;
    let path = format!("/machines/{id}/summary");
    let life = engineer
        .wait_for(&path, |s| {
            let life = &s["remainingLife"];
            (life["hours"].as_f64()? < 0.062).then(|| life.clone())
        })
        .await?;
    let number = |what: &str| life[what].as_f64().with_context(|| format!("{what} in {life}"));
    assert_eq!((&life["method"], &life["model"]), (&json!("trend"), &json!(null)));
    assert_eq!(life["confidence_level"], 0.9);
    assert!((0.04..0.062).contains(&number("hours")?), "{life}");
    assert!(number("lower_hours")? <= 0.0583 && 0.0575 <= number("upper_hours")?, "{life}");
    Ok(())
}
