//! Which readings count: their time against the server's clock, their key, quality and unit, and who may register.

use crate::{
    client::{ADMIN, Client, ENGINEER},
    machines::timestamp,
    sql,
};
use anyhow::{Context, Result, ensure};
use http::Method;
use pm_api::{
    Timestamp,
    ingest::{BATCH_CONTENT_TYPE, Batch, DeadLetter, Reading, SensorRef},
    tick::Tick,
};
use pm_test_support::{Stack, StackOptions};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

struct Plant {
    stack: Stack,
    engineer: Client,
    db: tokio_postgres::Client,
}

async fn start() -> Result<Plant> {
    let options = StackOptions { demo: true, without_bridge: true, ..StackOptions::default() };
    let stack = Stack::start(options).await?;
    let engineer = Client::new(&stack.base_url()).sign_in(ENGINEER).await?;
    let db = sql::connect(stack.db()).await?;
    Ok(Plant { stack, engineer, db })
}

impl Plant {
    /// A sensor in °C with a critical limit.
    async fn sensor(&self, critical: f64, unit: Option<&str>) -> Result<Value> {
        let machine = self.engineer.post("/machines", json!({"name": "oven"})).await?.expect(201)?;
        let body = json!({"machine_id": machine["id"], "name": "heat", "sensor_type": "temperature", "unit": unit,
                          "critical_threshold": critical});
        self.engineer.post("/sensors", body).await?.expect(201)
    }

    async fn send(&self, sensor: &Value, value: f64, time: Timestamp, more: Value) -> Result<Value> {
        let mut body = json!({"sensor_id": sensor["id"], "timestamp": time, "value": value});
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name.as_str()] = value.clone();
        }
        self.engineer.post("/sensor-data", body).await?.expect(201)
    }

    async fn latest(&self, sensor: &Value) -> Result<Value> {
        let id = sensor["id"].as_str().context("no id")?;
        Ok(self.engineer.get(&format!("/sensors/{id}")).await?.expect(200)?["latest"].clone())
    }

    async fn alarms(&self) -> Result<Vec<Value>> {
        let alarms = self.engineer.get("/alarms").await?.expect(200)?;
        alarms.as_array().cloned().context("a list")
    }

    /// Posts a batch as the bridge does.
    async fn ingest(&self, batch: &Batch) -> Result<Value> {
        let bridge = self.engineer.with_token(self.stack.service_token());
        let kind = ("content-type", BATCH_CONTENT_TYPE);
        bridge.send(Method::POST, "/internal/ingest", &[kind], postcard::to_stdvec(batch)?).await?.expect(200)
    }

    /// Topic, reason and count of every dead letter.
    async fn letters(&self) -> Result<Vec<(String, String, i64)>> {
        let rows = self
            .db
            .query("select topic, reason, count from dead_letters order by topic, reason", &[])
            .await?;
        Ok(rows.iter().map(|r| (r.get(0), r.get(1), r.get(2))).collect())
    }

    /// Nothing that is remembered of sensors lies in the future.
    async fn ensure_no_future_state(&self) -> Result<()> {
        let ahead: i64 = self
            .db
            .query_one(
                "select (select count(*) from sensor_latest where time > now())
                      + (select count(*) from sensor_state where evaluated_through > now() or scored_through > now())
                      + (select count(*) from alarms where triggered_at > now() or last_seen_at > now())
                      + (select count(*) from predictions where time > now())",
                &[],
            )
            .await?
            .get(0);
        ensure!(ahead == 0, "{ahead} states lie in the future");
        Ok(())
    }
}

fn named(machine: &str, sensor: &str) -> SensorRef {
    SensorRef {
        machine: machine.to_owned(),
        sensor: sensor.to_owned(),
        topic: Some(format!("plant/{machine}")),
        ..SensorRef::default()
    }
}

