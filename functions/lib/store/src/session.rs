//! Sessions: each is a sign-in with the tokens that descend from it. `pm_domain::session` decides what a refresh token is
//! worth.

use crate::{
    Actor, Db, StoreError,
    audit::Origin,
    list::{Id, Key, List, Total, lists},
    notice::notify_administrators,
    statement::statements,
    user::{AccessRights, Account},
    value::{Columns, at, id, optional, text, texts},
};
use pm_api::{
    Timestamp, UserId,
    list::{ListQuery, Page},
    session::Session,
    sort::SessionSort,
};
use pm_domain::{
    session,
    settings::{Key as SettingKey, Values},
    sign_in::AccountState,
};
use uuid::Uuid;

lists! {
    LIST: SessionSort = List {
        columns: "
            f.id, f.created_at at time zone 'utc', f.last_used_at at time zone 'utc', f.expires_at at time zone 'utc',
            f.ip_address, f.user_agent",
        rows: "
            from refresh_families f where f.user_id = $1 and f.revoked_at is null and f.expires_at > now()",
        id: Id::Uuid("f.id"),
        key: |sort| match sort {
            SessionSort::CreatedAt => Key::Time("f.created_at"),
            SessionSort::LastUsedAt => Key::Time("f.last_used_at"),
        },
        total: Total::Exact,
        one_plan: false,
    };
}

statements! {
    BEGIN = "
        with said as (select $5::text::jsonb as a),
        login as (update users set last_login = now() where id = $3),
        record as (
            insert into audit_log (user_id, action_type, resource_type, resource_id, details, ip_address, user_agent)
            select $3, 'login', 'user', $3::text, 'By the identity provider ' || $6::text, a ->> 'ip_address', a ->> 'user_agent'
            from said)
        insert into refresh_families (id, current_token_id, user_id, expires_at, ip_address, user_agent, identity_provider)
        select $1, $2, $3, now() + $4::int8 * interval '1 day', a ->> 'ip_address', a ->> 'user_agent', $6 from said";
    STATE = "
        select f.current_token_id, f.previous_token_id, f.rotated_at at time zone 'utc', f.last_used_at at time zone 'utc',
               f.expires_at at time zone 'utc', f.revoked_at is not null, now() at time zone 'utc', u.id, u.email, u.role, array(
            select distinct p from user_roles h join roles r on r.id = h.role_id, unnest(r.permissions) p
            where h.user_id = u.id)
        from refresh_families f join users u on u.id = f.user_id
        where f.id = $1 and u.is_active";
    ROTATE = "
        update refresh_families set
            current_token_id = $3, previous_token_id = $2, rotated_at = now(), last_used_at = now(),
            ip_address = a ->> 'ip_address', user_agent = a ->> 'user_agent'
        from (select $4::text::jsonb as a) said
        where id = $1 and current_token_id = $2 and revoked_at is null";
    END_REUSED = concat!("
        with said as (select $3::text::jsonb as a),
        ended as (
            update refresh_families f set revoked_at = now(), revoked_reason = 'token reused'
            from users u
            where f.id = $1 and f.current_token_id = $2 and f.revoked_at is null and u.id = f.user_id
            returning f.user_id, u.email),
        notified as (", notify_administrators!(
            "'critical'", "'A refresh token of ' || ended.email || ' was used twice; the session was ended'", "from ended"), ")
        insert into audit_log (user_id, action_type, resource_type, resource_id, details, ip_address, user_agent)
        select user_id, 'token_reuse', 'user', user_id::text, 'A spent refresh token was used again; the login was ended',
               a ->> 'ip_address', a ->> 'user_agent'
        from ended, said");
    END = "
        with ended as (
            update refresh_families set revoked_at = now(), revoked_reason = $4
            where user_id = $1 and ($2::uuid is null or id = $2) and ($3::uuid is null or id <> $3) and revoked_at is null
              and expires_at > now()
            returning user_id),
        record as (
            insert into audit_log (user_id, action_type, resource_type, resource_id, details, ip_address, user_agent)
            select (a ->> 'user_id')::uuid, $4, 'user', user_id::text, sessions || ' ended', a ->> 'ip_address', a ->> 'user_agent'
            from (select user_id, case count(*) when 1 then 'A session was' else count(*) || ' sessions were' end as sessions
                  from ended group by user_id) e,
                 (select $5::text::jsonb as a) said)
        select count(*) from ended";
    IN_USE = "
        select u.role, array(
                   select distinct p from user_roles h join roles r on r.id = h.role_id, unnest(r.permissions) p
                   where h.user_id = u.id),
               f.last_used_at at time zone 'utc', now() at time zone 'utc', u.password_change_required,
               exists (select from user_totp t where t.user_id = u.id and t.confirmed_at is not null)
                   or f.identity_provider is not null,
               array(select key || '=' || value from settings where key = any ($3::text[]) and value is not null)
        from refresh_families f join users u on u.id = f.user_id
        where f.id = $1 and u.id = $2 and u.is_active and f.revoked_at is null and f.expires_at > now()";
    USED = "
        update refresh_families set last_used_at = now() where id = $1 and last_used_at = epoch_us($2) and revoked_at is null";
    SPEND_TICKET = "insert into spent_tickets (id) values ($1) on conflict (id) do nothing";
}

/// Begins a session: its first refresh token is `token_id`. `identity_provider`: by which the person has signed in; none: by
/// password.
pub async fn begin(
    db: &Db,
    actor: &Actor,
    session_id: Uuid,
    token_id: Uuid,
    valid_days: i64,
    identity_provider: Option<&str>,
) -> Result<(), StoreError> {
    let params = vec![
        id(session_id),
        id(token_id),
        id(actor.user_id.0),
        valid_days.into(),
        actor.setting(),
        optional(identity_provider, text),
    ];
    db.execute(BEGIN, params).await.map(drop)
}

/// A session with its account.
pub struct Found {
    /// What the rule needs to know.
    pub session: session::Session,
    /// The database's clock, by which the times above were written.
    pub now: Timestamp,
    /// Whose it is.
    pub account: Account,
}

/// A session of an active account.
pub async fn state(db: &Db, session_id: Uuid) -> Result<Option<Found>, StoreError> {
    db.first(STATE, vec![id(session_id)], |c| {
        Ok(Found {
            session: session::Session {
                current_token: c.take()?,
                previous_token: c.take()?,
                rotated_at: c.take()?,
                last_used_at: c.take()?,
                expires_at: c.take()?,
                ended: c.take()?,
            },
            now: c.take()?,
            account: crate::user::account(c)?,
        })
    })
    .await
}

/// Replaces the current refresh token of a session by `next`. False: another request was first.
pub async fn rotate(
    db: &Db,
    origin: &Origin,
    session_id: Uuid,
    current: Uuid,
    next: Uuid,
) -> Result<bool, StoreError> {
    let params = vec![id(session_id), id(current), id(next), text(origin.to_json(None))];
    Ok(db.execute(ROTATE, params).await? > 0)
}

/// Ends a session because one of its earlier tokens was used, and notifies the administrators. False: it is no longer as it
/// was read, with this `current` token.
pub async fn end_reused(
    db: &Db,
    origin: &Origin,
    session_id: Uuid,
    current: Uuid,
) -> Result<bool, StoreError> {
    let params = vec![id(session_id), id(current), text(origin.to_json(None))];
    Ok(db.execute(END_REUSED, params).await? > 0)
}

/// Which sessions of an account to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// This one.
    One(Uuid),
    /// All of them.
    All,
    /// All but this one.
    AllBut(Uuid),
}

