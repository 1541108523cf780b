//! Every event has a type in pm-api and exactly its fields, whatever made the change.

use crate::{
    alarm_work::raise,
    attachments::attach,
    client::{ADMIN, Client, ENGINEER},
    models, sql,
};
use anyhow::{Context, Result, ensure};
use pm_api::{
    AlarmChangeKind, Timestamp,
    event::{EVENTS, Envelope, Event, TEST_EVENT},
};
use pm_domain::webhook::test_body;
use pm_test_support::{Stack, StackOptions};
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::UNIX_EPOCH};

/// Fails unless the event is in the table and its data has the fields of its type, no more and no fewer.
fn check(event: &Value) -> Result<()> {
    let typed: Event =
        serde_json::from_value(event.clone()).with_context(|| format!("no type for {event}"))?;
    let same = same_fields(event, &serde_json::to_value(&typed)?);
    ensure!(same, "the fields differ from those of the type: {event} against {typed:?}");
    Ok(())
}

/// Have the two the same fields, at every depth? Values may be written differently (times).
fn same_fields(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same_fields(a, b)))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_fields(a, b))
        }
        (a, b) => a.is_null() == b.is_null(),
    }
}

#[test]
fn the_check_finds_missing_unknown_and_mistyped_fields() -> Result<()> {
    let sent: Envelope<Value> = serde_json::from_str(&test_body(TEST_EVENT, Timestamp(0)))?;
    let good = json!({ "event": sent.event, "data": sent.data });
    check(&good)?;
    let mut unknown = good.clone();
    unknown["data"]["more"] = json!(1);
    let mut missing = good.clone();
    missing["data"].as_object_mut().context("an object")?.remove("message");
    let mut mistyped = good.clone();
    mistyped["data"]["test"] = json!("yes");
    let mut untyped = good;
    untyped["event"] = json!("test.other");
    for bad in [unknown, missing, mistyped, untyped] {
        assert!(check(&bad).is_err(), "{bad}");
    }
    Ok(())
}

/// The system's part: a sensor of the demonstration that is normal, then beyond its limits (150 and 180 psi), then normal
/// again, then beyond them once more.
async fn readings(engineer: &Client) -> Result<()> {
    let sensor = engineer.get("/sensors?search=head").await?.expect(200)?[0]["id"].clone();
    let mut at_s = i64::try_from(UNIX_EPOCH.elapsed()?.as_secs())? - 90;
    for (count, value) in [(15, 120.0), (1, 160.0), (12, 200.0), (30, 120.0), (1, 200.0)] {
        let readings: Vec<_> = (0..count)
            .map(|n| {
                at_s += 1;
                json!({ "sensor_id": sensor, "timestamp": Timestamp(at_s * 1_000_000), "value": value + f64::from(n % 3) })
            })
            .collect();
        engineer.post("/sensor-data/batch", json!({ "readings": readings })).await?.expect(201)?;
    }
    Ok(())
}

/// People's part.
async fn work(engineer: &Client, admin: &Client) -> Result<()> {
    let machines = engineer.get("/machines").await?.expect(200)?;
    let machine = machines[0]["id"].as_str().context("no machine")?;
    engineer.patch(&format!("/machines/{machine}"), json!({ "status": "maintenance" })).await?.expect(200)?;

    let alarm = raise(engineer, machine, "critical", "noise").await?;
    let path = format!("/alarms/{alarm}");
    let shelving = json!({ "duration_s": 600, "reason": "waits for a part" });
    engineer.post(&format!("{path}/shelve"), shelving).await?.expect(200)?;
    engineer.delete(&format!("{path}/shelve")).await?;
    engineer.post(&format!("{path}/acknowledge"), json!({})).await?.expect(200)?;
    engineer.patch(&path, json!({ "metadata": { "shift": 2 } })).await?.expect(200)?;
    engineer.post(&format!("{path}/resolve"), json!({})).await?.expect(200)?;
    engineer.patch(&path, json!({ "verdict": "true_fault" })).await?.expect(200)?;
    let other = raise(engineer, machine, "warning", "more noise").await?;
    let bulk = json!({ "payload": [{ "status": "acknowledged" }], "ids": [other] });
    ensure!(engineer.post("/alarms/bulk", bulk).await?.status == 204);

    let ticket = json!({ "machine_id": machine, "title": "Change the seal", "assignee": "a@example.com" });
    let ticket = engineer.post("/tickets", ticket).await?.expect(201)?["id"].clone();
    let ticket = format!("/tickets/{}", ticket.as_str().context("no id")?);
    engineer.patch(&ticket, json!({ "assignee": "b@example.com", "priority": "high" })).await?.expect(200)?;

    for (by, place) in [(engineer, &path), (admin, &ticket)] {
        let comments = format!("{place}/comments");
        let comment = by.post(&comments, json!({ "content": "hello" })).await?.expect(201)?["id"].clone();
        let comment = format!("{comments}/{}", comment.as_str().context("no id")?);
        by.patch(&comment, json!({ "content": "hello again" })).await?.expect(200)?;
        by.delete(&comment).await?;
        // what stays goes with the alarm or ticket, by a reset
        by.post(&comments, json!({ "content": "hello" })).await?.expect(201)?;
        attach(by, &format!("{place}/attachments"), "v.csv", b"t;v\n").await?.expect(201)?;
    }
    let file =
        attach(engineer, "/attachments", "manual.pdf", b"%PDF-1.7\n").await?.expect(201)?["id"].clone();
    engineer.delete(&format!("/attachments/{}", file.as_str().context("no id")?)).await?;

    let deleted = machines[1]["id"].as_str().context("no second machine")?;
    let alarm = raise(engineer, deleted, "info", "noise").await?;
    let comments = format!("/alarms/{alarm}/comments");
    engineer.post(&comments, json!({ "content": "hello" })).await?.expect(201)?;
    ensure!(engineer.delete(&format!("/machines/{deleted}")).await?.status == 204);
    admin.post("/system/reset", json!({})).await?.expect(200).map(drop)
}

#[tokio::test]
async fn every_event_has_exactly_the_fields_of_its_type() -> Result<()> {
    let options = StackOptions { demo: true, without_bridge: true, ..StackOptions::default() };
    let stack = Stack::start(options).await?;
    let client = Client::new(&stack.base_url());
    let (engineer, admin) = (client.sign_in(ENGINEER).await?, client.sign_in(ADMIN).await?);
    let db = sql::connect(stack.db()).await?;
    readings(&engineer).await?;
    work(&engineer, &admin).await?;
    models::drift(&stack, &client, &db).await?;

    let (mut names, mut changes) = (BTreeSet::new(), BTreeSet::new());
    for row in db.query("select event_type, data from outbox order by position", &[]).await? {
        let (name, data) = (row.get::<_, String>(0), row.get::<_, Value>(1));
        if let Some(change) = data["change"].as_str() {
            changes.insert(change.to_owned());
        }
        check(&json!({ "event": name, "data": data }))?;
        names.insert(name);
    }
    let all = EVENTS.iter().map(|event| event.name.to_owned()).filter(|name| name != TEST_EVENT);
    assert_eq!(names, all.collect::<BTreeSet<_>>(), "every event of the table came");
    let words = AlarmChangeKind::WORDS.iter().map(|&word| word.to_owned());
    assert_eq!(changes, words.collect::<BTreeSet<_>>(), "every kind of change came");
    Ok(())
}
