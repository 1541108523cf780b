//! What clients of the API may rely on when they write: a request that is sent again is done once, and fields that are not
//! known are named.

use crate::client::{ADMIN, Client, ENGINEER};
use anyhow::{Context, Result};
use http::Method;
use pm_test_support::{Stack, StackOptions};
use serde_json::{Value, json};

const JSON: (&str, &str) = ("content-type", "application/json");

async fn start() -> Result<(Stack, Client, Value)> {
    let options = StackOptions { demo: true, without_bridge: true, ..StackOptions::default() };
    let stack = Stack::start(options).await?;
    let client = Client::new(&stack.base_url()).sign_in(ENGINEER).await?;
    let machine = client.get("/machines?limit=1").await?.expect(200)?[0]["id"].clone();
    Ok((stack, client, machine))
}

#[tokio::test]
async fn a_post_with_an_idempotency_key_is_done_once() -> Result<()> {
    let (stack, client, machine) = start().await?;
    let post = async |client: &Client, path: &str, key: &str, body: &Value| {
        client.send(Method::POST, path, &[JSON, ("idempotency-key", key)], body.to_string()).await
    };
    let ticket = json!({"machine_id": machine, "title": "Oil"});
    let first = post(&client, "/tickets", "k-1", &ticket).await?;
    let made = first.expect(201)?;
    assert!(!first.headers.contains_key("idempotency-replayed"));
    let again = post(&client, "/tickets", "k-1", &ticket).await?;
    assert_eq!(
        (again.expect(201)?, &again.headers["idempotency-replayed"]),
        (made.clone(), &"true".parse()?)
    );
    assert_eq!(client.get("/tickets").await?.expect(200)?.as_array().map(Vec::len), Some(1));
    // the key stands for this request, and for this user
    let other = json!({"machine_id": machine, "title": "Water"});
    let refused = post(&client, "/tickets", "k-1", &other).await?.expect(422)?;
    assert_eq!(refused["errors"][0]["loc"], json!(["header", "idempotency-key"]));
    let admin = Client::new(&stack.base_url()).sign_in(ADMIN).await?;
    post(&admin, "/tickets", "k-1", &other).await?.expect(201)?;
    // a refused request may be sent again, corrected
    post(&client, "/tickets", "k-2", &json!({"title": "No machine"})).await?.expect(422)?;
    post(&client, "/tickets", "k-2", &other).await?.expect(201)?;
    assert_eq!(client.get("/tickets").await?.expect(200)?.as_array().map(Vec::len), Some(3));

    let alarm = json!({"machine_id": machine, "severity": "warning", "message": "Noise"});
    let raised = post(&client, "/alarms", "k-3", &alarm).await?.expect(201)?;
    assert_eq!(post(&client, "/alarms", "k-3", &alarm).await?.expect(201)?, raised);
    let comments = format!("/alarms/{}/comments", raised["id"].as_str().context("no id")?);
    let comment = json!({"content": "Heard it", "resource_type": "alarm", "resource_id": raised["id"]});
    for _ in 0..2 {
        post(&client, &comments, "k-4", &comment).await?.expect(201)?;
    }
    assert_eq!(client.get(&comments).await?.expect(200)?.as_array().map(Vec::len), Some(1));

    // many at once
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (client, body) = (client.clone(), ticket.to_string());
        all.spawn(async move {
            client.send(Method::POST, "/tickets", &[JSON, ("idempotency-key", "k-5")], body).await
        });
    }
    let mut created = 0;
    while let Some(answer) = all.join_next().await {
        let answer = answer??;
        created += i32::from(answer.status == 201 && !answer.headers.contains_key("idempotency-replayed"));
        assert!(answer.status == 201 || answer.status == 409, "{}", answer.status);
    }
    assert_eq!(created, 1);
    for bad in ["", &"x".repeat(256)] {
        post(&client, "/tickets", bad, &ticket).await?.expect(422)?;
    }
    Ok(())
}

#[tokio::test]
async fn fields_that_are_not_known_are_named_in_the_answer() -> Result<()> {
    let (_stack, client, _) = start().await?;
    let body = json!({"name": "press", "colour": "red", "metadata": {"any": 1}, "metadata_json": {"any": 2}});
    let made = client.post("/machines", body).await?;
    made.expect(201)?;
    assert_eq!(made.headers["x-ignored-fields"], "colour");
    let none = client.post("/machines", json!({"name": "press", "location": "Hall 1"})).await?;
    none.expect(201)?;
    assert!(!none.headers.contains_key("x-ignored-fields"));
    Ok(())
}

#[tokio::test]
async fn an_export_can_be_read_by_a_spreadsheet_in_german() -> Result<()> {
    let (_stack, client, machine) = start().await?;
    let sensor = json!({"machine_id": machine, "name": "a;b", "sensor_type": "temperature", "unit": "°C"});
    let sensor = client.post("/sensors", sensor).await?.expect(201)?;
    let reading = json!({"sensor_id": sensor["id"], "timestamp": "2026-07-01T10:00:00Z", "value": -1.25});
    client.post("/sensor-data", reading).await?.expect(201)?;
    let path = format!("/sensor-data/export.csv?sensor_id={}", sensor["id"].as_str().context("no id")?);
    let style = "&delimiter=%3B&decimal=comma&bom=true&zone=Europe/Berlin";
    let csv = client.get(&format!("{path}{style}")).await?;
    let text = String::from_utf8(csv.body.to_vec())?;
    assert!(text.starts_with("\u{feff}timestamp;machine;sensor;"), "{text}");
    assert!(
        text.contains("\r\n2026-07-01T12:00:00.000000+02:00;")
            && text.contains(";\"a;b\";temperature;-1,25;°C;"),
        "{text}"
    );
    for (wrong, field) in
        [("&zone=Mars/Base", "zone"), ("&delimiter=x", "delimiter"), ("&decimal=x", "decimal")]
    {
        let refused = client.get(&format!("{path}{wrong}")).await?.expect(422)?;
        assert_eq!(refused["errors"][0]["loc"], json!(["query", field]), "{wrong}");
    }
    Ok(())
}

#[tokio::test]
async fn a_schedule_follows_the_clocks_of_its_zone() -> Result<()> {
    let (stack, _, _) = start().await?;
    let admin = Client::new(&stack.base_url()).sign_in(ADMIN).await?;
    let body = json!({"name": "Daily", "cadence": "daily", "hour": 6, "zone": "Asia/Kolkata",
                      "utc_offset_minutes": 60, "recipients": ["a@example.com"]});
    let made = admin.post("/reports/schedules", body.clone()).await?.expect(201)?;
    let due = |schedule: &Value| schedule["next_run_at"].as_str().map(|at| at[11..16].to_owned());
    assert_eq!((&made["zone"], due(&made).as_deref()), (&json!("Asia/Kolkata"), Some("00:30")));
    let path = format!("/reports/schedules/{}", made["id"].as_str().context("no id")?);
    let changed = admin.patch(&path, json!({"zone": ""})).await?.expect(200)?;
    assert_eq!((&changed["zone"], due(&changed).as_deref()), (&Value::Null, Some("05:00")));
    let refused = admin.patch(&path, json!({"zone": "Mars/Base"})).await?.expect(422)?;
    assert_eq!(refused["errors"][0]["loc"], json!(["body", "zone"]));
    Ok(())
}
