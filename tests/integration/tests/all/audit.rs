//! The audit log: what gets into it, what does not, how it is searched.

use crate::client::{ADMIN, Client, ENGINEER, VIEWER};
use anyhow::{Context, Result};
use http::Method;
use pm_test_support::{Stack, StackOptions, database};
use serde_json::{Value, json};

/// Tables whose rows the system writes by itself, or that are the record of something audited elsewhere.
const OF_THE_SYSTEM: &[&str] = &[
    "alarm_notices",
    "alarm_transitions",
    "attachment_contents",
    "audit_log",
    "backtest_outcomes",
    "clock_tasks",
    "counts",
    "dead_letters",
    "deleted_sensors",
    "escalations",
    "event_streams",
    "idempotency_keys",
    "import_parts",
    "login_throttle",
    "machine_state",
    "mails",
    "model_drift",
    "model_records",
    "model_shadow",
    "newest_alarms",
    "notices",
    "outbox",
    "outbox_cursors",
    "password_resets",
    "predictions",
    "predictions_1m",
    "provider_documents",
    "reading_totals",
    "readings_1h",
    "readings_1m",
    "refresh_families",
    "report_pieces",
    "request_counts",
    "retention_marks",
    "rollup_changes",
    "sensor_data",
    "sensor_latest",
    "sensor_state",
    "service_reports",
    "spent_tickets",
    "stray_objects",
    "suppressed_conditions",
    "ticket_transitions",
    "waveforms",
    "webhook_deliveries",
];

async fn stack() -> Result<(Stack, Client)> {
    let stack =
        Stack::start(StackOptions { demo: true, without_bridge: true, ..StackOptions::default() }).await?;
    let client = Client::new(&stack.base_url());
    Ok((stack, client))
}

fn entries(list: &Value) -> Result<&Vec<Value>> {
    list.as_array().with_context(|| list.to_string())
}

