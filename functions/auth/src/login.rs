//! Login, refresh, logout.

use crate::password;
use http::StatusCode;
use pm_api::{Role, UserId, error::FieldError, user::TokenPair};
use pm_auth::token::{Identity, REFRESH_DAYS, RefreshClaims};
use pm_domain::throttle::{ACCOUNT_FAILURES, ADDRESS_FAILURES, WINDOW_S, block_s};
use pm_store::{Actor, Db, session, throttle, user};
use pm_web::{Call, Outcome, Query, Refusal, json};
use serde_json::Value;
use uuid::Uuid;

const BAD_REFRESH: &str = "Invalid or expired refresh token";

/// `POST /users/login`, form-encoded `username` and `password`.
pub(crate) async fn login(call: &Call) -> Outcome {
    let (username, given) = credentials(call)?;
    let db = call.db().await?;
    let keys = [
        (session::account_key(&username), ACCOUNT_FAILURES),
        (format!("address:{}", call.client_address().unwrap_or_default()), ADDRESS_FAILURES),
    ];
    let names: Vec<_> = keys.iter().map(|(key, _)| key.clone()).collect();
    let wait_s = throttle::blocked_s(&db, &names).await?;
    if wait_s > 0 {
        return Err(Refusal::TooManyRequests(wait_s));
    }
    let account = user::credentials_by_email(&db, &username).await?;
    let good = password::verify(&given, account.as_ref().map(|a| a.password_hash.as_str())).await?;
    let Some(account) = account.filter(|_| good) else {
        for (key, allowed) in &keys {
            let failures = throttle::failed(&db, key, WINDOW_S).await?;
            if let Some(seconds) = block_s(failures, *allowed) {
                throttle::block(&db, key, seconds).await?;
            }
        }
        return Err(Refusal::Unauthorized("Invalid credentials".to_owned()));
    };
    throttle::forget(&db, &keys[0].0).await?;
    begin(call, &db, Identity { user_id: account.user_id, email: account.email, role: account.role }).await
}

fn credentials(call: &Call) -> Result<(String, String), Refusal> {
    let form = std::str::from_utf8(&call.body).ok().filter(|_| {
        let kind = call.header("content-type").unwrap_or_default().to_ascii_lowercase();
        kind.starts_with("application/x-www-form-urlencoded")
    });
    let form = form.map(Query::parse).unwrap_or_default();
    let missing: Vec<_> = ["username", "password"]
        .into_iter()
        .filter(|name| form.text(name).is_none())
        .map(|name| FieldError::new("missing", &["body", name], "Field required", Value::Null))
        .collect();
    match (form.text("username"), form.text("password")) {
        (Some(username), Some(password)) if username.len() <= 320 && !username.contains('\0') => {
            Ok((username.trim().to_owned(), password.to_owned()))
        }
        (Some(_), Some(_)) => {
            Err(Refusal::field("string_too_long", &["body", "username"], "Not a mail address", Value::Null))
        }
        _ => Err(Refusal::Invalid(missing)),
    }
}

async fn begin(call: &Call, db: &Db, who: Identity) -> Outcome {
    let claims = RefreshClaims { user_id: who.user_id, family_id: Uuid::now_v7(), token_id: Uuid::now_v7() };
    let actor = Actor {
        user_id: who.user_id,
        action: Some("login"),
        ip_address: call.client_address(),
        user_agent: call.header("user-agent").map(str::to_owned),
    };
    session::begin(db, &actor, claims.family_id, claims.token_id, REFRESH_DAYS as i64).await?;
    pair(call, &who, &claims).await
}

async fn pair(call: &Call, who: &Identity, claims: &RefreshClaims) -> Outcome {
    let signer = call.signer().await?;
    let sign_error = |e: pm_auth::token::TokenError| Refusal::Internal(e.to_string());
    Ok(json(
        StatusCode::OK,
        &TokenPair {
            access_token: signer.access(who).map_err(sign_error)?,
            refresh_token: signer.refresh(&who.email, claims).map_err(sign_error)?,
            token_type: "bearer".to_owned(),
        },
    ))
}

/// `POST /users/refresh`: a new pair for the current refresh token of a login.
pub(crate) async fn refresh(call: &Call) -> Outcome {
    let mut fields = call.fields()?;
    let token = fields.required_text("refresh_token", 5000);
    fields.end()?;
    let refuse = || Refusal::Unauthorized(BAD_REFRESH.to_owned());
    let claims = call.signer().await?.check_refresh(&token).map_err(|_| refuse())?;
    let next = Uuid::now_v7();
    let db = call.db().await?;
    let account: Option<(UserId, String, Role)> =
        session::rotate(&db, claims.family_id, claims.token_id, next).await?;
    let (user_id, email, role) = account.ok_or_else(refuse)?;
    pair(call, &Identity { user_id, email, role }, &RefreshClaims { token_id: next, ..claims }).await
}

/// `POST /users/logout`: ends the login that the refresh token descends from.
pub(crate) async fn logout(call: &Call) -> Outcome {
    let mut fields = call.fields()?;
    let token = fields.required_text("refresh_token", 5000);
    fields.end()?;
    let claims = call
        .signer()
        .await?
        .check_refresh(&token)
        .map_err(|_| Refusal::Unauthorized(BAD_REFRESH.to_owned()))?;
    session::revoke(&call.db().await?, claims.family_id, call.identity()?.user_id).await?;
    Ok(json(StatusCode::OK, &serde_json::json!({ "message": "Logged out successfully" })))
}
