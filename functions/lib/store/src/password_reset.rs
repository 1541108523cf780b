//! Links to set a password, for who has forgotten it and for who is invited: a token is kept as its SHA-256 only and works
//! once, for a limited time.

use crate::{
    Actor, Db, StoreError,
    audit::Origin,
    statement::{actor, statements},
    value::{Columns, bytes, id, text},
};
use pm_api::UserId;
use pm_domain::duration::{DAY_S, MINUTE_S};

/// Life of the token of a forgotten password, seconds.
pub const VALID_S: i64 = 10 * MINUTE_S;
/// Life of the token of an invitation, seconds.
pub const INVITATION_VALID_S: i64 = 7 * DAY_S;

statements! {
    BEGIN = "
        with account as (
            select id, email, full_name from users u where lower(email) = lower($1) and is_active and not is_service
              -- whoever signs in by an identity provider alone gets no second way
              and (password_hash is not null or not exists (select from user_identities i where i.user_id = u.id))),
        record as (
            insert into audit_log (user_id, action_type, resource_type, resource_id, ip_address, user_agent)
            select id, 'password_reset_request', 'user', id::text, a ->> 'ip_address', a ->> 'user_agent'
            from account, (select $4::text::jsonb as a) said),
        made as (
            insert into password_resets (token_hash, user_id, expires_at)
            select $2, id, now() + $3::int8 * interval '1 second' from account returning user_id)
        select account.id, account.email, account.full_name from account join made on made.user_id = account.id";
    INVITE = "
        with account as (
            select id, email, full_name from users
            where id = $2 and is_active and not is_service and password_hash is null),
        others as (
            update password_resets set used_at = now() where user_id in (select id from account) and used_at is null),
        record as (
            insert into audit_log (user_id, action_type, resource_type, resource_id, ip_address, user_agent)
            select (a ->> 'user_id')::uuid, 'invitation', 'user', id::text, a ->> 'ip_address', a ->> 'user_agent'
            from account, (select $1::text::jsonb as a) said),
        made as (
            insert into password_resets (token_hash, user_id, expires_at)
            select $3, id, now() + $4::int8 * interval '1 second' from account returning user_id)
        select account.id, account.email, account.full_name from account join made on made.user_id = account.id";
    STATE = "
        select r.used_at is null, r.expires_at > now(), u.id, u.email, u.full_name
        from password_resets r join users u on u.id = r.user_id and u.is_active
        where r.token_hash = $1";
    CONFIRM = concat!("
        with spent as (
            update password_resets set used_at = now()
            where token_hash = $1 and used_at is null and expires_at > now() returning user_id),
        actor as (
            select spent.user_id, actor.*
            from spent cross join lateral ", actor!("($3::text::jsonb || jsonb_build_object('user_id', user_id))::text"), "),
        others as (
            update password_resets set used_at = now()
            where user_id in (select user_id from spent) and token_hash <> $1 and used_at is null),
        ended as (
            update refresh_families set revoked_at = now(), revoked_reason = 'password reset'
            where user_id in (select user_id from spent) and revoked_at is null),
        unblocked as (
            delete from login_throttle
            using (select lower(email) as email from users where id in (select user_id from spent)) u
            where key like 'login:%' and right(key, length(u.email) + 1) = ':' || u.email)
        update users set password_hash = $2, password_change_required = false from actor where id = actor.user_id and is_active");
}

/// Whom to send a token to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// The account.
    pub user_id: UserId,
    /// Its mail address.
    pub email: String,
    /// Its name.
    pub full_name: Option<String>,
}

/// What a token is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenState {
    /// It can be used, by the person of this account.
    Good(Recipient),
    /// Its time is over.
    Expired,
    /// There is none such, or it has been used, or the account is gone.
    Unknown,
}

/// Keeps a token's hash for the active account of this address, and writes the request to the audit log. `None`: no
/// such account.
pub async fn begin(
    db: &Db,
    origin: &Origin,
    email: &str,
    token_hash: &[u8],
) -> Result<Option<Recipient>, StoreError> {
    let params = vec![text(email), bytes(token_hash), VALID_S.into(), text(origin.to_json(None))];
    db.first(BEGIN, params, recipient).await
}

/// Keeps the hash of the token with which the person of a new account chooses a password; earlier ones no longer work.
/// `None`: the account is not active, has a password, or is one of programs.
pub async fn invite(
    db: &Db,
    actor: &Actor,
    user_id: UserId,
    token_hash: &[u8],
) -> Result<Option<Recipient>, StoreError> {
    let params = vec![actor.setting(), id(user_id.0), bytes(token_hash), INVITATION_VALID_S.into()];
    db.first(INVITE, params, recipient).await
}

fn recipient(c: &mut Columns) -> Result<Recipient, StoreError> {
    Ok(Recipient { user_id: c.take()?, email: c.take()?, full_name: c.take()? })
}

/// What is a token worth?
pub async fn state(db: &Db, token_hash: &[u8]) -> Result<TokenState, StoreError> {
    let found: Option<(bool, bool, Recipient)> =
        db.first(STATE, vec![bytes(token_hash)], |c| Ok((c.take()?, c.take()?, recipient(c)?))).await?;
    Ok(match found {
        Some((true, true, of)) => TokenState::Good(of),
        Some((true, false, _)) => TokenState::Expired,
        _ => TokenState::Unknown,
    })
}

/// Spends a token: sets the password of its account, ends all its logins and all its other tokens. False: the token
/// is not good (any more).
pub async fn confirm(
    db: &Db,
    origin: &Origin,
    token_hash: &[u8],
    password_hash: String,
) -> Result<bool, StoreError> {
    let params =
        vec![bytes(token_hash), text(password_hash), text(origin.to_json(Some("password_reset_confirm")))];
    Ok(db.execute(CONFIRM, params).await? > 0)
}
