//! Alarm rules: delays, dead band, what is plausible, silence; and which of several rules counts.

use crate::{
    client::{Client, ENGINEER, VIEWER, text, with_bridge},
    machines::timestamp,
    mqtt::Publisher,
    sql,
};
use anyhow::{Context, Result, bail};
use pm_api::Timestamp;
use pm_test_support::{Stack, StackOptions};
use serde_json::{Value, json};
use std::time::Duration;

struct Plant {
    stack: Stack,
    engineer: Client,
    mqtt: Publisher,
    machine: Value,
}

impl Plant {
    async fn start() -> Result<Self> {
        let (stack, client) = with_bridge(StackOptions { demo: true, ..StackOptions::default() }).await?;
        let engineer = client.sign_in(ENGINEER).await?;
        let mqtt = Publisher::connect(stack.mqtt_url())?;
        let body = json!({"name": "oven", "machine_class": "furnace"});
        let machine = engineer.post("/machines", body).await?.expect(201)?;
        Ok(Self { stack, engineer, mqtt, machine })
    }

    /// A sensor that is critical at 90.
    async fn sensor(&self, name: &str) -> Result<Value> {
        let body = json!({"machine_id": self.machine["id"], "name": name, "sensor_type": "heat", "unit": "°C",
                          "critical_threshold": 90});
        self.engineer.post("/sensors", body).await?.expect(201)
    }

    async fn rule(&self, body: Value) -> Result<Value> {
        self.engineer.post("/alarm-rules", body).await?.expect(201)
    }

    async fn publish(&mut self, sensor: &Value, values: &[(Timestamp, f64)]) -> Result<()> {
        let message = |(time, value): &(Timestamp, f64)| {
            let payload = json!({"machine_id": self.machine["id"], "sensor_id": sensor["id"], "value": value,
                                 "unit": "°C", "timestamp": time});
            ("factory/plant1/line1/oven/sensors".to_owned(), payload.to_string().into_bytes())
        };
        self.mqtt.publish_all(values.iter().map(message).collect()).await
    }

    /// Waits until so many readings of the sensor are stored.
    async fn stored(&self, sensor: &Value, count: usize) -> Result<Vec<Value>> {
        let path = format!("/sensor-data?sensor_id={}&limit=500", text(sensor, "id")?);
        self.engineer.wait_for(&path, |rows| rows.as_array().filter(|r| r.len() >= count).cloned()).await
    }

    async fn alarms(&self, sensor: &Value) -> Result<Vec<Value>> {
        let path = format!("/alarms?sensor_id={}", text(sensor, "id")?);
        self.engineer.get(&path).await?.expect(200)?.as_array().cloned().context("a list")
    }

    async fn alarm(&self, sensor: &Value, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        let path = format!("/alarms?sensor_id={}", text(sensor, "id")?);
        let found = |alarms: &Value| alarms.as_array()?.iter().find(|alarm| wanted(alarm)).cloned();
        self.engineer.wait_for(&path, found).await
    }

