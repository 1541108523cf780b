//! Alarms in people's hands: raised by hand, listed, acknowledged, resolved, shelved.

use crate::client::{Client, ENGINEER, VIEWER};
use anyhow::{Context, Result};
use pm_test_support::{Stack, StackOptions};
use serde_json::{Value, json};

const UNKNOWN_ID: &str = "01890000-0000-7000-8000-000000000000";

/// A stack without bridge, an engineer, and the ids of two machines.
pub(crate) async fn stack() -> Result<(Stack, Client, [String; 2])> {
    let stack =
        Stack::start(StackOptions { demo: true, without_bridge: true, ..StackOptions::default() }).await?;
    let engineer = Client::new(&stack.base_url()).sign_in(ENGINEER).await?;
    let machines = engineer.get("/machines").await?.expect(200)?;
    let id = |i: usize| machines[i]["id"].as_str().map(str::to_owned).context("no machine");
    let machines = [id(0)?, id(1)?];
    Ok((stack, engineer, machines))
}

pub(crate) async fn raise(engineer: &Client, machine: &str, severity: &str, message: &str) -> Result<String> {
    let body = json!({"machine_id": machine, "severity": severity, "message": message});
    let alarm = engineer.post("/alarms", body).await?.expect(201)?;
    Ok(alarm["id"].as_str().context("no id")?.to_owned())
}