/// Ends sessions of an account; `action` is the word for the audit log. Gives their number.
pub async fn end(
    db: &Db,
    actor: &Actor,
    user_id: UserId,
    which: Which,
    action: &'static str,
) -> Result<i64, StoreError> {
    let (only, but) = match which {
        Which::One(session) => (Some(session), None),
        Which::All => (None, None),
        Which::AllBut(session) => (None, Some(session)),
    };
    let params = vec![id(user_id.0), optional(only, id), optional(but, id), text(action), actor.setting()];
    db.one(END, params, |c| c.take()).await
}

/// A page of the sessions of an account that go on. None of them is marked as the caller's own.
pub async fn list(
    db: &Db,
    user_id: UserId,
    query: &ListQuery<SessionSort>,
) -> Result<Page<Session>, StoreError> {
    LIST.page(db, query, vec![id(user_id.0)], listed).await
}

fn listed(c: &mut Columns) -> Result<Session, StoreError> {
    Ok(Session {
        id: c.take()?,
        created_at: c.take()?,
        last_used_at: c.take()?,
        expires_at: c.take()?,
        ip_address: c.take()?,
        user_agent: c.take()?,
        is_current: false,
    })
}

/// A session that goes on, and its account.
#[derive(Debug, Clone)]
pub struct InUse {
    /// What the account may do.
    pub rights: AccessRights,
    /// When the session was last used, as far as is written down.
    pub last_used_at: Timestamp,
    /// The database's clock, by which that was written.
    pub now: Timestamp,
    /// What the account knows of itself.
    pub account: AccountState,
    /// The settings that were asked for.
    pub settings: Values,
}

/// A session with what its account may do now, and these settings; `None` if it was ended or has expired, or the account is
/// gone or inactive.
pub async fn in_use(
    db: &Db,
    session_id: Uuid,
    user_id: UserId,
    settings: &[SettingKey],
) -> Result<Option<InUse>, StoreError> {
    let settings = texts(settings.iter().map(|key| key.definition().key));
    db.first(IN_USE, vec![id(session_id), id(user_id.0), settings], |c| {
        let rights: AccessRights = crate::user::access_rights(c)?;
        let (last_used_at, now) = (c.take()?, c.take()?);
        let account =
            AccountState { role: rights.role, password_change_required: c.take()?, second_factor: c.take()? };
        let pairs: Vec<String> = c.take()?;
        let pair =
            |pair: &String| pair.split_once('=').map(|(key, value)| (key.to_owned(), Some(value.to_owned())));
        let settings = Values::new(pairs.iter().filter_map(pair));
        Ok(InUse { rights, last_used_at, now, account, settings })
    })
    .await
}

/// Writes down that a session is in use, unless another request has.
pub async fn used(db: &Db, session_id: Uuid, last_used_at: Timestamp) -> Result<(), StoreError> {
    db.execute(USED, vec![id(session_id), at(last_used_at)]).await.map(drop)
}

/// Uses a ticket for an event stream. False: it was used before.
pub async fn spend_ticket(db: &Db, ticket_id: Uuid) -> Result<bool, StoreError> {
    Ok(db.execute(SPEND_TICKET, vec![id(ticket_id)]).await? > 0)
}
