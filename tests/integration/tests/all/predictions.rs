//! Predictions: lists, and those that a person asks for.

use crate::{
    client::{Client, ENGINEER, VIEWER},
    machines::{now, timestamp},
    sql,
};
use anyhow::{Context, Result};
use http::Method;
use pm_api::{
    Timestamp,
    ingest::{BATCH_CONTENT_TYPE, Batch, Reading, SensorRef},
};
use pm_test_support::{Stack, StackOptions};
use serde_json::json;
use std::collections::HashSet;

async fn start() -> Result<(Stack, Client)> {
    let options = StackOptions { demo: true, without_bridge: true, ..StackOptions::default() };
    let stack = Stack::start(options).await?;
    let client = Client::new(&stack.base_url()).sign_in(ENGINEER).await?;
    Ok((stack, client))
}

#[tokio::test]
async fn predictions_are_filtered_and_paged() -> Result<()> {
    let (stack, client) = start().await?;
    let db = sql::connect(stack.db()).await?;
    db.batch_execute(
        "insert into predictions (time, sensor_id, machine_id, score, status, anomaly_type, prediction, confidence,
                                  health_percent, model_version, response_time_ms, contributing_features)
         select timestamptz '2026-05-01T00:00:00Z' + n * interval '1 minute', id, machine_id, 0.1,
                case when n % 10 = 0 then 'critical' else 'normal' end, 'NORMAL', 'normal', 1, 100, 'x', 0, '{}'
         from sensors, generate_series(1, 30) n",
    )
    .await?;
    let machine =
        client.get("/machines?limit=1").await?.expect(200)?[0]["id"].as_str().context("no id")?.to_owned();
    for (path, wanted) in [
        ("/predictions?".to_owned(), 480),
        ("/predictions?status=critical&".to_owned(), 48),
        (format!("/predictions?machine_id={machine}&"), 120),
        (format!("/history/machines/{machine}/predictions?"), 120),
        ("/predictions?start_time=2026-05-01T00:03:00Z&end_time=2026-05-01T00:04:00Z&".to_owned(), 32),
    ] {
        let (mut seen, mut rows, mut cursor) = (HashSet::new(), 0, String::new());
        loop {
            let page = client.get(&format!("{path}limit=50{cursor}")).await?;
            assert_eq!(page.headers["x-total-count"], wanted.to_string(), "{path}");
            for prediction in page.expect(200)?.as_array().context("a list")? {
                seen.insert(prediction["id"].to_string());
                rows += 1;
            }
            match page.headers.get("x-next-cursor") {
                Some(next) => cursor = format!("&cursor={}", next.to_str()?),
                None => break,
            }
        }
        assert_eq!((rows, seen.len()), (wanted, wanted as usize), "{path}");
    }
    let old = client.get(&format!("/machines/{machine}/predictions?limit=5")).await?.expect(200)?;
    let times: Vec<_> =
        old.as_array().context("a list")?.iter().map(|p| p["timestamp"].to_string()).collect();
    assert!(times.is_sorted() && times[4].contains("00:30:00"), "{times:?}");
    assert_eq!((&old[0]["rul"], &old[0]["metadata_json"]["status"]), (&json!(100.0), &old[0]["status"]));
    for (query, field) in [("status=banana", "status"), ("sort=score", "sort"), ("end_time=x", "end_time")] {
        let refused = client.get(&format!("/predictions?{query}")).await?.expect(422)?;
        assert_eq!(refused["errors"][0]["loc"], json!(["query", field]), "{query}");
    }
    Ok(())
}

/// The more sensors a batch holds, the longer each waits for its next scoring: one second at least, five at most.
#[tokio::test]
async fn sensors_of_large_batches_are_scored_less_often() -> Result<()> {
    let (stack, client) = start().await?;
    let bridge = client.with_token(stack.service_token());
    let begin = timestamp()?.0 - 60 * Timestamp::SECOND;
    for (count, interval_s) in [(5_u32, 1), (60, 3), (200, 5)] {
        let sensor = |number| SensorRef {
            machine: format!("machine-of-{count}"),
            sensor: format!("s{number}"),
            ..SensorRef::default()
        };
        let scored_after = async |after_us: i64| {
            let time = Timestamp(begin + after_us);
            let readings = (0..count)
                .map(|sensor| Reading { sensor, time, value: 20.0, ..Reading::default() })
                .collect();
            let batch =
                Batch { sensors: (0..count).map(sensor).collect(), readings, dead_letters: Vec::new() };
            let (kind, body) = (("content-type", BATCH_CONTENT_TYPE), postcard::to_stdvec(&batch)?);
            let report = bridge.send(Method::POST, "/internal/ingest", &[kind], body).await?.expect(200)?;
            assert_eq!(report["stored"], count, "{report}");
            anyhow::Ok(report["scored"].clone())
        };
        assert_eq!(scored_after(0).await?, count);
        assert_eq!(scored_after(interval_s * Timestamp::SECOND - 1).await?, 0, "{count} sensors");
        assert_eq!(scored_after(interval_s * Timestamp::SECOND).await?, count, "{count} sensors");
    }
    Ok(())
}

