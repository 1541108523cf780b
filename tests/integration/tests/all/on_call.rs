//! Alarms are told until somebody answers: on-call schedules, escalation chains, mails and services, with a real SMTP server
//! and a real receiver. Steps are seconds apart.

use crate::{
    client::{ADMIN, Client, ENGINEER, VIEWER, text, with_bridge},
    mqtt::Publisher,
    receiver::Receiver,
    smtp::{MailServer, Tls},
    sql,
};
use anyhow::{Context, Result};
use pm_api::Timestamp;
use pm_test_support::{Stack, StackOptions};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A stack with a mail server, a receiver of notices, and three people.
struct Plant {
    stack: Stack,
    client: Client,
    admin: Client,
    engineer: Client,
    server: MailServer,
    receiver: Receiver,
    mqtt: Publisher,
}

impl Plant {
    async fn start() -> Result<Self> {
        let server = MailServer::start(Tls::StartTls).await?;
        let receiver = Receiver::start().await?;
        let mut environment = server.environment();
        environment.push(("SPIN_VARIABLE_WEBHOOK_ALLOW_PRIVATE".to_owned(), "true".to_owned()));
        let (stack, client) =
            with_bridge(StackOptions { demo: true, environment, ..StackOptions::default() }).await?;
        client
            .wait_for("/status", |s| s["mqtt"]["bridge"]["mail_configured"].as_bool().filter(|c| *c))
            .await?;
        let mqtt = Publisher::connect(stack.mqtt_url())?;
        let (admin, engineer) = (client.sign_in(ADMIN).await?, client.sign_in(ENGINEER).await?);
        Ok(Self { stack, client, admin, engineer, server, receiver, mqtt })
    }

    async fn publish(&mut self, value: f64) -> Result<()> {
        let payload = json!({"machine_id": "machine-1", "sensor_id": "pressure-head", "value": value});
        self.mqtt.publish("factory/demo/line1/machine1/sensors", payload.to_string()).await
    }

    /// A critical alarm over MQTT.
    async fn alarm(&mut self) -> Result<Value> {
        self.publish(200.0).await?;
        let first = |list: &Value| list.as_array()?.first().cloned();
        self.engineer.wait_for("/alarms?kind=threshold&status=open", first).await
    }

    async fn id_of(&self, who: (&str, &str)) -> Result<Value> {
        Ok(self.client.sign_in(who).await?.get("/users/me").await?.expect(200)?["id"].clone())
    }

    /// A channel to the receiver.
    async fn channel(&self, kind: &str) -> Result<Value> {
        let body = json!({"name": kind, "kind": kind, "url": self.receiver.url(), "secret": "routing-key"});
        Ok(self.admin.post("/notice-channels", body).await?.expect(201)?["id"].clone())
    }

    async fn chain(&self, steps: Value, repeat_every_s: i64, repeats: i64) -> Result<Value> {
        let body = json!({"name": "Plant", "minimum_severity": "critical", "steps": steps,
                          "repeat_every_s": repeat_every_s, "repeats": repeats});
        self.engineer.post("/escalation-chains", body).await?.expect(201)
    }

    /// How often notices about alarms were handed out.
    async fn handed_out(&self) -> Result<i64> {
        let db = sql::connect(self.stack.db()).await?;
        let sum = "select coalesce(sum(attempts), 0)::int8 from alarm_notices where subject = 'alarm'";
        Ok(db.query_one(sum, &[]).await?.get(0))
    }

