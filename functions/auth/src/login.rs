//! Login, refresh, logout.

use crate::{
    password,
    throttled::{LOGIN_SETTINGS, Tries},
};
use http::StatusCode;
use pm_api::{
    error::FieldError,
    user::{Message, TokenPair},
};
use pm_auth::token::{Identity, RefreshClaims};
use pm_domain::settings::{Key, Values};
use pm_store::{
    Db, audit, session, setting, throttle,
    user::{self, Credentials},
};
use pm_web::{Call, Outcome, Query, Refusal, json};
use serde_json::Value;
use uuid::Uuid;

const BAD_REFRESH: &str = "Invalid or expired refresh token";
const LIVES: [Key; 2] = [Key::SessionAccessMinutes, Key::SessionRefreshDays];

/// `POST /users/login`, form-encoded `username` and `password`.
pub(crate) async fn login(call: &Call) -> Outcome {
    let (username, given) = credentials(call)?;
    let db = call.db().await?;
    let settings = setting::read(&db, &[LIVES, LOGIN_SETTINGS].concat()).await?;
    let tries = Tries::of_login(call, &username, &settings);
    tries.check(&db).await?;
    let account = user::credentials_by_email(&db, &username).await?;
    let good = password::verify(&given, account.as_ref().map(|a| a.password_hash.as_str())).await?;
    let known_id = account.as_ref().map(|a| a.user_id);
    let Some(account) = account.filter(|_| good) else {
        tries.count(&db).await?;
        // what was typed as the name is not written down: people type passwords there
        let failed = audit::Event {
            action: "login_failed",
            resource_type: "user",
            resource_id: known_id.map(|id| id.to_string()),
            details: None,
        };
        audit::record_of(&db, known_id, &call.origin(), failed).await?;
        return Err(Refusal::Unauthorized("Invalid credentials".to_owned()));
    };
    throttle::forget(&db, &session::account_key(&username)).await?;
    begin(call, &db, account, &settings).await
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

async fn begin(call: &Call, db: &Db, account: Credentials, settings: &Values) -> Outcome {
    let claims =
        RefreshClaims { user_id: account.user_id, family_id: Uuid::now_v7(), token_id: Uuid::now_v7() };
    let actor = call.origin().actor(account.user_id);
    let days = settings.integer(Key::SessionRefreshDays);
    session::begin(db, &actor, claims.family_id, claims.token_id, days).await?;
    pair(call, account, &claims, settings).await
}

async fn pair(call: &Call, account: Credentials, claims: &RefreshClaims, settings: &Values) -> Outcome {
    let signer = call.signer().await?;
    let sign_error = |e: pm_auth::token::TokenError| Refusal::Internal(e.to_string());
    let life = |key| settings.integer(key).unsigned_abs();
    let who = Identity {
        user_id: account.user_id,
        email: account.email,
        role: account.role,
        permissions: account.permissions,
    };
    let access_token = signer.access(&who, life(Key::SessionAccessMinutes)).map_err(sign_error)?;
    let refresh_token =
        signer.refresh(&who.email, claims, life(Key::SessionRefreshDays)).map_err(sign_error)?;
    Ok(json(StatusCode::OK, &TokenPair { access_token, refresh_token, token_type: "bearer".to_owned() }))
}

/// `POST /users/refresh`: a new pair for the current refresh token of a login.
pub(crate) async fn refresh(call: &Call) -> Outcome {
    let mut fields = call.fields()?;
    let token = fields.required_secret("refresh_token", 5000);
    fields.end()?;
    let refuse = || Refusal::Unauthorized(BAD_REFRESH.to_owned());
    let claims = call.signer().await?.check_refresh(&token).map_err(|_| refuse())?;
    let next = Uuid::now_v7();
    let db = call.db().await?;
    let settings = setting::read(&db, &LIVES).await?;
    let account = session::rotate(&db, &call.origin(), claims.family_id, claims.token_id, next).await?;
    pair(call, account.ok_or_else(refuse)?, &RefreshClaims { token_id: next, ..claims }, &settings).await
}

/// `POST /users/logout`: ends the login that the refresh token descends from.
pub(crate) async fn logout(call: &Call) -> Outcome {
    let mut fields = call.fields()?;
    let token = fields.required_secret("refresh_token", 5000);
    fields.end()?;
    let claims = call
        .signer()
        .await?
        .check_refresh(&token)
        .map_err(|_| Refusal::Unauthorized(BAD_REFRESH.to_owned()))?;
    let actor = call.origin().actor(call.identity()?.user_id);
    session::revoke(&call.db().await?, &actor, claims.family_id).await?;
    Ok(json(StatusCode::OK, &Message { message: "Logged out successfully".to_owned() }))
}
