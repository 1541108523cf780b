//! Mail: tests of it, floods, preferences, Slack. The mails go through the bridge to a real SMTP server with TLS.

use crate::{
    client::{ADMIN, Client, ENGINEER, with_bridge},
    mqtt::Publisher,
    receiver::Receiver,
    smtp::{MailServer, Tls},
};
use anyhow::{Context, Result};
use pm_test_support::{Stack, StackOptions};
use serde_json::{Map, Value, json};
use std::time::{Duration, Instant};

async fn with(environment: Vec<(String, String)>) -> Result<(Stack, Client)> {
    let stack = with_bridge(StackOptions { demo: true, environment, ..StackOptions::default() }).await?;
    stack.1.wait_for("/status", |s| s["mqtt"]["bridge"]["mail_configured"].as_bool()).await?;
    Ok(stack)
}

fn variable(name: &str, value: &str) -> (String, String) {
    (format!("SPIN_VARIABLE_{name}"), value.to_owned())
}

async fn one(stack: &Stack, sql: &str) -> Result<i64> {
    let (db, connection) = tokio_postgres::connect(stack.db(), tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    Ok(db.query_one(sql, &[]).await?.get(0))
}

async fn wait_until(stack: &Stack, sql: &str, wanted: i64) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let found = one(stack, sql).await?;
        if found == wanted {
            return Ok(());
        }
        anyhow::ensure!(Instant::now() < end, "{sql}: {found} instead of {wanted}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_test_mail_arrives_over_starttls_with_login() -> Result<()> {
    let server = MailServer::start(Tls::StartTls).await?;
    let (stack, client) = with(server.environment()).await?;
    let admin = client.sign_in(ADMIN).await?;
    let sent =
        admin.post("/notifications/test-email", json!({"to": "demo@example.com"})).await?.expect(200)?;
    assert_eq!(sent, json!({"ok": true, "message": "Test email sent successfully"}));
    let mail = server.mail_to("demo@example.com").await?;
    assert_eq!((&mail["tls"], &mail["login"]), (&json!(true), &json!(true)));
    assert_eq!(mail["from"], "Plant <plant@example.org>");
    assert!(mail["message_id"].as_str().is_some_and(|id| id.ends_with("@example.org>")), "{mail}");
    assert!(mail["text"].as_str().is_some_and(|t| t.contains("works")), "{mail}");
    assert!(mail["html"].as_str().is_some_and(|t| t.contains("<h1")), "{mail}");
    // without a body: to oneself
    admin.send(http::Method::POST, "/notifications/test-email", &[], "").await?.expect(200)?;
    server.mail_to(ADMIN.0).await?;
    // a refusal of the mail server is passed on
    let refused =
        admin.post("/notifications/test-email", json!({"to": "nobody@example.com"})).await?.expect(502)?;
    let error = refused["error"].as_str().context("no error")?;
    assert!(error.starts_with("Email send failed: ") && error.contains("nobody of this name"), "{error}");
    for bad in [json!({"to": "x"}), json!({"to": 5}), json!({"to": "a@b\r\nBcc: c@d"})] {
        admin.post("/notifications/test-email", bad).await?.expect(422)?;
    }
    assert_eq!(
        one(&stack, "select count(*) from mails where body_text <> '' or body_html is not null").await?,
        0
    );
    assert!(!stack.log("bridge").contains("pass word"), "the password in the log");
    Ok(())
}

#[tokio::test]
async fn without_a_mail_server_the_api_says_so_and_no_mail_is_queued() -> Result<()> {
    let environment = vec![variable("NOTIFICATION_EMAIL_TO", "ops@example.org")];
    let (stack, client) = with(environment).await?;
    let admin = client.sign_in(ADMIN).await?;
    let answer =
        admin.post("/notifications/test-email", json!({"to": "demo@example.com"})).await?.expect(400)?;
    assert_eq!(answer["ok"], false);
    assert!(
        answer["error"].as_str().is_some_and(|e| e.starts_with("Email SMTP credentials are not configured"))
    );
    let failure = json!({"machine_id": "machine-1", "sensor_id": "pressure-head", "anomaly_type": "critical", "duration": 2});
    admin.post("/simulator/trigger-failure", failure).await?.expect(200)?;
    wait_until(&stack, "select count(*) from outbox where event_type = 'alarm.created'", 1).await?;
    let unplanned = "select count(*) from outbox where position > (select position from outbox_cursors where consumer = 'notices')";
    wait_until(&stack, unplanned, 0).await?;
    assert_eq!(one(&stack, "select count(*) from notices").await?, 0);
    Ok(())
}

#[tokio::test]
async fn an_unreachable_mail_server_is_answered_502() -> Result<()> {
    let environment = vec![
        ("EMAIL_SMTP_HOST".to_owned(), "127.0.0.1".to_owned()),
        ("EMAIL_SMTP_PORT".to_owned(), "1".to_owned()),
    ];
    let (_stack, client) = with(environment).await?;
    let admin = client.sign_in(ADMIN).await?;
    let answer =
        admin.post("/notifications/test-email", json!({"to": "demo@example.com"})).await?.expect(502)?;
    let error = answer["error"].as_str().context("no error")?;
    assert!(error.starts_with("Email send failed: ") && error.contains("refused"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_flood_of_alarms_is_one_mail_and_one_message() -> Result<()> {
    let server = MailServer::start(Tls::FromTheStart).await?;
    let slack = Receiver::start().await?;
    let mut environment = server.environment();
    environment.retain(|(name, _)| !name.starts_with("EMAIL_SMTP"));
    environment.extend([
        ("PM_SMTP_URL".to_owned(), server.url(Tls::FromTheStart)),
        variable("NOTIFICATION_EMAIL_TO", "ops@example.org, Ops@example.org"),
        variable("SLACK_WEBHOOK_URL", &slack.url()),
        variable("WEBHOOK_ALLOW_PRIVATE", "true"),
    ]);
    let (stack, client) = with(environment).await?;
    let engineer = client.sign_in(ENGINEER).await?;
    let admin = client.sign_in(ADMIN).await?;
    admin
        .patch("/settings/general.public_url", json!({"value": "https://pm.example/"}))
        .await?
        .expect(200)?;
    engineer
        .patch("/notifications/preferences", json!({"alarms": true, "minimum_severity": "critical"}))
        .await?
        .expect(200)?;
    let (db, connection) = tokio_postgres::connect(stack.db(), tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    db.batch_execute(
        "with m as (insert into machines (name, mqtt_id) values ('Press <7>', 'press-7') returning id)
         insert into sensors (machine_id, name, sensor_type, mqtt_id, warning_threshold)
         select m.id, 'temp ' || n, 'temperature', 'temp-' || n, 50 from m, generate_series(1, 100) n",
    )
    .await?;
    let mut mqtt = Publisher::connect(stack.mqtt_url())?;
    let values: Map<String, Value> = (1..=100).map(|n| (format!("temp-{n}"), json!(60 + n))).collect();
    let payload = json!({"machine_id": "press-7", "values": values});
    mqtt.publish("factory/plant1/line1/press7/sensors", payload.to_string()).await?;
    let mail = server.mail_to("ops@example.org").await?;
    assert_eq!(mail["subject"], "100 notices on Press <7>");
    assert_eq!((&mail["tls"], &mail["login"]), (&json!(true), &json!(true)));
    let (text, html) = (mail["text"].as_str().unwrap_or_default(), mail["html"].as_str().unwrap_or_default());
    assert!(text.contains("Press <7> · ") && text.contains("… and 50 more."), "{text}");
    assert!(text.contains("https://pm.example/app/alarms/"), "{text}");
    assert!(html.contains("Press &lt;7&gt;") && !html.contains("Press <7>"), "{html}");
    let message = slack.wait_for(1).await?.pop().context("no message")?.json()?;
    assert!(
        message["text"].as_str().is_some_and(|t| t.starts_with("*100 notices on Press &lt;7&gt;*\n")),
        "{message}"
    );

    // later alarms wait for the next mail
    db.batch_execute("update sensors set critical_threshold = 100").await?;
    mqtt.publish("factory/plant1/line1/press7/sensors", payload.to_string()).await?;
    wait_until(&stack, "select count(*) from alarms where severity = 'critical'", 61).await?;
    // the engineer asked for critical ones only, and got none before
    let mine = server.mail_to(ENGINEER.0).await?;
    assert_eq!(mine["subject"], "61 notices on Press <7>, some of them critical");
    wait_until(&stack, "select count(*) from notices where recipient = 'ops@example.org'", 61).await?;
    assert_eq!(server.mails().iter().filter(|m| m["to"][0] == "ops@example.org").count(), 1);
    assert_eq!(slack.all().len(), 1);
    Ok(())
}

#[tokio::test]
async fn the_assignee_of_a_ticket_gets_a_mail() -> Result<()> {
    let server = MailServer::start(Tls::StartTls).await?;
    let (stack, client) = with(server.environment()).await?;
    let (db, connection) = tokio_postgres::connect(stack.db(), tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    db.batch_execute(
        "insert into tickets (machine_id, title, priority, assignee)
         select id, 'Oil the <bearing>', 'critical', 'Engineer@example.com' from machines where name = 'Pump-01'",
    )
    .await?;
    let mail = server.mail_to(ENGINEER.0).await?;
    assert_eq!(mail["subject"], "Critical ticket for you: Oil the <bearing>");
    assert!(mail["html"].as_str().is_some_and(|h| h.contains("Oil the &lt;bearing&gt;")), "{mail}");

    let engineer = client.sign_in(ENGINEER).await?;
    let preferences = engineer.get("/notifications/preferences").await?.expect(200)?;
    let usual = json!({"alarms": false, "predictions": false, "ticket_assignments": true, "minimum_severity": "warning",
                       "machine_ids": [], "machine_classes": [], "hours_from": null, "hours_to": null, "zone": null,
                       "summary_at": null});
    assert_eq!(preferences, usual);
    let path = "/notifications/preferences";
    let changed = engineer.patch(path, json!({"ticket_assignments": false})).await?.expect(200)?;
    assert_eq!((&changed["ticket_assignments"], &changed["alarms"]), (&json!(false), &json!(false)));
    assert_eq!(engineer.get(path).await?.expect(200)?, changed);
    engineer.patch(path, json!({"minimum_severity": "mild"})).await?.expect(422)?;
    Ok(())
}

#[tokio::test]
async fn users_choose_machines_and_hours_and_get_a_daily_summary() -> Result<()> {
    let server = MailServer::start(Tls::StartTls).await?;
    let (stack, client) = with(server.environment()).await?;
    let engineer = client.sign_in(ENGINEER).await?;
    let path = "/notifications/preferences";
    for (body, field) in [
        (json!({"hours_from": 360}), "hours_to"),
        (json!({"hours_from": 1440, "hours_to": 0}), "hours_from"),
        (json!({"zone": "Mars/Base"}), "zone"),
        (json!({"machine_ids": ["pump"]}), "machine_ids"),
        (json!({"summary_at": -1}), "summary_at"),
    ] {
        let refused = engineer.patch(path, body).await?.expect(422)?;
        assert_eq!(refused["errors"][0]["loc"][1], field, "{refused}");
    }
    let machines = engineer.get("/machines?sort=name").await?.expect(200)?;
    let (chosen, other) = (&machines[0]["id"], &machines[1]["id"]);
    let wish = json!({"alarms": true, "machine_ids": [chosen], "hours_from": 360, "hours_to": 360, "zone": "Europe/Berlin",
                      "summary_at": 390});
    let stored = engineer.patch(path, wish).await?.expect(200)?;
    assert_eq!((&stored["machine_ids"], &stored["zone"]), (&json!([chosen]), &json!("Europe/Berlin")));
    let cleared = engineer.patch(path, json!({"hours_from": null, "hours_to": null})).await?.expect(200)?;
    assert_eq!((&cleared["hours_from"], &cleared["summary_at"]), (&Value::Null, &json!(390)));

    for (machine, message) in [(other, "not wanted"), (chosen, "wanted")] {
        let body = json!({"machine_id": machine, "severity": "critical", "message": message});
        engineer.post("/alarms", body).await?.expect(201)?;
    }
    let mail = server.mail_to(ENGINEER.0).await?;
    assert!(
        mail["text"].as_str().is_some_and(|t| t.contains("wanted") && !t.contains("not wanted")),
        "{mail}"
    );

    // the hour of the summary comes
    let (db, connection) = tokio_postgres::connect(stack.db(), tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    db.batch_execute("update notification_preferences set summary_due_at = now()").await?;
    let summary =
        |mail: &Value| mail["subject"].as_str().is_some_and(|s| s.starts_with("Alarms of the last day"));
    let end = Instant::now() + Duration::from_secs(30);
    let sent = loop {
        if let Some(mail) = server.mails().into_iter().find(&summary) {
            break mail;
        }
        anyhow::ensure!(Instant::now() < end, "no summary");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(sent["subject"], "Alarms of the last day: 1 raised, 1 not resolved, 0 resolved");
    wait_until(&stack, "select count(*) from notification_preferences where summary_due_at > now()", 1)
        .await?;
    assert_eq!(one(&stack, "select count(*) from mails where kind = 'summary'").await?, 1);
    Ok(())
}
