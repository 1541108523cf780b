//! Settings: known and added ones, who sees them, what is refused, secrets.

use crate::client::{ADMIN, Client, ENGINEER, VIEWER};
use anyhow::{Context, Result};
use pm_test_support::{Stack, StackOptions};
use serde_json::{Value, json};

async fn stack() -> Result<(Stack, Client)> {
    let stack =
        Stack::start(StackOptions { demo: true, without_bridge: true, ..StackOptions::default() }).await?;
    let client = Client::new(&stack.base_url());
    Ok((stack, client))
}

#[tokio::test]
async fn administrators_create_change_and_delete_settings() -> Result<()> {
    let (_stack, client) = stack().await?;
    let admin = client.sign_in(ADMIN).await?;
    let body = json!({"key": "k1795429393", "value": "v", "value_type": "string", "description": "d",
                      "category": "general", "is_public": false});
    let created = admin.post("/settings", body.clone()).await?.expect(201)?;
    for (field, expected) in body.as_object().context("no object")? {
        assert_eq!(&created[field], expected, "{field}");
    }
    assert!(created["id"].is_string() && created["created_at"].is_string() && created["metadata"].is_null());
    let twice = admin.post("/settings", body).await?.expect(400)?;
    assert_eq!(twice, json!({"detail": "Setting with this key already exists"}));
    let known = admin.post("/settings", json!({"key": "retention.raw_days", "value": "1"})).await?;
    known.expect(400)?;

    let changed =
        admin.patch("/settings/k1795429393", json!({"value": "12.5", "value_type": "number"})).await?;
    assert_eq!(
        (&changed.expect(200)?["value"], &changed.json()?["description"]),
        (&json!("12.5"), &json!("d"))
    );
    let refused = admin.patch("/settings/k1795429393", json!({"value": "many"})).await?.expect(422)?;
    assert_eq!(refused["errors"][0]["loc"], json!(["body", "value"]));
    admin.patch("/settings/of.nobody", json!({"value": "1"})).await?.expect(404)?;

    for (body, field) in [
        (json!({"value": "1"}), "key"),
        (json!({"key": "a b"}), "key"),
        (json!({"key": "x".repeat(129)}), "key"),
        (json!({"key": "a", "value_type": "date"}), "value_type"),
        (json!({"key": "a", "value_type": "number", "value": "x"}), "value"),
        (json!({"key": "a", "value_type": "boolean", "value": "yes"}), "value"),
        (json!({"key": "a", "value_type": "json", "value": "{"}), "value"),
        (json!({"key": "a", "value": 5}), "value"),
        (json!({"key": "a", "is_public": true, "is_secret": true}), "is_secret"),
        (json!({"key": "a", "metadata": []}), "metadata"),
    ] {
        let refused = admin.post("/settings", body.clone()).await?.expect(422)?;
        assert_eq!(refused["errors"][0]["loc"], json!(["body", field]), "{body}");
    }

    assert_eq!(admin.delete("/settings/k1795429393").await?.status, 204);
    admin.get("/settings/k1795429393").await?.expect(404)?;
    admin.delete("/settings/k1795429393").await?.expect(404)?;
    Ok(())
}

#[tokio::test]
async fn known_settings_have_defaults_and_bounds() -> Result<()> {
    let (_stack, client) = stack().await?;
    let admin = client.sign_in(ADMIN).await?;
    let path = "/settings/retention.raw_days";
    let default = admin.get(path).await?.expect(200)?;
    assert_eq!((&default["value"], &default["value_type"]), (&json!("90"), &json!("number")));
    assert_eq!((&default["category"], &default["id"]), (&json!("retention"), &Value::Null));
    let changed = admin.patch(path, json!({"value": "30"})).await?.expect(200)?;
    assert_eq!((&changed["value"], &changed["default_value"]), (&json!("30"), &json!("90")));
    assert!(changed["id"].is_string());
    for bad in [json!({"value": "0"}), json!({"value": "thirty"}), json!({"value": "1.5"})] {
        let refused = admin.patch(path, bad.clone()).await?.expect(422)?;
        assert_eq!(refused["errors"][0]["loc"], json!(["body", "value"]), "{bad}");
    }
    admin
        .patch(path, json!({"value": "31", "value_type": "number", "is_public": false}))
        .await?
        .expect(200)?;
    let refused = admin.patch(path, json!({"value_type": "string"})).await?.expect(422)?;
    assert_eq!(refused["errors"][0]["loc"], json!(["body", "value_type"]));
    assert_eq!(admin.delete(path).await?.status, 204);
    assert_eq!(admin.get(path).await?.expect(200)?["value"], "90");

    let retention = admin.get("/settings?category=retention").await?;
    let list = retention.expect(200)?;
    let keys: Vec<_> = list.as_array().context("no list")?.iter().map(|s| s["key"].as_str()).collect();
    assert_eq!(
        keys,
        [
            Some("retention.audit_days"),
            Some("retention.dead_letter_days"),
            Some("retention.hour_days"),
            Some("retention.minute_days"),
            Some("retention.prediction_days"),
            Some("retention.raw_days"),
            Some("retention.waveform_days")
        ]
    );
    assert_eq!(retention.headers["x-total-count"], "7");
    let second = admin.get("/settings?category=retention&limit=1&offset=1").await?.expect(200)?;
    assert_eq!(second[0]["key"], "retention.dead_letter_days");
    Ok(())
}

