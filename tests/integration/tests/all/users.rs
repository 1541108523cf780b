//! Accounts: registration by policy, management by administrators, the last administrator, forgotten passwords.

use crate::client::{ADMIN, Answer, Client, ENGINEER, VIEWER, text};
use anyhow::{Context, Result};
use http::Method;
use pm_test_support::{Stack, StackOptions};
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
    engineer.post("/machines", json!({"name": "m"})).await?.expect(401)?;
    client.sign_in(ENGINEER).await?.post("/machines", json!({"name": "m"})).await?.expect(403)?;

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
async fn every_fault_of_a_request_is_named_at_once() -> Result<()> {
    let (_stack, client) = stack().await?;
    let admin = client.sign_in(ADMIN).await?;
    let me = format!("/users/{}", text(&admin.get("/users/me").await?.expect(200)?, "id")?);
    let roles = admin.get("/roles").await?.expect(200)?;
    let role = format!("/roles/{}", text(&roles[0], "id")?);
    for (method, path, body, places) in [
        (
            Method::POST,
            "/users",
            json!({"email": "a@b", "password": "p", "full_name": 7, "role": "king"}),
            vec![
                json!(["body", "email"]),
                json!(["body", "full_name"]),
                json!(["body", "password"]),
                json!(["body", "role"]),
            ],
        ),
        (
            Method::PATCH,
            &me,
            json!({"role": "king", "is_active": 1, "custom_roles": ["", 7]}),
            vec![
                json!(["body", "custom_roles", 0]),
                json!(["body", "custom_roles", 1]),
                json!(["body", "is_active"]),
                json!(["body", "role"]),
            ],
        ),
        (Method::PATCH, "/users/me", json!({"password": "new password"}), vec![json!(["body", "password"])]),
        (
            Method::POST,
            "/users/change-password",
            json!({"new_password": "p"}),
            vec![json!(["body", "current_password"]), json!(["body", "new_password"])],
        ),
        (
            Method::PATCH,
            &role,
            json!({"name": "", "permissions": ["audit.read", "coffee.make", "users.write"]}),
            vec![
                json!(["body", "name"]),
                json!(["body", "permissions", 1]),
                json!(["body", "permissions", 2]),
            ],
        ),
        (
            Method::POST,
            "/settings",
            json!({"key": "a b", "value": "x", "value_type": "number", "is_public": true, "is_secret": true}),
            vec![json!(["body", "is_secret"]), json!(["body", "key"]), json!(["body", "value"])],
        ),
        (
            Method::PATCH,
            "/notifications/preferences",
            json!({"alarms": "yes", "minimum_severity": "grave"}),
            vec![json!(["body", "alarms"]), json!(["body", "minimum_severity"])],
        ),
        (
            Method::GET,
            "/audit/logs?user_id=x&start_date=yesterday&limit=0",
            Value::Null,
            vec![json!(["query", "limit"]), json!(["query", "start_date"]), json!(["query", "user_id"])],
        ),
    ] {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = admin.send(method, path, &[("content-type", "application/json")], body).await?;
        let refused = answer.expect(422)?;
        let errors = refused["errors"].as_array().context("no errors")?;
        let mut named: Vec<_> = errors.iter().map(|error| error["loc"].clone()).collect();
        named.sort_by_key(Value::to_string);
        assert_eq!(named, places, "{path}");
        assert!(!refused.to_string().contains("new password"), "{refused}");
    }
    // a plus sign in a query is a blank once decoded
    admin.get("/audit/logs?start_date=2026-01-01T00:00:00+01:00").await?.expect(200)?;
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
        // the administrator who made the account chose its first password
        let second = client.sign_in(("second@example.com", "secret123")).await?;
        let own = json!({"current_password": "secret123", "new_password": "one of my own"});
        second.post("/users/change-password", own).await?.expect(200)?;
        client.sign_in(("second@example.com", "one of my own")).await?
    } else {
        client.sign_in(ADMIN).await?
    };
    let role = json!({"role": "admin"});
    left.patch(&path, role.clone()).await?.expect(200)?;
    left.patch(&second_path, role).await?.expect(200)?;
    // a change of role ended the session of whoever left
    let admin = client.sign_in(ADMIN).await?;
    assert_eq!(admin.delete(&second_path).await?.status, 204);
    Ok(())
}

