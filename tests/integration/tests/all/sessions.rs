//! Sessions: what renews them, what ends them, and what dies with them.

use crate::client::{ADMIN, Client, ENGINEER, VIEWER, text};
use anyhow::{Context, Result};
use http::Method;
use http_body_util::BodyExt;
use pm_test_support::{Stack, StackOptions};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const REFUSED: &str = "Could not validate credentials";

async fn stack() -> Result<(Stack, Client, tokio_postgres::Client)> {
    let stack =
        Stack::start(StackOptions { demo: true, without_bridge: true, ..StackOptions::default() }).await?;
    let client = Client::new(&stack.base_url());
    let (database, connection) = tokio_postgres::connect(stack.db(), tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    Ok((stack, client, database))
}

/// A signed-in client with its tokens.
struct SignedIn {
    client: Client,
    refresh_token: String,
}

async fn sign_in(client: &Client, who: (&str, &str)) -> Result<SignedIn> {
    let pair = client.login(who.0, who.1).await?.expect(200)?;
    let refresh_token = text(&pair, "refresh_token")?.to_owned();
    Ok(SignedIn { client: client.with_token(text(&pair, "access_token")?), refresh_token })
}

async fn refresh(client: &Client, token: &str, status: u16) -> Result<Value> {
    client.post("/users/refresh", json!({ "refresh_token": token })).await?.expect(status)
}

async fn count(database: &tokio_postgres::Client, sql: &str) -> Result<i64> {
    Ok(database.query_one(sql, &[]).await?.get(0))
}

#[tokio::test]
async fn ten_renewals_at_once_and_a_lost_answer_stay_in() -> Result<()> {
    let (_stack, client, database) = stack().await?;
    let first = sign_in(&client, VIEWER).await?;
    let mut renewals = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let (client, token) = (client.clone(), first.refresh_token.clone());
        renewals.spawn(async move { refresh(&client, &token, 200).await });
    }
    let mut pairs = Vec::new();
    while let Some(pair) = renewals.join_next().await {
        pairs.push(pair??);
    }
    for pair in &pairs {
        client.with_token(text(pair, "access_token")?).get("/users/me").await?.expect(200)?;
    }
    // the answer was lost, and the client asks again with what it has
    let repeated = refresh(&client, &first.refresh_token, 200).await?;
    // whichever of the answers a client kept, it goes on
    let next = refresh(&client, text(&pairs[3], "refresh_token")?, 200).await?;
    refresh(&client, text(&repeated, "refresh_token")?, 200).await?;
    client.with_token(text(&next, "access_token")?).get("/users/me").await?.expect(200)?;
    assert_eq!(
        count(&database, "select count(*) from audit_log where action_type = 'token_reuse'").await?,
        0
    );
    Ok(())
}

#[tokio::test]
async fn older_and_later_reuse_of_a_refresh_token_ends_the_session() -> Result<()> {
    let (_stack, client, database) = stack().await?;
    // older than the predecessor
    let first = sign_in(&client, VIEWER).await?;
    let second = refresh(&client, &first.refresh_token, 200).await?;
    let third = refresh(&client, text(&second, "refresh_token")?, 200).await?;
    let refused = refresh(&client, &first.refresh_token, 401).await?;
    assert_eq!(refused, json!({ "detail": "Invalid or expired refresh token" }));
    refresh(&client, text(&third, "refresh_token")?, 401).await?;
    let viewer = client.with_token(text(&third, "access_token")?);
    viewer.patch("/users/me", json!({ "full_name": "x" })).await?.expect(401)?;
    // the predecessor, too late
    let first = sign_in(&client, VIEWER).await?;
    let second = refresh(&client, &first.refresh_token, 200).await?;
    let late =
        "update refresh_families set rotated_at = now() - interval '31 seconds' where revoked_at is null";
    database.execute(late, &[]).await?;
    refresh(&client, &first.refresh_token, 401).await?;
    refresh(&client, text(&second, "refresh_token")?, 401).await?;

    let of = |action: &str| format!("select count(*) from audit_log where action_type = '{action}'");
    assert_eq!(count(&database, &of("token_reuse")).await?, 2);
    assert_eq!(count(&database, &of("refresh_refused")).await?, 2);
    let told = "select count(*) from notices where kind = 'security' and recipient = 'admin@example.com'
                and title like '%viewer@example.com%'";
    assert_eq!(count(&database, told).await?, 2);
    Ok(())
}

