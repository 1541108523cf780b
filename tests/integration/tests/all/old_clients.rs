//! Requests as clients of the old API send them: its front end, scripts written against its documents. They get what they
//! got.

use crate::{
    alarm_work::{raise, stack},
    client::{ADMIN, Answer, Client, VIEWER},
};
use anyhow::{Context, Result};
use http::Method;
use pm_test_support::Stack;
use serde_json::{Value, json};

const JSON: (&str, &str) = ("content-type", "application/json");

async fn put(client: &Client, path: &str, body: Value) -> Result<Answer> {
    client.send(Method::PUT, path, &[JSON], body.to_string()).await
}

fn path(kind: &str, object: &Value) -> Result<String> {
    Ok(format!("/{kind}/{}", object["id"].as_str().context("no id")?))
}

async fn sign_in(stack: &Stack, user: (&str, &str)) -> Result<Client> {
    Client::new(&stack.base_url()).sign_in(user).await
}

#[tokio::test]
async fn a_ticket_form_that_sends_every_field_changes_only_what_was_filled_in() -> Result<()> {
    let (_stack, engineer, [machine, _]) = stack().await?;
    let form = json!({"machine_id": machine, "title": "Seal", "description": "", "priority": "urgent",
                      "alarm_id": "", "assigned_to": "", "due_date": ""});
    let ticket = engineer.post("/tickets", form).await?.expect(201)?;
    assert_eq!(
        (&ticket["priority"], &ticket["assigned_to"], &ticket["due_date"], &ticket["alarm_id"]),
        (&json!("critical"), &Value::Null, &Value::Null, &Value::Null)
    );
    let path = path("tickets", &ticket)?;
    let assign = json!({"assigned_to": "eng@example.com", "due_date": "2026-12-24"});
    let assigned = engineer.patch(&path, assign).await?.expect(200)?;
    for names in [["assigned_to", "assignee"], ["due_date", "due_at"]] {
        assert!(assigned[names[0]].is_string(), "{assigned}");
        assert_eq!(assigned[names[0]], assigned[names[1]], "{assigned}");
    }
    for (status, blank) in [("in-progress", json!("")), ("closed", json!(" ")), ("pending", json!(null))] {
        let form = json!({"status": status, "assigned_to": blank, "due_date": blank});
        let changed = engineer.patch(&path, form).await?.expect(200)?;
        let expected = status.replace('-', "_").replace("pending", "open");
        assert_eq!(changed["status"], expected, "{changed}");
        assert_eq!(changed["assigned_to"], "eng@example.com", "{changed}");
        assert_eq!(changed["due_date"], assigned["due_date"], "{changed}");
    }
    let listed = engineer.get("/tickets?status=pending&priority=urgent").await?.expect(200)?;
    assert_eq!(listed[0]["assigned_to"], "eng@example.com");
    // the present names clear
    let cleared = engineer.patch(&path, json!({"assignee": "", "due_at": null})).await?.expect(200)?;
    assert_eq!((&cleared["assigned_to"], &cleared["due_date"]), (&Value::Null, &Value::Null));
    Ok(())
}

#[tokio::test]
async fn an_alarm_may_be_active_in_a_body() -> Result<()> {
    let (_stack, engineer, [machine, _]) = stack().await?;
    let new = json!({"machine_id": machine, "sensor_id": "", "severity": "info", "message": "noise",
                     "status": "active"});
    let alarm = engineer.post("/alarms", new).await?.expect(201)?;
    assert_eq!((&alarm["status"], &alarm["sensor_id"]), (&json!("open"), &Value::Null));
    let path = path("alarms", &alarm)?;
    for (change, status) in [("active", "open"), ("acknowledged", "acknowledged"), ("active", "acknowledged")]
    {
        let changed = engineer.patch(&path, json!({"status": change})).await?.expect(200)?;
        assert_eq!(changed["status"], status, "{change}: {changed}");
    }
    let many = json!({"payload": [{"status": "active"}], "ids": [alarm["id"]]});
    assert_eq!(engineer.post("/alarms/bulk", many).await?.status, 204);
    engineer.patch(&path, json!({"status": "resolved"})).await?.expect(200)?;
    let refused = engineer.patch(&path, json!({"status": "active"})).await?.expect(400)?;
    assert_eq!(refused["detail"], "An alarm cannot go from resolved to open");
    let unknown = engineer.patch(&path, json!({"status": "banana"})).await?.expect(422)?;
    let message = "Input should be 'open', 'acknowledged', 'resolved' or 'active'";
    assert_eq!(unknown["errors"][0]["msg"], message);
    Ok(())
}

