//! The documented examples, as a client of the old implementation would send them.

use crate::client::{ADMIN, Client, ENGINEER, VIEWER};
use anyhow::{Context, Result};
use http::Method;
use pm_test_support::{Stack, StackOptions};
use serde_json::{Value, json};

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().map(|o| o.keys().map(String::as_str).collect()).unwrap_or_default()
}

async fn stack() -> Result<(Stack, Client)> {
    let stack = Stack::start(StackOptions { demo: true, ..StackOptions::default() }).await?;
    let client = Client::new(&stack.base_url());
    Ok((stack, client))
}

#[tokio::test]
async fn health_login_and_lists_answer_as_documented() -> Result<()> {
    let (_stack, client) = stack().await?;
    let root = client.get("/").await?.expect(200)?;
    assert_eq!(root["service"], "Predictive Maintenance Platform");
    let page = client.send(Method::GET, "/", &[("accept", "text/html")], "").await?;
    assert!(page.headers["content-type"].to_str()?.starts_with("text/html"), "{:?}", page.headers);
    let health = client.get("/health").await?.expect(200)?;
    assert_eq!(
        (&health["status"], &health["service"]),
        (&json!("ok"), &json!("Predictive Maintenance Backend"))
    );
    assert_eq!(client.get("/health/live").await?.expect(200)?["status"], "alive");
    assert_eq!(client.get("/health/ready").await?.expect(200)?["database"], "connected");
    client.wait_for("/status", |s| (s["mqtt"]["connected"] == true).then_some(())).await?;
    let status = client.get("/status").await?.expect(200)?;
    assert_eq!(status["database"]["status"], "connected");
    assert_eq!(status["ai_service"]["status"], "running", "{status}");

    let pair = client.login(ADMIN.0, ADMIN.1).await?.expect(200)?;
    assert_eq!(pair["token_type"], "bearer");
    let admin = client.with_token(pair["access_token"].as_str().context("no token")?);
    let me = admin.get("/users/me").await?.expect(200)?;
    assert_eq!((&me["email"], &me["role"]), (&json!(ADMIN.0), &json!("admin")));
    let mut fields = keys(&me);
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "created_at",
            "custom_roles",
            "email",
            "full_name",
            "id",
            "is_active",
            "is_service",
            "last_login",
            "role",
            "second_factor",
            "updated_at"
        ]
    );

    let overview = admin.get("/dashboard/overview").await?.expect(200)?;
    assert_eq!(overview["machines"], json!({"total": 4, "online": 4}));
    assert_eq!(overview["sensors"]["total"], 16);
    let machines = admin.get("/dashboard/machines/stats").await?.expect(200)?;
    assert_eq!(machines["by_status"], json!({"online": 4, "offline": 0, "maintenance": 0, "degraded": 0}));
    assert_eq!(admin.get("/dashboard/sensors/stats").await?.expect(200)?, json!({"total": 16}));
    let predictions = admin.get("/api/dashboard/predictions/stats?hours=24").await?.expect(200)?;
    assert_eq!(predictions["period_hours"], 24);
    for list in [
        "/sensor-data/logs?limit=10",
        "/predictions?limit=10",
        "/machines",
        "/sensors",
        "/alarms",
        "/tickets",
    ] {
        assert!(admin.get(list).await?.expect(200)?.is_array(), "{list}");
    }
    Ok(())
}

#[tokio::test]
async fn refusals_have_the_documented_bodies() -> Result<()> {
    let (_stack, client) = stack().await?;
    let nobody = client.get("/machines").await?;
    assert_eq!(nobody.expect(401)?, json!({"detail": "Not authenticated"}));
    assert_eq!(nobody.headers["www-authenticate"], "Bearer");
    let bad = client.with_token("x").get("/users/me").await?.expect(401)?;
    assert_eq!(bad, json!({"detail": "Could not validate credentials"}));
    let login = client.login(ADMIN.0, "wrong").await?.expect(401)?;
    assert_eq!(login, json!({"detail": "Invalid credentials"}));
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let missing = client.send(Method::POST, "/users/login", &form, "username=a@b.c").await?.expect(422)?;
    assert_eq!(
        missing,
        json!({
            "detail": "Validation error",
            "message": "The request data is invalid. Please check your input.",
            "errors": [{"type": "missing", "loc": ["body", "password"], "msg": "Field required", "input": null}],
            "path": "/users/login"
        })
    );
    client.post("/users/login", json!({"username": "a", "password": "b"})).await?.expect(422)?;

    let viewer = client.sign_in(VIEWER).await?;
    let denied = viewer.post("/machines", json!({"name": "x"})).await?.expect(403)?;
    assert_eq!(denied, json!({"detail": "Access denied. Required roles: admin, engineer"}));
    let unknown = client.get("/nope").await?.expect(404)?;
    assert_eq!(unknown["detail"], "Endpoint not found: /nope");
    assert_eq!(unknown["available_endpoints"]["machines"], "/machines");
    let method = client.send(Method::PUT, "/health", &[], "").await?.expect(405)?;
    assert_eq!(method, json!({"detail": "Method Not Allowed"}));
    let id = viewer.get("/machines/xyz").await?.expect(422)?;
    assert_eq!(id["errors"][0]["loc"], json!(["path", "machine_id"]));
    let interval =
        viewer.get("/sensors/01890000-0000-7000-8000-000000000000/trend?interval=2h").await?.expect(422)?;
    assert_eq!(interval["errors"][0]["type"], "string_pattern_mismatch");
    let engineer = client.sign_in(ENGINEER).await?;
    let empty = engineer.post("/machines", json!({})).await?.expect(422)?;
    assert_eq!(
        empty["errors"],
        json!([{"type": "missing", "loc": ["body", "name"], "msg": "Field required", "input": {}}])
    );
    Ok(())
}