    /// Waits until the escalation of the case has ended for this reason.
    async fn ended(&self, reason: &str) -> Result<()> {
        let db = sql::connect(self.stack.db()).await?;
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let row =
                db.query_opt("select end_reason from escalations where ended_at is not null", &[]).await?;
            if let Some(found) = row.and_then(|row| row.get::<_, Option<String>>(0)) {
                anyhow::ensure!(found == reason, "ended because {found}");
                return Ok(());
            }
            anyhow::ensure!(Instant::now() < end, "the escalation did not end");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn rows(list: &Value) -> &[Value] {
    list.as_array().map_or(&[], Vec::as_slice)
}

#[tokio::test]
async fn an_alarm_is_told_step_by_step_until_somebody_acknowledges_it() -> Result<()> {
    let mut plant = Plant::start().await?;
    let (engineer_id, channel) = (plant.id_of(ENGINEER).await?, plant.channel("generic").await?);
    let schedule =
        json!({"name": "Night", "people": [engineer_id], "starts_on": "2026-01-05", "zone": "Europe/Berlin"});
    let schedule = plant.engineer.post("/on-call/schedules", schedule).await?.expect(201)?;
    assert_eq!(schedule["on_call"], engineer_id);
    let steps = json!([{"after_s": 0, "schedule_id": schedule["id"]}, {"after_s": 3, "channel_id": channel}]);
    plant.chain(steps, 5, 50).await?;

    let alarm = plant.alarm().await?;
    // the first step: the person on call, by mail
    let mail = plant.server.mail_to(ENGINEER.0).await?;
    assert!(text(&mail, "subject")?.starts_with("CRITICAL on "), "{mail}");
    assert!(text(&mail, "text")?.contains("Reason: on call: Night"), "{mail}");
    // the second one: a service
    let told = plant.receiver.wait_for(1).await?[0].json()?;
    assert_eq!((&told["alarm_id"], &told["step"], &told["repetition"]), (&alarm["id"], &json!(2), &json!(0)));
    assert_eq!(plant.receiver.all()[0].header("authorization"), "Bearer routing-key");
    // nobody answers: everything again
    let again = plant.receiver.wait_for(2).await?[1].json()?;
    assert_eq!(again["repetition"], 1);

    let path = format!("/alarms/{}", text(&alarm, "id")?);
    plant.engineer.post(&format!("{path}/acknowledge"), json!({})).await?.expect(200)?;
    let handed_out = plant.handed_out().await?;
    plant.ended("acknowledged").await?;
    // longer than until the next step
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(plant.handed_out().await?, handed_out, "nothing was handed out after the acknowledgement");

    // the log of it, on the alarm for everybody, and for administrators
    let log = plant.engineer.get(&format!("{path}/notices")).await?.expect(200)?;
    assert!(rows(&log).len() >= 4, "{log}");
    let first = rows(&log).last().context("no notice")?;
    assert_eq!(
        (&first["fate"], &first["channel"], &first["step"]),
        (&json!("delivered"), &json!("mail"), &json!(1))
    );
    assert_eq!((&first["user_id"], &first["chain"]), (&engineer_id, &json!("Plant")));
    let all = plant.admin.get("/alarm-notices?fate=delivered").await?.expect(200)?;
    assert!(rows(&all).len() >= 4, "{all}");
    plant.engineer.get("/alarm-notices").await?.expect(403)?;
    Ok(())
}

#[tokio::test]
async fn an_override_wins_and_a_case_is_told_once() -> Result<()> {
    let mut plant = Plant::start().await?;
    let (engineer_id, viewer_id) = (plant.id_of(ENGINEER).await?, plant.id_of(VIEWER).await?);
    let schedule = json!({"name": "Day", "people": [engineer_id], "starts_on": "2026-01-05"});
    let schedule = plant.engineer.post("/on-call/schedules", schedule).await?.expect(201)?;
    let now = Timestamp(i64::try_from(std::time::UNIX_EPOCH.elapsed()?.as_micros())?);
    let stand_in =
        json!({"user_id": viewer_id, "starts_at": now.plus_seconds(-60), "ends_at": now.plus_seconds(3600)});
    let path = format!("/on-call/schedules/{}", text(&schedule, "id")?);
    plant.engineer.post(&format!("{path}/overrides"), stand_in).await?.expect(201)?;
    let seen = plant.engineer.get(&path).await?.expect(200)?;
    assert_eq!(seen["on_call"], viewer_id);
    let shifts = plant.engineer.get(&format!("{path}/shifts")).await?.expect(200)?;
    let said: Vec<_> = rows(&shifts).iter().map(|s| (&s["user_id"], &s["reason"])).collect();
    assert_eq!(said, [(&viewer_id, &json!("override")), (&engineer_id, &json!("rotation"))]);

    plant.chain(json!([{"after_s": 0, "schedule_id": schedule["id"]}]), 600, 0).await?;
    let alarm = plant.alarm().await?;
    plant.server.mail_to(VIEWER.0).await?;
    // a second alarm of the same trouble belongs to the case
    let body = json!({"machine_id": alarm["machine_id"], "sensor_id": alarm["sensor_id"], "severity": "critical",
                      "message": "leak"});
    let second = plant.engineer.post("/alarms", body).await?.expect(201)?;
    let db = sql::connect(plant.stack.db()).await?;
    let joins = "update alarms set case_id = $1::text::uuid where id = $2::text::uuid";
    db.execute(joins, &[&text(&alarm, "id")?, &text(&second, "id")?]).await?;
    let log = plant.engineer.get(&format!("/alarms/{}/notices", text(&second, "id")?)).await?.expect(200)?;
    assert_eq!(rows(&log).len(), 1, "{log}");
    assert_eq!(rows(&log)[0]["alarm_id"], alarm["id"]);
    assert!(plant.server.mails().iter().all(|m| m["to"][0] != ENGINEER.0), "the override wins");
    Ok(())
}

#[tokio::test]
async fn a_restart_between_steps_loses_nothing_and_repeats_nothing() -> Result<()> {
    let mut plant = Plant::start().await?;
    let channel = plant.channel("generic").await?;
    let steps = json!([{"after_s": 0, "channel_id": channel}, {"after_s": 4, "mail": "second@example.com"},
                       {"after_s": 6, "channel_id": channel}]);
    plant.chain(steps, 600, 0).await?;
    let alarm = plant.alarm().await?;
    // a notice that is under way when the host dies would be sent again: at least once
    let delivered = |log: &Value| (log.as_array()?.first()?["fate"] == "delivered").then_some(());
    plant.engineer.wait_for(&format!("/alarms/{}/notices", text(&alarm, "id")?), delivered).await?;
    plant.stack.kill("host").await?;
    // two steps become due meanwhile
    tokio::time::sleep(Duration::from_secs(7)).await;
    plant.stack.restart("host").await?;
    plant.server.mail_to("second@example.com").await?;
    let told = plant.receiver.wait_for(2).await?;
    let steps: Vec<_> = told.iter().map(|t| t.json().map(|j| j["step"].clone())).collect::<Result<_>>()?;
    assert_eq!(steps, [json!(1), json!(3)]);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(plant.receiver.all().len(), 2, "nothing twice");
    let mails = plant.server.mails();
    assert_eq!(mails.iter().filter(|m| m["to"][0] == "second@example.com").count(), 1, "{mails:?}");
    Ok(())
}

#[tokio::test]
async fn pager_duty_hears_of_the_answer_and_of_the_end() -> Result<()> {
    let mut plant = Plant::start().await?;
    let channel = plant.channel("pagerduty").await?;
    plant.chain(json!([{"after_s": 0, "channel_id": channel}]), 600, 0).await?;
    let alarm = plant.alarm().await?;
    let trigger = plant.receiver.wait_for(1).await?[0].json()?;
    assert_eq!(
        (&trigger["event_action"], &trigger["routing_key"]),
        (&json!("trigger"), &json!("routing-key"))
    );
    let path = format!("/alarms/{}", text(&alarm, "id")?);
    plant.engineer.post(&format!("{path}/acknowledge"), json!({})).await?.expect(200)?;
    let answered = plant.receiver.wait_for(2).await?[1].json()?;
    plant.engineer.post(&format!("{path}/resolve"), json!({})).await?.expect(200)?;
    let resolved = plant.receiver.wait_for(3).await?[2].json()?;
    for (event, action) in [(&answered, "acknowledge"), (&resolved, "resolve")] {
        assert_eq!((&event["event_action"], &event["dedup_key"]), (&json!(action), &trigger["dedup_key"]));
    }
    // the key is never shown, neither by the API nor in the audit log
    let shown = plant.admin.get("/notice-channels").await?.expect(200)?;
    assert!(rows(&shown)[0]["has_secret"] == true && !shown.to_string().contains("routing-key"), "{shown}");
    let audited = plant.admin.get("/audit/logs?resource_type=notice_channel").await?.expect(200)?;
    assert!(rows(&audited).len() == 1 && !audited.to_string().contains("routing-key"), "{audited}");
    Ok(())
}

#[tokio::test]
async fn shelving_and_maintenance_end_an_escalation_and_it_begins_again_after_them() -> Result<()> {
    let mut plant = Plant::start().await?;
    let channel = plant.channel("generic").await?;
    plant.chain(json!([{"after_s": 0, "channel_id": channel}]), 2, 50).await?;
    let alarm = plant.alarm().await?;
    plant.receiver.wait_for(2).await?;
    let path = format!("/alarms/{}", text(&alarm, "id")?);
    let shelving = json!({"duration_s": 3600, "reason": "known"});
    plant.engineer.post(&format!("{path}/shelve"), shelving).await?.expect(200)?;
    let handed_out = plant.handed_out().await?;
    plant.ended("shelved").await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(plant.handed_out().await?, handed_out, "nothing while it is shelved");
    let told = plant.receiver.all().len();
    plant.engineer.delete(&format!("{path}/shelve")).await?.expect(200)?;
    let again = plant.receiver.wait_for(told + 1).await?[told].json()?;
    assert_eq!((&again["step"], &again["repetition"]), (&json!(1), &json!(0)), "from the first step on");

    let machine = format!("/machines/{}", text(&alarm, "machine_id")?);
    plant.engineer.patch(&machine, json!({"status": "maintenance"})).await?.expect(200)?;
    let handed_out = plant.handed_out().await?;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(plant.handed_out().await?, handed_out, "nothing while the machine is under maintenance");
    Ok(())
}

#[tokio::test]
async fn what_is_refused_says_which_field() -> Result<()> {
    let stack =
        Stack::start(StackOptions { demo: true, without_bridge: true, ..StackOptions::default() }).await?;
    let client = Client::new(&stack.base_url());
    let (admin, engineer) = (client.sign_in(ADMIN).await?, client.sign_in(ENGINEER).await?);
    let viewer = client.sign_in(VIEWER).await?;
    let nobody = "01890000-0000-7000-8000-000000000000";
    let me = engineer.get("/users/me").await?.expect(200)?["id"].clone();
    let schedule = json!({"name": "Night", "people": [me], "starts_on": "2026-01-05"});
    viewer.post("/on-call/schedules", schedule.clone()).await?.expect(403)?;
    let refused = async |path: &str, body: Value, loc: Value| -> Result<()> {
        let refused = admin.post(path, body).await?.expect(422)?;
        anyhow::ensure!(refused["errors"][0]["loc"] == loc, "{refused}");
        Ok(())
    };
    for (field, value) in [
        ("zone", json!("Mars/Base")),
        ("people", json!([nobody])),
        ("people", json!([])),
        ("turn_days", json!(0)),
        ("hand_over_minute", json!(1440)),
        ("starts_on", json!("tomorrow")),
        ("holidays", json!([{"day": "2026-12-25", "user_id": nobody}])),
        ("name", json!(" ")),
    ] {
        let mut body = schedule.clone();
        body[field] = value;
        refused("/on-call/schedules", body, json!(["body", field])).await?;
    }
    let schedule_id = engineer.post("/on-call/schedules", schedule.clone()).await?.expect(201)?["id"].clone();
    refused("/on-call/schedules", schedule, json!(["body", "name"])).await?;
    let path = format!("/on-call/schedules/{}", schedule_id.as_str().context("no id")?);
    let backwards =
        json!({"user_id": me, "starts_at": "2026-12-02T00:00:00Z", "ends_at": "2026-12-01T00:00:00Z"});
    refused(&format!("{path}/overrides"), backwards, json!(["body", "ends_at"])).await?;
    let foreign =
        json!({"user_id": nobody, "starts_at": "2026-12-01T00:00:00Z", "ends_at": "2026-12-02T00:00:00Z"});
    refused(&format!("{path}/overrides"), foreign, json!(["body", "user_id"])).await?;

    let chain = |steps: Value| json!({"name": "Plant", "steps": steps});
    for (steps, loc) in [
        (json!([]), json!(["body", "steps"])),
        (json!([{"after_s": 0}]), json!(["body", "steps", 0, "user_id"])),
        (json!([{"after_s": 0, "role": "admin", "user_id": me}]), json!(["body", "steps", 0, "user_id"])),
        (json!([{"after_s": 0, "user_id": nobody}]), json!(["body", "steps", 0, "user_id"])),
        (json!([{"after_s": 0, "channel_id": nobody}]), json!(["body", "steps", 0, "channel_id"])),
        (json!([{"after_s": -1, "role": "admin"}]), json!(["body", "steps", 0, "after_s"])),
        (json!([{"after_s": 0, "mail": "nobody"}]), json!(["body", "steps", 0, "mail"])),
    ] {
        refused("/escalation-chains", chain(steps), loc).await?;
    }
    let mut both = chain(json!([{"after_s": 0, "schedule_id": schedule_id}]));
    engineer.post("/escalation-chains", both.clone()).await?.expect(201)?;
    assert_eq!(engineer.delete(&path).await?.status, 409, "a step names it");
    both["machine_id"] = json!(nobody);
    both["name"] = json!("Other");
    refused("/escalation-chains", both, json!(["body", "machine_id"])).await?;

    for (body, field) in [
        (json!({"name": "a", "kind": "fax", "url": "https://example.com"}), "kind"),
        (json!({"name": "a", "kind": "teams"}), "url"),
        (json!({"name": "a", "kind": "pagerduty"}), "secret"),
        (json!({"name": "a", "kind": "slack", "url": "http://127.0.0.1/"}), "url"),
        (json!({"name": "a", "kind": "ntfy", "url": "https://ntfy.example"}), "url"),
    ] {
        refused("/notice-channels", body, json!(["body", field])).await?;
    }
    engineer.post("/notice-channels", json!({})).await?.expect(403)?;
    Ok(())
}
