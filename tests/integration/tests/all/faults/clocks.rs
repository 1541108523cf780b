//! Times as devices send them: clocks that jump, repeats, disorder, the past and the future.

use super::{LIMIT, Random, sensors::Plan};
use crate::{
    client::{ENGINEER, with_bridge},
    mqtt::Publisher,
    sql,
};
use anyhow::{Result, ensure};
use pm_test_support::StackOptions;
use serde_json::json;
use std::{collections::BTreeSet, time::Duration};
use tokio::time::{Instant, sleep};

const MINUTE_US: i64 = 60_000_000;

/// Offsets of a device's clock, one after the other, µs: it jumps forward and back, by seconds, minutes and years.
const CLOCK_US: [i64; 8] = [
    0,
    9 * MINUTE_US,
    -2 * MINUTE_US,
    2_000_000,
    -60 * MINUTE_US,
    -24 * 60 * MINUTE_US,
    -20 * 365 * 24 * 60 * MINUTE_US,
    0,
];

#[tokio::test]
async fn every_reading_is_stored_once_despite_clock_jumps_repeats_and_disorder() -> Result<()> {
    let mut random = Random::seeded();
    let (stack, client) = with_bridge(StackOptions { demo: true, ..StackOptions::default() }).await?;
    let now = Plan::new(1).start_us as i64;
    let mut expected = BTreeSet::new();
    let mut messages = Vec::new();
    for n in 0..2000_i64 {
        let time = now + CLOCK_US[n as usize * CLOCK_US.len() / 2000] + n * 1000;
        let sensor = format!("s{}", n % 7);
        let payload = json!({"machine_id": "clock", "sensor_id": sensor, "value": n, "timestamp": time});
        expected.insert((sensor, time, n));
        let copies = 1 + random.below(3);
        for _ in 0..copies {
            messages.push(("factory/clock/sensors".to_owned(), payload.to_string().into_bytes()));
        }
    }
    let mut mqtt = Publisher::connect(stack.mqtt_url())?;
    mqtt.publish_all(random.shuffled(messages)).await?;

    let impossible = [
        11 * MINUTE_US,
        24 * 60 * MINUTE_US,
        100 * 365 * 24 * 60 * MINUTE_US,
        -50 * 365 * 24 * 60 * MINUTE_US,
    ];
    for offset in impossible {
        let payload =
            json!({"machine_id": "clock", "sensor_id": "s0", "value": -1, "timestamp": now + offset});
        mqtt.publish("factory/clock/sensors", payload.to_string()).await?;
    }
    let engineer = client.sign_in(ENGINEER).await?;
    // letters of one cause within a minute are one, with a count
    engineer
        .wait_for("/mqtt/dead-letters", |letters| {
            let letters = letters.as_array()?;
            let count = |words: &str| -> i64 {
                let of_cause =
                    letters.iter().filter(|l| l["reason"].as_str().is_some_and(|r| r.contains(words)));
                of_cause.filter_map(|l| l["count"].as_i64()).sum()
            };
            (count("ten minutes") == 3 && count("not set") == 1 && count("ten seconds") > 0).then_some(())
        })
        .await?;

    let db = sql::connect(stack.db()).await?;
    let end = Instant::now() + LIMIT;
    loop {
        let rows = db
            .query(
                "select s.mqtt_id, (extract(epoch from d.time) * 1000000)::int8, d.value::int8
                 from sensor_data d join sensors s on s.id = d.sensor_id",
                &[],
            )
            .await?;
        let stored: BTreeSet<(String, i64, i64)> =
            rows.iter().map(|r| (r.get(0), r.get(1), r.get(2))).collect();
        ensure!(stored.len() == rows.len(), "doubled");
        ensure!(stored.is_subset(&expected), "{:?}", stored.difference(&expected).next());
        if stored == expected {
            return Ok(());
        }
        ensure!(Instant::now() < end, "{} of {} are stored", stored.len(), expected.len());
        sleep(Duration::from_millis(50)).await;
    }
}

/// A device whose clock was ahead, and is right again, still raises alarms.
#[tokio::test]
async fn a_clock_that_was_ahead_does_not_suppress_alarms() -> Result<()> {
    let (stack, client) = with_bridge(StackOptions { demo: true, ..StackOptions::default() }).await?;
    let viewer = client.sign_in(crate::client::VIEWER).await?;
    let now = Plan::new(1).start_us as i64;
    let mut mqtt = Publisher::connect(stack.mqtt_url())?;
    let mut publish = async |value: f64, time: i64| {
        let payload = json!({
            "machine_id": "machine-1", "sensor_id": "pressure-head", "value": value, "timestamp": time
        });
        mqtt.publish("factory/demo/line1/machine1/sensors", payload.to_string()).await
    };
    publish(120.0, now + 9 * MINUTE_US).await?;
    let marked =
        |rows: &serde_json::Value| rows.as_array()?.iter().any(|r| r["quality"] == "clock").then_some(());
    viewer.wait_for("/sensor-data/logs", marked).await?;
    publish(400.0, now).await?;
    viewer.wait_for("/alarms", |alarms| (!alarms.as_array()?.is_empty()).then_some(())).await
}
