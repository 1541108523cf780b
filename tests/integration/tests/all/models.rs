//! A model's life: trained on stored readings, examined, in the shadow, active, and back.

use crate::{
    client::{ADMIN, Client, ENGINEER, VIEWER, with_bridge},
    mqtt::Publisher,
};
use anyhow::{Context, Result, ensure};
use http::Method;
use pm_api::Timestamp;
use pm_test_support::{Stack, StackOptions};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Four sensors of one machine, calm, each with its own level and noise: a reading a second over the last fifty minutes, and one
/// every eight minutes over the twenty days before, as far as roll-ups still have them.
const READINGS: &str = "
    with machine as (
        insert into machines (name, mqtt_id, machine_class) values ('mill', 'mill-1', 'mill') returning id),
    sensor as (
        insert into sensors (machine_id, name, mqtt_id, sensor_type)
        select id, 's' || n, 's' || n, 'temperature' from machine, generate_series(1, 4) n returning id, machine_id, name),
    stored as (
        insert into sensor_data (time, sensor_id, machine_id, value, status)
        select now() - interval '3000 s' + i * interval '1 second', id, machine_id,
               50 * substr(name, 2)::int + sqrt(-2 * ln(1 - random())) * cos(6.2831853 * random()), 0
        from sensor, generate_series(0, 2999) i),
    rolled_up as (
        insert into readings_1m (bucket, sensor_id, count, sum, min, max, last, worst, first_time, last_time, area)
        select bucket, id, 1, value, value, value, value, 0, bucket, bucket, 0
        from (select id, date_trunc('minute', now()) - i * interval '8 minutes' as bucket,
                     50 * substr(name, 2)::int + sqrt(-2 * ln(1 - random())) * cos(6.2831853 * random()) as value
              from sensor, generate_series(8, 3600) i) earlier)
    insert into sensor_latest (sensor_id, time, value, status) select id, now() - interval '1 s', 50, 0 from sensor";

async fn work(stack: &Stack, client: &Client) -> Result<Value> {
    client.with_token(stack.service_token()).post("/internal/models/work", json!({})).await?.expect(200)
}

fn of_version<'m>(models: &'m Value, version: &Value) -> Result<&'m Value> {
    models.as_array().and_then(|m| m.iter().find(|m| m["version"] == *version)).context("not listed")
}