/// The rows of a query, each of one text.
pub(crate) async fn texts(stack: &Stack, sql: &str) -> Result<Vec<String>> {
    let (db, connection) = tokio_postgres::connect(stack.db(), tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    Ok(db.query(sql, &[]).await?.iter().map(|row| row.get(0)).collect())
}

pub(crate) fn ids(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(|item| item["id"].as_str()).collect()
}

#[tokio::test]
async fn a_manual_alarm_goes_from_creation_to_verdict() -> Result<()> {
    let (stack, engineer, [machine, other]) = stack().await?;
    let viewer = Client::new(&stack.base_url()).sign_in(VIEWER).await?;
    let sensors = engineer.get(&format!("/sensors?machine_id={machine}")).await?.expect(200)?;
    let sensor = sensors[0]["id"].as_str().context("no sensor")?;

    // what is refused names its field
    let empty = engineer.post("/alarms", json!({})).await?.expect(422)?;
    let named: Vec<_> =
        empty["errors"].as_array().context("no errors")?.iter().map(|e| &e["loc"][1]).collect();
    assert_eq!(named, ["machine_id", "severity", "message"]);
    for (field, value) in [
        ("machine_id", json!(UNKNOWN_ID)),
        ("machine_id", json!(7)),
        ("sensor_id", json!(UNKNOWN_ID)),
        ("severity", json!("banana")),
        ("message", json!("  ")),
        ("status", json!("resolved")),
        ("triggered_at", json!("2199-01-01T00:00:00Z")),
        ("metadata", json!([])),
    ] {
        let mut body = json!({"machine_id": machine, "severity": "warning", "message": "noise"});
        body[field] = value;
        let refused = engineer.post("/alarms", body.clone()).await?.expect(422)?;
        assert_eq!(refused["errors"][0]["loc"], json!(["body", field]), "{body}");
    }
    let foreign = json!({"machine_id": other, "sensor_id": sensor, "severity": "info", "message": "m"});
    let foreign = engineer.post("/alarms", foreign).await?.expect(422)?;
    assert_eq!(foreign["errors"][0]["loc"], json!(["body", "sensor_id"]));
    let body = json!({"machine_id": machine, "sensor_id": sensor, "severity": "critical", "message": "Grinding noise",
                      "metadata": {"shift": 2}});
    viewer.post("/alarms", body.clone()).await?.expect(403)?;

    let alarm = engineer.post("/alarms", body.clone()).await?.expect(201)?;
    assert_eq!(
        (&alarm["kind"], &alarm["status"], &alarm["condition_active"], &alarm["metadata"]),
        (&json!("manual"), &json!("open"), &json!(true), &json!({"shift": 2}))
    );
    let path = format!("/alarms/{}", alarm["id"].as_str().context("no id")?);
    // a person may raise the same again
    engineer.post("/alarms", body).await?.expect(201)?;
    let tickets = engineer.get(&format!("/tickets?alarm_id={}", &path[8..])).await?.expect(200)?;
    assert_eq!(tickets[0]["title"], "Alarm CRITICAL - Grinding noise");

    viewer.post(&format!("{path}/acknowledge"), json!({})).await?.expect(403)?;
    let early = engineer.patch(&path, json!({"verdict": "true_fault"})).await?.expect(400)?;
    assert_eq!(early["detail"], "A verdict and a time of resolution belong to a resolved alarm");
    let seen = engineer.post(&format!("{path}/acknowledge"), json!({})).await?.expect(200)?;
    assert_eq!(seen["status"], "acknowledged");
    let banana = engineer.post(&format!("{path}/resolve?verdict=banana"), json!({})).await?.expect(422)?;
    assert_eq!(banana["errors"][0]["loc"], json!(["query", "verdict"]));
    let notes = json!({"resolution_notes": "bearing dry", "verdict": "true_fault"});
    let resolved = engineer.post(&format!("{path}/resolve"), notes).await?.expect(200)?;
    assert_eq!(
        (
            &resolved["status"],
            &resolved["verdict"],
            &resolved["resolution_notes"],
            &resolved["condition_active"]
        ),
        (&json!("resolved"), &json!("true_fault"), &json!("bearing dry"), &json!(false))
    );
    // the verdict may be put right later, the state may not
    let corrected = engineer.patch(&path, json!({"verdict": "maintenance"})).await?.expect(200)?;
    assert_eq!(corrected["verdict"], "maintenance");
    let back = engineer.patch(&path, json!({"status": "acknowledged"})).await?.expect(400)?;
    assert_eq!(back["detail"], "An alarm cannot go from resolved to acknowledged");
    let ticket = engineer.get(&format!("/tickets?alarm_id={}", &path[8..])).await?.expect(200)?;
    assert_eq!(
        (&ticket[0]["status"], &ticket[0]["resolution_notes"]),
        (&json!("resolved"), &json!("bearing dry"))
    );

    let history = viewer.get(&format!("{path}/history")).await?.expect(200)?;
    let history = history.as_array().context("no history")?;
    let changes: Vec<_> = history.iter().map(|t| (t["change"].as_str(), t["note"].as_str())).collect();
    assert_eq!(
        changes,
        [
            (Some("raised"), None),
            (Some("acknowledged"), None),
            (Some("resolved"), Some("bearing dry")),
            (Some("verdict"), Some("true_fault")),
            (Some("verdict"), Some("maintenance")),
        ]
    );
    assert!(history.iter().all(|t| t["by_email"] == ENGINEER.0), "{history:?}");
    for missing in ["", "/history"] {
        engineer.get(&format!("/alarms/{UNKNOWN_ID}{missing}")).await?.expect(404)?;
    }
    engineer.post(&format!("/alarms/{UNKNOWN_ID}/acknowledge"), json!({})).await?.expect(404)?;
    let events = texts(&stack, "select event_type from outbox order by position").await?;
    for (kind, times) in
        [("alarm.created", 2), ("alarm.updated", 3), ("ticket.created", 2), ("ticket.updated", 1)]
    {
        assert_eq!(events.iter().filter(|e| *e == kind).count(), times, "{kind} in {events:?}");
    }
    let audit =
        texts(&stack, "select action_type from audit_log where resource_type = 'alarm' order by created_at")
            .await?;
    assert_eq!(audit, ["create", "create", "acknowledge", "resolve", "update"]);
    Ok(())
}

#[tokio::test]
async fn alarms_are_filtered_sorted_and_paged() -> Result<()> {
    let (_stack, engineer, [machine, other]) = stack().await?;
    let mut all = Vec::new();
    for (i, severity) in ["info", "warning", "critical", "warning", "info"].into_iter().enumerate() {
        let machine = if i == 4 { &other } else { &machine };
        all.push(raise(&engineer, machine, severity, &format!("Noise {i} 100%_")).await?);
    }
    let at = |i: usize| all[i].as_str();
    engineer.post(&format!("/alarms/{}/acknowledge", at(1)), json!({})).await?.expect(200)?;
    let done = json!({"verdict": "false_alarm"});
    engineer.post(&format!("/alarms/{}/resolve", at(0)), done).await?.expect(200)?;
    for (query, expected) in [
        ("", vec![4, 3, 2, 1, 0]),
        ("?sort=asc", vec![0, 1, 2, 3, 4]),
        ("?status=active", vec![4, 3, 2, 1]),
        ("?status=resolved", vec![0]),
        ("?severity=warning", vec![3, 1]),
        (&format!("?machine_id={other}"), vec![4]),
        ("?kind=manual&limit=2", vec![4, 3]),
        ("?kind=threshold", vec![]),
        ("?condition_active=false", vec![0]),
        ("?acknowledged=yes", vec![1]),
        ("?acknowledged=no&status=active", vec![4, 3, 2]),
        ("?verdict=false_alarm", vec![0]),
        ("?q=NOISE+2", vec![2]),
        ("?q=100%25_", vec![4, 3, 2, 1, 0]),
        ("?q=100%25%25", vec![]),
        ("?start_date=2199-01-01", vec![]),
        ("?end_date=2199-01-01", vec![4, 3, 2, 1, 0]),
        ("?sort_by=updated_at", vec![0, 1, 4, 3, 2]),
        ("?sort_by=need", vec![2, 3, 4, 1, 0]),
        ("?offset=3", vec![1, 0]),
    ] {
        let answer = engineer.get(&format!("/alarms{query}")).await?;
        let list = answer.expect(200)?;
        assert_eq!(ids(&list), expected.iter().map(|&i| at(i)).collect::<Vec<_>>(), "{query}");
    }
    let beyond = engineer.get("/alarms?offset=100").await?;
    assert_eq!((beyond.expect(200)?, beyond.headers["x-total-count"].to_str()?), (json!([]), "5"));
    for query in [
        "severity=x",
        "kind=x",
        "sort=up",
        "sort_by=name",
        "acknowledged=perhaps",
        "limit=0",
        "cursor=x",
        "machine_id=x",
        "start_date=yesterday",
        "offset=-1",
    ] {
        let refused = engineer.get(&format!("/alarms?{query}")).await?.expect(422)?;
        assert_eq!(refused["errors"][0]["loc"][1], query.split('=').next().context("no name")?, "{query}");
    }

    // a cursor walks every order without loss or repeat, also when the list grows in front of it
    for order in ["triggered_at", "severity", "updated_at", "occurrences", "need"] {
        for sort in ["asc", "desc"] {
            let query = format!("/alarms?sort_by={order}&sort={sort}");
            let whole = engineer.get(&query).await?.expect(200)?;
            let mut walked: Vec<String> = Vec::new();
            let mut cursor = String::new();
            loop {
                let page = engineer.get(&format!("{query}&limit=2{cursor}")).await?;
                assert_eq!(page.headers["x-total-count"], "5");
                walked.extend(ids(&page.expect(200)?).into_iter().map(str::to_owned));
                match page.headers.get("x-next-cursor") {
                    Some(next) => cursor = format!("&cursor={}", next.to_str()?),
                    None => break,
                }
            }
            assert_eq!(walked, ids(&whole), "{query}");
        }
    }
    let first = engineer.get("/alarms?limit=2").await?;
    let cursor = first.headers["x-next-cursor"].to_str()?.to_owned();
    raise(&engineer, &machine, "info", "new").await?;
    let second = engineer.get(&format!("/alarms?limit=2&cursor={cursor}")).await?.expect(200)?;
    assert_eq!(ids(&second), [at(2), at(1)]);
    engineer.get(&format!("/alarms?sort_by=severity&cursor={cursor}")).await?.expect(422)?;
    Ok(())
}

#[tokio::test]
async fn similar_alarms_are_the_resolved_ones_of_the_same_cause_before_it() -> Result<()> {
    let (_stack, engineer, [machine, other]) = stack().await?;
    let sensors = engineer.get(&format!("/sensors?machine_id={machine}")).await?.expect(200)?;
    let sensor = |i: usize| sensors[i]["id"].clone();
    let mut made = Vec::new();
    for (hour, machine, sensor, resolved) in [
        (1, &machine, sensor(0), true),
        (2, &machine, sensor(1), true),
        (3, &machine, sensor(0), false),
        (4, &other, Value::Null, true),
        (5, &machine, sensor(0), true),
        (6, &machine, sensor(0), true),
        (7, &machine, sensor(0), true),
    ] {
        let body = json!({"machine_id": machine, "sensor_id": sensor, "severity": "warning", "message": "m",
                          "triggered_at": format!("2026-01-02T0{hour}:00:00Z")});
        let alarm = engineer.post("/alarms", body).await?.expect(201)?;
        let id = alarm["id"].as_str().context("no id")?.to_owned();
        if resolved {
            let body = json!({"resolution_notes": format!("found at {hour}"), "verdict": "true_fault"});
            engineer.post(&format!("/alarms/{id}/resolve"), body).await?.expect(200)?;
        }
        made.push(id);
    }
    let similar = |i: usize, query: &'static str| {
        let path = format!("/alarms/{}/similar{query}", made[i]);
        let engineer = &engineer;
        async move { engineer.get(&path).await?.expect(200) }
    };
    let found = similar(5, "").await?;
    assert_eq!(ids(&found), [made[4].as_str(), made[0].as_str()]);
    assert_eq!(found[0]["resolution_notes"], "found at 5");
    assert_eq!(ids(&similar(5, "?limit=1&offset=1").await?), [made[0].as_str()]);
    assert_eq!(ids(&similar(0, "").await?), [""; 0]);
    assert_eq!(ids(&similar(3, "").await?), [""; 0]);
    engineer.get(&format!("/alarms/{UNKNOWN_ID}/similar")).await?.expect(404)?;
    Ok(())
}

