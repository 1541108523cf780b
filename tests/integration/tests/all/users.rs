//! Accounts: registration by policy, management by administrators, the last administrator, forgotten passwords.

use crate::client::{ADMIN, Answer, Client, ENGINEER, VIEWER};
use anyhow::{Context, Result};
use pm_local::stack::testing::{Stack, StackOptions};
use serde_json::{Value, json};

async fn stack() -> Result<(Stack, Client)> {
    let stack =
        Stack::start(StackOptions { demo: true, without_bridge: true, ..StackOptions::default() }).await?;
    let client = Client::new(&stack.base_url());
    Ok((stack, client))
}

async fn database(stack: &Stack) -> Result<tokio_postgres::Client> {
    let (database, connection) = tokio_postgres::connect(stack.db(), tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    Ok(database)
}

fn text<'v>(value: &'v Value, field: &str) -> Result<&'v str> {
    value[field].as_str().with_context(|| format!("no {field} in {value}"))
}

#[tokio::test]
async fn registration_follows_the_setting() -> Result<()> {
    let (_stack, client) = stack().await?;
    let admin = client.sign_in(ADMIN).await?;
    let body = json!({"email": "reg1@example.com", "full_name": "Reg User", "password": "secret123"});
    client.post("/users", body.clone()).await?.expect(401)?;
    client.with_token("forged").post("/users", body.clone()).await?.expect(401)?;
    client.sign_in(ENGINEER).await?.post("/users", body.clone()).await?.expect(403)?;

    admin.patch("/settings/registration.policy", json!({"value": "open"})).await?.expect(200)?;
    let registered = client.post("/users", body.clone()).await?.expect(201)?;
    assert_eq!((&registered["role"], &registered["last_login"]), (&json!("operator"), &Value::Null));
    assert!(registered.get("password").is_none() && registered.get("password_hash").is_none());
    let twice = client.post("/users", body).await?.expect(400)?;
    assert_eq!(twice, json!({"detail": "Email already registered"}));
    let cased = json!({"email": "REG1@Example.com", "password": "secret123"});
    client.post("/users", cased).await?.expect(400)?;
    let boss = json!({"email": "boss@example.com", "password": "secret123", "role": "admin"});
    let refused = client.post("/users", boss.clone()).await?.expect(422)?;
    assert_eq!(refused["errors"][0]["loc"], json!(["body", "role"]));
    assert_eq!(admin.post("/users", boss).await?.expect(201)?["role"], "admin");
    let log = admin.get("/audit/logs?action_type=register").await?.expect(200)?;
    assert_eq!((&log[0]["user_id"], &log[0]["resource_id"]), (&registered["id"], &registered["id"]));

    let refused = client.post("/users", json!({"email": "nope", "password": "p"})).await?.expect(422)?;
    let errors = refused["errors"].as_array().context("no errors")?;
    assert_eq!((&errors[0]["type"], &errors[0]["loc"]), (&json!("value_error"), &json!(["body", "email"])));
    assert_eq!(errors[0]["msg"], "value is not a valid email address: An email address must have an @-sign.");
    assert_eq!(errors[1]["loc"], json!(["body", "password"]));
    assert_eq!(errors[1]["input"], Value::Null);
    let refused = client.post("/users", json!({"password": "do not repeat"})).await?.expect(422)?;
    assert!(!refused.to_string().contains("do not repeat"), "{refused}");

    admin.patch("/settings/registration.policy", json!({"value": "admin"})).await?.expect(200)?;
    admin.patch("/settings/password.min_length", json!({"value": "12"})).await?.expect(200)?;
    let body = json!({"email": "reg2@example.com", "password": "secret123"});
    client.post("/users", body.clone()).await?.expect(401)?;
    let short = admin.post("/users", body).await?.expect(422)?;
    assert_eq!(short["errors"][0]["msg"], "Password should have at least 12 characters");
    Ok(())
}

#[tokio::test]
async fn registrations_from_one_address_are_limited() -> Result<()> {
    let (_stack, client) = stack().await?;
    let admin = client.sign_in(ADMIN).await?;
    admin.patch("/settings/registration.policy", json!({"value": "open"})).await?.expect(200)?;
    let body = json!({"email": VIEWER.0, "password": "secret123"});
    for _ in 0..20 {
        client.post("/users", body.clone()).await?.expect(400)?;
    }
    client.post("/users", body).await?.expect(429)?;
    Ok(())
}

