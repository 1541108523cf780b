//! Logins: each is a family of refresh tokens of which only the newest is good.

use crate::{
    Actor, Db, StoreError,
    audit::Origin,
    statement::{actor, statements},
    user::Credentials,
    value::{id, text},
};
use uuid::Uuid;

statements! {
    BEGIN = concat!("
        with login as (
            update users set last_login = now() from ", actor!("''"), " where id = $3),
        record as (
            insert into audit_log (user_id, action_type, resource_type, resource_id, ip_address, user_agent)
            select $3, 'login', 'user', $3::text, a ->> 'ip_address', a ->> 'user_agent' from (select $5::text::jsonb as a) said)
        insert into refresh_families (id, current_token_id, user_id, expires_at)
        values ($1, $2, $3, now() + $4::int8 * interval '1 day')");
    ROTATE = "
        with family as (
            update refresh_families f set current_token_id = $3, rotated_at = now()
            from users u
            where f.id = $1 and f.current_token_id = $2 and f.revoked_at is null and f.expires_at > now()
              and u.id = f.user_id and u.is_active
            returning u.id, u.email, u.role, u.password_hash),
        reused as (
            -- an earlier token of the family: somebody has stolen one, so the whole login ends
            update refresh_families set revoked_at = now(), revoked_reason = 'token reused'
            where id = $1 and current_token_id <> $2 and revoked_at is null
            returning user_id),
        record as (
            insert into audit_log (user_id, action_type, resource_type, resource_id, details, ip_address, user_agent)
            select user_id, 'token_reuse', 'user', user_id::text, 'A spent refresh token was used again; the login was ended',
                   a ->> 'ip_address', a ->> 'user_agent'
            from reused, (select $4::text::jsonb as a) said)
        select id, email, role, password_hash, array(
            select distinct p from user_roles h join roles r on r.id = h.role_id, unnest(r.permissions) p
            where h.user_id = family.id)
        from family";
    REVOKE = "
        with ended as (
            update refresh_families set revoked_at = now(), revoked_reason = 'logout'
            where id = $1 and user_id = $2 and revoked_at is null
            returning user_id)
        insert into audit_log (user_id, action_type, resource_type, resource_id, ip_address, user_agent)
        select user_id, 'logout', 'user', user_id::text, a ->> 'ip_address', a ->> 'user_agent'
        from ended, (select $3::text::jsonb as a) said";
}

/// Begins a login: its first refresh token is `token_id`.
pub async fn begin(
    db: &Db,
    actor: &Actor,
    family_id: Uuid,
    token_id: Uuid,
    valid_days: i64,
) -> Result<(), StoreError> {
    let params = vec![id(family_id), id(token_id), id(actor.user_id.0), valid_days.into(), actor.setting()];
    db.execute(BEGIN, params).await.map(drop)
}

/// Exchanges the current refresh token of a login for `next`. `None`: it is not the current one (then the login is
/// over), or the login has expired or been revoked.
pub async fn rotate(
    db: &Db,
    origin: &Origin,
    family_id: Uuid,
    token_id: Uuid,
    next: Uuid,
) -> Result<Option<Credentials>, StoreError> {
    let params = vec![id(family_id), id(token_id), id(next), text(origin.to_json(None))];
    db.first(ROTATE, params, crate::user::credentials).await
}

/// Ends a login of this user.
pub async fn revoke(db: &Db, actor: &Actor, family_id: Uuid) -> Result<(), StoreError> {
    db.execute(REVOKE, vec![id(family_id), id(actor.user_id.0), actor.setting()]).await.map(drop)
}

/// The key of an account in the login throttle.
#[must_use]
pub fn account_key(email: &str) -> String {
    format!("account:{}", email.to_lowercase())
}