#[tokio::test]
async fn a_model_is_trained_promoted_and_rolled_back() -> Result<()> {
    let options = StackOptions { demo: true, ..StackOptions::default() };
    let (stack, client) = with_bridge(options).await?;
    let admin = client.sign_in(ADMIN).await?;
    let engineer = client.sign_in(ENGINEER).await?;
    let viewer = client.sign_in(VIEWER).await?;
    let (db, connection) = tokio_postgres::connect(stack.db(), tokio_postgres::NoTls).await?;
    tokio::spawn(connection);

    // before: only what came with the program, and too little to learn from
    let models = engineer.get("/ai/models").await?.expect(200)?;
    let builtin = of_version(&models, &models[0]["version"])?.clone();
    assert_eq!((&builtin["status"], &builtin["has_weights"]), (&json!("active"), &json!(true)));
    let queued = admin.post("/ai/retrain", json!({})).await?.expect(200)?;
    assert_eq!(queued["status"], "queued");
    admin
        .wait_for(&format!("/jobs/{}", queued["job_id"].as_str().context("id")?), |j| {
            (j["status"] == "failed" && j["error_message"].as_str()?.starts_with("Too few readings"))
                .then_some(())
        })
        .await?;

    db.batch_execute(READINGS).await?;
    assert_eq!(viewer.post("/ai/retrain", json!({})).await?.status, 403);
    assert_eq!(admin.post("/ai/retrain", json!({"seed": 0.5})).await?.status, 422);
    let queued = admin.post("/ai/retrain", json!({"machine_class": "mill", "seed": 7})).await?.expect(200)?;
    let done = admin
        .wait_for(&format!("/jobs/{}", queued["job_id"].as_str().context("id")?), |j| {
            (j["status"] == "completed" || j["status"] == "failed").then(|| j.clone())
        })
        .await?;
    assert_eq!((&done["status"], &done["progress"]), (&json!("completed"), &json!(100)), "{done}");
    let version = done["result"]["version"].clone();
    let path = format!("/ai/models/{}", version.as_str().context("a version")?);
    let report = engineer.get(&format!("{path}/report")).await?.expect(200)?;
    let found = &report["validation"];
    assert_eq!(found["sensors"], 4, "{found}");
    let from: Timestamp = found["from"].as_str().and_then(|t| t.parse().ok()).context("from")?;
    let days = (UNIX_EPOCH.elapsed()?.as_micros() as i64 - from.0) / 86_400_000_000;
    assert!((19..=20).contains(&days), "it is learned from weeks: {found}");
    assert!(
        found["rows_learned"].as_u64() > Some(256)
            && found["candidate"]["healthy_readings"].as_u64() > Some(1000)
    );
    assert_eq!((&found["passed"], &done["result"]["status"]), (&json!(true), &json!("shadow")), "{found}");

    // in shadow operation it scores the same readings as the active one, without effect
    let mut mqtt = Publisher::connect(stack.mqtt_url())?;
    let sensor =
        db.query_one("select id::text from sensors where mqtt_id = 's1'", &[]).await?.get::<_, String>(0);
    let predictions = format!("/predictions?sensor_id={sensor}&limit=1");
    // the sensor is scored once a second, so there are two seconds between readings
    let reading = async || -> Result<String> {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let now_ms = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
        Ok(json!({"machine_id": "mill-1", "sensor_id": "s1", "value": 50.1, "timestamp": now_ms}).to_string())
    };
    mqtt.publish("factory/mill/sensors", reading().await?).await?;
    let predicted_by = |version: Value| {
        move |p: &Value| {
            (p[0]["model_version"] == version && p[0]["status"] != "buffering").then(|| p[0].clone())
        }
    };
    let prediction = viewer.wait_for(&predictions, predicted_by(builtin["version"].clone())).await?;
    let scored = engineer.wait_for(&format!("{path}/report"), |r| r["shadow"][0]["scored"].as_i64()).await?;
    assert!(scored >= 1);
    let why = viewer
        .get(&format!("/predictions/{}/explain", prediction["id"].as_str().context("id")?))
        .await?
        .expect(200)?;
    assert_eq!(why["explanation"]["sensors"][0]["name"], "s1", "{why}");

    // once active its predictions count, from the next reading on
    assert_eq!(engineer.post(&format!("{path}/activate"), json!({})).await?.status, 403);
    let changed = admin.post(&format!("{path}/activate"), json!({})).await?.expect(200)?;
    assert_eq!((&changed["version"], &changed["status"]), (&version, &json!("activated")));
    mqtt.publish("factory/mill/sensors", reading().await?).await?;
    viewer.wait_for(&predictions, predicted_by(version.clone())).await?;

    // and back: it is of a class, so the general one is used again
    let back = admin.post(&format!("{path}/rollback"), json!({})).await?.expect(200)?;
    assert_eq!(back["status"], "rolled_back");
    let models = engineer.get("/ai/models").await?.expect(200)?;
    assert_eq!(of_version(&models, &version)?["status"], "retired");
    mqtt.publish("factory/mill/sensors", reading().await?).await?;
    viewer.wait_for(&predictions, predicted_by(builtin["version"].clone())).await?;
    let logs = engineer.get("/ai/logs").await?.expect(200)?;
    let actions: Vec<_> = logs.as_array().context("a list")?.iter().map(|l| l["action"].clone()).collect();
    for action in ["activate", "rollback", "retrain"] {
        assert!(actions.contains(&json!(action)), "{actions:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_version_without_weights_is_registered_and_cannot_be_activated() -> Result<()> {
    let options = StackOptions { demo: true, without_bridge: true, ..StackOptions::default() };
    let stack = Stack::start(options).await?;
    let client = Client::new(&stack.base_url());
    let (admin, engineer) = (client.sign_in(ADMIN).await?, client.sign_in(ENGINEER).await?);
    let send = |path: &'static str| {
        let admin = admin.clone();
        async move { admin.send(Method::POST, path, &[], "").await }
    };
    let registered = send("/ai/models?name=if&version=1.0").await?.expect(200)?;
    assert_eq!(registered["message"], "Model registered successfully");
    send("/ai/models?name=if&version=1.0").await?.expect(400)?;
    let missing = send("/ai/models?name=if").await?.expect(422)?;
    assert_eq!(missing["errors"][0]["loc"], json!(["query", "version"]));
    admin.post("/ai/models", json!({"name": "if", "version": "2.0"})).await?.expect(200)?;
    send("/ai/models/1.0/activate").await?.expect(400)?;
    send("/ai/models/1.0/rollback").await?.expect(400)?;
    send("/ai/models/9.9/activate").await?.expect(404)?;
    let report = engineer.get("/ai/models/1.0/report").await?.expect(200)?;
    assert_eq!((&report["validation"], &report["shadow"]), (&Value::Null, &json!([])));
    Ok(())
}

/// Makes sensors that have drifted, and measures the drift twice.
pub async fn drift(stack: &Stack, client: &Client, db: &tokio_postgres::Client) -> Result<()> {
    db.batch_execute(READINGS).await?;
    // every sensor shows a saw tooth now, which healthy training signals do not
    db.batch_execute(
        "update sensor_data set value = (extract(epoch from time)::int % 60) * 3;
         insert into sensor_state (sensor_id, scored_through) select sensor_id, now() from sensor_latest
         on conflict (sensor_id) do update set scored_through = now()",
    )
    .await?;
    for _ in 0..2 {
        let done = work(stack, client).await?;
        ensure!(done["job_id"].is_null(), "{done}");
        db.batch_execute(
            "update model_drift set created_at = created_at - interval '2 hours';
             update clock_tasks set due_at = now() where task = 'drift'",
        )
        .await?;
    }
    Ok(())
}

#[tokio::test]
async fn drift_is_measured_and_reported_once() -> Result<()> {
    let options = StackOptions { demo: true, without_bridge: true, ..StackOptions::default() };
    let stack = Stack::start(options).await?;
    let client = Client::new(&stack.base_url());
    let engineer = client.sign_in(ENGINEER).await?;
    let (db, connection) = tokio_postgres::connect(stack.db(), tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    drift(&stack, &client, &db).await?;
    let drift = engineer.get("/ai/drift").await?.expect(200)?;
    assert_eq!(drift.as_array().map(Vec::len), Some(2), "{drift}");
    assert_eq!((&drift[0]["verdict"], &drift[0]["sensors"]), (&json!("moved"), &json!(4)), "{drift}");
    let events = db.query("select data from outbox where event_type = 'model.drift'", &[]).await?;
    assert_eq!(events.len(), 1, "one event a day");
    Ok(())
}

/// One sensor was far off for two minutes and its alarm confirmed; another had an alarm on a calm day, which was dismissed;
/// a third had one without a verdict.
const VERDICTS: &str = "
    update sensor_data d set value = value + 30 from sensors s
    where s.id = d.sensor_id and s.mqtt_id = 's1'
      and time between now() - interval '620 s' and now() - interval '500 s';
    insert into alarms (machine_id, sensor_id, kind, severity, message, status, condition_active, triggered_at,
                        last_seen_at, resolved_at, verdict)
    select s.machine_id, s.id, 'prediction', 'warning', 'unusual', 'resolved', false, now() - interval '615 s',
           now() - interval '500 s', now() - interval '495 s', verdict
    from sensors s join (values ('s1', 'true_fault'), ('s2', 'false_alarm'), ('s3', null)) v (mqtt_id, verdict) using (mqtt_id)";

#[tokio::test]
async fn verdicts_are_in_the_report_and_confirmed_faults_are_not_learned() -> Result<()> {
    let (stack, client) = with_bridge(StackOptions { demo: true, ..StackOptions::default() }).await?;
    let admin = client.sign_in(ADMIN).await?;
    let (db, connection) = tokio_postgres::connect(stack.db(), tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    db.batch_execute(READINGS).await?;
    let validation = async || -> Result<Value> {
        let request = json!({"machine_class": "mill", "seed": 7});
        let queued = admin.post("/ai/retrain", request).await?.expect(200)?;
        let path = format!("/jobs/{}", queued["job_id"].as_str().context("id")?);
        let done = admin
            .wait_for(&path, |j| (j["status"] == "completed" || j["status"] == "failed").then(|| j.clone()))
            .await?;
        let version = done["result"]["version"].as_str().with_context(|| done.to_string())?;
        let report = admin.get(&format!("/ai/models/{version}/report")).await?.expect(200)?;
        Ok(report["validation"].clone())
    };
    let before = validation().await?;
    assert_eq!(
        (&before["candidate"]["confirmed"], &before["candidate"]["dismissed"]),
        (&json!(0), &json!(0))
    );
    db.batch_execute(VERDICTS).await?;
    let after = validation().await?;
    for model in ["active", "candidate"] {
        let quality = &after[model];
        assert_eq!((&quality["confirmed"], &quality["confirmed_seen"]), (&json!(1), &json!(1)), "{quality}");
        assert_eq!((&quality["dismissed"], &quality["dismissed_calm"]), (&json!(1), &json!(1)), "{quality}");
    }
    // the fault of s1 and the alarm of s3 with the ten minutes before each: some 1440 readings, of which every eighth gives
    // a row; the alarm of s2 was dismissed
    let rows = |r: &Value| r["rows_learned"].as_i64().zip(r["rows_held_out"].as_i64()).map(|(l, h)| l + h);
    let (before, after) = (rows(&before).context("rows")?, rows(&after).context("rows")?);
    ensure!((160..=205).contains(&(before - after)), "{before} rows, then {after}");
    Ok(())
}