    /// Waits until a delay is remembered: a reading is stored before that.
    async fn delay_runs(&self) -> Result<()> {
        let running = "select sensor_id::text from sensor_state where delay_due_at is not null";
        for _ in 0..200 {
            if !self.texts(running).await?.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("no delay runs")
    }

    async fn history(&self, alarm: &Value) -> Result<Vec<String>> {
        let path = format!("/alarms/{}/history", text(alarm, "id")?);
        let rows = self.engineer.get(&path).await?.expect(200)?;
        rows.as_array().context("a list")?.iter().map(|row| Ok(text(row, "change")?.to_owned())).collect()
    }

    /// Texts of a statement's first column.
    async fn texts(&self, statement: &str) -> Result<Vec<String>> {
        let db = sql::connect(self.stack.db()).await?;
        Ok(db.query(statement, &[]).await?.iter().map(|row| row.get(0)).collect())
    }
}

fn time(value: &Value) -> Result<Timestamp> {
    Ok(value.as_str().context("a time")?.parse()?)
}

#[tokio::test]
async fn a_spike_shorter_than_the_delay_raises_nothing() -> Result<()> {
    let mut plant = Plant::start().await?;
    let (sensor, plain) = (plant.sensor("heat").await?, plant.sensor("plain").await?);
    plant.rule(json!({"sensor_id": sensor["id"], "on_delay_s": 60})).await?;
    let now = timestamp()?;
    let spike = [(-3, 20.0), (-2, 327.67), (-1, 20.0)].map(|(s, value)| (now.plus_seconds(s), value));
    plant.publish(&sensor, &spike).await?;
    plant.publish(&plain, &spike).await?;
    // without a rule a spike is an alarm, as ever
    plant.alarm(&plain, |alarm| alarm["kind"] == "threshold").await?;
    let stored = plant.stored(&sensor, 3).await?;
    assert!(stored.iter().any(|r| r["value"] == 327.67 && r["quality"] == "good"), "{stored:?}");
    assert_eq!(plant.alarms(&sensor).await?, [Value::Null; 0]);
    Ok(())
}

#[tokio::test]
async fn sixty_crossings_are_one_alarm() -> Result<()> {
    let mut plant = Plant::start().await?;
    let (delayed, banded) = (plant.sensor("delayed").await?, plant.sensor("banded").await?);
    plant.rule(json!({"sensor_id": delayed["id"], "off_delay_s": 30})).await?;
    plant.rule(json!({"sensor_id": banded["id"], "dead_band": 5})).await?;
    let now = timestamp()?;
    for (sensor, back) in [(&delayed, 70.0), (&banded, 87.0)] {
        let crossings: Vec<_> =
            (0..120).map(|i| (now.plus_seconds(i - 200), if i % 2 == 0 { 92.0 } else { back })).collect();
        plant.publish(sensor, &crossings).await?;
        plant.publish(sensor, &[(now.plus_seconds(-40), 70.0)]).await?;
        let by_limit = |alarm: &Value| alarm["kind"] == "threshold";
        let ended = |alarm: &Value| by_limit(alarm) && alarm["condition_active"] == false;
        let alarm = plant.alarm(sensor, ended).await?;
        assert_eq!(plant.alarms(sensor).await?.iter().filter(|alarm| by_limit(alarm)).count(), 1);
        assert_eq!(plant.history(&alarm).await?, ["raised", "condition ended"], "{sensor}");
        assert_eq!(alarm["occurrences"], 60, "{alarm}");
        let events = format!(
            "select event_type from outbox where data->>'id' = '{}' and event_type like 'alarm.%' order by position",
            text(&alarm, "id")?
        );
        assert_eq!(plant.texts(&events).await?, ["alarm.created", "alarm.updated"]);
    }
    Ok(())
}

#[tokio::test]
async fn a_delay_survives_a_restart_and_ends_without_another_reading() -> Result<()> {
    let mut plant = Plant::start().await?;
    let sensor = plant.sensor("heat").await?;
    plant.rule(json!({"sensor_type": "heat", "on_delay_s": 8, "off_delay_s": 2})).await?;
    let begun = timestamp()?;
    plant.publish(&sensor, &[(begun, 95.0)]).await?;
    plant.delay_runs().await?;
    plant.stack.kill("host").await?;
    plant.stack.restart("host").await?;
    assert_eq!(plant.alarms(&sensor).await?, [Value::Null; 0]);
    let alarm = plant.alarm(&sensor, |alarm| alarm["kind"] == "threshold").await?;
    assert_eq!(time(&alarm["triggered_at"])?, begun.plus_seconds(8), "{alarm}");
    assert!(text(&alarm, "message")?.contains("95"), "{alarm}");
    assert_eq!(alarm["occurrences"], 1);
    // the off-delay ends without a reading as well
    plant.publish(&sensor, &[(timestamp()?, 20.0)]).await?;
    plant.alarm(&sensor, |alarm| alarm["condition_active"] == false).await?;
    assert_eq!(plant.history(&alarm).await?, ["raised", "condition ended"]);
    let left = "select count(*)::text from sensor_state where delay_due_at is not null";
    assert_eq!(plant.texts(left).await?, ["0"]);
    Ok(())
}

#[tokio::test]
async fn a_shorter_delay_counts_for_a_value_that_is_beyond_already() -> Result<()> {
    let mut plant = Plant::start().await?;
    let sensor = plant.sensor("heat").await?;
    let rule = plant.rule(json!({"sensor_id": sensor["id"], "on_delay_s": 3600})).await?;
    plant.publish(&sensor, &[(timestamp()?, 95.0)]).await?;
    plant.delay_runs().await?;
    let path = format!("/alarm-rules/{}", text(&rule, "id")?);
    plant.engineer.patch(&path, json!({"on_delay_s": 1})).await?.expect(200)?;
    plant.alarm(&sensor, |alarm| alarm["kind"] == "threshold").await?;
    Ok(())
}

#[tokio::test]
async fn an_implausible_value_is_stored_and_not_judged() -> Result<()> {
    let mut plant = Plant::start().await?;
    let sensor = plant.sensor("heat").await?;
    plant.rule(json!({"sensor_type": "heat", "plausible_low": -40, "plausible_high": 150})).await?;
    let now = timestamp()?;
    let values = [(-3, 20.0), (-2, 327.67), (-1, 21.0)].map(|(s, value)| (now.plus_seconds(s), value));
    plant.publish(&sensor, &values).await?;
    let stored = plant.stored(&sensor, 3).await?;
    let qualities: Vec<_> = stored.iter().map(|r| (r["value"].clone(), r["quality"].clone())).collect();
    assert!(qualities.contains(&(json!(327.67), json!("implausible"))), "{qualities:?}");
    assert!(qualities.contains(&(json!(21.0), json!("good"))), "{qualities:?}");
    assert_eq!(plant.alarms(&sensor).await?, [Value::Null; 0]);
    let id = text(&sensor, "id")?;
    let shown = plant.engineer.get(&format!("/sensors/{id}")).await?.expect(200)?;
    assert_eq!(shown["latest"]["value"], 21.0);
    let trend = plant.engineer.get(&format!("/sensors/{id}/trend?interval=1h")).await?.expect(200)?;
    assert_eq!(trend["marked"][0]["value"], 327.67, "{trend}");
    let letters = plant.engineer.get("/mqtt/dead-letters").await?.expect(200)?;
    assert!(letters.to_string().contains("implausible"), "its sender is told: {letters}");
    Ok(())
}

#[tokio::test]
async fn silence_is_an_alarm_until_the_next_reading() -> Result<()> {
    let mut plant = Plant::start().await?;
    let (sensor, other) = (plant.sensor("heat").await?, plant.sensor("other").await?);
    plant.publish(&sensor, &[(timestamp()?, 20.0)]).await?;
    plant.stored(&sensor, 1).await?;
    plant.rule(json!({"sensor_id": sensor["id"], "expected_interval_s": 4})).await?;
    plant.publish(&sensor, &[(timestamp()?, 20.0)]).await?;
    let alarm = plant.alarm(&sensor, |alarm| alarm["kind"] == "stale").await?;
    assert_eq!((&alarm["severity"], &alarm["condition_active"]), (&json!("warning"), &json!(true)));
    assert!(text(&alarm, "message")?.contains("has sent no good value for 4 s"), "{alarm}");
    let late = "select extract(epoch from a.created_at - l.updated_at)::float8::text from alarms a
                join sensor_latest l using (sensor_id) where a.kind = 'stale'";
    let after_s: f64 = plant.texts(late).await?.first().context("an alarm")?.parse()?;
    assert!((4.0..=6.0).contains(&after_s), "{after_s} s after the last reading");
    plant.publish(&sensor, &[(timestamp()?, 21.0)]).await?;
    plant.alarm(&sensor, |alarm| alarm["kind"] == "stale" && alarm["condition_active"] == false).await?;
    // it comes back, and ends with the rule
    plant.alarm(&sensor, |alarm| alarm["condition_active"] == true).await?;
    assert_eq!(plant.history(&alarm).await?, ["raised", "condition ended", "returned"]);
    let rules = plant.engineer.get("/alarm-rules?scope=sensor").await?.expect(200)?;
    plant.engineer.delete(&format!("/alarm-rules/{}", text(&rules[0], "id")?)).await?.expect(204)?;
    plant.alarm(&sensor, |alarm| alarm["condition_active"] == false).await?;
    assert_eq!(plant.alarms(&sensor).await?.len(), 1);
    assert_eq!(plant.alarms(&other).await?, [Value::Null; 0]);
    Ok(())
}

#[tokio::test]
async fn the_most_specific_rule_counts_field_by_field() -> Result<()> {
    let mut plant = Plant::start().await?;
    let (sensor, other) = (plant.sensor("heat").await?, plant.sensor("other").await?);
    let machine = plant.machine["id"].clone();
    plant
        .rule(json!({"sensor_type": "heat", "on_delay_s": 3600, "off_delay_s": 9, "dead_band": 1.5,
                     "consequence": "The oven trips"}))
        .await?;
    plant
        .rule(
            json!({"sensor_type": "heat", "machine_class": "furnace", "off_delay_s": 7, "priority": "high"}),
        )
        .await?;
    let of_machine =
        plant.rule(json!({"sensor_type": "heat", "machine_id": machine, "off_delay_s": 5})).await?;
    let own = plant
        .rule(json!({"sensor_id": sensor["id"], "on_delay_s": 0, "link": "https://plant.example/wi?id=7#2"}))
        .await?;
    assert_eq!((&own["scope"], &of_machine["scope"]), (&json!("sensor"), &json!("machine")));
    let path = format!("/sensors/{}/alarm-rule", text(&sensor, "id")?);
    let rule = plant.engineer.get(&path).await?.expect(200)?;
    let origin = |field: &str| rule["origins"][field]["scope"].clone();
    for (field, value, from) in [
        ("on_delay_s", json!(0), "sensor"),
        ("off_delay_s", json!(5), "machine"),
        ("priority", json!("high"), "machine_class"),
        ("dead_band", json!(1.5), "sensor_type"),
        ("consequence", json!("The oven trips"), "sensor_type"),
        ("link", json!("https://plant.example/wi?id=7#2"), "sensor"),
    ] {
        assert_eq!((&rule[field], origin(field)), (&value, json!(from)), "{field}: {rule}");
    }
    assert_eq!(rule["cause"], Value::Null);
    assert_eq!((&rule["own_rule_id"], &rule["origins"]["link"]["rule_id"]), (&own["id"], &own["id"]));
    let now = timestamp()?;
    plant.publish(&other, &[(now, 95.0)]).await?;
    plant.publish(&sensor, &[(now, 95.0)]).await?;
    plant.alarm(&sensor, |alarm| alarm["kind"] == "threshold").await?;
    plant.stored(&other, 1).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(plant.alarms(&other).await?, [Value::Null; 0]);

    // null is inherited again
    let own = format!("/alarm-rules/{}", text(&own, "id")?);
    let changed =
        plant.engineer.patch(&own, json!({"on_delay_s": null, "dead_band": 2})).await?.expect(200)?;
    assert_eq!((&changed["on_delay_s"], &changed["dead_band"]), (&Value::Null, &json!(2.0)));
    let rule = plant.engineer.get(&path).await?.expect(200)?;
    assert_eq!((&rule["on_delay_s"], &rule["dead_band"]), (&json!(3600), &json!(2.0)));
    // rules go with what they are for
    let machine = text(&plant.machine, "id")?;
    plant.engineer.delete(&format!("/machines/{machine}")).await?.expect(204)?;
    let rules = plant.engineer.get("/alarm-rules?sort=sensor_type").await?.expect(200)?;
    let scopes: Vec<_> = rules.as_array().context("a list")?.iter().map(|r| r["scope"].clone()).collect();
    assert_eq!(scopes.len(), 2, "{rules}");
    assert!(scopes.contains(&json!("sensor_type")) && scopes.contains(&json!("machine_class")), "{rules}");
    Ok(())
}

#[tokio::test]
async fn bad_rules_are_refused_at_their_fields() -> Result<()> {
    let stack =
        Stack::start(StackOptions { demo: true, without_bridge: true, ..StackOptions::default() }).await?;
    let client = Client::new(&stack.base_url());
    let (engineer, viewer) = (client.sign_in(ENGINEER).await?, client.sign_in(VIEWER).await?);
    let unknown = "00000000-0000-7000-8000-000000000000";
    for (body, field) in [
        (json!({}), "sensor_type"),
        (json!({"sensor_id": unknown}), "sensor_id"),
        (json!({"sensor_id": unknown, "sensor_type": "heat"}), "sensor_type"),
        (json!({"machine_id": unknown, "sensor_type": "heat"}), "machine_id"),
        (json!({"machine_id": unknown}), "sensor_type"),
        (json!({"machine_id": unknown, "machine_class": "pump", "sensor_type": "heat"}), "machine_class"),
        (json!({"sensor_type": "heat", "on_delay_s": -1}), "on_delay_s"),
        (json!({"sensor_type": "heat", "off_delay_s": 86_401}), "off_delay_s"),
        (json!({"sensor_type": "heat", "expected_interval_s": 0}), "expected_interval_s"),
        (json!({"sensor_type": "heat", "dead_band": -0.1}), "dead_band"),
        (json!({"sensor_type": "heat", "max_rate_per_min": 0}), "max_rate_per_min"),
        (json!({"sensor_type": "heat", "plausible_low": 5, "plausible_high": 5}), "plausible_high"),
        (json!({"sensor_type": "heat", "priority": "soon"}), "priority"),
        (json!({"sensor_type": "heat", "link": "javascript:alert(1)"}), "link"),
        (json!({"sensor_type": "heat", "cause": "x".repeat(2001)}), "cause"),
    ] {
        let refused = engineer.post("/alarm-rules", body.clone()).await?.expect(422)?;
        let errors = refused["errors"].as_array().context("errors")?;
        let place = |error: &Value| error["loc"].as_array().and_then(|loc| loc.last().cloned());
        assert!(errors.iter().any(|e| place(e) == Some(json!(field))), "{body}: {refused}");
    }
    let rule = json!({"sensor_type": "heat", "plausible_low": 0});
    viewer.post("/alarm-rules", rule.clone()).await?.expect(403)?;
    let made = engineer.post("/alarm-rules", rule.clone()).await?.expect(201)?;
    engineer.post("/alarm-rules", rule).await?.expect(409)?;
    let path = format!("/alarm-rules/{}", text(&made, "id")?);
    viewer.get(&path).await?.expect(200)?;
    viewer.delete(&path).await?.expect(403)?;
    engineer.patch(&path, json!({"plausible_high": -1})).await?.expect(422)?;
    engineer.delete(&path).await?.expect(204)?;
    engineer.get(&path).await?.expect(404)?;
    viewer.get(&format!("/sensors/{unknown}/alarm-rule")).await?.expect(404)?;
    Ok(())
}