#[tokio::test]
async fn a_bulk_change_is_made_to_all_or_none() -> Result<()> {
    let (stack, engineer, [machine, _]) = stack().await?;
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(raise(&engineer, &machine, "warning", "noise").await?);
    }
    let statuses = async || -> Result<Vec<String>> {
        texts(&stack, "select status from alarms order by triggered_at, id").await
    };
    let acknowledge = json!([{"status": "acknowledged"}]);
    let body = json!({"payload": acknowledge, "ids": all[..2]});
    assert_eq!(engineer.post("/alarms/bulk", body).await?.status, 204);
    assert_eq!(statuses().await?, ["acknowledged", "acknowledged", "open"]);

    // one that does not exist, one that may not: nothing is changed and both are named
    let resolve = json!([{"status": "resolved", "verdict": "maintenance"}]);
    let with_unknown = json!({"payload": resolve, "ids": [all[2], UNKNOWN_ID]});
    let refused = engineer.post("/alarms/bulk", with_unknown).await?.expect(400)?;
    assert!(refused["detail"].as_str().is_some_and(|d| d.contains(UNKNOWN_ID)), "{refused}");
    let back =
        engineer.post(&format!("/alarms/bulk?ids={}", all.join(",")), json!([{"status": "open"}])).await?;
    let back = back.expect(400)?;
    let detail = back["detail"].as_str().context("no detail")?;
    assert!(detail.contains(&all[0]) && detail.contains(&all[1]) && !detail.contains(&all[2]), "{detail}");
    assert_eq!(statuses().await?, ["acknowledged", "acknowledged", "open"]);

    // the form of the old front end
    let path = format!("/alarms/bulk?ids={}", all.join(","));
    assert_eq!(engineer.post(&path, resolve).await?.status, 204);
    assert_eq!(statuses().await?, ["resolved", "resolved", "resolved"]);
    let tickets = texts(&stack, "select distinct status from tickets").await?;
    assert_eq!(tickets, ["resolved"]);
    let audit =
        texts(&stack, "select action_type from audit_log where resource_type = 'alarm' order by created_at")
            .await?;
    assert_eq!(audit.iter().filter(|a| *a == "resolve").count(), 3);

    for (body, place) in [
        (json!({"payload": acknowledge}), json!(["body", "ids"])),
        (json!({"payload": acknowledge, "ids": []}), json!(["body", "ids"])),
        (json!({"payload": acknowledge, "ids": ["x"]}), json!(["body", "ids", 0])),
        (json!({"payload": acknowledge, "ids": "x"}), json!(["body", "ids"])),
        (json!({"payload": [], "ids": all}), json!(["body", "payload"])),
        (json!({"payload": [{"status": "banana"}], "ids": all}), json!(["body", "payload", 0, "status"])),
        (json!([]), json!(["body"])),
    ] {
        let refused = engineer.post("/alarms/bulk", body.clone()).await?.expect(422)?;
        assert_eq!(refused["errors"][0]["loc"], place, "{body}");
    }
    engineer.post("/alarms/bulk", json!("x")).await?.expect(422)?;
    Ok(())
}