#[tokio::test]
async fn blank_ids_are_absent_and_null_is_no_body() -> Result<()> {
    let (stack, engineer, [machine, _]) = stack().await?;
    let admin = sign_in(&stack, ADMIN).await?;
    let report = json!({"format": "csv", "machine_id": "", "sensor_id": " "});
    engineer.post("/reports/generate", report).await?.expect(200)?;
    let trigger = json!({"machine_id": machine, "sensor_id": ""});
    engineer.post("/predictions/trigger", trigger).await?.expect(200)?;
    let alarm = raise(&engineer, &machine, "info", "noise").await?;
    let comment = json!({"resource_type": "alarm", "resource_id": "", "content": "c"});
    engineer.post(&format!("/alarms/{alarm}/comments"), comment).await?.expect(201)?;
    let missing = engineer.post("/tickets", json!({"machine_id": "", "title": "t"})).await?.expect(422)?;
    assert_eq!(
        (&missing["errors"][0]["type"], &missing["errors"][0]["loc"]),
        (&json!("missing"), &json!(["body", "machine_id"]))
    );

    let send = async |client: &Client, path: String| client.send(Method::POST, &path, &[JSON], "null").await;
    send(&engineer, format!("/alarms/{alarm}/resolve?resolution_notes=fixed")).await?.expect(200)?;
    send(&admin, "/ai/retrain".to_owned()).await?.expect(200)?;
    send(&admin, "/ai/models?name=if&version=1.0".to_owned()).await?.expect(200)?;
    send(&engineer, "/simulator/trigger-failure".to_owned()).await?.expect(200)?;
    send(&admin, "/notifications/test-email".to_owned()).await?.expect(400)?;
    let required = send(&engineer, "/machines".to_owned()).await?.expect(422)?;
    assert_eq!(
        (&required["errors"][0]["type"], &required["errors"][0]["loc"]),
        (&json!("missing"), &json!(["body"]))
    );
    Ok(())
}

#[tokio::test]
async fn machines_and_sensors_are_put_and_a_sensor_needs_no_type() -> Result<()> {
    let (_stack, engineer, [machine, _]) = stack().await?;
    let path_of_machine = format!("/machines/{machine}");
    // the whole object, as a form sends it back
    let mut whole = engineer.get(&path_of_machine).await?.expect(200)?;
    whole["location"] = json!("Hall 2");
    let put_machine = put(&engineer, &path_of_machine, whole.clone()).await?.expect(200)?;
    assert_eq!((&put_machine["location"], &put_machine["name"]), (&json!("Hall 2"), &whole["name"]));
    put(&engineer, &path_of_machine, json!({"status": "banana"})).await?.expect(422)?;

    for (name, kind) in [("a", Value::Null), ("b", json!("")), ("c", json!("flow"))] {
        let body = json!({"machine_id": machine, "name": name, "sensor_type": kind});
        let sensor = engineer.post("/sensors", body).await?.expect(201)?;
        let expected = kind.as_str().filter(|kind| !kind.is_empty()).unwrap_or("unknown");
        assert_eq!(sensor["sensor_type"], expected, "{sensor}");
        let put_sensor =
            put(&engineer, &path("sensors", &sensor)?, json!({"unit": "bar", "warning_threshold": 5}))
                .await?;
        assert_eq!(put_sensor.expect(200)?["unit"], "bar");
    }
    engineer.post("/sensors", json!({"machine_id": machine, "name": "d"})).await?.expect(201)?;
    Ok(())
}

#[tokio::test]
async fn the_states_of_broker_and_scorer_have_the_documented_fields() -> Result<()> {
    let (stack, engineer, _) = stack().await?;
    let viewer = sign_in(&stack, VIEWER).await?;
    let short = viewer.get("/mqtt/status").await?.expect(200)?;
    assert!(short["connected"].is_boolean() && short["broker"]["port"].is_u64(), "{short}");
    assert!(short["consumer"]["topics"].is_array() && short.get("bridge").is_none(), "{short}");
    let full = engineer.get("/mqtt/status").await?.expect(200)?;
    assert!(full["bridge"]["queue_size"].is_u64(), "{full}");

    let fail = json!({"machine_id": "machine-1", "sensor_id": "pressure-head", "anomaly_type": "sudden_spike",
                      "duration": 6, "value_multiplier": 2.0});
    let failed = engineer.post("/simulator/trigger-failure", fail).await?.expect(200)?;
    assert_eq!(
        (&failed["message"], &failed["stored"]),
        (&json!("Simulated sudden_spike anomaly for 3 readings"), &json!(3))
    );
    // the readings were scored
    let status = viewer.get("/ai/status").await?.expect(200)?;
    assert_eq!(status["status"], "healthy", "{status}");
    assert!(status["buffers"].as_i64() >= Some(1), "{status}");
    let (performance, system) = (&status["performance"], &status["system_metrics"]);
    assert!(performance["predictions_total"].as_i64() >= Some(1), "{status}");
    for name in
        ["predictions_per_second", "avg_response_time_ms", "min_response_time_ms", "max_response_time_ms"]
    {
        assert!(performance[name].as_f64() > Some(0.0), "{name}: {status}");
    }
    assert!(system["memory_usage_mb"].as_f64() > Some(1.0), "{status}");
    assert!(system["cpu_percent"].as_f64().is_some_and(|share| share > 0.0 && share < 100.0), "{status}");
    assert_eq!(system["active_buffers"], status["buffers"]);
    assert!(system["total_buffer_entries"].as_i64() >= Some(3), "{status}");
    assert_eq!(system["model_status"], "loaded");
    let of_system = viewer.get("/status").await?.expect(200)?;
    assert_eq!(of_system["ai_service"]["details"]["buffers"], status["buffers"]);
    Ok(())
}