const REQUEST: &str = "/users/password-reset/request";
const CONFIRM: &str = "/users/password-reset/confirm";

/// Waits for the given number of mails with a link for this address; gives their tokens, oldest first.
async fn reset_tokens(database: &tokio_postgres::Client, email: &str, count: usize) -> Result<Vec<String>> {
    let sql = "select body_text from mails where kind = 'password_reset' and recipient = $1 order by created_at, id";
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let rows = database.query(sql, &[&email]).await?;
        if rows.len() >= count {
            let token = |text: String| {
                let (_, rest) = text.split_once("/app/reset-password#token=").context("no link")?;
                Ok(rest.split_whitespace().next().context("no token")?.to_owned())
            };
            return rows.iter().map(|row| token(row.get(0))).collect();
        }
        anyhow::ensure!(std::time::Instant::now() < end, "{} mails for {email}", rows.len());
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_reset_link_sets_a_new_password_once() -> Result<()> {
    let (stack, client) = stack().await?;
    let database = database(&stack).await?;
    let admin = client.sign_in(ADMIN).await?;
    let pair = client.login(VIEWER.0, VIEWER.1).await?.expect(200)?;

    // nothing tells an account from none
    let sent = json!({"message": "If the email exists, a reset link has been sent"});
    let unknown = client.post(REQUEST, json!({"email": "nobody@example.com"})).await?;
    let known = client.post(REQUEST, json!({"email": VIEWER.0.to_uppercase()})).await?;
    assert_eq!((unknown.expect(200)?, known.expect(200)?), (sent.clone(), sent.clone()));
    let without_date = |answer: &Answer| {
        let mut headers = answer.headers.clone();
        headers.remove("date");
        headers.remove("x-request-id");
        headers
    };
    assert_eq!(without_date(&unknown), without_date(&known));
    let token = reset_tokens(&database, VIEWER.0, 1).await?.remove(0);
    let mails: i64 = database.query_one("select count(*) from mails", &[]).await?.get(0);
    let hashes: Vec<Vec<u8>> = database
        .query("select token_hash from password_resets", &[])
        .await?
        .iter()
        .map(|r| r.get(0))
        .collect();
    assert_eq!((mails, hashes.len()), (1, 1));
    assert!(hashes[0].len() == 32 && !hashes[0].windows(8).any(|w| token.as_bytes().starts_with(w)));

    // what is refused spends nothing
    let body = |token: &str, password: &str| json!({"token": token, "new_password": password});
    let short = client.post(CONFIRM, body(&token, "short")).await?.expect(422)?;
    assert_eq!(short["errors"][0]["loc"], json!(["body", "new_password"]));
    let wrong = client.post(CONFIRM, body("7e57ab1e-0000-4000-8000-000000000000", "brand new word")).await?;
    assert_eq!(wrong.expect(400)?, json!({"detail": "Invalid or expired reset token"}));
    client.post(CONFIRM, json!({"new_password": "brand new word"})).await?.expect(422)?;
    client.login(VIEWER.0, VIEWER.1).await?.expect(200)?;

    // of two tokens the first that is used spends both
    client.post(REQUEST, json!({"email": VIEWER.0})).await?.expect(200)?;
    let second = reset_tokens(&database, VIEWER.0, 2).await?.remove(1);
    let done = client.post(CONFIRM, body(&token, "brand new word")).await?.expect(200)?;
    assert_eq!(done, json!({"message": "Password reset successfully"}));
    for spent in [&token, &second] {
        let refused = client.post(CONFIRM, body(spent, "yet another word")).await?.expect(400)?;
        assert_eq!(refused, json!({"detail": "Invalid or expired reset token"}));
    }
    client.login(VIEWER.0, VIEWER.1).await?.expect(401)?;
    client.login(VIEWER.0, "brand%20new%20word").await?.expect(200)?;
    let refresh = json!({"refresh_token": text(&pair, "refresh_token")?});
    client.post("/users/refresh", refresh).await?.expect(401)?;

    // its hour is over
    client.post(REQUEST, json!({"email": VIEWER.0})).await?.expect(200)?;
    let third = reset_tokens(&database, VIEWER.0, 3).await?.remove(2);
    database.execute("update password_resets set expires_at = now() - interval '1 second'", &[]).await?;
    let late = client.post(CONFIRM, body(&third, "yet another word")).await?.expect(400)?;
    assert_eq!(late, json!({"detail": "Reset token has expired"}));

    // a fourth within a quarter of an hour gets the same answer and no mail
    assert_eq!(client.post(REQUEST, json!({"email": VIEWER.0})).await?.expect(200)?, sent);
    client.post(REQUEST, json!({"email": ENGINEER.0})).await?.expect(200)?;
    reset_tokens(&database, ENGINEER.0, 1).await?;
    let key = format!("reset-account:{}", VIEWER.0);
    for _ in 0..400 {
        let sql = "select failures from login_throttle where key = $1";
        if database.query_one(sql, &[&key]).await?.get::<_, i32>(0) == 4 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(reset_tokens(&database, VIEWER.0, 3).await?.len(), 3);

    let log = admin.get("/audit/logs?q=password_reset&limit=1000").await?.expect(200)?;
    let actions: Vec<_> =
        log.as_array().context("no list")?.iter().rev().filter_map(|e| e["action_type"].as_str()).collect();
    let (request, confirm) = ("password_reset_request", "password_reset_confirm");
    assert_eq!(actions, [request, request, confirm, request, request], "{log}");
    let visible = format!("{}{}", admin.get("/audit/logs").await?.expect(200)?, stack.log("host"));
    for secret in [&token, &second, &third, "brand new word", "yet another"] {
        assert!(!visible.contains(secret), "{secret} is visible");
    }
    Ok(())
}

#[tokio::test]
async fn an_inactive_account_gets_no_reset_link_and_requests_are_limited() -> Result<()> {
    let (stack, client) = stack().await?;
    let database = database(&stack).await?;
    let admin = client.sign_in(ADMIN).await?;
    let viewer = admin.get("/users?role=viewer").await?.expect(200)?;
    let path = format!("/users/{}", text(&viewer[0], "id")?);
    client.post(REQUEST, json!({"email": VIEWER.0})).await?.expect(200)?;
    let token = reset_tokens(&database, VIEWER.0, 1).await?.remove(0);
    admin.patch(&path, json!({"is_active": false})).await?.expect(200)?;
    let refused = client.post(CONFIRM, json!({"token": token, "new_password": "brand new word"})).await?;
    assert_eq!(refused.expect(400)?, json!({"detail": "Invalid or expired reset token"}));
    client.post(REQUEST, json!({"email": VIEWER.0})).await?.expect(200)?;
    client.post(REQUEST, json!({"email": ENGINEER.0})).await?.expect(200)?;
    reset_tokens(&database, ENGINEER.0, 1).await?;
    assert_eq!(reset_tokens(&database, VIEWER.0, 1).await?.len(), 1);

    client.post(REQUEST, json!({})).await?.expect(422)?;
    let mut answers = Vec::new();
    for _ in 0..20 {
        answers.push(client.post(REQUEST, json!({"email": "nobody@example.com"})).await?.status.as_u16());
    }
    assert_eq!(answers.first(), Some(&200));
    assert_eq!(answers.last(), Some(&429), "{answers:?}");
    Ok(())
}
