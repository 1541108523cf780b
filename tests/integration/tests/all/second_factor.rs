//! Second factors: set up, asked for, enforced, recovered.

use crate::client::{ADMIN, Answer, Client, ENGINEER, VIEWER, text};
use anyhow::{Context, Result};
use http::Method;
use pm_api::Timestamp;
use pm_auth::totp::{code_at, from_base32};
use pm_test_support::{Stack, StackOptions};
use serde_json::json;
use std::time::UNIX_EPOCH;

async fn stack() -> Result<(Stack, Client)> {
    let stack =
        Stack::start(StackOptions { demo: true, without_bridge: true, ..StackOptions::default() }).await?;
    let client = Client::new(&stack.base_url());
    Ok((stack, client))
}

/// What the app shows some seconds from now.
fn code(secret: &str, in_s: i64) -> Result<String> {
    let now = Timestamp(i64::try_from(UNIX_EPOCH.elapsed()?.as_micros())?).plus_seconds(in_s);
    code_at(&from_base32(secret).context("not base 32")?, now).context("no code")
}

async fn login(client: &Client, who: (&str, &str), code: &str) -> Result<Answer> {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let form = format!("username={}&password={}&code={code}", who.0, who.1);
    client.send(Method::POST, "/users/login", &headers, form).await
}

#[tokio::test]
async fn a_sign_in_asks_for_a_code_that_works_once() -> Result<()> {
    let (stack, client) = stack().await?;
    let engineer = client.sign_in(ENGINEER).await?;
    let password = json!({ "current_password": ENGINEER.1 });
    let state = engineer.get("/users/me/second-factor").await?.expect(200)?;
    assert_eq!(state, json!({ "confirmed_at": null, "recovery_codes_left": 0, "is_required": false }));
    engineer.post("/users/me/second-factor", json!({ "current_password": "wrong" })).await?.expect(400)?;
    engineer.post("/users/me/second-factor/confirm", json!({ "code": "123456" })).await?.expect(409)?;
    let begun = engineer.post("/users/me/second-factor", password.clone()).await?.expect(200)?;
    let secret = text(&begun, "secret")?;
    assert!(secret.len() == 32 && text(&begun, "uri")?.starts_with("otpauth://totp/"), "{begun}");
    // not asked for before it was confirmed
    client.sign_in(ENGINEER).await?;
    let wrong = code(secret, 86_400)?;
    let refused =
        engineer.post("/users/me/second-factor/confirm", json!({ "code": wrong })).await?.expect(422)?;
    assert_eq!(refused["errors"][0]["loc"], json!(["body", "code"]));
    let first = code(secret, 0)?;
    let confirmed =
        engineer.post("/users/me/second-factor/confirm", json!({ "code": first })).await?.expect(200)?;
    let recovery: Vec<_> = confirmed["recovery_codes"].as_array().context("no codes")?.to_vec();
    assert_eq!(recovery.len(), 10);
    engineer.post("/users/me/second-factor", password.clone()).await?.expect(409)?;

    let asked = client.login(ENGINEER.0, ENGINEER.1).await?.expect(401)?;
    assert_eq!(asked["second_factor_required"], true, "{asked}");
    assert_eq!(
        client.login(ENGINEER.0, "wrong").await?.expect(401)?,
        json!({ "detail": "Invalid credentials" })
    );
    assert_eq!(login(&client, (ENGINEER.0, "wrong"), &code(secret, 30)?).await?.status, 401);
    login(&client, ENGINEER, &first).await?.expect(401)?;
    let next = code(secret, 30)?;
    login(&client, ENGINEER, &next).await?.expect(200)?;
    login(&client, ENGINEER, &next).await?.expect(401)?;
    let recovery_code = recovery[0].as_str().context("no text")?.to_lowercase();
    login(&client, ENGINEER, &recovery_code).await?.expect(200)?;
    login(&client, ENGINEER, &recovery_code).await?.expect(401)?;
    let state = engineer.get("/users/me/second-factor").await?.expect(200)?;
    assert_eq!(state["recovery_codes_left"], 9);

    let admin = client.sign_in(ADMIN).await?;
    let visible = format!("{}{}", admin.get("/audit/logs?limit=1000").await?.expect(200)?, stack.log("host"));
    for hidden in [secret, recovery[1].as_str().context("no text")?, "recovery_code_hashes"] {
        assert!(!visible.contains(hidden), "{hidden} is visible");
    }
    assert!(visible.contains("recovery_code_used"));

    // the device is lost: an administrator removes it
    let path =
        format!("/users/{}/second-factor", text(&engineer.get("/users/me").await?.expect(200)?, "id")?);
    client.sign_in(VIEWER).await?.delete(&path).await?.expect(403)?;
    assert_eq!(admin.delete(&path).await?.status, 204);
    admin.delete(&path).await?.expect(404)?;
    client.sign_in(ENGINEER).await?;
    Ok(())
}

#[tokio::test]
async fn roles_that_must_have_a_second_factor_can_do_nothing_before() -> Result<()> {
    let (_stack, client) = stack().await?;
    let admin = client.sign_in(ADMIN).await?;
    let (engineer, viewer) = (client.sign_in(ENGINEER).await?, client.sign_in(VIEWER).await?);
    admin.patch("/settings/login.second_factor", json!({ "value": "engineer" })).await?.expect(200)?;
    let hint = "Set up a second factor first (POST /users/me/second-factor)";
    let refused = engineer.post("/machines", json!({ "name": "x" })).await?.expect(403)?;
    assert_eq!(refused, json!({ "detail": hint, "action_required": "set_up_second_factor" }));
    engineer.wait_for_refusal("/machines", hint).await?;
    viewer.get("/machines").await?.expect(200)?;
    engineer.get("/users/me").await?.expect(200)?;
    let begun = engineer.post("/users/me/second-factor", json!({ "current_password": ENGINEER.1 })).await?;
    let secret = begun.expect(200)?["secret"].as_str().context("no secret")?.to_owned();
    let body = json!({ "code": code(&secret, 0)? });
    engineer.post("/users/me/second-factor/confirm", body).await?.expect(200)?;
    engineer.post("/machines", json!({ "name": "x" })).await?.expect(201)?;
    engineer.get("/machines").await?.expect(200)?;
    Ok(())
}
