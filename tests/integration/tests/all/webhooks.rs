//! Webhooks: their management, signed delivery, retries, replay, rotation, and what they may not reach.

use crate::{
    client::{ADMIN, Client, ENGINEER, VIEWER},
    receiver::Receiver,
};
use anyhow::{Context, Result, ensure};
use http::Method;
use pm_api::{
    tick::{Tick, TickAnswer},
    webhook::{DeliverReport, DeliverRequest},
};
use pm_test_support::{Stack, StackOptions};
use serde_json::{Value, json};
use std::collections::HashSet;

/// A stack without bridge, whose clock the test moves itself.
struct Plant {
    stack: Stack,
    admin: Client,
    engineer: Client,
    bridge: Client,
}

impl Plant {
    async fn start(allow_private: bool) -> Result<Self> {
        let environment = if allow_private {
            vec![("SPIN_VARIABLE_WEBHOOK_ALLOW_PRIVATE".to_owned(), "true".to_owned())]
        } else {
            Vec::new()
        };
        let options =
            StackOptions { demo: true, without_bridge: true, environment, ..StackOptions::default() };
        let stack = Stack::start(options).await?;
        let client = Client::new(&stack.base_url());
        Ok(Self {
            admin: client.sign_in(ADMIN).await?,
            engineer: client.sign_in(ENGINEER).await?,
            bridge: client.with_token(stack.service_token()),
            stack,
        })
    }

    async fn webhook(&self, body: Value) -> Result<Value> {
        self.admin.post("/webhooks", body).await?.expect(201)
    }

    async fn tick(&self) -> Result<TickAnswer> {
        let tick = serde_json::to_value(Tick::default())?;
        Ok(serde_json::from_value(self.bridge.post("/internal/tick", tick).await?.expect(200)?)?)
    }

    async fn deliver(&self) -> Result<DeliverReport> {
        let due = serde_json::to_value(DeliverRequest::Due)?;
        Ok(serde_json::from_value(self.bridge.post("/internal/deliver", due).await?.expect(200)?)?)
    }

    /// What the clock does in a second.
    async fn second(&self) -> Result<DeliverReport> {
        self.tick().await?;
        self.deliver().await
    }