#[tokio::test]
async fn a_reading_from_a_clock_that_is_ahead_freezes_nothing() -> Result<()> {
    let plant = start().await?;
    for ahead_s in [540, 60, 11, 5, 1] {
        let sensor = plant.sensor(85.0, Some("°C")).await?;
        let stored = plant.send(&sensor, 90.0, timestamp()?.plus_seconds(ahead_s), json!({})).await?;
        let marked = ahead_s > 10;
        assert_eq!(stored["quality"], if marked { "clock" } else { "good" }, "{ahead_s} s");
        if marked {
            assert_eq!(plant.latest(&sensor).await?, Value::Null);
        }
        for value in [20.0, 21.0, 88.0, 20.0] {
            tokio::time::sleep(Duration::from_millis(20)).await;
            plant.send(&sensor, value, timestamp()?, json!({})).await?;
        }
        assert_eq!(plant.latest(&sensor).await?["value"], 20.0, "{ahead_s} s");
        let alarms = plant.alarms().await?;
        let of_sensor: Vec<_> =
            alarms.iter().filter(|a| a["sensor_id"] == sensor["id"] && a["kind"] == "threshold").collect();
        assert_eq!(of_sensor.len(), 1, "{of_sensor:?}");
        assert_eq!(of_sensor[0]["condition_active"], false, "{ahead_s} s");
        plant.ensure_no_future_state().await?;
    }
    let letters = plant.letters().await?;
    let clock: Vec<_> = letters.iter().filter(|(_, reason, _)| reason.contains("clock")).collect();
    // once for a sender, however many readings
    assert_eq!((clock.len(), clock.first().map(|c| c.2)), (1, Some(3)), "{letters:?}");
    Ok(())
}

#[tokio::test]
async fn times_that_no_clock_can_show_are_refused_with_the_clock_as_reason() -> Result<()> {
    let plant = start().await?;
    let sensor = plant.sensor(85.0, Some("°C")).await?;
    for time in
        ["1970-01-01T00:00:00Z", "1970-01-12T13:46:40Z", "2000-01-01T00:00:10Z", "2199-01-01T00:00:00Z"]
    {
        let body = json!({"sensor_id": sensor["id"], "timestamp": time, "value": 1});
        let refused = plant.engineer.post("/sensor-data", body).await?.expect(422)?;
        assert!(refused["errors"][0]["msg"].as_str().is_some_and(|m| m.contains("clock")), "{refused}");
    }
    let reading = |time| Reading { time, value: 1.0, ..Reading::default() };
    let batch = Batch {
        sensors: vec![named("m", "s")],
        readings: vec![reading(Timestamp(5_000_000)), reading(Timestamp(9_000_000))],
        dead_letters: Vec::new(),
    };
    let report = plant.ingest(&batch).await?;
    assert_eq!((&report["stored"], &report["refused"]), (&json!(0), &json!(2)), "{report}");
    let letters = plant.letters().await?;
    assert_eq!(letters.len(), 1, "{letters:?}");
    // under the topic that the readings came on
    assert_eq!((letters[0].0.as_str(), letters[0].2), ("plant/m", 2), "{letters:?}");
    assert!(letters[0].1.contains("clock"), "{letters:?}");
    Ok(())
}

#[tokio::test]
async fn old_readings_are_history_and_raise_no_alarm() -> Result<()> {
    let plant = start().await?;
    let sensor = plant.sensor(85.0, Some("°C")).await?;
    let now = timestamp()?;
    plant.send(&sensor, 20.0, now, json!({})).await?;
    plant.send(&sensor, 95.0, now.plus_seconds(-30), json!({})).await?;
    plant.send(&sensor, 96.0, now.plus_seconds(-3600), json!({})).await?;
    plant.send(&sensor, 97.0, timestamp()?, json!({"historical": true})).await?;
    assert_eq!(plant.alarms().await?, [0; 0]);
    let stored: i64 = plant.db.query_one("select count(*) from sensor_data where history", &[]).await?.get(0);
    assert_eq!(stored, 3);
    // delivered once more, it is still history
    let again = json!({"sensor_id": sensor["id"], "timestamp": now.plus_seconds(-30), "value": 95});
    plant.engineer.post("/sensor-data", again).await?.expect(200)?;
    assert_eq!(plant.alarms().await?, [0; 0]);
    // an older reading does not end an alarm either
    let high = timestamp()?;
    plant.send(&sensor, 99.0, high, json!({})).await?;
    plant.send(&sensor, 20.0, high.plus_seconds(-10), json!({})).await?;
    assert_eq!(plant.alarms().await?.first().context("no alarm")?["condition_active"], true);
    assert_eq!(plant.latest(&sensor).await?["value"], 99.0);
    Ok(())
}

