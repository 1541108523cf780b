//! History as CSV: sent in parts, stored by a job, once, without alarms.

use crate::{
    client::{Client, ENGINEER},
    sql,
};
use anyhow::{Context, Result, ensure};
use http::Method;
use pm_test_support::{Stack, StackOptions};
use serde_json::{Value, json};

async fn start() -> Result<(Stack, Client, tokio_postgres::Client)> {
    let options = StackOptions { demo: true, without_bridge: true, ..StackOptions::default() };
    let stack = Stack::start(options).await?;
    let engineer = Client::new(&stack.base_url()).sign_in(ENGINEER).await?;
    let db = sql::connect(stack.db()).await?;
    Ok((stack, engineer, db))
}

fn rules() -> Value {
    json!({"name": "Press 7, 2020", "rules": {"topic": "history/press7", "machine": "{topic:2}", "sensor": "{name}", "value": "/**",
           "time": "{/at}", "time_zone": "Europe/Berlin", "decimal_comma": true, "columns": "at,temp,force"}})
}

/// Lines a second apart, from the second `from` of the day on.
fn lines(from: usize, count: usize) -> String {
    let line = |second: usize| {
        let (hour, minute) = (second / 3600, second / 60 % 60);
        format!("2020-03-01 {hour:02}:{minute:02}:{:02};{},5;{second}\n", second % 60, second % 90)
    };
    (from..from + count).map(line).collect()
}

async fn put(engineer: &Client, import: &Value, number: usize, text: &str) -> Result<u16> {
    let path = format!("/imports/{}/parts/{number}", import["id"].as_str().context("no id")?);
    Ok(engineer
        .send(Method::PUT, &path, &[("content-type", "text/csv")], text.to_owned())
        .await?
        .status
        .as_u16())
}

/// Works as the bridge asks for it, until nothing waits.
async fn work(stack: &Stack, engineer: &Client) -> Result<u64> {
    let bridge = engineer.with_token(stack.service_token());
    let mut parts = 0;
    loop {
        let step = bridge.post("/internal/imports/work", json!({})).await?.expect(200)?;
        parts += step["parts"].as_u64().unwrap_or_default();
        if step["more"] != true {
            return Ok(parts);
        }
    }
}

#[tokio::test]
async fn history_is_stored_once_by_a_job_and_raises_no_alarm() -> Result<()> {
    let (stack, engineer, db) = start().await?;
    // a limit that the history is beyond
    let machine = engineer.post("/machines", json!({"name": "press7", "metadata": {}})).await?.expect(201)?;
    db.execute(
        "update machines set mqtt_id = 'press7' where id = $1::text::uuid",
        &[&machine["id"].as_str()],
    )
    .await?;
    let sensor = json!({"machine_id": machine["id"], "name": "temp", "sensor_type": "temperature", "critical_threshold": 50.0});
    let sensor = engineer.post("/sensors", sensor).await?.expect(201)?;
    db.execute("update sensors set mqtt_id = 'temp' where id = $1::text::uuid", &[&sensor["id"].as_str()])
        .await?;

    let import = engineer.post("/imports", rules()).await?.expect(201)?;
    let path = format!("/imports/{}", import["id"].as_str().context("no id")?);
    engineer.post(&format!("{path}/start"), json!({})).await?.expect(409)?;
    let second_part = format!("{}yesterday;1;2\n", lines(3000, 3000));
    assert_eq!(put(&engineer, &import, 0, "something else").await?, 204);
    assert_eq!(put(&engineer, &import, 0, &lines(0, 3000)).await?, 204);
    assert_eq!(put(&engineer, &import, 1, &second_part).await?, 204);
    let started = engineer.post(&format!("{path}/start"), json!({})).await?.expect(200)?;
    let again = engineer.post(&format!("{path}/start"), json!({})).await?.expect(200)?;
    ensure!(started["job_id"].is_string() && started["job_id"] == again["job_id"], "{started} {again}");
    assert_eq!(put(&engineer, &import, 2, &lines(0, 1)).await?, 409);
    engineer.delete(&path).await?.expect(409)?;

    // a worker that died after it had stored a part, before it said so
    assert_eq!(work(&stack, &engineer).await?, 2);
    db.execute(
        "update import_parts set stored_at = null, payload = $1 where number = 0",
        &[&lines(0, 3000).into_bytes()],
    )
    .await?;
    db.execute(
        "update jobs set status = 'running', lease_id = uuid_v7(), lease_until = now() - interval '1 s'",
        &[],
    )
    .await?;
    assert_eq!(work(&stack, &engineer).await?, 1);

    let import = engineer.get(&path).await?.expect(200)?;
    assert_eq!((&import["parts"], &import["parts_stored"]), (&json!(2), &json!(2)));
    assert_eq!(
        import["counts"],
        json!({"lines": 6001, "stored": 6000, "duplicates": 6000, "refused": 0, "not_read": 1}),
        "{import}"
    );
    let reason = import["reasons"][0].as_str().unwrap_or_default();
    ensure!(reason.starts_with("part 1 line 3001: at: "), "{import}");
    let job = format!("/jobs/{}", import["job_id"].as_str().context("no job")?);
    let job = engineer.get(&job).await?.expect(200)?;
    assert_eq!(
        (&job["job_type"], &job["status"], &job["progress"]),
        (&json!("import"), &json!("completed"), &json!(100)),
        "{job}"
    );
    let rows = db
        .query_one("select count(*), count(*) filter (where history), min(time)::text from sensor_data where sensor_id in (select id from sensors where machine_id = $1::text::uuid)", &[&machine["id"].as_str()])
        .await?;
    assert_eq!((rows.get::<_, i64>(0), rows.get::<_, i64>(1)), (12_000, 12_000));
    let first: String = rows.get(2);
    ensure!(first.starts_with("2020-02-29 23:00:00"), "{first}");
    assert_eq!(engineer.get("/alarms").await?.expect(200)?, json!([]));
    assert_eq!(engineer.delete(&path).await?.status, 204);
    engineer.get(&path).await?.expect(404)?;
    Ok(())
}

#[tokio::test]
async fn an_import_that_cannot_work_is_refused_by_its_field() -> Result<()> {
    let (_stack, engineer, _db) = start().await?;
    for (field, value) in [
        ("topic", json!("history/+")),
        ("machine", json!("{nothing}")),
        ("time", Value::Null),
        ("time_zone", json!("Berlin")),
        ("value", json!("no pointer")),
    ] {
        let mut body = rules();
        body["rules"][field] = value;
        let refused = engineer.post("/imports", body).await?.expect(422)?;
        assert_eq!(refused["errors"][0]["loc"], json!(["body", "rules", field]), "{refused}");
    }
    let import = engineer.post("/imports", rules()).await?.expect(201)?;
    let path = format!("/imports/{}", import["id"].as_str().context("no id")?);
    for number in ["-1", "x", "10000"] {
        let answer =
            engineer.send(Method::PUT, &format!("{path}/parts/{number}"), &[], "a").await?.expect(422)?;
        assert_eq!(answer["errors"][0]["loc"], json!(["path", "number"]));
    }
    engineer.get("/imports/01890000-0000-7000-8000-000000000000").await?.expect(404)?;
    Ok(())
}