#[tokio::test]
async fn machines_and_sensors_are_stored_and_audited() -> Result<()> {
    let (stack, client) = stack().await?;
    let engineer = client.sign_in(ENGINEER).await?;
    let body = json!({"name": "Cap", "location": "Hall 1", "criticality": "high", "metadata": {"type": "pump"},
                      "last_service_date": "2025-11-01"});
    let machine = engineer.post("/machines", body).await?.expect(201)?;
    assert_eq!((&machine["metadata"], &machine["status"]), (&json!({"type": "pump"}), &json!("online")));
    let machine_id = machine["id"].as_str().context("no id")?;
    let path = format!("/machines/{machine_id}");
    let changed =
        engineer.patch(&path, json!({"description": "d", "status": "maintenance"})).await?.expect(200)?;
    assert_eq!((&changed["description"], &changed["location"]), (&json!("d"), &json!("Hall 1")));
    let banana = engineer.patch(&path, json!({"status": "banana"})).await?.expect(422)?;
    assert_eq!(banana["errors"][0]["loc"], json!(["body", "status"]));

    let sensor = json!({"machine_id": machine_id, "name": "CapSensor", "sensor_type": "temperature", "unit": "C",
        "min_threshold": 0, "max_threshold": 100, "warning_threshold": 70, "critical_threshold": 85,
        "metadata": {"a": 1}});
    let sensor = engineer.post("/sensors", sensor).await?.expect(201)?;
    assert_eq!((&sensor["warning_threshold"], &sensor["metadata"]), (&json!(70.0), &json!({"a": 1})));
    let sensor_path = format!("/sensors/{}", sensor["id"].as_str().context("no id")?);
    let changed =
        engineer.patch(&sensor_path, json!({"warning_threshold": null, "unit": "°C"})).await?.expect(200)?;
    assert_eq!((&changed["warning_threshold"], &changed["unit"]), (&Value::Null, &json!("°C")));
    let trend = engineer.get(&format!("{sensor_path}/trend")).await?.expect(200)?;
    assert_eq!((&trend["points"], &trend["statistics"]), (&json!([]), &Value::Null));
    let summary = engineer.get(&format!("{path}/summary")).await?.expect(200)?;
    assert_eq!((&summary["activeAlarms"], &summary["lastReading"]), (&json!(0), &Value::Null));
    let nowhere =
        json!({"machine_id": "01890000-0000-7000-8000-000000000000", "name": "n", "sensor_type": "t"});
    let nowhere = engineer.post("/sensors", nowhere).await?.expect(422)?;
    assert_eq!(nowhere["errors"][0]["loc"], json!(["body", "machine_id"]));

    assert_eq!(engineer.delete(&path).await?.status, 204);
    engineer.get(&path).await?.expect(404)?;
    engineer.get(&sensor_path).await?.expect(404)?;

    let (db, connection) = tokio_postgres::connect(stack.db(), tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    let rows = db
        .query(
            "select resource_type || ' ' || action_type || ' ' || (user_id is not null) || ' ' || (ip_address is not null)
             from audit_log where resource_type in ('machine', 'sensor') order by created_at, id",
            &[],
        )
        .await?;
    let audit: Vec<String> = rows.iter().map(|r| r.get(0)).collect();
    for wanted in [
        "machine create",
        "machine update",
        "sensor create",
        "sensor update",
        "machine delete",
        "sensor delete",
    ] {
        assert!(audit.contains(&format!("{wanted} true true")), "{wanted} is missing in {audit:?}");
    }
    Ok(())
}