#[tokio::test]
async fn a_shelved_alarm_comes_back() -> Result<()> {
    let (stack, engineer, [machine, _]) = stack().await?;
    let id = raise(&engineer, &machine, "warning", "noise").await?;
    let path = format!("/alarms/{id}/shelve");
    for (body, field) in [
        (json!({"duration_s": 600}), "reason"),
        (json!({"reason": "r"}), "duration_s"),
        (json!({"duration_s": 59, "reason": "r"}), "duration_s"),
        (json!({"duration_s": 604_801, "reason": "r"}), "duration_s"),
        (json!({"duration_s": 1e30, "reason": "r"}), "duration_s"),
    ] {
        let refused = engineer.post(&path, body.clone()).await?.expect(422)?;
        assert_eq!(refused["errors"][0]["loc"][1], field, "{body}");
    }
    let body = json!({"duration_s": 600, "reason": "sensor is being exchanged"});
    let shelved = engineer.post(&path, body.clone()).await?.expect(200)?;
    assert!(shelved["shelved_until"].is_string() && shelved["shelved_by"].is_string(), "{shelved}");
    let shelves = async |query: &str| -> Result<usize> {
        Ok(ids(&engineer.get(&format!("/alarms?shelved={query}")).await?.expect(200)?).len())
    };
    assert_eq!((shelves("true").await?, shelves("false").await?), (1, 0));
    // its time runs out
    let (db, connection) = tokio_postgres::connect(stack.db(), tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    db.execute("update alarms set shelved_until = now() - interval '1 second'", &[]).await?;
    assert_eq!((shelves("true").await?, shelves("false").await?), (0, 1));

    engineer.post(&path, body.clone()).await?.expect(200)?;
    let back = engineer.delete(&path).await?.expect(200)?;
    assert_eq!((&back["shelved_until"], &back["shelve_reason"]), (&Value::Null, &Value::Null));
    engineer.post(&path, body.clone()).await?.expect(200)?;
    let resolved = engineer.post(&format!("/alarms/{id}/resolve"), json!({})).await?.expect(200)?;
    assert_eq!(resolved["shelved_until"], Value::Null);
    engineer.post(&path, body).await?.expect(400)?;
    Ok(())
}