#[tokio::test]
async fn another_value_at_the_same_time_is_a_conflict_and_no_alarm() -> Result<()> {
    let plant = start().await?;
    let sensor = plant.sensor(85.0, Some("°C")).await?;
    let second = timestamp()?.0 / Timestamp::SECOND * Timestamp::SECOND;
    let reading = |value| json!({"sensor_id": sensor["id"], "timestamp": Timestamp(second), "value": value});
    plant.engineer.post("/sensor-data", reading(21)).await?.expect(201)?;
    plant.engineer.post("/sensor-data", reading(99)).await?.expect(409)?;
    let batch = json!({"readings": [reading(99), reading(98), reading(21)]});
    let report = plant.engineer.post("/sensor-data/batch", batch).await?.expect(201)?;
    assert_eq!(
        (&report["stored"], &report["duplicates"], &report["conflicts"]),
        (&json!(0), &json!(0), &json!(3)),
        "{report}"
    );
    assert_eq!(plant.alarms().await?, [0; 0]);
    assert_eq!(plant.latest(&sensor).await?["value"], 21.0);
    let letters = plant.letters().await?;
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert!(letters[0].1.contains("another value at this time") && letters[0].2 == 4, "{letters:?}");
    Ok(())
}

#[tokio::test]
async fn values_that_are_not_good_are_kept_and_count_for_nothing() -> Result<()> {
    let plant = start().await?;
    let sensor = plant.sensor(85.0, Some("°C")).await?;
    let begin = timestamp()?.plus_seconds(-20);
    for n in 0..10 {
        plant.send(&sensor, 21.0, begin.plus_seconds(n), json!({})).await?;
    }
    for (n, quality) in (10..).zip(["bad", "uncertain", "stale"]) {
        let time = begin.plus_seconds(n);
        let stored = plant.send(&sensor, 327.67, time, json!({"quality": quality})).await?;
        assert_eq!((&stored["quality"], &stored["status"]), (&json!(quality), &json!("normal")));
    }
    assert_eq!(plant.alarms().await?, [0; 0]);
    assert_eq!(plant.latest(&sensor).await?["value"], 21.0);
    let id = sensor["id"].as_str().context("no id")?;
    let trend = plant.engineer.get(&format!("/sensors/{id}/trend?interval=1h")).await?.expect(200)?;
    assert_eq!(trend["points"].as_array().map(Vec::len), Some(10));
    assert_eq!((&trend["statistics"]["max"], &trend["statistics"]["avg"]), (&json!(21.0), &json!(21.0)));
    let marked: Vec<_> =
        trend["marked"].as_array().context("a list")?.iter().map(|m| &m["quality"]).collect();
    assert_eq!(marked, ["bad", "uncertain", "stale"]);
    let rows = plant.engineer.get(&format!("/sensor-data?sensor_id={id}&limit=100")).await?.expect(200)?;
    assert_eq!(rows.as_array().map(Vec::len), Some(13));
    plant.db.execute("select roll_up(1000, now() + interval '1 minute')", &[]).await?;
    let highest: f64 = plant.db.query_one("select max(max) from readings_1m", &[]).await?.get(0);
    assert_eq!(highest, 21.0);
    Ok(())
}

