//! Machines: lists, bulk creation, thresholds for their sensors, deletion.

use crate::{
    client::{Answer, Client, ENGINEER, VIEWER, with_bridge},
    mqtt::Publisher,
    sql,
};
use anyhow::{Context, Result};
use pm_api::Timestamp;
use pm_test_support::{Stack, StackOptions};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

async fn engineer() -> Result<(Stack, Client)> {
    let options = StackOptions { demo: true, without_bridge: true, ..StackOptions::default() };
    let stack = Stack::start(options).await?;
    let client = Client::new(&stack.base_url()).sign_in(ENGINEER).await?;
    Ok((stack, client))
}

fn names(list: &Value) -> Vec<String> {
    let names = list.as_array().into_iter().flatten().filter_map(|m| m["name"].as_str());
    names.map(str::to_owned).collect()
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers.get(name).and_then(|v| v.to_str().ok())
}

#[tokio::test]
async fn machines_are_created_together_or_not_at_all() -> Result<()> {
    let (_stack, engineer) = engineer().await?;
    let good: Vec<_> =
        (0..3).map(|i| json!({"name": format!("bulk-{i}"), "metadata_json": {"i": i}})).collect();
    let created = engineer.post("/machines/bulk", json!(good)).await?.expect(201)?;
    assert_eq!(names(&created), ["bulk-0", "bulk-1", "bulk-2"]);
    assert_eq!(created[2]["metadata"], json!({"i": 2}));
    let bad = json!([{"name": "bulk-4"}, {"name": "", "status": "banana"}, {}]);
    let refused = engineer.post("/machines/bulk", bad).await?.expect(422)?;
    let places: Vec<_> =
        refused["errors"].as_array().context("errors")?.iter().map(|e| e["loc"].clone()).collect();
    assert_eq!(
        places,
        [json!(["body", 1, "name"]), json!(["body", 1, "status"]), json!(["body", 2, "name"])]
    );
    let found = engineer.get("/machines?search=bulk-4").await?;
    assert_eq!((found.expect(200)?, header(&found, "x-total-count")), (json!([]), Some("0")));
    engineer.post("/machines/bulk", json!([])).await?.expect(422)?;
    engineer.post("/machines/bulk", json!({"name": "x"})).await?.expect(422)?;
    Ok(())
}

/// Every field that a client may set.
fn all_fields() -> Value {
    json!({
        "name": "Pump-77", "location": "Hall 3", "description": "Feeds the boiler",
        "machine_class": "centrifugal pump", "status": "maintenance",
        "criticality": "high", "metadata": {"maker": "A", "rated": 1.25}, "last_service_date": "2026-02-28",
    })
}

/// The fields of a machine that `all_fields` names.
fn set_fields(machine: &Value) -> Value {
    let names = all_fields();
    let names = names.as_object().into_iter().flatten();
    names.map(|(name, _)| (name.clone(), machine[name].clone())).collect()
}

