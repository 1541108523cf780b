//! Readings by HTTP: the way of all readings, lists that hold still, exports of any length.

use crate::{
    client::{Client, ENGINEER, VIEWER},
    machines::now,
    sql,
};
use anyhow::{Context, Result, ensure};
use http::Method;
use http_body_util::BodyExt;
use pm_test_support::{Stack, StackOptions};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};

async fn start() -> Result<(Stack, Client, tokio_postgres::Client)> {
    let options = StackOptions { demo: true, without_bridge: true, ..StackOptions::default() };
    let stack = Stack::start(options).await?;
    let client = Client::new(&stack.base_url()).sign_in(ENGINEER).await?;
    let db = sql::connect(stack.db()).await?;
    Ok((stack, client, db))
}

/// The demonstration's pressure at the head: warning from 150 psi, critical from 180.
async fn pressure(client: &Client) -> Result<Value> {
    let sensors = client.get("/sensors?search=head").await?.expect(200)?;
    sensors.as_array().and_then(|s| s.first()).cloned().context("no such sensor")
}

#[tokio::test]
async fn a_reading_by_http_gets_a_status_and_raises_an_alarm() -> Result<()> {
    let (stack, client, db) = start().await?;
    let sensor = pressure(&client).await?;
    let body = json!({"sensor_id": sensor["id"], "machine_id": sensor["machine_id"], "timestamp": now()?, "value": 190.5,
                      "status": "normal", "metadata": {"k": 1}});
    Client::new(&stack.base_url())
        .sign_in(VIEWER)
        .await?
        .post("/sensor-data", body.clone())
        .await?
        .expect(403)?;
    let stored = client.post("/sensor-data", body.clone()).await?.expect(201)?;
    assert_eq!(
        (&stored["value"], &stored["status"], &stored["metadata"]["k"]),
        (&json!(190.5), &json!("critical"), &json!(1))
    );
    assert_eq!(stored["metadata"]["sensor_unit"], "psi");
    let alarms = client.get("/alarms?status=active").await?.expect(200)?;
    let alarm =
        alarms.as_array().and_then(|a| a.iter().find(|a| a["kind"] == "threshold")).context("no alarm")?;
    assert_eq!(
        (&alarm["severity"], &alarm["sensor_id"], &alarm["occurrences"]),
        (&json!("critical"), &sensor["id"], &json!(1))
    );

    // the same reading again is the same reading; another value at its time is a conflict
    assert_eq!(client.post("/sensor-data", body.clone()).await?.expect(200)?, stored);
    let other = json!({"sensor_id": sensor["id"], "machine_id": sensor["machine_id"], "timestamp": body["timestamp"], "value": 1});
    client.post("/sensor-data", other).await?.expect(409)?;
    let count: i64 = db.query_one("select count(*) from sensor_data", &[]).await?.get(0);
    assert_eq!(count, 1);

    let nothing = "01890000-0000-7000-8000-000000000000";
    for (field, value) in [
        ("sensor_id", json!(nothing)),
        ("machine_id", json!(nothing)),
        ("timestamp", json!("2199-01-01T00:00:00Z")),
        ("timestamp", json!("1969-01-01T00:00:00Z")),
        ("timestamp", Value::Null),
        ("value", json!("warm")),
        ("value", Value::Null),
        ("status", json!("banana")),
        ("metadata", json!([1])),
    ] {
        let mut bad = body.clone();
        bad[field] = value;
        let refused = client.post("/sensor-data", bad.clone()).await?.expect(422)?;
        assert_eq!(refused["errors"][0]["loc"], json!(["body", field]), "{bad}");
    }
    let sensors: i64 = db.query_one("select count(*) from sensors", &[]).await?.get(0);
    assert_eq!(sensors, 16);
    Ok(())
}

#[tokio::test]
async fn a_batch_by_http_is_stored_once() -> Result<()> {
    let (_stack, client, db) = start().await?;
    let sensors = client.get("/sensors?sort=name").await?.expect(200)?;
    let sensors = sensors.as_array().context("a list")?;
    let start = std::time::UNIX_EPOCH.elapsed()?.as_secs() as i64 - 200;
    let readings: Vec<_> = (0..300)
        .map(|i| {
            let time = pm_api::Timestamp((start + i / 3) * 1_000_000);
            json!({"sensor_id": sensors[i as usize % 3]["id"], "timestamp": time, "value": 0.5 + i as f64 / 100.0})
        })
        .collect();
    let report = client.post("/sensor-data/batch", json!({"readings": readings})).await?.expect(201)?;
    assert_eq!(
        (&report["stored"], &report["duplicates"], &report["refused"]),
        (&json!(300), &json!(0), &json!(0))
    );
    let again = client.post("/sensor-data/batch", json!({"readings": readings})).await?.expect(201)?;
    assert_eq!((&again["stored"], &again["duplicates"]), (&json!(0), &json!(300)));
    let mut bad = readings.clone();
    bad[7]["value"] = json!("x");
    bad[9]["sensor_id"] = Value::Null;
    let refused = client.post("/sensor-data/batch", json!({"readings": bad})).await?.expect(422)?;
    assert_eq!(refused["errors"][0]["loc"], json!(["body", "readings", 7, "value"]));
    assert_eq!(refused["errors"][1]["loc"], json!(["body", "readings", 9, "sensor_id"]));
    for none in [json!({"readings": []}), json!({}), json!({"readings": 7}), json!([])] {
        client.post("/sensor-data/batch", none).await?.expect(422)?;
    }
    let count: i64 = db.query_one("select count(*) from sensor_data", &[]).await?.get(0);
    assert_eq!(count, 300);
    Ok(())
}

