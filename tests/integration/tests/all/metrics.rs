//! Figures for Prometheus.

use crate::{
    client::{Client, ENGINEER, VIEWER, with_bridge},
    mqtt::Publisher,
};
use anyhow::{Context, Result, ensure};
use pm_test_support::StackOptions;
use serde_json::json;
use std::collections::BTreeMap;

/// Reads the exposition format 0.0.4; refuses what is not it.
fn parse(text: &str) -> Result<BTreeMap<String, f64>> {
    let mut values = BTreeMap::new();
    let mut typed = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').with_context(|| line.to_owned())?;
            ensure!(["gauge", "counter"].contains(&kind), "{line}");
            typed.push(name.to_owned());
        } else if !line.starts_with("# HELP ") {
            let (name, value) = line.rsplit_once(' ').with_context(|| line.to_owned())?;
            let family = name.split('{').next().unwrap_or_default();
            ensure!(typed.last().is_some_and(|t| t == family), "{line} does not follow its type");
            ensure!(values.insert(name.to_owned(), value.parse()?).is_none(), "{name} twice");
        }
    }
    ensure!(text.ends_with('\n'), "the last line does not end");
    Ok(values)
}

#[tokio::test]
async fn metrics_are_for_engineers_and_follow_readings_and_alarms() -> Result<()> {
    let environment = vec![("SPIN_VARIABLE_METRICS_TOKEN".to_owned(), "scrape-me".to_owned())];
    let options = StackOptions { demo: true, environment, ..StackOptions::default() };
    let (stack, nobody) = with_bridge(options).await?;
    let engineer = nobody.sign_in(ENGINEER).await?;
    let denied = nobody.sign_in(VIEWER).await?.get("/metrics").await?.expect(403)?;
    assert_eq!(denied, json!({"detail": "Access denied. Required roles: admin, engineer"}));
    nobody.get("/metrics").await?.expect(401)?;
    nobody.with_token("scrape-m").get("/metrics").await?.expect(401)?;

    let mut mqtt = Publisher::connect(stack.mqtt_url())?;
    for value in [150.5, 170.5] {
        let payload = json!({"machine_id": "machine-1", "sensor_id": "pressure-head", "value": value});
        mqtt.publish("factory/demo/line1/machine1/sensors", payload.to_string()).await?;
    }
    mqtt.publish("factory/demo/line1/machine1/sensors", "not JSON".to_owned()).await?;
    engineer.wait_for("/metrics/json", |m| (m["active_alarms"] == 1).then_some(())).await?;
    engineer.wait_for("/mqtt/dead-letters", |l| (!l.as_array()?.is_empty()).then_some(())).await?;
    // the bridge tells its counters once a second
    engineer
        .wait_for("/mqtt/status", |s| {
            (s["bridge"]["dead_letters"] == 1 && s["bridge"]["queue_size"] == 0).then_some(())
        })
        .await?;

    let scraper = nobody.with_token("scrape-me");
    let answer = scraper.get("/metrics").await?;
    assert_eq!(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let text = String::from_utf8(answer.body.to_vec())?;
    let values = parse(&text)?;
    let value = |name: &str| values.get(name).copied().with_context(|| format!("no {name} in {text}"));
    assert_eq!(value("active_alarms_count")?, 1.0);
    assert_eq!(value("pm_alarms{status=\"open\"}")?, 1.0);
    assert_eq!(value("sensor_data_ingestion_rate")?, 2.0);
    assert_eq!(value("pm_readings_total")?, 2.0);
    assert_eq!(value("pm_dead_letters")?, 1.0);
    assert_eq!(value("pm_machines{status=\"online\"}")?, 4.0);
    assert_eq!((value("pm_bridge_up")?, value("pm_bridge_connected")?), (1.0, 1.0));
    assert_eq!(value("mqtt_queue_depth")?, 0.0);
    assert!(value("prediction_latency_ms")? >= 0.0 && value("pm_events_total")? >= 1.0);
    // not the seconds since some date: the stack has just been started
    assert!((0.0..3600.0).contains(&value("system_uptime_seconds")?), "{text}");
    assert_eq!(
        Client::clone(&scraper).get("/metrics/json").await?.expect(200)?["ingestion_rate_per_hour"],
        2
    );
    scraper.get("/machines").await?.expect(401)?;
    Ok(())
}
