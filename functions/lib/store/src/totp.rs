//! Second factors. `pm_auth::totp` knows the codes.

use crate::{
    Actor, Db, StoreError,
    audit::Origin,
    statement::{actor, statements},
    value::{id, text, texts},
};
use pm_api::{Timestamp, UserId};

statements! {
    READ = "
        select secret, confirmed_at at time zone 'utc', last_step, cardinality(recovery_code_hashes)::int8
        from user_totp where user_id = $1";
    BEGIN = concat!("
        insert into user_totp as t (user_id, secret) select $2, $3 from ", actor!(), "
        on conflict (user_id) do update set secret = excluded.secret, created_at = now() where t.confirmed_at is null");
    CONFIRM = concat!("
        update user_totp set confirmed_at = now(), last_step = $4, recovery_code_hashes = $5::text[]
        from ", actor!(), " where user_id = $2 and secret = $3 and confirmed_at is null");
    USE_STEP = "
        update user_totp set last_step = $2 where user_id = $1 and last_step < $2 and confirmed_at is not null";
    USE_RECOVERY_CODE = "
        with used as (
            update user_totp set recovery_code_hashes = array_remove(recovery_code_hashes, $2)
            where user_id = $1 and $2 = any (recovery_code_hashes) and confirmed_at is not null
            returning user_id, cardinality(recovery_code_hashes) as left_over)
        insert into audit_log (user_id, action_type, resource_type, resource_id, details, ip_address, user_agent)
        select user_id, 'recovery_code_used', 'user', user_id::text, left_over || ' left', a ->> 'ip_address', a ->> 'user_agent'
        from used, (select $3::text::jsonb as a) said";
    REMOVE = concat!("delete from user_totp using ", actor!(), " where user_id = $2");
}

/// A second factor as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondFactor {
    /// In base 32.
    pub secret: String,
    /// When the first code was given; `None`: not yet, and a sign-in asks for none.
    pub confirmed_at: Option<Timestamp>,
    /// The time step of the last code that was accepted.
    pub last_step: i64,
    /// Recovery codes that were not used.
    pub recovery_codes_left: i64,
}

/// The second factor of an account.
pub async fn read(db: &Db, user_id: UserId) -> Result<Option<SecondFactor>, StoreError> {
    db.first(READ, vec![id(user_id.0)], |c| {
        Ok(SecondFactor {
            secret: c.take()?,
            confirmed_at: c.take()?,
            last_step: c.take()?,
            recovery_codes_left: c.take()?,
        })
    })
    .await
}

/// Stores a new secret that no code was given for yet. False: the account has a second factor.
pub async fn begin(db: &Db, actor: &Actor, secret: &str) -> Result<bool, StoreError> {
    let params = vec![actor.setting(), id(actor.user_id.0), text(secret)];
    Ok(db.execute(BEGIN, params).await? > 0)
}

/// Lets every sign-in of the actor ask for a code from now on. False: the secret is no longer the one that was read.
pub async fn confirm(
    db: &Db,
    actor: &Actor,
    secret: &str,
    step: i64,
    recovery_code_hashes: &[String],
) -> Result<bool, StoreError> {
    let params =
        vec![actor.setting(), id(actor.user_id.0), text(secret), step.into(), texts(recovery_code_hashes)];
    Ok(db.execute(CONFIRM, params).await? > 0)
}

/// Uses the code of a time step. False: one of this step or a later one was used before.
pub async fn use_step(db: &Db, user_id: UserId, step: i64) -> Result<bool, StoreError> {
    Ok(db.execute(USE_STEP, vec![id(user_id.0), step.into()]).await? > 0)
}

/// Uses a recovery code, by its SHA-256. False: there is none such.
pub async fn use_recovery_code(
    db: &Db,
    origin: &Origin,
    user_id: UserId,
    hash: &str,
) -> Result<bool, StoreError> {
    let params = vec![id(user_id.0), text(hash), text(origin.to_json(None))];
    Ok(db.execute(USE_RECOVERY_CODE, params).await? > 0)
}

/// Removes the second factor of an account. False: it has none.
pub async fn remove(db: &Db, actor: &Actor, user_id: UserId) -> Result<bool, StoreError> {
    Ok(db.execute(REMOVE, vec![actor.setting(), id(user_id.0)]).await? > 0)
}
