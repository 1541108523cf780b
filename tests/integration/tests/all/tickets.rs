//! Tickets: opened by hand, worked on, listed.

use crate::{
    alarm_work::{ids, raise, stack, texts},
    client::{Client, VIEWER},
};
use anyhow::{Context, Result};
use pm_api::TicketStatus;
use pm_domain::ticket::may_change;
use serde_json::{Value, json};

const UNKNOWN_ID: &str = "01890000-0000-7000-8000-000000000000";

async fn open(engineer: &Client, body: Value) -> Result<String> {
    let ticket = engineer.post("/tickets", body).await?.expect(201)?;
    Ok(ticket["id"].as_str().context("no id")?.to_owned())
}

#[tokio::test]
async fn a_ticket_goes_from_creation_to_closed() -> Result<()> {
    let (stack, engineer, [machine, other]) = stack().await?;
    let viewer = Client::new(&stack.base_url()).sign_in(VIEWER).await?;
    let alarm = raise(&engineer, &other, "info", "noise").await?;
    let valid = json!({"machine_id": machine, "title": "Change the seal"});
    viewer.post("/tickets", valid.clone()).await?.expect(403)?;
    for (field, value) in [
        ("machine_id", json!(UNKNOWN_ID)),
        ("machine_id", json!(null)),
        ("alarm_id", json!(UNKNOWN_ID)),
        // of another machine
        ("alarm_id", json!(alarm)),
        ("title", json!("")),
        ("title", json!("x".repeat(201))),
        ("priority", json!("urgent")),
        ("due_at", json!("tomorrow")),
        ("due_date", json!("tomorrow")),
        ("auto_created", json!("yes")),
    ] {
        let mut body = valid.clone();
        body[field] = value;
        let refused = engineer.post("/tickets", body.clone()).await?.expect(422)?;
        let loc = &refused["errors"][0]["loc"][1];
        assert!(loc == field, "{body}: {refused}");
    }
    let ticket = engineer.post("/tickets", valid).await?.expect(201)?;
    assert_eq!(
        (&ticket["status"], &ticket["priority"], &ticket["auto_created"], &ticket["assignee"]),
        (&json!("open"), &json!("medium"), &json!(false), &Value::Null)
    );
    let path = format!("/tickets/{}", ticket["id"].as_str().context("no id")?);
    viewer.patch(&path, json!({"priority": "low"})).await?.expect(403)?;
    assert_eq!(viewer.get(&path).await?.expect(200)?, ticket);

    let nobody = engineer.patch(&path, json!({"status": "assigned"})).await?.expect(400)?;
    assert_eq!(nobody["detail"], "A ticket is assigned to somebody: give an assignee");
    // the names of the old front end, and the summary's spelling
    let body = json!({"status": "assigned", "assigned_to": "eng@example.com", "due_date": "2026-12-24"});
    let assigned = engineer.patch(&path, body).await?.expect(200)?;
    assert_eq!(
        (&assigned["assignee"], &assigned["due_at"]),
        (&json!("eng@example.com"), &json!("2026-12-24T00:00:00.000000Z"))
    );
    let begun =
        engineer.patch(&path, json!({"status": "in-progress", "priority": "high"})).await?.expect(200)?;
    assert_eq!(begun["status"], "in_progress");
    let early = engineer.patch(&path, json!({"status": "closed"})).await?.expect(400)?;
    assert_eq!(early["detail"], "A ticket cannot go from in_progress to closed");
    let body = json!({"status": "resolved", "resolution_notes": "seal changed"});
    let resolved = engineer.patch(&path, body).await?.expect(200)?;
    assert_eq!(resolved["resolution_notes"], "seal changed");
    engineer.patch(&path, json!({"status": "closed"})).await?.expect(200)?;
    engineer.patch(&path, json!({"status": "open", "assignee": ""})).await?.expect(200)?;

    let history = viewer.get(&format!("{path}/history")).await?.expect(200)?;
    let steps: Vec<_> = history
        .as_array()
        .context("no history")?
        .iter()
        .map(|t| {
            let text = |name: &str| t[name].as_str().unwrap_or("-").to_owned();
            format!("{} {} {} {}", text("field"), text("was"), text("is_now"), text("by_email"))
        })
        .collect();
    assert_eq!(
        steps,
        [
            "status - open engineer@example.com",
            "status open assigned engineer@example.com",
            "assignee - eng@example.com engineer@example.com",
            "due_at - 2026-12-24T00:00:00Z engineer@example.com",
            "status assigned in_progress engineer@example.com",
            "priority medium high engineer@example.com",
            "status in_progress resolved engineer@example.com",
            "status resolved closed engineer@example.com",
            "status closed open engineer@example.com",
            "assignee eng@example.com - engineer@example.com",
        ]
    );
    assert_eq!(history[6]["note"], "seal changed");
    let assigned = texts(
        &stack,
        "select concat_ws(' ', data ->> 'assignee', data ->> 'title', (data ->> 'by') is not null)
         from outbox where event_type = 'ticket.assigned'",
    )
    .await?;
    assert_eq!(assigned, ["eng@example.com Change the seal t"]);
    let audit = texts(&stack, "select action_type from audit_log where resource_type = 'ticket'").await?;
    assert_eq!(audit.iter().filter(|a| *a == "update").count(), 5, "{audit:?}");
    for missing in ["", "/history"] {
        engineer.get(&format!("/tickets/{UNKNOWN_ID}{missing}")).await?.expect(404)?;
    }
    engineer.patch(&format!("/tickets/{UNKNOWN_ID}"), json!({"title": "t"})).await?.expect(404)?;
    engineer.patch(&path, json!({"title": " "})).await?.expect(422)?;
    engineer.patch(&path, json!({"status": "banana"})).await?.expect(422)?;
    Ok(())
}

