//! API keys and accounts of programs.

use crate::client::{ADMIN, Client, ENGINEER, VIEWER, text};
use anyhow::{Context, Result};
use http::Method;
use pm_test_support::{Stack, StackOptions};
use serde_json::json;

async fn stack() -> Result<(Stack, Client, tokio_postgres::Client)> {
    let stack =
        Stack::start(StackOptions { demo: true, without_bridge: true, ..StackOptions::default() }).await?;
    let client = Client::new(&stack.base_url());
    let (database, connection) = tokio_postgres::connect(stack.db(), tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    Ok((stack, client, database))
}

#[tokio::test]
async fn a_key_opens_what_it_is_for_and_its_account_may_do() -> Result<()> {
    let (stack, client, database) = stack().await?;
    let engineer = client.sign_in(ENGINEER).await?;
    let body = json!({ "name": "Historian", "permissions": ["machines.read", "machines.write", "ws.read", "audit.read"] });
    let made = engineer.post("/users/me/api-keys", body).await?.expect(201)?;
    let key = text(&made, "key")?;
    assert!(key.starts_with("pmk_") && key.starts_with(text(&made, "prefix")?) && key.len() > 60);
    let program = client.with_token(key);
    program.get("/machines").await?.expect(200)?;
    program.get("/api/machines").await?.expect(200)?;
    let machine = program.post("/machines", json!({ "name": "By a program" })).await?.expect(201)?;
    let refused = program.get("/alarms").await?.expect(403)?;
    assert_eq!(refused, json!({ "detail": "This API key is not for alarms.read" }));
    program.get("/audit/logs").await?.expect(403)?;
    program.get("/users/me").await?.expect(403)?;
    program.post("/users/me/api-keys", json!({ "name": "x", "permissions": [] })).await?.expect(403)?;
    // wherever a token is accepted
    for path in [format!("/ws/events/stream?token={key}"), "/ws/events/stream".to_owned()] {
        assert_eq!(program.open(Method::GET, &path, &[], "").await?.status(), 200, "{path}");
    }
    let entry = client.sign_in(ADMIN).await?.get("/audit/logs?resource_type=machine").await?.expect(200)?;
    assert_eq!((&entry[0]["resource_id"], &entry[0]["user_email"]), (&machine["id"], &json!(ENGINEER.0)));

    // it is shown once, and only its hash is stored
    let listed = engineer.get("/users/me/api-keys").await?.expect(200)?;
    assert_eq!((&listed[0]["name"], &listed[0]["id"]), (&json!("Historian"), &made["id"]));
    assert!(listed[0]["last_used_at"].is_string() && listed[0].get("key").is_none(), "{listed}");
    let secret = &key[20..];
    let row: String = database.query_one("select to_jsonb(k)::text from api_keys k", &[]).await?.get(0);
    let log: String =
        database.query_one("select jsonb_agg(to_jsonb(l))::text from audit_log l", &[]).await?.get(0);
    assert!(!format!("{row}{listed}{log}{}", stack.log("host")).contains(secret));
    assert!(!log.contains("token_hash"), "{log}");

    for bad in [
        json!({ "permissions": ["machines.read"] }),
        json!({ "name": " ", "permissions": [] }),
        json!({ "name": "x", "permissions": ["coffee.make"] }),
        json!({ "name": "x", "permissions": ["users.write"] }),
        json!({ "name": "x", "permissions": ["roles.write"] }),
        json!({ "name": "x", "permissions": [], "valid_days": 0 }),
        json!({ "name": "x", "permissions": "machines.read" }),
    ] {
        engineer
            .post("/users/me/api-keys", bad.clone())
            .await?
            .expect(422)
            .with_context(|| bad.to_string())?;
    }
    for wrong in ["pmk_", "pmk_0000", &key[..key.len() - 1], &key.to_uppercase()] {
        client.with_token(wrong).get("/machines").await?.expect(401)?;
    }

    // ended by its owner, not by others
    let path = format!("/users/me/api-keys/{}", text(&made, "id")?);
    client.sign_in(VIEWER).await?.delete(&path).await?.expect(404)?;
    assert_eq!(engineer.delete(&path).await?.status, 204);
    engineer.delete(&path).await?.expect(404)?;
    program.post("/machines", json!({ "name": "x" })).await?.expect(401)?;
    program.wait_for_refusal("/machines", "Could not validate credentials").await?;

    // ended by time
    let body =
        json!({ "name": "Short", "permissions": ["machines.read", "machines.write"], "valid_days": 1 });
    let made = engineer.post("/users/me/api-keys", body).await?.expect(201)?;
    let program = client.with_token(text(&made, "key")?);
    program.post("/machines", json!({ "name": "Again" })).await?.expect(201)?;
    database.execute("update api_keys set expires_at = now() - interval '1 second'", &[]).await?;
    program.post("/machines", json!({ "name": "x" })).await?.expect(401)?;
    Ok(())
}

#[tokio::test]
async fn accounts_of_programs_have_keys_and_no_password() -> Result<()> {
    let (_stack, client, _database) = stack().await?;
    let admin = client.sign_in(ADMIN).await?;
    let body = json!({ "email": "scada@example.com", "role": "viewer", "is_service": true });
    let with_password =
        json!({ "email": "scada@example.com", "password": "a good password", "is_service": true });
    let refused = admin.post("/users", with_password).await?.expect(422)?;
    assert_eq!(refused["errors"][0]["loc"], json!(["body", "password"]));
    let account = admin.post("/users", body).await?.expect(201)?;
    assert_eq!(account["is_service"], true);
    let path = format!("/users/{}", text(&account, "id")?);
    let refused = admin.patch(&path, json!({ "password": "a good password" })).await?.expect(422)?;
    assert_eq!(refused["errors"][0]["loc"], json!(["body", "password"]));
    for guess in ["", "null", "a%20good%20password"] {
        let status = client.login("scada@example.com", guess).await?.status;
        assert!(status == 401 || status == 422, "{status}");
    }
    let new = json!({ "name": "SCADA", "permissions": ["alarms.read", "alarms.write"] });
    let made = admin.post(&format!("{path}/api-keys"), new.clone()).await?.expect(201)?;
    let program = client.with_token(text(&made, "key")?);
    program.get("/alarms").await?.expect(200)?;
    program.post("/alarms", json!({})).await?.expect(403)?;
    assert_eq!(admin.get(&format!("{path}/api-keys")).await?.expect(200)?[0]["name"], "SCADA");
    // not for people: whoever makes a key knows it
    let viewer = admin.get("/users?role=viewer&q=demo").await?.expect(200)?;
    let other = format!("/users/{}/api-keys", text(&viewer[0], "id")?);
    admin.post(&other, new.clone()).await?.expect(409)?;
    client.sign_in(VIEWER).await?.post(&format!("{path}/api-keys"), new).await?.expect(403)?;
    // the key dies with the account
    admin.patch(&path, json!({ "is_active": false })).await?.expect(200)?;
    program.post("/alarms", json!({})).await?.expect(401)?;
    program.wait_for_refusal("/alarms", "Could not validate credentials").await
}