#[tokio::test]
async fn test_data_belongs_to_a_separate_machine() -> Result<()> {
    let (_stack, client, _db) = start().await?;
    let made = client.post("/simulator/generate-test-data?count=3", json!({})).await?.expect(200)?;
    assert_eq!(
        made,
        json!({"ok": true, "message": "Generated 3 batches of test data", "records_created": 30})
    );
    let machines = client.get("/machines?search=test-machine").await?.expect(200)?;
    let path =
        format!("/machines/{}/sensor-data?limit=50", machines[0]["id"].as_str().context("no machine")?);
    let readings = client.get(&path).await?.expect(200)?;
    let readings = readings.as_array().context("a list")?;
    assert_eq!(readings.len(), 30);
    assert!(readings.iter().all(|r| r["id"].is_string() && r["status"] == "normal"));
    client.post("/simulator/generate-test-data?count=0", json!({})).await?.expect(422)?;
    Ok(())
}

/// 40 readings of each sensor of the demonstration, all sensors at the same times.
async fn some_readings(db: &tokio_postgres::Client) -> Result<()> {
    db.batch_execute(
        "insert into sensor_data (time, sensor_id, machine_id, value, status)
         select timestamptz '2026-05-01T00:00:00Z' + n * interval '1 second', id, machine_id, n, 0
         from sensors, generate_series(1, 40) n",
    )
    .await?;
    Ok(())
}

#[tokio::test]
async fn pages_miss_and_repeat_no_reading_while_others_arrive() -> Result<()> {
    let (_stack, client, db) = start().await?;
    some_readings(&db).await?;
    let machine = pressure(&client).await?["machine_id"].as_str().context("no machine")?.to_owned();
    let sensor = pressure(&client).await?["id"].as_str().context("no sensor")?.to_owned();
    for (path, wanted) in [
        ("/sensor-data/logs?".to_owned(), 640),
        (format!("/sensor-data?machine_id={machine}&"), 160),
        (format!("/sensor-data?sensor_id={sensor}&"), 40),
        (format!("/history/machines/{machine}/sensor-data?"), 160),
        (format!("/history/sensors/{sensor}?"), 40),
    ] {
        for sort in ["desc", "asc"] {
            let (mut ids, mut times, mut cursor) = (Vec::new(), Vec::new(), String::new());
            loop {
                let page = client.get(&format!("{path}sort={sort}&limit=23{cursor}")).await?;
                let total: i64 = page.headers["x-total-count"].to_str()?.parse()?;
                ensure!(total >= wanted, "{path}: {total}");
                for reading in page.expect(200)?.as_array().context("a list")? {
                    ids.push(reading["id"].as_i64().context("an id")?);
                    times.push(reading["timestamp"].as_str().unwrap_or_default().to_owned());
                }
                // outside the range that is being read: before and after it
                db.batch_execute(
                    "insert into sensor_data (time, sensor_id, machine_id, value, status)
                     select t + random() * interval '1 hour', id, machine_id, -1, 0
                     from sensors, unnest(array[timestamptz '2026-05-02T00:00:00Z', timestamptz '2026-04-02T00:00:00Z']) t",
                )
                .await?;
                match page.headers.get("x-next-cursor") {
                    Some(next) => cursor = format!("&cursor={}", next.to_str()?),
                    None => break,
                }
            }
            let ordered = times.windows(2).all(|w| if sort == "asc" { w[0] <= w[1] } else { w[0] >= w[1] });
            assert!(ordered, "{path} {sort}");
            let distinct: HashSet<_> = ids.iter().collect();
            assert_eq!(distinct.len(), ids.len(), "{path} {sort}: a reading came twice");
            let of_may_first = times.iter().filter(|t| t.starts_with("2026-05-01")).count() as i64;
            assert_eq!(of_may_first, wanted, "{path} {sort}");
            db.batch_execute("delete from sensor_data where value = -1").await?;
        }
    }
    let range = "/sensor-data?start_date=2026-05-01T00:00:05Z&end_date=2026-05-01T00:00:07Z";
    let some = client.get(range).await?;
    assert_eq!(
        (some.expect(200)?.as_array().map(Vec::len), &some.headers["x-total-count"]),
        (Some(48), &"48".parse()?)
    );
    let beyond = client.get(&format!("{range}&offset=50")).await?;
    assert_eq!((beyond.expect(200)?, &beyond.headers["x-total-count"]), (json!([]), &"48".parse()?));
    for (query, field) in [
        ("sort=value", "sort"),
        ("cursor=abc", "cursor"),
        ("start_date=never", "start_date"),
        ("sensor_id=1", "sensor_id"),
        ("limit=1001", "limit"),
        ("offset=-1", "offset"),
    ] {
        let refused = client.get(&format!("/sensor-data/logs?{query}")).await?.expect(422)?;
        assert_eq!(refused["errors"][0]["loc"], json!(["query", field]), "{query}");
    }
    // a cursor of another list
    let other = client.get("/machines?limit=1").await?;
    let other = other.headers["x-next-cursor"].to_str()?;
    client.get(&format!("/sensor-data/logs?cursor={other}")).await?.expect(422)?;
    Ok(())
}

