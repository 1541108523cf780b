//! Browsers that have signed in to an account before: a cookie names them, so that a flood of wrong passwords from their
//! address does not slow them down.

use pm_api::UserId;
use pm_auth::token::DEVICE_DAYS;
use pm_domain::{
    duration::DAY_S,
    settings::{Key, Values},
};
use pm_web::{Call, Refusal};
use uuid::Uuid;

const COOKIE: &str = "pm_device=";

/// The id of the browser, if it has signed in to this account before.
pub(crate) async fn known(call: &Call, user_id: Option<UserId>) -> Result<Option<Uuid>, Refusal> {
    let (Some(user_id), Some(cookies)) = (user_id, call.header("cookie")) else { return Ok(None) };
    let signer = call.signer().await?;
    let tokens = cookies.split(';').filter_map(|cookie| cookie.trim().strip_prefix(COOKIE));
    Ok(tokens.filter_map(|token| signer.check_device(token, user_id).ok()).next())
}

/// The cookie for a browser that has signed in. Needs the setting `general.public_url`.
pub(crate) async fn cookie(
    call: &Call,
    user_id: UserId,
    known: Option<Uuid>,
    settings: &Values,
) -> Result<String, Refusal> {
    let token = call.signer().await?.device(user_id, known.unwrap_or_else(Uuid::new_v4));
    let token = token.map_err(|error| Refusal::Internal(error.to_string()))?;
    let secure = if settings.text(Key::GeneralPublicUrl).starts_with("https://") { "; Secure" } else { "" };
    let max_age_s = DAY_S.unsigned_abs() * DEVICE_DAYS;
    Ok(format!("{COOKIE}{token}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Strict{secure}"))
}
