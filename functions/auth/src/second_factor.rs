//! The second factor of an account: codes of an authenticator app, and recovery codes.

use crate::{account, throttled::LOGIN_SETTINGS};
use pm_api::{
    UserId,
    input::FieldFault,
    route::op,
    second_factor::{RecoveryCodes, SecondFactor, SecondFactorSecret},
};
use pm_auth::totp::{SECRET_BYTES, accepted_step, from_base32, to_base32, uri};
use pm_domain::{settings::Key, sign_in::second_factor_required};
use pm_store::{Db, audit, setting, totp};
use pm_web::{Call, Input, Refusal, now};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// How many recovery codes there are.
const RECOVERY_CODES: usize = 10;
/// Length of one, bytes of randomness.
const RECOVERY_CODE_BYTES: usize = 10;

/// Refuses a sign-in with the right password unless it has a good code.
pub(crate) async fn check(call: &Call, db: &Db, user_id: UserId, code: Option<&str>) -> Result<(), Refusal> {
    let Some(code) = code.map(str::trim).filter(|code| !code.is_empty()) else {
        return Err(Refusal::SecondFactor("Enter the code of your authenticator app".to_owned()));
    };
    let Some(stored) = totp::read(db, user_id).await? else { return Ok(()) };
    let secret = from_base32(&stored.secret).unwrap_or_default();
    let good = match accepted_step(&secret, code, stored.last_step, now()) {
        Some(step) => totp::use_step(db, user_id, step).await?,
        None => totp::use_recovery_code(db, &call.origin(), user_id, &recovery_hash(code)).await?,
    };
    if good {
        return Ok(());
    }
    let failed = audit::Event {
        action: "login_failed",
        resource_type: "user",
        resource_id: Some(user_id.to_string()),
        details: Some("The code of the second factor was not good".to_owned()),
    };
    audit::record_of(db, Some(user_id), &call.origin(), failed).await?;
    Err(Refusal::SecondFactor("This code is not good, or was used before".to_owned()))
}

/// `GET /users/me/second-factor`.
pub(crate) async fn get(input: Input<op::GetSecondFactor>) -> Result<SecondFactor, Refusal> {
    let db = input.db().await?;
    let identity = input.identity()?;
    let stored = totp::read(&db, identity.user_id).await?.filter(|stored| stored.confirmed_at.is_some());
    let settings = setting::read(&db, &[Key::LoginSecondFactor]).await?;
    Ok(SecondFactor {
        confirmed_at: stored.as_ref().and_then(|stored| stored.confirmed_at),
        recovery_codes_left: stored.map_or(0, |stored| stored.recovery_codes_left),
        is_required: second_factor_required(identity.role, &settings),
    })
}

/// `POST /users/me/second-factor`: a new secret, which counts once a first code was given.
pub(crate) async fn begin(input: Input<op::BeginSecondFactor>) -> Result<SecondFactorSecret, Refusal> {
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    let settings = setting::read(&db, &LOGIN_SETTINGS).await?;
    let own = account::confirm_password(&input, &db, &actor, &input.body.current_password, &settings).await?;
    let secret = to_base32(&random()[..SECRET_BYTES]);
    if !totp::begin(&db, &actor, &secret).await? {
        return Err(Refusal::Conflict("The account has a second factor; remove it first".to_owned()));
    }
    Ok(SecondFactorSecret { uri: uri(&secret, &own.account.email), secret })
}

/// `POST /users/me/second-factor/confirm`.
pub(crate) async fn confirm(input: Input<op::ConfirmSecondFactor>) -> Result<RecoveryCodes, Refusal> {
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    let pending = totp::read(&db, actor.user_id).await?.filter(|stored| stored.confirmed_at.is_none());
    let nothing = || Refusal::Conflict("There is no second factor to confirm".to_owned());
    let pending = pending.ok_or_else(nothing)?;
    let secret = from_base32(&pending.secret).unwrap_or_default();
    let Some(step) = accepted_step(&secret, &input.body.code, pending.last_step, now()) else {
        let why = "This is not the code that the app shows now";
        return Err(Refusal::in_body(vec![FieldFault::new("code", why, serde_json::Value::Null)]));
    };
    let codes: Vec<_> = (0..RECOVERY_CODES).map(|_| to_base32(&random()[..RECOVERY_CODE_BYTES])).collect();
    let hashes: Vec<_> = codes.iter().map(|code| recovery_hash(code)).collect();
    if !totp::confirm(&db, &actor, &pending.secret, step, &hashes).await? {
        return Err(nothing());
    }
    Ok(RecoveryCodes { recovery_codes: codes })
}

/// `POST /users/me/second-factor/remove`.
pub(crate) async fn remove(input: Input<op::RemoveSecondFactor>) -> Result<(), Refusal> {
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    let settings = setting::read(&db, &LOGIN_SETTINGS).await?;
    account::confirm_password(&input, &db, &actor, &input.body.current_password, &settings).await?;
    totp::remove(&db, &actor, actor.user_id).await?;
    Ok(())
}

/// `DELETE /users/{user_id}/second-factor`.
pub(crate) async fn remove_of_user(input: Input<op::RemoveUserSecondFactor>) -> Result<(), Refusal> {
    let user_id: UserId = input.id("user_id")?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    if totp::remove(&db, &actor, user_id).await? { Ok(()) } else { Err(Refusal::NotFound) }
}

/// 32 bytes from the host's generator; 12 bits of them are constant.
pub(crate) fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(Uuid::new_v4().as_bytes());
    bytes[16..].copy_from_slice(Uuid::new_v4().as_bytes());
    Sha256::digest(bytes).into()
}

/// What is stored of a recovery code, however it is typed.
fn recovery_hash(code: &str) -> String {
    let typed: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    let hash = Sha256::digest(typed.to_ascii_uppercase().as_bytes());
    hash.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
