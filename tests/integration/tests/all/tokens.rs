//! Login, refresh with rotation and reuse detection, logout, throttling.

use crate::client::{ADMIN, Client, ENGINEER, VIEWER, text};
use anyhow::Result;
use pm_test_support::{Stack, StackOptions};
use serde_json::json;

async fn stack() -> Result<(Stack, Client)> {
    let stack =
        Stack::start(StackOptions { demo: true, without_bridge: true, ..StackOptions::default() }).await?;
    let client = Client::new(&stack.base_url());
    Ok((stack, client))
}

#[tokio::test]
async fn a_refresh_token_gives_a_new_pair_until_its_session_ends() -> Result<()> {
    let (_stack, client) = stack().await?;
    let first = client.login(VIEWER.0, VIEWER.1).await?.expect(200)?;
    let refresh = |token: String| {
        let client = client.clone();
        async move { client.post("/users/refresh", json!({"refresh_token": token})).await }
    };
    let second = refresh(text(&first, "refresh_token")?.to_owned()).await?.expect(200)?;
    client.with_token(text(&second, "access_token")?).get("/users/me").await?.expect(200)?;
    let body = json!({"refresh_token": text(&second, "refresh_token")?});
    client.with_token(text(&second, "access_token")?).post("/users/logout", body).await?.expect(200)?;
    let refused = refresh(text(&second, "refresh_token")?.to_owned()).await?.expect(401)?;
    assert_eq!(refused, json!({"detail": "Invalid or expired refresh token"}));
    for bad in ["", "x.y.z", text(&second, "access_token")?] {
        let status = refresh(bad.to_owned()).await?.status;
        assert!(status == 401 || status == 422, "{bad}: {status}");
    }
    Ok(())
}

#[tokio::test]
async fn failed_logins_are_throttled_and_do_not_reveal_accounts() -> Result<()> {
    let (_stack, client) = stack().await?;
    let wrong = client.login(VIEWER.0, "wrong").await?.expect(401)?;
    let unknown = client.login("nobody@example.com", "wrong").await?.expect(401)?;
    assert_eq!(wrong, unknown);
    for _ in 1..10 {
        client.login("nobody@example.com", "wrong").await?.expect(401)?;
    }
    // slower and slower, then not at all for a while
    let mut blocked = client.login("nobody@example.com", "wrong").await?;
    for _ in 0..10 {
        if blocked.status == 401 {
            blocked = client.login("nobody@example.com", "wrong").await?;
        }
    }
    blocked.expect(429)?;
    assert!(blocked.headers.contains_key("retry-after"));
    // another account is not blocked
    client.login(VIEWER.0, VIEWER.1).await?.expect(200)?;
    Ok(())
}

#[tokio::test]
async fn a_changed_password_ends_the_logins() -> Result<()> {
    let (_stack, client) = stack().await?;
    let pair = client.login(VIEWER.0, VIEWER.1).await?.expect(200)?;
    let viewer = client.with_token(text(&pair, "access_token")?);
    let body = |current: &str, new: &str| json!({"current_password": current, "new_password": new});
    let refused = viewer.post("/users/change-password", body("wrong", "long enough")).await?.expect(400)?;
    assert_eq!(refused, json!({"detail": "Current password is incorrect"}));
    let short = viewer.post("/users/change-password", body(VIEWER.1, "short")).await?.expect(422)?;
    assert_eq!(short["errors"][0]["loc"], json!(["body", "new_password"]));
    viewer.post("/users/change-password", body(VIEWER.1, "long enough")).await?.expect(200)?;
    client.login(VIEWER.0, VIEWER.1).await?.expect(401)?;
    client.login(VIEWER.0, "long%20enough").await?.expect(200)?;
    let body = json!({"refresh_token": text(&pair, "refresh_token")?});
    client.post("/users/refresh", body).await?.expect(401)?;
    Ok(())
}

#[tokio::test]
async fn a_token_outlives_neither_its_role_nor_its_account() -> Result<()> {
    let (_stack, client) = stack().await?;
    let admin = client.sign_in(ADMIN).await?;
    let engineer = client.sign_in(ENGINEER).await?;
    let me = engineer.get("/users/me").await?.expect(200)?;
    let account = format!("/users/{}", me["id"].as_str().unwrap_or_default());
    engineer.get("/mqtt/dead-letters").await?.expect(200)?;

    // another role: whoever has signed in with the former one signs in again
    admin.patch(&account, json!({"role": "viewer"})).await?.expect(200)?;
    engineer.get("/jobs").await?.expect(401)?;
    engineer.post("/machines", json!({"name": "m"})).await?.expect(401)?;
    engineer.wait_for_refusal("/mqtt/dead-letters", "Could not validate credentials").await?;
    let engineer = client.sign_in(ENGINEER).await?;
    engineer.get("/jobs").await?.expect(403)?;
    engineer.post("/machines", json!({"name": "m"})).await?.expect(403)?;
    let failure = json!({"machine_id": "machine-1", "duration": 2});
    engineer.post("/simulator/trigger-failure", failure).await?.expect(403)?;
    engineer.get("/mqtt/dead-letters").await?.expect(403)?;
    engineer.get("/machines").await?.expect(200)?;

    admin.patch(&account, json!({"is_active": false})).await?.expect(200)?;
    engineer.post("/alarms", json!({})).await?.expect(401)?;
    engineer.get("/tickets").await?.expect(401)?;
    engineer.wait_for_refusal("/machines", "Could not validate credentials").await
}

#[tokio::test]
async fn failed_logins_at_the_same_time_all_count() -> Result<()> {
    let (stack, client) = stack().await?;
    let (database, connection) = tokio_postgres::connect(stack.db(), tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    let attempts: Vec<_> = (0..8)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.login(VIEWER.0, "wrong").await })
        })
        .collect();
    for attempt in attempts {
        attempt.await??.expect(401)?;
    }
    // of the account as tried from one address: «login:ADDRESS:ACCOUNT»
    let sql = "select failures, coalesce(blocked_until <= now(), true) from login_throttle where key like 'login:%:' || $1";
    let row = database.query_one(sql, &[&VIEWER.0]).await?;
    assert_eq!((row.get::<_, i32>(0), row.get::<_, bool>(1)), (8, true));
    // a success forgets them, and failures of an earlier window do not count
    client.login(VIEWER.0, VIEWER.1).await?.expect(200)?;
    assert!(database.query_opt(sql, &[&VIEWER.0]).await?.is_none());
    client.login(ADMIN.0, "wrong").await?.expect(401)?;
    let earlier = "update login_throttle set failures = 9, window_started_at = now() - interval '16 minutes'";
    database.execute(earlier, &[]).await?;
    client.login(ADMIN.0, "wrong").await?.expect(401)?;
    let row = database.query_one(sql, &[&ADMIN.0]).await?;
    assert_eq!((row.get::<_, i32>(0), row.get::<_, bool>(1)), (1, true));
    Ok(())
}