#[tokio::test]
async fn a_change_of_a_machine_leaves_other_fields_as_they_are_and_null_clears() -> Result<()> {
    let (_stack, engineer) = engineer().await?;
    let machine = engineer.post("/machines", all_fields()).await?.expect(201)?;
    assert_eq!(set_fields(&machine), all_fields());
    let many = engineer.post("/machines/bulk", json!([all_fields()])).await?.expect(201)?;
    assert_eq!(set_fields(&many[0]), all_fields());
    let path = format!("/machines/{}", machine["id"].as_str().context("id")?);
    assert_eq!(set_fields(&engineer.patch(&path, json!({})).await?.expect(200)?), all_fields());

    let mut expected = all_fields();
    for (name, value) in all_fields().as_object().into_iter().flatten() {
        let required = ["name", "status", "criticality"].contains(&name.as_str());
        let changed = engineer.patch(&path, json!({name: null})).await?.expect(200)?;
        // a field that every machine has stays as it is
        expected[name] = if required { value.clone() } else { Value::Null };
        assert_eq!(set_fields(&changed), expected, "{name}");
    }
    assert_eq!(set_fields(&engineer.patch(&path, all_fields()).await?.expect(200)?), all_fields());

    let sparse = engineer.post("/machines", json!({"name": "Pump-78"})).await?.expect(201)?;
    let given = json!({"name": "Pump-78", "status": "online", "criticality": "medium"});
    for (name, value) in set_fields(&sparse).as_object().into_iter().flatten() {
        assert_eq!(*value, given[name], "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn machines_are_filtered_sorted_and_paged() -> Result<()> {
    let (_stack, engineer) = engineer().await?;
    let many: Vec<_> = (0..25)
        .map(|i| json!({"name": format!("page-{:02}", (i * 7) % 25), "criticality": if i % 5 == 0 { "low" } else { "critical" }}))
        .collect();
    engineer.post("/machines/bulk", json!(many)).await?.expect(201)?;
    for (sort, first, last) in [("name", "page-00", "page-24"), ("-name", "page-24", "page-00")] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/machines?search=page-&sort={sort}&limit=10{cursor}");
            let page = engineer.get(&path).await?;
            seen.extend(names(&page.expect(200)?));
            // rows that are created during the paging neither hide nor repeat a row
            engineer.post("/machines", json!({"name": "page-00"})).await?.expect(201)?;
            match header(&page, "x-next-cursor") {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(
            (seen.first().map(String::as_str), seen.last().map(String::as_str)),
            (Some(first), Some(last))
        );
        let mut others: Vec<_> = seen.iter().filter(|n| *n != "page-00").collect();
        others.sort();
        let distinct = others.len();
        others.dedup();
        assert_eq!((distinct, others.len()), (24, 24), "{seen:?}");
    }
    let low = engineer.get("/machines?search=page-&criticality=low&sort=-created_at&limit=2").await?;
    assert_eq!((names(&low.expect(200)?).len(), header(&low, "x-total-count")), (2, Some("5")));
    let newest_first = names(&engineer.get("/machines?limit=3").await?.expect(200)?);
    let asked = names(&engineer.get("/machines?limit=3&sort=desc").await?.expect(200)?);
    assert_eq!(newest_first, asked);
    for (query, field) in [
        ("sort=banana", "sort"),
        ("cursor=xyz", "cursor"),
        ("limit=0", "limit"),
        ("status=banana", "status"),
        ("search=%00", "search"),
    ] {
        let refused = engineer.get(&format!("/machines?{query}")).await?.expect(422)?;
        assert_eq!(refused["errors"][0]["loc"], json!(["query", field]), "{query}");
    }
    Ok(())
}

#[tokio::test]
async fn sensors_without_thresholds_inherit_those_of_their_machine() -> Result<()> {
    let (stack, client) = with_bridge(StackOptions { demo: true, ..StackOptions::default() }).await?;
    let engineer = client.sign_in(ENGINEER).await?;
    let mut mqtt = Publisher::connect(stack.mqtt_url())?;
    let reading = |value: f64| {
        json!({"machine_id": "oven", "sensor_id": "t1", "metric": "temperature", "value": value, "unit": "C"})
            .to_string()
    };
    mqtt.publish("factory/hall/line/oven/sensors", reading(20.0)).await?;
    let found = |list: &Value, name: &str| list.as_array()?.iter().find(|m| m["name"] == name).cloned();
    let sensor = engineer.wait_for("/sensors", |s| found(s, "t1")).await?;
    assert_eq!((&sensor["sensor_type"], &sensor["limits_inherited"]), (&json!("temperature"), &json!(false)));
    let machine_id = sensor["machine_id"].as_str().context("no machine")?;
    let path = format!("/machines/{machine_id}/thresholds");

    for (body, place) in [
        (json!({"temperature": {"warnin": 70}}), json!(["body", "temperature", "warnin"])),
        (json!({"temperature": {"warning": "hot"}}), json!(["body", "temperature", "warning"])),
        (
            json!({"temperature": {"warning": 70, "critical": 85, "warning_low": 75}}),
            json!(["body", "temperature", "warning_low"]),
        ),
        (json!({"temperature": 70}), json!(["body", "temperature"])),
    ] {
        let refused = engineer.patch(&path, body.clone()).await?.expect(422)?;
        assert_eq!(refused["errors"][0]["loc"], place, "{body}");
    }
    let viewer = client.sign_in(VIEWER).await?;
    let limits = json!({"temperature": {"warning": 70.0, "critical": 85.0, "critical_low": -5.0}});
    viewer.patch(&path, limits.clone()).await?.expect(403)?;
    let set = engineer.patch(&path, limits.clone()).await?.expect(200)?;
    assert_eq!(set, json!({"machine_id": machine_id, "thresholds": limits}));
    assert_eq!(viewer.get(&path).await?.expect(200)?, set);
    let sensor_path = format!("/sensors/{}", sensor["id"].as_str().context("no id")?);
    let sensor = engineer.get(&sensor_path).await?.expect(200)?;
    assert_eq!(
        (&sensor["limits"]["critical_high"], &sensor["limits_inherited"]),
        (&json!(85.0), &json!(true))
    );
    assert_eq!(sensor["critical_threshold"], Value::Null);

    let alarm_of = |alarms: &Value, severity: &str| {
        let of_sensor = |a: &&Value| {
            a["sensor_id"] == sensor["id"] && a["kind"] == "threshold" && a["severity"] == severity
        };
        alarms.as_array()?.iter().find(of_sensor).cloned()
    };
    mqtt.publish("factory/hall/line/oven/sensors", reading(71.0)).await?;
    engineer.wait_for("/alarms?status=active", |a| alarm_of(a, "warning")).await?;
    mqtt.publish("factory/hall/line/oven/sensors", reading(-6.0)).await?;
    engineer.wait_for("/alarms?status=active", |a| alarm_of(a, "critical")).await?;

    // its own thresholds, even one, put the machine's aside
    engineer.patch(&sensor_path, json!({"critical_threshold": 200})).await?.expect(200)?;
    let body = json!({"sensor_id": sensor["id"], "machine_id": machine_id, "value": 150, "status": "critical",
                      "timestamp": now()?});
    let stored = engineer.post("/sensor-data", body).await?.expect(201)?;
    assert_eq!(stored["status"], "normal");
    Ok(())
}

/// The present, RFC 3339, to the microsecond.
pub(crate) fn now() -> Result<String> {
    Ok(timestamp()?.to_string())
}

pub(crate) fn timestamp() -> Result<Timestamp> {
    Ok(Timestamp(i64::try_from(std::time::UNIX_EPOCH.elapsed()?.as_micros())?))
}

#[tokio::test]
async fn a_deletion_reports_what_was_deleted_with_it() -> Result<()> {
    let (stack, client) = with_bridge(StackOptions { demo: true, ..StackOptions::default() }).await?;
    let engineer = client.sign_in(ENGINEER).await?;
    let machine = engineer.post("/machines", json!({"name": "doomed"})).await?.expect(201)?;
    let machine_id = machine["id"].as_str().context("no id")?;
    let db = sql::connect(stack.db()).await?;
    db.batch_execute(&format!(
        "insert into sensors (machine_id, name, sensor_type) select '{machine_id}', 's' || i, 't' from generate_series(1, 2) i;
         insert into sensor_data (time, sensor_id, machine_id, value, status)
         select now() - n * interval '1 second', id, machine_id, n, 0
         from sensors, generate_series(1, 30000) n where machine_id = '{machine_id}';
         insert into rollup_changes (minute, readings) select time_bucket('1 minute', time), count(*) from sensor_data group by 1;
         insert into predictions (time, sensor_id, machine_id, score, status, anomaly_type, prediction, confidence,
                                  health_percent, model_version, response_time_ms, contributing_features)
         select now() - n * interval '1 minute', id, machine_id, 0, 'normal', 'NORMAL', 'normal', 1, 100, 'x', 0, '{{}}'
         from sensors, generate_series(1, 5) n where machine_id = '{machine_id}';
         insert into alarms (machine_id, kind, severity, message, triggered_at, last_seen_at)
         values ('{machine_id}', 'manual', 'info', 'x', now(), now());
         insert into comments (resource_type, resource_id, user_id, content)
         select 'alarm', a.id, u.id, 'x' from alarms a, users u where a.machine_id = '{machine_id}' and u.role = 'admin';"
    ))
    .await?;
    let path = format!("/machines/{machine_id}");
    let preview = format!("{path}/deletion-preview");
    let seen = engineer.wait_for(&preview, |p| (p["readings"] == 60_000).then(|| p.clone())).await?;
    assert_eq!(
        seen,
        json!({"sensors": 2, "readings": 60_000, "predictions": 10, "alarms": 1, "tickets": 0, "comments": 1,
               "attachments": 0})
    );
    client.sign_in(VIEWER).await?.get(&preview).await?.expect(403)?;
    let asked = Instant::now();
    assert_eq!(engineer.delete(&path).await?.status, 204);
    println!("deleted in {:?}", asked.elapsed());
    engineer.get(&preview).await?.expect(404)?;
    assert_eq!(engineer.delete(&path).await?.status, 404);
    let rows = engineer.get(&format!("/sensor-data?machine_id={machine_id}")).await?;
    assert_eq!((rows.expect(200)?, header(&rows, "x-total-count")), (json!([]), Some("0")));
    assert!(
        !engineer.get("/sensor-data/logs?limit=1000").await?.expect(200)?.to_string().contains(machine_id)
    );
    assert!(!engineer.get("/predictions").await?.expect(200)?.to_string().contains(machine_id));
    let audit = db
        .query_one(
            "select details from audit_log where resource_type = 'machine' and action_type = 'delete'",
            &[],
        )
        .await?;
    let details: String = audit.get(0);
    assert!(
        details.contains("doomed with 2 sensors") && details.contains("10 predictions, 1 alarms"),
        "{details}"
    );
    // the clock clears the rest away
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let left = "select (select count(*) from sensor_data) + (select count(*) from predictions)
                         + (select count(*) from readings_1m) + (select count(*) from readings_1h)";
        let left: i64 = db.query_one(left, &[]).await?.get(0);
        if left == 0 {
            return Ok(());
        }
        anyhow::ensure!(Instant::now() < end, "{left} rows of the deleted machine are left");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