#[tokio::test]
async fn every_table_that_people_change_is_audited() -> Result<()> {
    let database = database().await?;
    let (client, connection) = tokio_postgres::connect(database.url(), tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    let unaudited = "
        select distinct table_name::text from information_schema.table_privileges
        where grantee like 'pm\\_%' and table_schema = 'public' and privilege_type in ('INSERT', 'UPDATE', 'DELETE')
        except
        select c.relname::text from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_proc p on p.oid = t.tgfoid
        where p.proname = 'audit_row'";
    let unaudited: Vec<String> = client.query(unaudited, &[]).await?.iter().map(|r| r.get(0)).collect();
    assert!(unaudited.iter().any(|t| t == "sensor_data"), "{unaudited:?}");
    let forgotten: Vec<_> = unaudited.iter().filter(|t| !OF_THE_SYSTEM.contains(&t.as_str())).collect();
    assert!(forgotten.is_empty(), "no trigger audit_row on {forgotten:?}");
    Ok(())
}

#[tokio::test]
async fn entries_name_user_action_and_address_and_hold_no_secrets() -> Result<()> {
    let (stack, client) = stack().await?;
    client.login(ADMIN.0, "first-wrong-guess").await?.expect(401)?;
    client.login("typed-my-password-here", "second-wrong-guess").await?.expect(401)?;
    let admin = client.sign_in(ADMIN).await?;
    let new = json!({"email": "new@example.com", "password": "third secret word", "role": "viewer"});
    let user = admin.post("/users", new).await?.expect(201)?;
    let path = format!("/users/{}", user["id"].as_str().context("no id")?);
    let headers = [("content-type", "application/json"), ("user-agent", "plant-script/2")];
    let change = json!({"role": "engineer", "password": "fourth secret word"}).to_string();
    admin.send(Method::PATCH, &path, &headers, change).await?.expect(200)?;
    let pair = client.login("new@example.com", "fourth%20secret%20word").await?.expect(200)?;
    let own = client.with_token(pair["access_token"].as_str().context("no token")?);
    let body = json!({"current_password": "fourth secret word", "new_password": "fifth secret word"});
    own.post("/users/change-password", body).await?.expect(200)?;
    let pair = client.login("new@example.com", "fifth%20secret%20word").await?.expect(200)?;
    let refresh_token = pair["refresh_token"].as_str().context("no token")?;
    let own = client.with_token(pair["access_token"].as_str().context("no token")?);
    own.post("/users/logout", json!({"refresh_token": refresh_token})).await?.expect(200)?;
    assert_eq!(admin.delete(&path).await?.status, 204);

    let log = admin.get("/audit/logs?resource_type=user&limit=1000").await?.expect(200)?;
    let all = entries(&log)?;
    let actions: Vec<_> = all.iter().rev().filter_map(|e| e["action_type"].as_str()).collect();
    assert_eq!(
        actions,
        [
            "login_failed",
            "login_failed",
            "login",
            "create",
            "password_set",
            "login",
            "password_change",
            "login",
            "logout",
            "delete"
        ]
    );
    let of = |action: &str| all.iter().find(|e| e["action_type"] == action).context("no entry");
    let me = admin.get("/users/me").await?.expect(200)?["id"].clone();
    let set = of("password_set")?;
    assert_eq!((&set["user_id"], &set["resource_id"]), (&me, &user["id"]));
    assert_eq!((&set["ip_address"], &set["user_agent"]), (&json!("127.0.0.1"), &json!("plant-script/2")));
    assert_eq!(set["metadata"], json!({"before": {"role": "viewer"}, "after": {"role": "engineer"}}));
    assert_eq!(set["user_email"], ADMIN.0);
    // of the account that is known, and of the one that is not
    assert_eq!((&all[9]["user_id"], &all[8]["user_id"]), (&me, &Value::Null));
    let visible = format!("{log}{}", stack.log("host"));
    let second = own.get("/users/me").await?;
    assert_eq!(second.status, 401, "a deleted account");
    for secret in ["wrong-guess", "secret word", "typed-my-password", "$2b$", refresh_token] {
        assert!(!visible.contains(secret), "{secret} is visible");
    }
    Ok(())
}

#[tokio::test]
async fn entries_are_filtered_and_paged() -> Result<()> {
    let (_stack, client) = stack().await?;
    let admin = client.sign_in(ADMIN).await?;
    let engineer = client.sign_in(ENGINEER).await?;
    let mut ids = Vec::new();
    for name in ["Press 100%", "Press_100", "Lathe"] {
        let machine = engineer.post("/machines", json!({"name": name})).await?.expect(201)?;
        ids.push(machine["id"].as_str().context("no id")?.to_owned());
    }
    let path = format!("/machines/{}", ids[2]);
    engineer.patch(&path, json!({"status": "maintenance"})).await?.expect(200)?;
    let count = |query: String| {
        let admin = admin.clone();
        async move {
            let answer = admin.get(&format!("/audit/logs?{query}")).await?;
            let n = entries(&answer.expect(200)?)?.len();
            assert_eq!(answer.headers["x-total-count"], n.to_string().as_str(), "{query}");
            Ok::<_, anyhow::Error>(n)
        }
    };
    let engineer_id =
        engineer.get("/users/me").await?.expect(200)?["id"].as_str().context("no id")?.to_owned();
    assert_eq!(count("resource_type=machine".into()).await?, 4);
    assert_eq!(count("resource_type=machine&action_type=update".into()).await?, 1);
    assert_eq!(count(format!("resource_id={}", ids[2])).await?, 2);
    assert_eq!(count(format!("user_id={engineer_id}&resource_type=machine")).await?, 4);
    assert_eq!(count("q=lathe&resource_type=machine".into()).await?, 1);
    assert_eq!(count("q=100%25&resource_type=machine".into()).await?, 1, "a percent sign means itself");
    assert_eq!(count("q=s_1&resource_type=machine".into()).await?, 1, "an underscore means itself");
    assert_eq!(count("q=engineer@example.com&action_type=create".into()).await?, 3);
    let newest = admin.get("/audit/logs?resource_type=machine").await?.expect(200)?;
    assert_eq!(newest[0]["action_type"], "update");
    assert_eq!(newest[0]["metadata"]["after"], json!({"status": "maintenance"}));
    let between = |from: &Value, to: &Value| {
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        format!("resource_type=machine&start_date={}&end_date={}", text(from), text(to))
    };
    let (second, third) = (&newest[2]["created_at"], &newest[1]["created_at"]);
    assert_eq!(count(between(second, third)).await?, 2);
    assert_eq!(count("end_date=2020-01-01".into()).await?, 0);
    let page = admin.get("/audit/logs?resource_type=machine&limit=2&offset=1").await?;
    assert_eq!(page.headers["x-total-count"], "4");
    assert_eq!(page.expect(200)?[0]["id"], newest[1]["id"]);

    for bad in ["limit=0", "limit=1001", "offset=-1", "user_id=x", "start_date=soon", "q=%00"] {
        admin.get(&format!("/audit/logs?{bad}")).await?.expect(422)?;
    }
    let viewer = client.sign_in(VIEWER).await?;
    for other in [&engineer, &viewer] {
        let refused = other.get("/audit/logs").await?.expect(403)?;
        assert_eq!(refused, json!({"detail": "Access denied. Required roles: admin"}));
    }
    Ok(())
}

#[tokio::test]
async fn a_simulated_failure_is_audited_and_no_readings_are_made_without_an_entry() -> Result<()> {
    let (_stack, client) = stack().await?;
    let (admin, engineer) = (client.sign_in(ADMIN).await?, client.sign_in(ENGINEER).await?);
    let failure = json!({"machine_id": "machine-2", "sensor_id": "temp-winding", "duration": 4});
    engineer.post("/simulator/trigger-failure", failure).await?.expect(200)?;
    engineer.post("/simulator/trigger-failure", json!({"duration": 1})).await?.expect(422)?;
    let found = admin.get("/audit/logs?action_type=trigger_failure").await?.expect(200)?;
    let [entry] = entries(&found)?.as_slice() else { anyhow::bail!("{found}") };
    assert_eq!(
        (&entry["user_email"], &entry["resource_type"], &entry["resource_id"]),
        (&json!(ENGINEER.0), &json!("simulator"), &json!("machine-2"))
    );
    assert_eq!(entry["details"], "critical anomaly of temp-winding for 4 s");
    Ok(())
}

#[tokio::test]
async fn changes_that_are_refused_and_wrong_tokens_of_services_have_an_entry() -> Result<()> {
    let (stack, client) = stack().await?;
    let (admin, viewer) = (client.sign_in(ADMIN).await?, client.sign_in(VIEWER).await?);
    for _ in 0..3 {
        viewer.post("/machines", json!({"name": "m"})).await?.expect(403)?;
        client.with_token("wrong").post("/internal/tick", json!({})).await?.expect(401)?;
    }
    viewer.get("/users").await?.expect(403)?;
    let denied = admin.get("/audit/logs?action_type=access_denied").await?.expect(200)?;
    let denied = entries(&denied)?;
    // once by instance, and there may be more than one
    assert!((1..=3).contains(&denied.len()), "{denied:?}");
    for entry in denied {
        assert_eq!(entry["user_email"], VIEWER.0);
        assert_eq!(entry["resource_type"], "machines");
        assert_eq!(entry["ip_address"], "127.0.0.1");
        assert!(
            entry["details"].as_str().is_some_and(|d| d.starts_with("POST /machines Access denied")),
            "{entry}"
        );
    }
    let wrong = admin.get("/audit/logs?action_type=wrong_service_token").await?.expect(200)?;
    let wrong = entries(&wrong)?;
    assert!((1..=3).contains(&wrong.len()), "{wrong:?}");
    assert_eq!((&wrong[0]["details"], &wrong[0]["user_id"]), (&json!("POST /internal/tick"), &json!(null)));
    assert!(!format!("{wrong:?}").contains(stack.service_token()));
    Ok(())
}
