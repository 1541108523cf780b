//! Jobs: asked for, listed, claimed with a lease, given up, retried.

use crate::client::{ADMIN, Client, ENGINEER, VIEWER};
use anyhow::{Context, Result};
use pm_test_support::{Stack, StackOptions};
use serde_json::{Value, json};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// Runs a statement of pm-store as the functions' role would; returns the rows' first column.
async fn run(
    client: &tokio_postgres::Client,
    name: &str,
    params: &[&(dyn ToSql + Sync)],
) -> Result<(Vec<Uuid>, u64)> {
    let name = format!("pm_store::job::{name}");
    let statements = pm_store::all_statements();
    let (_, sql) = statements.iter().find(|(n, _)| *n == name).with_context(|| name.clone())?;
    if sql.contains("returning") {
        let rows = client.query(sql, params).await?;
        let count = rows.len() as u64;
        return Ok((rows.iter().map(|r| r.get(0)).collect(), count));
    }
    Ok((Vec::new(), client.execute(sql, params).await?))
}

async fn claim(client: &tokio_postgres::Client, lease: Uuid, lease_s: i64) -> Result<Option<Uuid>> {
    let types = vec!["retrain".to_owned()];
    Ok(run(client, "CLAIM", &[&types, &lease, &lease_s, &3_i64]).await?.0.first().copied())
}

fn id(job: &Value) -> Result<Uuid> {
    Ok(job["id"].as_str().context("no id")?.parse()?)
}

#[tokio::test]
async fn jobs_are_created_listed_and_retried() -> Result<()> {
    let stack =
        Stack::start(StackOptions { demo: true, without_bridge: true, ..StackOptions::default() }).await?;
    let client = Client::new(&stack.base_url());
    let (admin, engineer) = (client.sign_in(ADMIN).await?, client.sign_in(ENGINEER).await?);
    let (database, connection) = tokio_postgres::connect(stack.db(), tokio_postgres::NoTls).await?;
    tokio::spawn(connection);

    engineer.post("/jobs", json!({"job_type": "retrain"})).await?.expect(403)?;
    client.sign_in(VIEWER).await?.get("/jobs").await?.expect(403)?;
    for (body, field) in [
        (json!({}), "job_type"),
        (json!({"job_type": "make_coffee"}), "job_type"),
        // POST /reports/generate makes reports, and no worker would take the job
        (json!({"job_type": "report"}), "job_type"),
        (json!({"job_type": 5}), "job_type"),
        (json!({"job_type": "retrain", "metadata": "x"}), "metadata"),
    ] {
        let refused = admin.post("/jobs", body.clone()).await?.expect(422)?;
        assert_eq!(refused["errors"][0]["loc"], json!(["body", field]), "{body}");
    }
    let body = json!({"job_type": "retrain", "metadata": {"reason": "spring"}});
    let first = admin.post("/jobs", body.clone()).await?.expect(201)?;
    assert_eq!((&first["status"], &first["progress"]), (&json!("pending"), &json!(0)));
    assert_eq!((&first["metadata"], &first["job_type"]), (&json!({"reason": "spring"}), &json!("retrain")));
    let me = admin.get("/users/me").await?.expect(200)?;
    assert_eq!(first["created_by"], me["id"]);
    let second = admin.post("/jobs", body).await?.expect(201)?;
    let listed = engineer.get("/jobs?job_type=retrain&status=pending&limit=1").await?;
    assert_eq!(listed.headers["x-total-count"], "2");
    assert_eq!(listed.expect(200)?[0]["id"], second["id"]);
    engineer.get("/jobs?status=sleeping").await?.expect(422)?;
    let path = format!("/jobs/{}", first["id"].as_str().context("no id")?);
    let refused = admin.post(&format!("{path}/retry"), json!({})).await?.expect(400)?;
    assert_eq!(refused, json!({"detail": "Job is not in failed state"}));
    admin.post(&format!("/jobs/{}/retry", Uuid::nil()), json!({})).await?.expect(404)?;

    // the oldest first, and never to two at once
    let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
    assert_eq!(claim(&database, a, 600).await?, Some(id(&first)?));
    assert_eq!(claim(&database, b, 600).await?, Some(id(&second)?));
    assert_eq!(claim(&database, Uuid::from_u128(3), 600).await?, None);
    let progress = |lease: Uuid, percent: i32| {
        let (database, job) = (&database, id(&first));
        async move {
            Ok::<_, anyhow::Error>(run(database, "PROGRESS", &[&job?, &lease, &percent, &600_i64]).await?.1)
        }
    };
    assert_eq!(progress(a, 40).await?, 1);
    assert_eq!(progress(b, 50).await?, 0, "another's lease");
    let running = engineer.get(&path).await?.expect(200)?;
    assert_eq!((&running["status"], &running["progress"]), (&json!("running"), &json!(40)));
    assert!(running["started_at"].is_string() && running["completed_at"].is_null());

    // a worker that dies: its job is claimed again, and its late result is ignored
    database
        .execute("update jobs set lease_until = now() - interval '1 second' where id = $1", &[&id(&first)?])
        .await?;
    let c = Uuid::from_u128(4);
    assert_eq!(claim(&database, c, 600).await?, Some(id(&first)?));
    assert_eq!(progress(a, 90).await?, 0);
    assert_eq!(run(&database, "FINISH", &[&id(&first)?, &a, &json!({})]).await?.1, 0);
    assert_eq!(run(&database, "FAIL", &[&id(&first)?, &c, &"no paper"]).await?.1, 1);
    let failed = engineer.get(&path).await?.expect(200)?;
    assert_eq!((&failed["status"], &failed["error_message"]), (&json!("failed"), &json!("no paper")));
    assert!(failed["completed_at"].is_string());

    engineer.post(&format!("{path}/retry"), json!({})).await?.expect(403)?;
    let again = admin.post(&format!("{path}/retry"), json!({})).await?.expect(200)?;
    assert_eq!((&again["status"], &again["error_message"]), (&json!("pending"), &Value::Null));
    assert_eq!((&again["progress"], &again["attempts"]), (&json!(0), &json!(0)));

    // a job that outlives three workers is given up
    for attempt in 1..=3 {
        assert_eq!(
            claim(&database, Uuid::from_u128(10 + attempt), -1).await?,
            Some(id(&first)?),
            "{attempt}"
        );
    }
    assert_eq!(claim(&database, Uuid::from_u128(20), 600).await?, None);
    assert_eq!(engineer.get(&path).await?.expect(200)?["status"], "failed");

    let finished = run(&database, "FINISH", &[&id(&second)?, &b, &json!({"rows": 3})]).await?.1;
    assert_eq!(finished, 1);
    let done = engineer.get(&format!("/jobs/{}", id(&second)?)).await?.expect(200)?;
    assert_eq!(
        (&done["status"], &done["progress"], &done["result"]),
        (&json!("completed"), &json!(100), &json!({"rows": 3}))
    );
    let audit = admin.get("/audit/logs?resource_type=job").await?.expect(200)?;
    let actions: Vec<_> =
        audit.as_array().context("no list")?.iter().map(|e| e["action_type"].as_str()).collect();
    assert_eq!(actions, [Some("retry"), Some("create"), Some("create")], "{audit}");
    Ok(())
}
