//! Payloads that are large, broken, deep or strange, among good ones; and many new sensors at once.

use super::{LIMIT, PER_SECOND, Stage, sensors::Plan};
use crate::{client::ENGINEER, mqtt::Publisher, sql};
use anyhow::{Result, ensure};
use pm_test_support::Broker;
use serde_json::json;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const MIB: usize = 1024 * 1024;

/// A payload, the readings in it, and the dead letters that it leaves.
type Case = (Vec<u8>, i64, i64);

fn with(value: &str) -> Vec<u8> {
    format!(r#"{{"machine_id":"odd","sensor_id":"s","value":{value}}}"#).into_bytes()
}

fn with_metadata(metadata: &str) -> Vec<u8> {
    format!(r#"{{"machine_id":"odd","sensor_id":"s","value":1,"metadata":{metadata}}}"#).into_bytes()
}

fn nested(depth: usize) -> String {
    format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth))
}

fn cases() -> Vec<Case> {
    let element = |n: usize| json!({"machine_id": "odd", "sensor_id": format!("b{}", n % 50), "value": n});
    let batch = json!({"batch": (0..9000).map(element).collect::<Vec<_>>()}).to_string();
    let mut padded = with("2");
    padded.resize(MIB, b' ');
    let names = |name: &str| json!({"machine_id": name, "sensor_id": name, "value": 3, "unit": name, "location": name, "metric": name});
    vec![
        (batch.into_bytes(), 9000, 0),
        (padded, 1, 0),
        (vec![b'x'; MIB], 0, 1),
        (vec![b'['; 2 * MIB], 0, 1),
        (vec![0xff; 3 * MIB], 0, 1),
        (b"{\"machine_id\":\"\xff\xfe\",\"sensor_id\":\"s\",\"value\":1}".to_vec(), 0, 1),
        (b"\xed\xa0\x80".to_vec(), 0, 1),
        (Vec::new(), 0, 0),
        (with("NaN"), 0, 1),
        (with("\"NaN\""), 0, 1),
        (with("\"inf\""), 0, 1),
        (with("1e999"), 0, 1),
        (with(&"9".repeat(400)), 0, 1),
        (with("1.7976931348623157e308"), 1, 0),
        (with("-5e-324"), 1, 0),
        (with("-0.0"), 1, 0),
        (with("[[[]]]"), 0, 1),
        (format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000)).into_bytes(), 0, 1),
        (with_metadata(&nested(100)), 1, 0),
        (with_metadata(&nested(5000)), 0, 1),
        (with_metadata(r#"{"n":1e308,"t":"\u0000\ud83d\ude00"}"#), 1, 0),
        (with_metadata(r#"{"t":"\ud800"}"#), 0, 1),
        (with_metadata(&json!({"t": "ä".repeat(9000)}).to_string()), 0, 1),
        (names("\u{202e}'; drop table machines; --").to_string().into_bytes(), 1, 0),
        (names(&"💥".repeat(25)).to_string().into_bytes(), 1, 0),
        (names("a\0b").to_string().into_bytes(), 0, 1),
        (names(&"n".repeat(101)).to_string().into_bytes(), 0, 1),
    ]
}

#[tokio::test]
async fn unreadable_payloads_do_not_stop_other_readings() -> Result<()> {
    let mut stage = Stage::new(Broker::Mosquitto, false).await?;
    let sensors = stage.sensors(Plan::new(PER_SECOND))?;
    let mut mqtt = Publisher::connect(&stage.sensors_url())?;
    let (mut readings, mut letters) = (0, 0);
    for (payload, good, bad) in stage.random.shuffled(cases()) {
        mqtt.publish("factory/odd/sensors", payload).await?;
        (readings, letters) = (readings + good, letters + bad);
    }
    let engineer = stage.client.sign_in(ENGINEER).await?;
    // letters of the same reason within a minute are one, with a count
    let counted = |listed: &serde_json::Value| -> Option<i64> {
        Some(listed.as_array()?.iter().filter_map(|letter| letter["count"].as_i64()).sum())
    };
    let all = |listed: &serde_json::Value| (counted(listed)? >= letters).then(|| listed.clone());
    let listed = engineer.wait_for("/mqtt/dead-letters?limit=1000", all).await?;
    stage.check(sensors).await?;
    ensure!(counted(&listed) == Some(letters), "{letters} were expected: {listed}");
    let db = sql::connect(stage.stack.db()).await?;
    let count = "select count(*) from sensor_data d join machines m on m.id = d.machine_id where m.mqtt_id not like 'fault-%'";
    let stored: i64 = db.query_one(count, &[]).await?.get(0);
    ensure!(stored == readings, "{stored} of {readings} are stored");
    Ok(())
}

#[tokio::test]
async fn ten_thousand_new_sensors_are_registered_without_loss() -> Result<()> {
    const NEW: i64 = 10_000;
    let stage = Stage::new(Broker::Embedded, false).await?;
    let sensors = stage.sensors(Plan::new(PER_SECOND))?;
    let mut mqtt = Publisher::connect(&stage.sensors_url())?;
    let message = |n: i64| {
        let payload =
            json!({"machine_id": format!("new-{}", n % 100), "sensor_id": format!("s{n}"), "value": n});
        ("factory/new/sensors".to_owned(), payload.to_string().into_bytes())
    };
    mqtt.publish_all((0..NEW).map(message).collect()).await?;
    let db = sql::connect(stage.stack.db()).await?;
    let count = "select count(*), count(distinct s.id), count(distinct d.value) from sensor_data d
                 join sensors s on s.id = d.sensor_id join machines m on m.id = s.machine_id where m.mqtt_id like 'new-%'";
    let end = Instant::now() + LIMIT;
    loop {
        let row = db.query_one(count, &[]).await?;
        let counts: [i64; 3] = [row.get(0), row.get(1), row.get(2)];
        if counts == [NEW; 3] {
            break;
        }
        ensure!(counts[0] <= NEW && Instant::now() < end, "readings, sensors, values: {counts:?} of {NEW}");
        sleep(Duration::from_millis(100)).await;
    }
    stage.check(sensors).await
}
