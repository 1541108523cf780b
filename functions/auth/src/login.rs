//! Login, refresh, logout.

use crate::{
    password,
    throttled::{AttemptLimits, LOGIN_SETTINGS},
};
use pm_api::{
    route::op,
    user::{Message, RefreshRequest, TokenPair},
};
use pm_auth::token::{Identity, RefreshClaims};
use pm_domain::settings::{Key, Values};
use pm_store::{
    Db, audit, session, setting, throttle,
    user::{self, Credentials},
};
use pm_web::{Call, Input, Refusal};
use uuid::Uuid;

const LIVES: [Key; 2] = [Key::SessionAccessMinutes, Key::SessionRefreshDays];

/// `POST /users/login`, form-encoded `username` and `password`.
pub(crate) async fn login(input: Input<op::Login>) -> Result<TokenPair, Refusal> {
    let (username, given) = (input.body.username.trim(), &input.body.password);
    let db = input.db().await?;
    let settings = setting::read(&db, &[LIVES, LOGIN_SETTINGS].concat()).await?;
    let limits = AttemptLimits::of_login(&input, username, &settings);
    limits.check(&db).await?;
    let account = user::credentials_by_email(&db, username).await?;
    let good = password::verify(given, account.as_ref().map(|a| a.password_hash.as_str())).await?;
    let known_id = account.as_ref().map(|a| a.user_id);
    let Some(account) = account.filter(|_| good) else {
        limits.count(&db).await?;
        // what was typed as the name is not written down: people type passwords there
        let failed = audit::Event {
            action: "login_failed",
            resource_type: "user",
            resource_id: known_id.map(|id| id.to_string()),
            details: None,
        };
        audit::record_of(&db, known_id, &input.origin(), failed).await?;
        return Err(Refusal::Unauthorized("Invalid credentials".to_owned()));
    };
    throttle::forget(&db, &session::account_key(username)).await?;
    begin(&input, &db, account, &settings).await
}

async fn begin(call: &Call, db: &Db, account: Credentials, settings: &Values) -> Result<TokenPair, Refusal> {
    let claims =
        RefreshClaims { user_id: account.user_id, family_id: Uuid::now_v7(), token_id: Uuid::now_v7() };
    let actor = call.origin().actor(account.user_id);
    let days = settings.integer(Key::SessionRefreshDays);
    session::begin(db, &actor, claims.family_id, claims.token_id, days).await?;
    pair(call, account, &claims, settings).await
}

async fn pair(
    call: &Call,
    account: Credentials,
    claims: &RefreshClaims,
    settings: &Values,
) -> Result<TokenPair, Refusal> {
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
    Ok(TokenPair { access_token, refresh_token, token_type: "bearer".to_owned() })
}

/// `POST /users/refresh`: a new pair for the current refresh token of a login.
pub(crate) async fn refresh(input: Input<op::Refresh>) -> Result<TokenPair, Refusal> {
    let claims = claims(&input, &input.body).await?;
    let next = Uuid::now_v7();
    let db = input.db().await?;
    let settings = setting::read(&db, &LIVES).await?;
    let account = session::rotate(&db, &input.origin(), claims.family_id, claims.token_id, next).await?;
    let account = account.ok_or_else(bad_refresh)?;
    pair(&input, account, &RefreshClaims { token_id: next, ..claims }, &settings).await
}

/// `POST /users/logout`: ends the login that the refresh token descends from.
pub(crate) async fn logout(input: Input<op::Logout>) -> Result<Message, Refusal> {
    let claims = claims(&input, &input.body).await?;
    let actor = input.origin().actor(input.identity()?.user_id);
    session::revoke(&input.db().await?, &actor, claims.family_id).await?;
    Ok(Message { message: "Logged out successfully".to_owned() })
}

async fn claims(call: &Call, body: &RefreshRequest) -> Result<RefreshClaims, Refusal> {
    call.signer().await?.check_refresh(&body.refresh_token).map_err(|_| bad_refresh())
}

fn bad_refresh() -> Refusal {
    Refusal::Unauthorized("Invalid or expired refresh token".to_owned())
}