#[tokio::test]
async fn settings_are_shown_by_role() -> Result<()> {
    let (_stack, client) = stack().await?;
    let admin = client.sign_in(ADMIN).await?;
    let engineer = client.sign_in(ENGINEER).await?;
    let viewer = client.sign_in(VIEWER).await?;
    admin
        .post("/settings", json!({"key": "plant.name", "value": "North", "is_public": true}))
        .await?
        .expect(201)?;
    let shown = viewer.get("/settings").await?.expect(200)?;
    let shown = shown.as_array().context("no list")?;
    assert!(shown.iter().all(|s| s["is_public"] == true));
    assert!(shown.iter().any(|s| s["key"] == "plant.name"));
    assert!(shown.iter().any(|s| s["key"] == "registration.policy"));
    viewer.get("/settings/plant.name").await?.expect(200)?;
    let refused = viewer.get("/settings/retention.raw_days").await?.expect(403)?;
    assert_eq!(refused, json!({"detail": "Access denied. Required roles: admin, engineer"}));
    engineer.get("/settings/retention.raw_days").await?.expect(200)?;
    engineer.patch("/settings/retention.raw_days", json!({"value": "1"})).await?.expect(403)?;
    Ok(())
}

#[tokio::test]
async fn a_secret_is_never_shown_again() -> Result<()> {
    let (stack, client) = stack().await?;
    let admin = client.sign_in(ADMIN).await?;
    let path = "/settings/attachments.s3_secret_access_key";
    assert_eq!(admin.get(path).await?.expect(200)?["value"], Value::Null);
    let (first, second, third) = ("wJalrXUtnFEMI", "K7MDENGbPxRfi", "AKIAIOSFODNN7");
    let changed = admin.patch(path, json!({"value": first})).await?.expect(200)?;
    assert_eq!((&changed["value"], &changed["is_secret"]), (&json!("********"), &json!(true)));
    admin.patch(path, json!({"value": second})).await?.expect(200)?;
    // the mask sent back changes nothing
    admin.patch(path, json!({"value": "********"})).await?.expect(200)?;
    let own = json!({"key": "plc.code", "value": third, "is_secret": true});
    assert_eq!(admin.post("/settings", own).await?.expect(201)?["value"], "********");

    let (database, connection) = tokio_postgres::connect(stack.db(), tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    let stored: String = database
        .query_one("select value from settings where key = 'attachments.s3_secret_access_key'", &[])
        .await?
        .get(0);
    assert_eq!(stored, second);

    let audit = admin.get("/audit/logs?resource_type=setting").await?.expect(200)?;
    assert_eq!(audit[1]["metadata"]["after"]["value"], "********", "{audit}");
    let everything = [
        admin.get("/settings").await?.expect(200)?.to_string(),
        admin.get(path).await?.expect(200)?.to_string(),
        audit.to_string(),
        stack.log("host"),
    ];
    for secret in [first, second, third] {
        assert!(everything.iter().all(|text| !text.contains(secret)), "{secret} is visible");
    }
    // nor when it is refused
    let refused = admin.patch(path, json!({"value": "x".repeat(600)})).await?.expect(422)?;
    assert!(!refused.to_string().contains("xxx"), "{refused}");
    let refused = admin.post("/settings", json!({"value": third, "is_secret": true})).await?.expect(422)?;
    assert!(!refused.to_string().contains(third), "{refused}");
    Ok(())
}