#[tokio::test]
async fn a_prediction_on_request_is_stored_and_changes_no_state() -> Result<()> {
    let (stack, client) = start().await?;
    let sensors = client.get("/sensors?search=head").await?.expect(200)?;
    let (sensor, machine) = (&sensors[0]["id"], &sensors[0]["machine_id"]);
    let start = std::time::UNIX_EPOCH.elapsed()?.as_secs() as i64 - 120;
    // stored past the functions, so nothing is scored yet
    let db = sql::connect(stack.db()).await?;
    db.batch_execute(&format!(
        "insert into sensor_data (time, sensor_id, machine_id, value, status)
         select to_timestamp({start} + n), id, machine_id, 120 + n % 5, 0 from sensors, generate_series(1, 60) n
         where id = '{}'",
        sensor.as_str().context("no id")?
    ))
    .await?;
    let ask = json!({"machine_id": machine, "sensor_id": sensor});
    let viewer = Client::new(&stack.base_url()).sign_in(VIEWER).await?;
    viewer.post("/predictions/trigger", ask.clone()).await?.expect(403)?;
    let triggered = client.post("/predictions/trigger", ask.clone()).await?.expect(200)?;
    assert_eq!(triggered.as_array().map(Vec::len), Some(1));
    assert_eq!((&triggered[0]["sensor_id"], &triggered[0]["status"]), (sensor, &json!("normal")));
    // nothing new: the same prediction again
    let again = client.post("/predictions/trigger", json!({"machine_id": machine})).await?.expect(200)?;
    assert_eq!(again, triggered);

    // what if it read 400 psi next?
    let next = pm_api::Timestamp((start + 61) * 1_000_000);
    let suppose = json!({"sensor_id": sensor, "machine_id": machine, "timestamp": next, "value": 400.0,
                         "context": {"readings": {"pressure": 400}}});
    let what_if = client.post("/predictions", suppose.clone()).await?.expect(201)?;
    let score = |p: &serde_json::Value| p["score"].as_f64().unwrap_or_default();
    assert!(score(&what_if) > score(&triggered[0]) + 0.2, "{what_if}");
    let path = format!("/predictions/{}", what_if["id"].as_str().context("no id")?);
    assert_eq!(client.get(&path).await?.expect(200)?, what_if);
    client.post("/predictions", suppose.clone()).await?.expect(409)?;
    // neither a reading nor an alarm came of it
    let count: i64 = db.query_one("select count(*) from sensor_data where value = 400", &[]).await?.get(0);
    assert_eq!((count, client.get("/alarms").await?.expect(200)?), (0, json!([])));
    let mut early = suppose.clone();
    early["timestamp"] = json!(pm_api::Timestamp((start + 10) * 1_000_000));
    let refused = client.post("/predictions", early).await?.expect(422)?;
    assert_eq!(refused["errors"][0]["loc"], json!(["body", "timestamp"]));
    let nothing = "01890000-0000-7000-8000-000000000000";
    for (path, body, field) in [
        (
            "/predictions",
            json!({"sensor_id": sensor, "machine_id": nothing, "timestamp": now()?, "value": 1}),
            "machine_id",
        ),
        (
            "/predictions",
            json!({"sensor_id": nothing, "machine_id": machine, "timestamp": now()?, "value": 1}),
            "sensor_id",
        ),
        ("/predictions", json!({"sensor_id": sensor, "machine_id": machine, "timestamp": now()?}), "value"),
        ("/predictions/trigger", json!({"machine_id": nothing}), "machine_id"),
        ("/predictions/trigger", json!({"machine_id": machine, "sensor_id": nothing}), "sensor_id"),
        ("/predictions/trigger", json!({}), "machine_id"),
    ] {
        let refused = client.post(path, body.clone()).await?.expect(422)?;
        assert_eq!(refused["errors"][0]["loc"], json!(["body", field]), "{path} {body}");
    }
    Ok(())
}

#[tokio::test]
async fn a_reset_removes_alarms_and_tickets() -> Result<()> {
    let (stack, client) = start().await?;
    let fail = json!({"machine_id": "machine-1", "sensor_id": "pressure-head", "anomaly_type": "critical", "duration": 6});
    client.post("/simulator/trigger-failure", fail).await?.expect(200)?;
    let alarms = client.get("/alarms").await?.expect(200)?.as_array().map(Vec::len);
    client.post("/system/reset", json!({})).await?.expect(403)?;
    let admin = Client::new(&stack.base_url()).sign_in(crate::client::ADMIN).await?;
    let done = admin.post("/system/reset", json!({})).await?.expect(200)?;
    assert_eq!((&done["ok"], done["alarms_deleted"].as_u64().map(|n| n as usize)), (&json!(true), alarms));
    assert!(done["tickets_deleted"].as_i64().is_some_and(|n| n > 0), "{done}");
    assert_eq!(client.get("/alarms").await?.expect(200)?, json!([]));
    assert_eq!(client.get("/tickets").await?.expect(200)?, json!([]));
    Ok(())
}