#[tokio::test]
async fn administrators_manage_accounts() -> Result<()> {
    let (_stack, client) = stack().await?;
    let admin = client.sign_in(ADMIN).await?;
    let ids = |answer: &Answer| -> Result<Vec<String>> {
        let list = answer.expect(200)?;
        list.as_array().context("no list")?.iter().map(|u| Ok(text(u, "email")?.to_owned())).collect()
    };
    let all = admin.get("/users?limit=2").await?;
    assert_eq!((ids(&all)?.len(), all.headers["x-total-count"].to_str()?), (2, "3"));
    assert_eq!(ids(&admin.get("/users?role=engineer").await?)?, [ENGINEER.0]);
    assert_eq!(ids(&admin.get("/users?q=DEMO%20V").await?)?, [VIEWER.0]);
    assert_eq!(ids(&admin.get("/users?is_active=false").await?)?, Vec::<String>::new());
    admin.get("/users?role=king").await?.expect(422)?;
    admin.get("/users?is_active=perhaps").await?.expect(422)?;

    let pair = client.login(VIEWER.0, VIEWER.1).await?.expect(200)?;
    let viewer = client.with_token(text(&pair, "access_token")?);
    let me = viewer.get("/users/me").await?.expect(200)?;
    let path = format!("/users/{}", text(&me, "id")?);
    viewer.get(&path).await?.expect(403)?;
    viewer.patch(&path, json!({"role": "admin"})).await?.expect(403)?;
    viewer.patch("/users/me", json!({"role": "admin", "full_name": "V"})).await?.expect(200)?;
    let shown = admin.get(&path).await?.expect(200)?;
    assert_eq!((&shown["role"], &shown["full_name"]), (&json!("viewer"), &json!("V")));
    for (bad, field) in [
        (json!({"role": "king"}), "role"),
        (json!({"is_active": "no"}), "is_active"),
        (json!({"password": "short"}), "password"),
        (json!({"custom_roles": "x"}), "custom_roles"),
        (json!({"full_name": 7}), "full_name"),
    ] {
        let refused = admin.patch(&path, bad.clone()).await?.expect(422)?;
        assert_eq!(refused["errors"][0]["loc"], json!(["body", field]), "{bad}");
    }

    // a role taken away counts at once where something is changed
    let engineer = client.sign_in(ENGINEER).await?;
    let engineer_path = format!("/users/{}", text(&engineer.get("/users/me").await?.expect(200)?, "id")?);
    admin.patch(&engineer_path, json!({"role": "viewer"})).await?.expect(200)?;
    engineer.post("/machines", json!({"name": "m"})).await?.expect(403)?;

    // inactive: no login, no refresh, no changes, no profile
    let inactive = admin.patch(&path, json!({"is_active": false})).await?.expect(200)?;
    assert_eq!(inactive["is_active"], false);
    client.login(VIEWER.0, VIEWER.1).await?.expect(401)?;
    let refresh = json!({"refresh_token": text(&pair, "refresh_token")?});
    client.post("/users/refresh", refresh.clone()).await?.expect(401)?;
    viewer.get("/users/me").await?.expect(401)?;
    viewer.patch("/users/me", json!({"full_name": "W"})).await?.expect(401)?;
    admin.patch(&path, json!({"is_active": true})).await?.expect(200)?;
    client.post("/users/refresh", refresh).await?.expect(401)?;

    // a password set by an administrator ends the logins
    let pair = client.login(VIEWER.0, VIEWER.1).await?.expect(200)?;
    admin.patch(&path, json!({"password": "set-by-admin"})).await?.expect(200)?;
    client.login(VIEWER.0, VIEWER.1).await?.expect(401)?;
    client
        .post("/users/refresh", json!({"refresh_token": text(&pair, "refresh_token")?}))
        .await?
        .expect(401)?;
    client.login(VIEWER.0, "set-by-admin").await?.expect(200)?;

    assert_eq!(admin.delete(&path).await?.status, 204);
    for gone in [admin.get(&path).await?, admin.delete(&path).await?, admin.patch(&path, json!({})).await?] {
        gone.expect(404)?;
    }
    Ok(())
}

#[tokio::test]
async fn there_is_always_an_administrator() -> Result<()> {
    let (stack, client) = stack().await?;
    let admin = client.sign_in(ADMIN).await?;
    let path = format!("/users/{}", text(&admin.get("/users/me").await?.expect(200)?, "id")?);
    for (what, answer) in [
        ("demote", admin.patch(&path, json!({"role": "engineer"})).await?),
        ("deactivate", admin.patch(&path, json!({"is_active": false})).await?),
        ("delete", admin.delete(&path).await?),
    ] {
        let refused = answer.expect(400).context(what)?;
        assert_eq!(refused, json!({"detail": "The last active administrator must stay one"}));
    }
    // a change of name is none of this rule's business
    admin.patch(&path, json!({"full_name": "Chief"})).await?.expect(200)?;

    // two that leave at once: one stays
    let second = json!({"email": "second@example.com", "password": "secret123", "role": "admin"});
    let second = admin.post("/users", second).await?.expect(201)?;
    let second_path = format!("/users/{}", text(&second, "id")?);
    let (a, b) = (database(&stack).await?, database(&stack).await?);
    let demote = "update users set role = 'viewer' where id = $1";
    let first_id: uuid::Uuid = path.trim_start_matches("/users/").parse()?;
    let second_id: uuid::Uuid = text(&second, "id")?.parse()?;
    let leave =
        async |database: tokio_postgres::Client, id: uuid::Uuid| database.execute(demote, &[&id]).await;
    let (one, other) = tokio::join!(leave(a, first_id), leave(b, second_id));
    assert_eq!(i32::from(one.is_ok()) + i32::from(other.is_ok()), 1, "{one:?} {other:?}");
    let left = if one.is_ok() {
        client.sign_in(("second@example.com", "secret123")).await?
    } else {
        client.sign_in(ADMIN).await?
    };
    let role = json!({"role": "admin"});
    left.patch(&path, role.clone()).await?.expect(200)?;
    left.patch(&second_path, role).await?.expect(200)?;
    assert_eq!(admin.delete(&second_path).await?.status, 204);
    Ok(())
}