/// The access token is refused at once where something is changed, and within ten seconds where something is read.
async fn is_dead(signed_in: &SignedIn, why: &str) -> Result<()> {
    let change = signed_in.client.patch("/users/me", json!({ "full_name": "x" })).await?;
    change.expect(401).with_context(|| why.to_owned())?;
    let began = Instant::now();
    signed_in.client.wait_for_refusal("/machines", REFUSED).await.with_context(|| why.to_owned())?;
    assert!(began.elapsed() < Duration::from_secs(12), "{why}: {:?}", began.elapsed());
    refresh(&signed_in.client, &signed_in.refresh_token, 401).await.with_context(|| why.to_owned())?;
    Ok(())
}

#[tokio::test]
async fn access_tokens_die_with_their_session() -> Result<()> {
    let (_stack, client, _database) = stack().await?;
    let admin = client.sign_in(ADMIN).await?;
    let engineer = admin.get("/users?role=engineer").await?.expect(200)?;
    let path = format!("/users/{}", text(&engineer[0], "id")?);
    let mut password = ENGINEER.1;
    for why in [
        "logout",
        "end one",
        "end all",
        "end by admin",
        "role",
        "password by admin",
        "own password",
        "inactive",
    ] {
        let signed_in = sign_in(&client, (ENGINEER.0, password)).await?;
        let me = &signed_in.client;
        me.get("/machines").await?.expect(200)?;
        match why {
            "logout" => {
                let body = json!({ "refresh_token": signed_in.refresh_token });
                me.post("/users/logout", body).await?.expect(200)?;
            }
            "end one" => {
                let own = me.get("/users/me/sessions").await?.expect(200)?;
                let path = format!("/users/me/sessions/{}", text(&own[0], "id")?);
                assert_eq!(me.delete(&path).await?.status, 204);
            }
            "end all" => {
                assert_eq!(me.delete("/users/me/sessions").await?.expect(200)?, json!({ "ended": 1 }))
            }
            "end by admin" => {
                let ended = admin.delete(&format!("{path}/sessions")).await?.expect(200)?;
                assert_eq!(ended, json!({ "ended": 1 }));
            }
            "role" => {
                admin.patch(&path, json!({ "role": "viewer" })).await?.expect(200)?;
            }
            "password by admin" => {
                password = "set%20by%20somebody%20else";
                admin.patch(&path, json!({ "password": "set by somebody else" })).await?.expect(200)?;
            }
            "own password" => {
                password = "chosen%20by%20myself";
                let body =
                    json!({ "current_password": "set by somebody else", "new_password": "chosen by myself" });
                me.post("/users/change-password", body).await?.expect(200)?;
            }
            _ => {
                admin.patch(&path, json!({ "is_active": false })).await?.expect(200)?;
            }
        }
        is_dead(&signed_in, why).await?;
        if why == "password by admin" {
            admin.patch("/settings/password.change_first", json!({ "value": "false" })).await?.expect(200)?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn people_see_and_end_their_sessions_and_administrators_those_of_others() -> Result<()> {
    let (_stack, client, _database) = stack().await?;
    let admin = client.sign_in(ADMIN).await?;
    let form = format!("username={}&password={}", VIEWER.0, VIEWER.1);
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("user-agent", "Phone/1")];
    let phone = client.send(Method::POST, "/users/login", &headers, form).await?.expect(200)?;
    let phone = client.with_token(text(&phone, "access_token")?);
    let desk = sign_in(&client, VIEWER).await?;

    let answer = desk.client.get("/users/me/sessions").await?;
    assert_eq!(answer.headers["x-total-count"], "2");
    let sessions = answer.expect(200)?;
    let marked: Vec<_> = sessions.as_array().context("no list")?.iter().map(|s| &s["is_current"]).collect();
    assert_eq!(marked, [&json!(true), &json!(false)], "{sessions}");
    let other = &sessions[1];
    assert_eq!((&other["user_agent"], &other["ip_address"]), (&json!("Phone/1"), &json!("127.0.0.1")));
    assert!(other["last_used_at"].is_string() && other["expires_at"].is_string());

    // not those of others
    let own = admin.get("/users/me/sessions").await?.expect(200)?;
    let path = format!("/users/me/sessions/{}", text(&own[0], "id")?);
    desk.client.delete(&path).await?.expect(404)?;
    let me = desk.client.get("/users/me").await?.expect(200)?;
    let path = format!("/users/{}/sessions", text(&me, "id")?);
    desk.client.get(&path).await?.expect(403)?;
    desk.client.delete(&path).await?.expect(403)?;
    desk.client.delete("/users/me/sessions/not-an-id").await?.expect(422)?;

    assert_eq!(admin.get(&path).await?.expect(200)?.as_array().map(Vec::len), Some(2));
    let one = format!("{path}/{}", text(other, "id")?);
    assert_eq!(admin.delete(&one).await?.status, 204);
    admin.delete(&one).await?.expect(404)?;
    phone.patch("/users/me", json!({})).await?.expect(401)?;
    desk.client.patch("/users/me", json!({})).await?.expect(200)?;

    let third = sign_in(&client, VIEWER).await?;
    let ended = desk.client.delete("/users/me/sessions?keep_current=true").await?.expect(200)?;
    assert_eq!(ended, json!({ "ended": 1 }));
    is_dead(&third, "ended by another session").await?;
    desk.client.patch("/users/me", json!({})).await?.expect(200)?;
    let log = admin.get("/audit/logs?action_type=sessions_ended").await?.expect(200)?;
    assert_eq!(log.as_array().map(Vec::len), Some(2), "{log}");
    Ok(())
}

#[tokio::test]
async fn a_session_without_use_ends_if_the_setting_says_so() -> Result<()> {
    let (_stack, client, database) = stack().await?;
    let admin = client.sign_in(ADMIN).await?;
    let (idle, busy) = (sign_in(&client, VIEWER).await?, sign_in(&client, ENGINEER).await?);
    let long_ago = "update refresh_families set last_used_at = now() - interval '3 hours'
                    where user_id = (select id from users where email = 'viewer@example.com')";
    database.execute(long_ago, &[]).await?;
    admin.patch("/settings/session.idle_minutes", json!({ "value": "120" })).await?.expect(200)?;
    is_dead(&idle, "not used").await?;
    busy.client.patch("/users/me", json!({})).await?.expect(200)?;
    refresh(&client, &busy.refresh_token, 200).await?;
    let log = admin.get("/audit/logs?action_type=refresh_refused").await?.expect(200)?;
    assert_eq!(log[0]["details"], "The session had not been used for too long");
    Ok(())
}

#[tokio::test]
async fn a_stream_ends_with_its_session_and_a_ticket_opens_one_stream() -> Result<()> {
    let (_stack, client, _database) = stack().await?;
    let viewer = sign_in(&client, VIEWER).await?;
    let ticket = viewer.client.post("/realtime/ticket", json!({})).await?.expect(200)?;
    let path = format!("/ws/events/stream?token={}", text(&ticket, "ticket")?);
    let stream = client.open(Method::GET, &path, &[], "").await?;
    assert_eq!(stream.status(), 200);
    assert_eq!(client.open(Method::GET, &path, &[], "").await?.status(), 401, "a second stream");
    let body = json!({ "refresh_token": viewer.refresh_token });
    viewer.client.post("/users/logout", body).await?.expect(200)?;
    let mut body = stream.into_body();
    let ends = async { while body.frame().await.is_some() {} };
    tokio::time::timeout(Duration::from_secs(45), ends).await.context("the stream goes on")?;
    Ok(())
}