#[tokio::test]
async fn a_unit_is_adopted_converted_or_marked() -> Result<()> {
    let plant = start().await?;
    let sensor = plant.sensor(100.0, None).await?;
    let id = sensor["id"].as_str().context("no id")?;
    plant.send(&sensor, 20.0, timestamp()?, json!({})).await?;
    plant.send(&sensor, 21.0, timestamp()?, json!({"unit": "°C"})).await?;
    let adopted = plant.engineer.get(&format!("/sensors/{id}")).await?.expect(200)?;
    assert_eq!(adopted["unit"], "°C");
    for (unit, value, celsius) in
        [("°F", 176.2, 80.111_111), ("[degF]", 176.2, 80.111_111), ("K", 300.0, 26.85)]
    {
        let stored = plant.send(&sensor, value, timestamp()?, json!({"unit": unit})).await?;
        let value = stored["value"].as_f64().context("no value")?;
        assert!((value - celsius).abs() < 1e-5 && stored["quality"] == "good", "{stored}");
    }
    let foreign = plant.send(&sensor, 500.0, timestamp()?, json!({"unit": "bar"})).await?;
    assert_eq!((&foreign["quality"], &foreign["value"]), (&json!("unit"), &json!(500.0)));
    assert_eq!(plant.alarms().await?, [0; 0]);
    let letters = plant.letters().await?;
    assert!(letters.len() == 1 && letters[0].1.starts_with("unit: "), "{letters:?}");
    let hot = plant.send(&sensor, 230.0, timestamp()?, json!({"unit": "°F"})).await?;
    assert_eq!(hot["status"], "critical");
    assert_eq!(plant.alarms().await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_status_that_a_sender_gives_raises_an_alarm_of_its_own_kind() -> Result<()> {
    let plant = start().await?;
    let machine = plant.engineer.post("/machines", json!({"name": "oven"})).await?.expect(201)?;
    let body = json!({"machine_id": machine["id"], "name": "heat", "sensor_type": "temperature"});
    let sensor = plant.engineer.post("/sensors", body).await?.expect(201)?;
    plant.send(&sensor, 5.0, timestamp()?, json!({"status": "normal"})).await?;
    assert_eq!(plant.alarms().await?, [0; 0]);
    plant.send(&sensor, 6.0, timestamp()?, json!({"status": "critical"})).await?;
    let alarm = plant.alarms().await?.first().cloned().context("no alarm")?;
    assert_eq!(
        (&alarm["kind"], &alarm["severity"], &alarm["condition_active"]),
        (&json!("reported"), &json!("critical"), &json!(true))
    );
    plant.send(&sensor, 7.0, timestamp()?, json!({"status": "normal"})).await?;
    assert_eq!(plant.alarms().await?[0]["condition_active"], false);
    plant.send(&sensor, 8.0, timestamp()?, json!({"status": "warning"})).await?;
    let again = plant.alarms().await?;
    assert_eq!((again.len(), &again[0]["condition_active"]), (1, &json!(true)));
    // limits measure from now on, and what the sender said ends
    let id = sensor["id"].as_str().context("no id")?;
    plant.engineer.patch(&format!("/sensors/{id}"), json!({"critical_threshold": 50})).await?.expect(200)?;
    plant.send(&sensor, 9.0, timestamp()?, json!({"status": "critical"})).await?;
    let ended = plant.alarms().await?;
    assert_eq!((ended.len(), &ended[0]["condition_active"]), (1, &json!(false)));
    Ok(())
}

#[tokio::test]
async fn dead_letters_of_the_same_cause_are_counted() -> Result<()> {
    let plant = start().await?;
    let received_at = Timestamp(timestamp()?.0 / 60_000_000 * 60_000_000);
    let letter = |payload: &str, after_s: i64| DeadLetter {
        topic: "plant/1".to_owned(),
        payload: payload.as_bytes().to_vec(),
        reason: "value: not a number".to_owned(),
        count: 3,
        received_at: received_at.plus_seconds(after_s),
    };
    let batch = |letters| Batch { dead_letters: letters, ..Batch::default() };
    let first = batch(vec![letter("a", 0), letter("b", 1)]);
    plant.ingest(&first).await?;
    // the same delivery again
    plant.ingest(&first).await?;
    plant.ingest(&batch(vec![letter("c", 2)])).await?;
    let letters = plant.engineer.get("/mqtt/dead-letters").await?.expect(200)?;
    assert_eq!(letters.as_array().map(Vec::len), Some(1));
    assert_eq!((&letters[0]["count"], &letters[0]["payload"]), (&json!(9), &json!("c")));
    // in the next minute it is another one
    plant.ingest(&batch(vec![letter("d", 60)])).await?;
    assert_eq!(plant.letters().await?.len(), 2);
    let other = DeadLetter { topic: "plant/2".to_owned(), ..letter("e", 0) };
    plant.ingest(&batch(vec![other])).await?;
    let groups = plant.engineer.get("/mqtt/dead-letters/groups").await?.expect(200)?;
    let shown: Vec<_> = groups
        .as_array()
        .context("a list")?
        .iter()
        .map(|g| (g["topic"].clone(), g["count"].clone(), g["payload"].clone()))
        .collect();
    assert_eq!(shown, [(json!("plant/1"), json!(12), json!("d")), (json!("plant/2"), json!(3), json!("e"))]);
    let cause = "/mqtt/dead-letters?topic=plant/1&reason=value:%20not%20a%20number";
    let deleted = plant.engineer.delete(cause).await?;
    assert_eq!(deleted.status, 204);
    plant.engineer.delete(cause).await?.expect(404)?;
    assert_eq!(plant.letters().await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn old_dead_letters_and_audit_entries_are_removed() -> Result<()> {
    let plant = start().await?;
    plant
        .db
        .batch_execute(
            "insert into dead_letters (received_at, topic, payload, reason, cause, bucket, digest)
             select now() - n * interval '20 days', 'topic', '', 'reason', int4send(n), now(), '' from generate_series(0, 3) n;
             insert into audit_log (created_at, action_type, resource_type)
             select now() - n * interval '1000 days', 'test', 'test' from generate_series(0, 3) n",
        )
        .await?;
    let bridge = plant.engineer.with_token(plant.stack.service_token());
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        bridge
            .post(
                "/internal/tick",
                serde_json::to_value(Tick {
                    bridge: Default::default(),
                    mail: Default::default(),
                    mappings_version: String::new(),
                })?,
            )
            .await?
            .expect(200)?;
        let left = plant
            .db
            .query_one(
                "select (select count(*) from dead_letters),
                        (select count(*) from audit_log where action_type = 'test')",
                &[],
            )
            .await?;
        if (left.get::<_, i64>(0), left.get::<_, i64>(1)) == (2, 2) {
            break;
        }
        ensure!(Instant::now() < end, "{left:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // entries of the last month are safe from everybody
    let refused = plant.db.execute("select drop_old_audit(now() - interval '1 day', 10)", &[]).await;
    assert!(refused.is_err());
    Ok(())
}

/// As many sensors of a machine as asked for, one reading each.
fn sensors_of(machine: &str, count: u32, time: Timestamp) -> Batch {
    Batch {
        sensors: (0..count).map(|n| named(machine, &format!("s{n}"))).collect(),
        readings: (0..count)
            .map(|sensor| Reading { sensor, time, value: 20.0, ..Reading::default() })
            .collect(),
        dead_letters: Vec::new(),
    }
}

#[tokio::test]
async fn new_sensors_beyond_a_limit_are_not_registered_and_others_go_on() -> Result<()> {
    let plant = start().await?;
    let admin = Client::new(&plant.stack.base_url()).sign_in(ADMIN).await?;
    let set = async |key: &str, value: &str| {
        admin.patch(&format!("/settings/{key}"), json!({"value": value})).await?.expect(200)
    };
    plant.ingest(&sensors_of("known", 5, timestamp()?)).await?;
    set("ingest.max_sensors_per_machine", "8").await?;
    let mut batch = sensors_of("known", 20, timestamp()?);
    batch.sensors.push(named("other", "s"));
    batch.readings.push(Reading { sensor: 20, time: timestamp()?, value: 1.0, ..Reading::default() });
    let report = plant.ingest(&batch).await?;
    assert_eq!((&report["stored"], &report["refused"]), (&json!(9), &json!(12)), "{report}");
    set("ingest.max_sensors", "0").await?;
    let report = plant.ingest(&sensors_of("third", 3, timestamp()?)).await?;
    assert_eq!((&report["stored"], &report["refused"]), (&json!(0), &json!(3)), "{report}");
    set("ingest.registration", "known_machines").await?;
    set("ingest.max_sensors", "100000").await?;
    plant.ingest(&sensors_of("fourth", 4, timestamp()?)).await?;
    set("ingest.registration", "off").await?;
    plant.ingest(&sensors_of("other", 2, timestamp()?)).await?;
    let report = plant.ingest(&sensors_of("known", 8, timestamp()?)).await?;
    assert_eq!((&report["stored"], &report["refused"]), (&json!(8), &json!(0)), "{report}");
    let letters = plant.letters().await?;
    let counts: Vec<_> = letters.iter().map(|(topic, _, count)| (topic.as_str(), *count)).collect();
    assert_eq!(
        counts,
        [("plant/fourth", 4), ("plant/known", 12), ("plant/other", 2), ("plant/third", 3)],
        "{letters:?}"
    );
    assert!(letters.iter().all(|(_, reason, _)| reason.starts_with("not registered: ")), "{letters:?}");
    let machines: i64 = plant
        .db
        .query_one("select count(*) from machines where mqtt_id in ('third', 'fourth')", &[])
        .await?
        .get(0);
    assert_eq!(machines, 0);
    Ok(())
}

#[tokio::test]
async fn a_flood_of_new_sensors_leaves_the_others_queryable() -> Result<()> {
    let plant = start().await?;
    let admin = Client::new(&plant.stack.base_url()).sign_in(ADMIN).await?;
    admin.patch("/settings/ingest.max_sensors_per_minute", json!({"value": "100000"})).await?.expect(200)?;
    let sensor = plant.sensor(85.0, Some("°C")).await?;
    let id = sensor["id"].as_str().context("no id")?.to_owned();
    plant.send(&sensor, 20.0, timestamp()?, json!({})).await?;
    let reader = plant.engineer.clone();
    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let asking = tokio::spawn(async move {
        let mut took = Vec::new();
        while stopped.try_recv().is_err() {
            let begin = Instant::now();
            reader.get(&format!("/sensor-data?sensor_id={id}&limit=10")).await?.expect(200)?;
            reader.get(&format!("/sensors/{id}")).await?.expect(200)?;
            took.push(begin.elapsed());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        anyhow::Ok(took)
    });
    let begin = Instant::now();
    for message in 0..20 {
        let report = plant.ingest(&sensors_of(&format!("flood-{message}"), 1000, timestamp()?)).await?;
        assert_eq!(report["stored"], 1000, "{report}");
    }
    let flood = begin.elapsed();
    // what the flood started must have ended with it
    plant.send(&sensor, 21.0, timestamp()?, json!({})).await?;
    let running: i64 = plant
        .db
        .query_one(
            "select count(*) from pg_stat_activity
             where usename = 'pm_ingest' and state = 'active' and query_start < now() - interval '5 seconds'",
            &[],
        )
        .await?
        .get(0);
    assert_eq!(running, 0, "statements go on");
    let _ = stop.send(());
    let mut took = asking.await??;
    took.sort();
    let p99 = took[(took.len() * 99 / 100).min(took.len() - 1)];
    // it was 57 s; what it is on a quiet machine is printed below
    ensure!(p99 <= Duration::from_secs(15), "p99 {p99:?} of {} while the flood took {flood:?}", took.len());
    println!("20,000 sensors in {flood:?}; p99 of {} reads {p99:?}", took.len());
    let timeout: String = plant
        .db
        .query_one("select array_to_string(setconfig, ',') from pg_db_role_setting s join pg_roles r on r.oid = s.setrole where rolname = 'pm_ingest'", &[])
        .await?
        .get(0);
    assert!(timeout.contains("statement_timeout="), "{timeout}");
    Ok(())
}
