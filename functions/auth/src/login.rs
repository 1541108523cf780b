//! Login, refresh, logout.

use crate::{
    device, password, second_factor,
    throttled::{LOGIN_SETTINGS, LoginAttempt},
};
use pm_api::{
    route::op,
    user::{Message, RefreshRequest, TokenPair},
};
use pm_auth::token::{Credential, Identity, RefreshClaims};
use pm_domain::{
    session::{Renewal, renew},
    settings::{Key, Values},
};
use pm_store::{
    Db, audit,
    session::{self, Which},
    setting,
    user::{self, Account},
};
use pm_web::{Call, Input, Refusal, SignedIn};
use uuid::Uuid;

pub(crate) const LIVES: [Key; 2] = [Key::SessionAccessMinutes, Key::SessionRefreshDays];
/// How often a session is read before a refresh gives up: other requests may renew it at the same time.
const MAX_READS: u32 = 5;

/// `POST /users/login`, form-encoded `username` and `password`.
pub(crate) async fn login(input: Input<op::Login>) -> Result<SignedIn<TokenPair>, Refusal> {
    let (username, given) = (input.body.username.trim(), &input.body.password);
    let db = input.db().await?;
    let keys = [LIVES.as_slice(), &LOGIN_SETTINGS, &[Key::GeneralPublicUrl]].concat();
    let settings = setting::read(&db, &keys).await?;
    let found = user::credentials_by_email(&db, username).await?;
    let known_id = found.as_ref().map(|found| found.account.user_id);
    let device = device::known(&input, known_id).await?;
    let attempt = LoginAttempt::new(&input, username, device, &settings);
    attempt.wait(&input, &db, known_id).await?;
    let hash = found.as_ref().and_then(|found| found.password_hash.as_deref());
    let good = password::verify(given, hash).await?;
    let Some(found) = found.filter(|_| good) else {
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
    let account = found.account;
    if found.second_factor {
        second_factor::check(&input, &db, account.user_id, input.body.code.as_deref()).await?;
    }
    attempt.succeeded(&db).await?;
    let cookie = device::cookie(&input, account.user_id, device, &settings).await?;
    Ok(SignedIn { body: begin(&input, &db, account, &settings, None).await?, cookie })
}

/// Begins a session. `identity_provider`: by which the person has signed in; none: by password. Needs [`LIVES`].
pub(crate) async fn begin(
    call: &Call,
    db: &Db,
    account: Account,
    settings: &Values,
    identity_provider: Option<&str>,
) -> Result<TokenPair, Refusal> {
    let claims =
        RefreshClaims { user_id: account.user_id, family_id: Uuid::now_v7(), token_id: Uuid::now_v7() };
    let actor = call.origin().actor(account.user_id);
    let days = settings.integer(Key::SessionRefreshDays);
    session::begin(db, &actor, claims.family_id, claims.token_id, days, identity_provider).await?;
    pair(call, account, &claims, settings).await
}

async fn pair(
    call: &Call,
    account: Account,
    claims: &RefreshClaims,
    settings: &Values,
) -> Result<TokenPair, Refusal> {
    let signer = call.signer().await?;
    let sign_error = |e: pm_auth::token::TokenError| Refusal::Internal(e.to_string());
    let life = |key| settings.integer(key).unsigned_abs();
    let who = Identity {
        user_id: account.user_id,
        credential: Credential::Session(claims.family_id),
        email: account.email,
        role: account.rights.role,
        permissions: account.rights.permissions,
    };
    let access_token = signer.access(&who, life(Key::SessionAccessMinutes)).map_err(sign_error)?;
    let refresh_token =
        signer.refresh(&who.email, claims, life(Key::SessionRefreshDays)).map_err(sign_error)?;
    Ok(TokenPair { access_token, refresh_token, token_type: "bearer".to_owned() })
}

/// `POST /users/refresh`: a new pair for the current refresh token of a session, or for the one before it if it was replaced
/// a moment ago.
pub(crate) async fn refresh(input: Input<op::Refresh>) -> Result<TokenPair, Refusal> {
    let claims = claims(&input, &input.body).await?;
    let db = input.db().await?;
    let settings = setting::read(&db, &[LIVES.as_slice(), &[Key::SessionIdleMinutes]].concat()).await?;
    let idle_minutes = settings.integer(Key::SessionIdleMinutes);
    let (origin, family) = (input.origin(), claims.family_id);
    for _ in 0..MAX_READS {
        let Some(found) = session::state(&db, family).await? else {
            return Err(refused(&input, &db, &claims, "The session or its account is gone").await?);
        };
        let current = found.session.current_token;
        match renew(&found.session, claims.token_id, idle_minutes, found.now) {
            Renewal::Rotate => {
                let next = Uuid::now_v7();
                if session::rotate(&db, &origin, family, current, next).await? {
                    let claims = RefreshClaims { token_id: next, ..claims };
                    return pair(&input, found.account, &claims, &settings).await;
                }
            }
            Renewal::Repeat => {
                let claims = RefreshClaims { token_id: current, ..claims };
                return pair(&input, found.account, &claims, &settings).await;
            }
            Renewal::Reused => {
                if session::end_reused(&db, &origin, family, current).await? {
                    return Err(bad_refresh());
                }
            }
            Renewal::Over(over) => return Err(refused(&input, &db, &claims, over.reason()).await?),
        }
    }
    Err(Refusal::TooManyRequests(1))
}

/// Writes a refused refresh to the audit log.
async fn refused(call: &Call, db: &Db, claims: &RefreshClaims, reason: &str) -> Result<Refusal, Refusal> {
    let event = audit::Event {
        action: "refresh_refused",
        resource_type: "user",
        resource_id: Some(claims.user_id.to_string()),
        details: Some(reason.to_owned()),
    };
    audit::record_of(db, Some(claims.user_id), &call.origin(), event).await?;
    Ok(bad_refresh())
}

/// `POST /users/logout`: ends the session that the refresh token belongs to.
pub(crate) async fn logout(input: Input<op::Logout>) -> Result<Message, Refusal> {
    let claims = claims(&input, &input.body).await?;
    let user_id = input.identity()?.user_id;
    let actor = input.origin().actor(user_id);
    session::end(&input.db().await?, &actor, user_id, Which::One(claims.family_id), "logout").await?;
    Ok(Message { message: "Logged out successfully".to_owned() })
}

async fn claims(call: &Call, body: &RefreshRequest) -> Result<RefreshClaims, Refusal> {
    call.signer().await?.check_refresh(&body.refresh_token).map_err(|_| bad_refresh())
}

fn bad_refresh() -> Refusal {
    Refusal::Unauthorized("Invalid or expired refresh token".to_owned())
}