    async fn sql(&self, sql: &str) -> Result<()> {
        let (db, connection) = tokio_postgres::connect(self.stack.db(), tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        Ok(db.batch_execute(sql).await?)
    }

    /// The retries' time has come.
    async fn retries_are_due(&self) -> Result<()> {
        self.sql("update webhook_deliveries set next_attempt_at = now() where status = 'pending'").await
    }

    async fn alarm(&self) -> Result<()> {
        let body = json!({"machine_id": "machine-1", "sensor_id": "pressure-head", "anomaly_type": "critical",
                          "duration": 2, "value_multiplier": 2.0});
        self.engineer.post("/simulator/trigger-failure", body).await?.expect(200).map(drop)
    }

    async fn machine_status(&self, status: &str) -> Result<()> {
        let machine = self.engineer.get("/machines").await?.expect(200)?[0]["id"].clone();
        let path = format!("/machines/{}", machine.as_str().context("no machine")?);
        self.engineer.patch(&path, json!({"status": status})).await?.expect(200).map(drop)
    }
}

fn path(webhook: &Value) -> Result<String> {
    Ok(format!("/webhooks/{}", webhook["id"].as_str().context("no id")?))
}

fn secret(webhook: &Value) -> Result<&str> {
    webhook["secret"].as_str().context("no secret")
}

#[tokio::test]
async fn events_arrive_signed_once_and_are_logged() -> Result<()> {
    let plant = Plant::start(true).await?;
    let receiver = Receiver::start().await?;
    let webhook = plant
        .webhook(json!({"name": "hook", "url": receiver.url(), "events": ["alarm.*", "ticket.created"],
                        "headers": {"X-A": "1"}}))
        .await?;
    let other = Receiver::start().await?;
    plant.webhook(json!({"name": "machines", "url": other.url(), "events": ["machine.status"]})).await?;
    plant.alarm().await?;
    plant.machine_status("maintenance").await?;
    plant.tick().await?;
    // several hands at once send nothing twice
    let hands = tokio::try_join!(plant.second(), plant.second(), plant.deliver(), plant.deliver())?;
    let delivered = [&hands.0, &hands.1, &hands.2, &hands.3].iter().map(|h| h.delivered).sum::<u32>();
    let received = receiver.all();
    let events: Vec<_> = received.iter().map(|r| r.event()).collect();
    assert_eq!(events.iter().collect::<HashSet<_>>().len(), 2, "{events:?}");
    let ids: HashSet<_> = received.iter().map(|r| r.header("webhook-id").to_owned()).collect();
    assert_eq!(ids.len(), received.len(), "each event once");
    assert_eq!(delivered as usize, received.len() + other.all().len());

    let alarm = receiver.of("alarm.created").pop().context("no alarm")?;
    alarm.verify(secret(&webhook)?)?;
    assert!(alarm.verify("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").is_err(), "another secret");
    assert_eq!(alarm.header("x-a"), "1");
    assert_eq!(alarm.header("content-type"), "application/json");
    let older = pm_domain::webhook::old_signature(secret(&webhook)?, std::str::from_utf8(&alarm.body)?);
    assert_eq!(alarm.header("x-webhook-signature"), older);
    let body = alarm.json()?;
    assert_eq!(body.as_object().context("an object")?.len(), 3);
    assert!(body["timestamp"].as_str().is_some_and(|t| t.ends_with('Z')), "{body}");
    assert_eq!((&body["data"]["severity"], &body["data"]["kind"]), (&json!("critical"), &json!("threshold")));

    let status = other.of("machine.status").pop().context("no machine.status")?.json()?;
    assert_eq!(status["data"]["status"], "maintenance");
    assert_eq!(status["data"]["previous_status"], "online");

    let log_path = format!("{}/deliveries", path(&webhook)?);
    let answer = plant.engineer.get(&format!("{log_path}?status=delivered&limit=1")).await?;
    assert_eq!(answer.headers["x-total-count"], received.len().to_string());
    let log = plant.engineer.get(&log_path).await?.expect(200)?;
    let entry =
        log.as_array().and_then(|l| l.iter().find(|d| d["event"] == "alarm.created")).context("no entry")?;
    assert_eq!(entry["event_id"], alarm.header("webhook-id"));
    assert_eq!((&entry["response_status"], &entry["response_body"]), (&json!(200), &json!("received")));
    assert_eq!((&entry["attempts"], &entry["next_attempt_at"]), (&json!(1), &json!(null)));
    assert_eq!(entry["request_body"].as_str().map(str::as_bytes), Some(&*alarm.body));

    // replayed: the same event under the same id
    let entry_path = format!("{log_path}/{}", entry["id"].as_str().context("no id")?);
    let before = receiver.all().len();
    plant.engineer.post(&format!("{entry_path}/replay"), json!({})).await?.expect(202)?;
    plant.engineer.post(&format!("{entry_path}/replay"), json!({})).await?.expect(409)?;
    plant.deliver().await?;
    let again = receiver.wait_for(before + 1).await?.pop().context("nothing replayed")?;
    again.verify(secret(&webhook)?)?;
    assert_eq!((again.header("webhook-id"), &again.body), (alarm.header("webhook-id"), &alarm.body));
    assert_eq!(plant.engineer.get(&entry_path).await?.expect(200)?["status"], "delivered");
    Ok(())
}

#[tokio::test]
async fn a_receiver_that_was_down_gets_each_event_once() -> Result<()> {
    let plant = Plant::start(true).await?;
    let receiver = Receiver::start().await?;
    let webhook = plant.webhook(json!({"name": "hook", "url": receiver.url(), "events": ["*"]})).await?;
    let deliveries = format!("{}/deliveries", path(&webhook)?);
    receiver.answer(503);
    plant.alarm().await?;
    let failed = plant.second().await?;
    assert_eq!((failed.delivered, failed.error.as_deref()), (0, Some("the receiver answered 503")));
    let address = receiver.address;
    let tried: HashSet<_> = receiver.all().iter().map(|r| r.header("webhook-id").to_owned()).collect();
    drop(receiver);
    plant.machine_status("degraded").await?;
    plant.retries_are_due().await?;
    assert_eq!(plant.second().await?.delivered, 0);
    let log = plant.engineer.get(&format!("{deliveries}?status=pending")).await?.expect(200)?;
    let waiting = log.as_array().context("a list")?;
    assert_eq!(waiting.len(), tried.len() + 1);
    for entry in waiting {
        assert_eq!(entry["error"], "the receiver gave no answer", "{entry}");
        assert!(entry["next_attempt_at"].is_string() && entry["response_status"].is_null(), "{entry}");
    }
    let receiver = Receiver::at(address).await?;
    plant.retries_are_due().await?;
    while plant.second().await?.more {}
    let received = receiver.all();
    let ids: HashSet<_> = received.iter().map(|r| r.header("webhook-id").to_owned()).collect();
    assert_eq!((received.len(), ids.len()), (waiting.len(), waiting.len()), "each event once");
    assert!(tried.is_subset(&ids), "under the id of the first attempt");
    for request in &received {
        request.verify(secret(&webhook)?)?;
    }
    assert_eq!(plant.second().await?, DeliverReport::default(), "nothing is left");
    Ok(())
}

#[tokio::test]
async fn retries_end_and_410_disables() -> Result<()> {
    let plant = Plant::start(true).await?;
    let receiver = Receiver::start().await?;
    receiver.answer(302);
    let body = json!({"name": "hook", "url": receiver.url(), "events": ["machine.*"], "retry_count": 1});
    let webhook = plant.webhook(body).await?;
    let deliveries = format!("{}/deliveries", path(&webhook)?);
    plant.machine_status("offline").await?;
    for _ in 0..3 {
        plant.second().await?;
        plant.retries_are_due().await?;
    }
    assert_eq!(receiver.all().len(), 2, "one attempt and one retry");
    let log = plant.engineer.get(&deliveries).await?.expect(200)?;
    assert_eq!(
        (&log[0]["status"], &log[0]["error"]),
        (&json!("failed"), &json!("the receiver answered 302"))
    );

    receiver.answer(410);
    plant.machine_status("online").await?;
    plant.second().await?;
    let disabled = plant.engineer.get(&path(&webhook)?).await?.expect(200)?;
    assert_eq!(disabled["is_active"], false);
    assert!(disabled["disabled_reason"].as_str().is_some_and(|r| r.contains("410")), "{disabled}");
    plant.machine_status("degraded").await?;
    plant.second().await?;
    assert_eq!(receiver.all().len(), 3, "nothing more is sent");
    let enabled = plant.admin.patch(&path(&webhook)?, json!({"is_active": true})).await?.expect(200)?;
    assert_eq!((&enabled["is_active"], &enabled["disabled_reason"]), (&json!(true), &json!(null)));
    Ok(())
}

#[tokio::test]
async fn secrets_rotate_and_are_not_shown_again() -> Result<()> {
    let plant = Plant::start(true).await?;
    let receiver = Receiver::start().await?;
    let created = plant.webhook(json!({"name": "hook", "url": receiver.url(), "events": ["*"]})).await?;
    let path = path(&created)?;
    for shown in [
        plant.engineer.get(&path).await?.expect(200)?,
        plant.engineer.get("/webhooks").await?.expect(200)?[0].clone(),
        plant.admin.patch(&path, json!({"name": "renamed", "secret": "********"})).await?.expect(200)?,
    ] {
        assert_eq!(shown["secret"], "********");
    }
    let rotated = plant.admin.post(&format!("{path}/rotate-secret"), json!({})).await?.expect(200)?;
    assert_ne!(secret(&rotated)?, secret(&created)?);
    assert!(rotated["previous_secret_expires_at"].is_string());
    let test = plant.admin.post(&format!("{path}/test"), json!({})).await?.expect(200)?;
    assert_eq!(test, json!({"ok": true, "message": "Webhook triggered successfully"}));
    let received = receiver.wait_for(1).await?.pop().context("no test")?;
    assert_eq!(received.event(), "test.event");
    received.verify(secret(&rotated)?)?;
    received.verify(secret(&created)?)?;
    plant.sql("update webhooks set previous_secret_expires_at = now() - interval '1 second'").await?;
    plant.admin.post(&format!("{path}/test"), json!({})).await?.expect(200)?;
    let received = receiver.wait_for(2).await?.pop().context("no second test")?;
    received.verify(secret(&rotated)?)?;
    assert!(received.verify(secret(&created)?).is_err(), "the old secret has had its day");

    receiver.answer(500);
    let failed = plant.admin.post(&format!("{path}/test"), json!({})).await?.expect(502)?;
    assert_eq!(failed, json!({"ok": false, "error": "the receiver answered 500"}));
    let audit = format!("{:?}", plant.audit_of_webhooks().await?);
    assert!(audit.contains("rotate_secret"), "{audit}");
    for secret in [secret(&created)?, secret(&rotated)?] {
        assert!(!audit.contains(secret), "a secret in the audit log");
    }
    Ok(())
}

impl Plant {
    async fn audit_of_webhooks(&self) -> Result<Vec<(String, Option<Value>)>> {
        let (db, connection) = tokio_postgres::connect(self.stack.db(), tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        let rows = db
            .query("select action_type, metadata from audit_log where resource_type = 'webhook'", &[])
            .await?;
        Ok(rows.iter().map(|r| (r.get(0), r.get(1))).collect())
    }
}

#[tokio::test]
async fn headers_of_a_webhook_are_sent_and_never_shown() -> Result<()> {
    let plant = Plant::start(true).await?;
    let receiver = Receiver::start().await?;
    let headers = json!({"Authorization": "Bearer t0ken", "X-Plant": "one"});
    let new = json!({"name": "hook", "url": receiver.url(), "events": ["*"], "headers": headers});
    let created = plant.webhook(new).await?;
    let path = path(&created)?;
    let masked = json!({"Authorization": "********", "X-Plant": "********"});
    for shown in [
        created.clone(),
        plant.engineer.get(&path).await?.expect(200)?,
        plant.admin.get("/webhooks").await?.expect(200)?[0].clone(),
        plant.admin.post(&format!("{path}/rotate-secret"), json!({})).await?.expect(200)?,
        // what was read is sent back, with a change
        plant
            .admin
            .patch(&path, json!({"headers": {"Authorization": "********", "X-Plant": "two"}}))
            .await?
            .expect(200)?,
    ] {
        assert_eq!(shown["headers"], masked);
    }
    plant.admin.post(&format!("{path}/test"), json!({})).await?.expect(200)?;
    let received = receiver.wait_for(1).await?.pop().context("no test")?;
    assert_eq!(received.headers["authorization"], "Bearer t0ken");
    assert_eq!(received.headers["x-plant"], "two");
    let unknown = json!({"headers": {"X-Other": "********"}});
    let refused = plant.admin.patch(&path, unknown).await?.expect(422)?;
    assert_eq!(refused["errors"][0]["loc"], json!(["body", "headers"]));
    plant.engineer.post(&format!("{path}/test"), json!({})).await?.expect(403)?;
    plant.engineer.post("/notifications/test-webhook", json!({"url": receiver.url()})).await?.expect(403)?;
    Ok(())
}

#[tokio::test]
async fn an_event_is_sent_in_the_trace_of_the_reading_that_caused_it() -> Result<()> {
    let plant = Plant::start(true).await?;
    let receiver = Receiver::start().await?;
    plant.webhook(json!({"name": "hook", "url": receiver.url(), "events": ["alarm.created"]})).await?;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    let headers = [("content-type", "application/json"), ("traceparent", parent.as_str())];
    let failure = json!({"machine_id": "machine-1", "sensor_id": "pressure-head", "duration": 4}).to_string();
    let answer = plant.admin.send(Method::POST, "/simulator/trigger-failure", &headers, failure).await?;
    answer.expect(200)?;
    plant.second().await?;
    let received = receiver.wait_for(1).await?.pop().context("no event")?;
    let sent = received.header("traceparent").to_owned();
    assert!(sent.starts_with(&format!("00-{trace}-")) && sent != parent, "{sent}");
    let log = plant.stack.log("host");
    assert!(
        log.lines().any(|line| line.contains("/simulator/trigger-failure") && line.contains(trace)),
        "{log}"
    );
    Ok(())
}

#[tokio::test]
async fn private_addresses_are_refused_unless_allowed() -> Result<()> {
    let plant = Plant::start(false).await?;
    let receiver = Receiver::start().await?;
    for url in [
        receiver.url(),
        "http://localhost:8000/".to_owned(),
        "http://2130706433/".to_owned(),
        "http://[::ffff:127.0.0.1]/".to_owned(),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "http://ingest.spin.internal/internal/ingest".to_owned(),
    ] {
        let body = json!({"name": "x", "url": url, "events": ["*"]});
        let refused = plant.admin.post("/webhooks", body).await?.expect(422)?;
        assert_eq!(refused["errors"][0]["loc"], json!(["body", "url"]), "{url}");
        let refused =
            plant.admin.post("/notifications/test-webhook", json!({"url": url})).await?.expect(422)?;
        assert_eq!(refused["errors"][0]["loc"], json!(["body", "url"]), "{url}");
    }
    // and once more when it is sent, should one have come in otherwise
    plant
        .sql(&format!(
            "insert into webhooks (name, url, secret, events) values ('x', '{}', 's3cr3t', array['*'])",
            receiver.url()
        ))
        .await?;
    plant.machine_status("offline").await?;
    let report = plant.second().await?;
    assert_eq!((report.delivered, report.failed), (0, 1));
    assert!(report.error.is_some_and(|e| e.contains("private network")));
    ensure!(receiver.all().is_empty(), "it was reached");
    Ok(())
}

#[tokio::test]
async fn invalid_webhooks_are_refused_with_the_field() -> Result<()> {
    let plant = Plant::start(false).await?;
    let good = json!({"name": "hook", "url": "https://example.org/hook", "secret": "s3cr3t",
                      "events": ["alarm.created", "prediction.critical"], "is_active": true, "headers": {"X-A": "1"}});
    let with = |key: &str, value: Value| {
        let mut body = good.clone();
        body[key] = value;
        body
    };
    // as documented, and then with numbers instead of texts
    let created = plant.webhook(good.clone()).await?;
    assert_eq!((&created["secret"], &created["timeout_seconds"]), (&json!("s3cr3t"), &json!("5")));
    assert_eq!(created["events"], json!(["alarm.created", "prediction.critical"]));
    let numbers = plant.webhook(with("timeout_seconds", json!(7))).await?;
    assert_eq!(numbers["timeout_seconds"], "7");
    assert_eq!(plant.webhook(with("retry_count", json!("3"))).await?["retry_count"], "3");
    for (key, value) in [
        ("name", json!("")),
        ("name", json!("x".repeat(129))),
        ("url", json!("example.org")),
        ("url", json!(5)),
        ("events", json!([])),
        ("events", json!("alarm.created")),
        ("events", json!(["banana.ripe"])),
        ("secret", json!("whsec_short")),
        ("headers", json!({"Host": "x"})),
        ("headers", json!({"Transfer-Encoding": "chunked"})),
        ("headers", json!({"X-A": "a\r\nX-B: c"})),
        ("headers", json!({"X-A": 1})),
        ("timeout_seconds", json!(0)),
        ("timeout_seconds", json!("31")),
        ("timeout_seconds", json!("soon")),
        ("retry_count", json!(-1)),
        ("retry_count", json!(1.5)),
        ("is_active", json!("yes")),
        ("metadata", json!([])),
    ] {
        for answer in [
            plant.admin.post("/webhooks", with(key, value.clone())).await?,
            plant.admin.patch(&path(&created)?, json!({key: value})).await?,
        ] {
            let refused = answer.expect(422)?;
            assert_eq!(refused["errors"][0]["loc"], json!(["body", key]), "{key} {value}: {refused}");
        }
    }
    for missing in ["name", "url", "events"] {
        let mut body = good.clone();
        body.as_object_mut().context("an object")?.remove(missing);
        let refused = plant.admin.post("/webhooks", body).await?.expect(422)?;
        assert_eq!(refused["errors"][0]["type"], "missing", "{missing}");
        assert_eq!(refused["errors"][0]["loc"], json!(["body", missing]));
    }
    assert_eq!(plant.engineer.get("/webhooks?is_active=false").await?.expect(200)?, json!([]));
    plant.engineer.get("/webhooks?is_active=perhaps").await?.expect(422)?;
    plant.engineer.get(&format!("{}/deliveries?status=lost", path(&created)?)).await?.expect(422)?;
    plant.engineer.delete(&path(&created)?).await?.expect(403)?;
    assert_eq!(plant.admin.delete(&path(&created)?).await?.status, 204);
    plant.engineer.get(&path(&created)?).await?.expect(404)?;
    plant.engineer.get(&format!("{}/deliveries", path(&created)?)).await?.expect(404)?;
    let viewer = Client::new(&plant.stack.base_url()).sign_in(VIEWER).await?;
    viewer.get("/webhooks").await?.expect(403)?;
    Ok(())
}

#[tokio::test]
async fn a_test_delivery_reports_the_receivers_answer() -> Result<()> {
    let plant = Plant::start(true).await?;
    let receiver = Receiver::start().await?;
    let body = json!({"url": receiver.url(), "event_type": "test.event"});
    let answer = plant.admin.post("/notifications/test-webhook", body).await?.expect(200)?;
    assert_eq!(answer, json!({"ok": true, "message": "Webhook triggered successfully"}));
    let received = receiver.wait_for(1).await?.pop().context("no test")?.json()?;
    assert_eq!((&received["event"], &received["data"]["test"]), (&json!("test.event"), &json!(true)));
    assert_eq!(received["timestamp"], received["data"]["timestamp"]);
    // a closed port, one that never answers and one that is no web server cannot be told apart
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let other = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let other_address = other.local_addr()?;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = other.accept().await {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"220 mail.example.org ESMTP\r\n").await;
        }
    });
    for url in [
        "http://127.0.0.1:1/hook".to_owned(),
        format!("http://{}/hook", silent.local_addr()?),
        format!("http://{other_address}/hook"),
        format!("https://{other_address}/hook"),
    ] {
        let answer =
            plant.admin.post("/notifications/test-webhook", json!({"url": url})).await?.expect(502)?;
        let expected = json!({"ok": false, "error": "Webhook request failed: the receiver gave no answer"});
        assert_eq!(answer, expected, "{url}");
    }
    Ok(())
}