#[tokio::test]
async fn every_change_of_state_follows_the_workflow() -> Result<()> {
    let (stack, engineer, [machine, _]) = stack().await?;
    let id = open(&engineer, json!({"machine_id": machine, "title": "t", "assignee": "a@b.c"})).await?;
    let (db, connection) = tokio_postgres::connect(stack.db(), tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    for &from in TicketStatus::ALL {
        for &to in TicketStatus::ALL {
            db.execute("update tickets set status = $1", &[&from.as_str()]).await?;
            let answer = engineer.patch(&format!("/tickets/{id}"), json!({"status": to})).await?;
            let expected = if may_change(from, to) { 200 } else { 400 };
            assert_eq!(answer.status, expected, "{from} to {to}");
            let now = texts(&stack, "select status from tickets").await?;
            assert_eq!(now, [if may_change(from, to) { to } else { from }.as_str()], "{from} to {to}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn tickets_are_filtered_sorted_and_paged() -> Result<()> {
    let (_stack, engineer, [machine, other]) = stack().await?;
    let alarm = raise(&engineer, &other, "warning", "noise").await?;
    let auto = engineer.get("/tickets").await?.expect(200)?;
    let again = json!({"machine_id": other, "title": "t", "alarm_id": alarm, "auto_created": true});
    engineer.post("/tickets", again).await?.expect(409)?;
    let mut all = vec![auto[0]["id"].as_str().context("no ticket")?.to_owned()];
    for body in [
        json!({"machine_id": machine, "title": "Oil", "priority": "low", "due_at": "2020-01-01T00:00:00Z"}),
        json!({"machine_id": machine, "title": "Seal", "priority": "critical", "assignee": "Eng@example.com"}),
        json!({"machine_id": other, "title": "Look", "description": "oil again", "alarm_id": alarm,
               "due_at": "2199-01-01T00:00:00Z"}),
    ] {
        all.push(open(&engineer, body).await?);
    }
    engineer.patch(&format!("/tickets/{}", all[2]), json!({"status": "cancelled"})).await?.expect(200)?;
    for (query, expected) in [
        ("", vec![3, 2, 1, 0]),
        ("?status=cancelled", vec![2]),
        ("?status=open&sort=asc", vec![0, 1, 3]),
        ("?status=cancelled,open", vec![3, 2, 1, 0]),
        ("?status=in-progress,cancelled", vec![2]),
        ("?status=resolved,closed", vec![]),
        ("?status=open,cancelled&q=oil&sort_by=priority", vec![3, 1]),
        ("?priority=critical", vec![2]),
        ("?assignee=eng@EXAMPLE.com", vec![2]),
        ("?overdue=true", vec![1]),
        ("?overdue=false", vec![3, 2, 0]),
        ("?auto_created=true", vec![0]),
        (&format!("?alarm_id={alarm}"), vec![3, 0]),
        (&format!("?machine_id={machine}"), vec![2, 1]),
        ("?q=OIL", vec![3, 1]),
        ("?sort_by=due_at&sort=asc", vec![1, 0, 3, 2]),
        ("?sort_by=priority", vec![2, 0, 3, 1]),
        ("?sort_by=updated_at&limit=1", vec![2]),
    ] {
        let list = engineer.get(&format!("/tickets{query}")).await?.expect(200)?;
        assert_eq!(ids(&list), expected.iter().map(|&i| all[i].as_str()).collect::<Vec<_>>(), "{query}");
    }
    let page = engineer.get("/tickets?status=open,cancelled&limit=1&offset=9").await?;
    assert_eq!(page.headers["x-total-count"], "4");
    for bad in ["open,banana", "open,", ","] {
        let refused = engineer.get(&format!("/tickets?status={bad}")).await?.expect(422)?;
        assert_eq!(refused["errors"][0]["loc"], json!(["query", "status"]), "{bad}");
    }
    for order in ["created_at", "priority", "due_at", "updated_at"] {
        for sort in ["asc", "desc"] {
            let query = format!("/tickets?sort_by={order}&sort={sort}");
            let whole = engineer.get(&query).await?.expect(200)?;
            let first = engineer.get(&format!("{query}&limit=3")).await?;
            let cursor = first.headers["x-next-cursor"].to_str()?.to_owned();
            let rest = engineer.get(&format!("{query}&limit=3&cursor={cursor}")).await?.expect(200)?;
            let walked: Vec<_> =
                [ids(&first.expect(200)?), ids(&rest)].concat().iter().map(|s| s.to_string()).collect();
            assert_eq!(walked, ids(&whole), "{query}");
        }
    }
    Ok(())
}