/// The cells of a line of CSV.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut quoted) = (vec![String::new()], false);
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match (c, cells.last_mut()) {
            ('"', Some(cell)) if quoted && rest.peek() == Some(&'"') => {
                rest.next();
                cell.push('"');
            }
            ('"', _) => quoted = !quoted,
            (',', _) if !quoted => cells.push(String::new()),
            (c, Some(cell)) => cell.push(c),
            (_, None) => {}
        }
    }
    cells
}

#[tokio::test]
async fn an_export_of_200_000_readings_is_complete_and_streamed() -> Result<()> {
    let (_stack, client, db) = start().await?;
    db.batch_execute(
        "update sensors set name = '=cmd|''x''!A0', unit = 'a\"b,c' where name = 'Oil level';
         insert into sensor_data (time, sensor_id, machine_id, value, status)
         select timestamptz '2026-05-01T00:00:00Z' + n * interval '250 milliseconds', id, machine_id, n / 8.0, n % 3
         from sensors, generate_series(1, 12500) n",
    )
    .await?;
    let response = client.open(Method::GET, "/sensor-data/export.csv", &[], "").await?;
    ensure!(response.status() == 200, "{}", response.status());
    assert_eq!(response.headers()["content-type"], "text/csv; charset=utf-8");
    assert!(response.headers()["content-disposition"].to_str()?.starts_with("attachment; filename="));
    assert!(!response.headers().contains_key("content-length"));
    let mut body = response.into_body();
    // read line by line, holding no more than a piece of it
    let (mut rest, mut lines, mut largest) = (Vec::new(), 0_usize, 0);
    let mut sums: BTreeMap<String, (u64, f64, String)> = BTreeMap::new();
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame?.into_data() else { continue };
        rest.extend_from_slice(&piece);
        largest = largest.max(rest.len());
        while let Some(end) = rest.windows(2).position(|w| w == b"\r\n") {
            let line = String::from_utf8(rest.drain(..end + 2).collect())?;
            let line = line.trim_end();
            if lines == 0 {
                assert_eq!(
                    line,
                    "timestamp,machine,sensor,sensor_type,value,unit,status,machine_id,sensor_id,quality"
                );
            } else {
                let fields = cells(line);
                let sensor = fields[8].clone();
                let value: f64 = fields[4].parse().with_context(|| line.to_owned())?;
                let seen = sums.entry(sensor).or_default();
                *seen = (seen.0 + 1, seen.1 + value, fields[2].clone());
            }
            lines += 1;
        }
    }
    assert!(rest.is_empty());
    assert_eq!(lines, 200_001);
    assert_eq!(sums.len(), 16);
    let sum = (1..=12_500).map(|n| f64::from(n) / 8.0).sum::<f64>();
    assert!(sums.values().all(|(count, total, _)| *count == 12_500 && *total == sum), "{sums:?}");
    assert!(sums.values().any(|(.., name)| name == "'=cmd|'x'!A0"), "{sums:?}");
    assert!(sums.values().any(|(.., name)| name == "Current, phase A"), "{sums:?}");
    // the whole is some 25 MB
    assert!(largest < 4_000_000, "{largest} bytes came at once");

    let sensor = sums.keys().next().context("a sensor")?;
    let few = client
        .get(&format!("/sensor-data/export.csv?sensor_id={sensor}&start_date=2026-05-01T00:00:01Z&end_date=2026-05-01T00:00:02Z"))
        .await?;
    let few = String::from_utf8(few.body.to_vec())?;
    assert_eq!(few.lines().count(), 6, "{few}");
    client.get("/sensor-data/export.csv?resolution=2m").await?.expect(422)?;
    let predictions = client.get("/predictions/export.csv").await?;
    assert!(
        String::from_utf8(predictions.body.to_vec())?
            .starts_with("timestamp,machine,sensor,sensor_type,score,status,")
    );
    Ok(())
}
