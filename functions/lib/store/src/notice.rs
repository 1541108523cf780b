//! What people are told by mail, and a Slack-compatible webhook. `pm_domain::notice` decides; here it is read and written.
//!
//! Events become notices per recipient; notices gather for a moment and leave as one message, and while a recipient got one
//! recently, the next waits: a flood of alarms is one mail, and then one every few minutes.

use crate::{
    Actor, Db, StoreError,
    mail::{ALL_ATTEMPTS, VALID_S},
    statement::{actor, statements},
    value::{Columns, at, id, ints, json, optional, optional_texts, text, texts},
};
use pm_api::{
    Timestamp, UserId,
    mail::{Digest, Notice},
    notification::{Preferences, PreferencesChange},
};
use pm_domain::notice::{Channel, DEFAULT_PREFERENCES, News, Subscriber};
use serde_json::Value;
use spin_sdk::pg::ParameterValue;
use uuid::Uuid;

/// In a change: a notice to every active administrator, for each row of `$from` (`from …`). Severity and title are SQL.
macro_rules! notify_administrators {
    ($severity:expr, $title:expr, $from:expr) => {
        concat!(
            "insert into notices (channel, recipient, event_id, kind, severity, title, machine, at, path)
            select 'mail', lower(admin.email), gen_random_uuid(), 'security', ",
            $severity,
            ", ",
            $title,
            ", null, now(), '/app/audit' ",
            $from,
            " cross join users admin where admin.role = 'admin' and admin.is_active"
        )
    };
}
pub(crate) use notify_administrators;

statements! {
    EVENTS = "
        select c.position, o.position, o.id, o.created_at at time zone 'utc', o.event_type, o.data, m.name
        from outbox_cursors c join outbox o on o.position > c.position
        left join machines m on m.id = (o.data ->> 'machine_id')::uuid
        where c.consumer = 'notices' order by o.position limit 500";
    SUBSCRIBERS = "
        select u.email, p.user_id is not null, coalesce(p.alarms, false), coalesce(p.predictions, false),
               coalesce(p.ticket_assignments, false), p.minimum_severity
        from users u left join notification_preferences p on p.user_id = u.id
        where u.is_active and (p.user_id is not null or lower(u.email) = any ($1::text[]))";
    PLAN = "
        with moved as (
            update outbox_cursors set position = $2 where consumer = 'notices' and position = $1 returning position)
        insert into notices (channel, recipient, event_id, kind, severity, title, machine, at, path)
        select n.channel, n.recipient, n.event_id::uuid, n.kind, n.severity, n.title, n.machine, epoch_us(n.us), n.path
        from moved, unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::int8[],
                           $11::text[]) n (channel, recipient, event_id, kind, severity, title, machine, us, path)
        on conflict (channel, recipient, event_id) do nothing";
    WAITING = "
        select n.channel, n.recipient, min(n.created_at) at time zone 'utc', (
                   select max(m.created_at) at time zone 'utc' from mails m
                   where m.channel = n.channel and m.recipient = n.recipient and m.digest is not null)
        from notices n group by n.channel, n.recipient";
    OF_RECIPIENT = "
        select id, kind, severity, title, machine, at at time zone 'utc', path
        from notices where channel = $1 and recipient = $2";
    SEND = "
        with held as materialized (
            select id from notices where id = any ($3::int8[]) order by id for update),
        -- only if no other notifier took one of them, or made a message for this recipient
        fits as materialized (
            select (select count(*) from held) = cardinality($3::int8[]) and (
                select max(created_at) from mails where channel = $1 and recipient = $2 and digest is not null)
                is not distinct from epoch_us($5) as all_do),
        taken as (delete from notices using fits where fits.all_do and id = any ($3::int8[]))
        insert into mails (channel, kind, recipient, digest, attempts_allowed, expires_at)
        select $1, 'digest', $2, $4::jsonb, $6::int4, now() + $7::int8 * interval '1 second' from fits where all_do";
    PREFERENCES = "
        select p.user_id is not null, coalesce(p.alarms, false), coalesce(p.predictions, false),
               coalesce(p.ticket_assignments, false), p.minimum_severity
        from users u left join notification_preferences p on p.user_id = u.id where u.id = $1 and u.is_active";
    PREFER = concat!("
        insert into notification_preferences as p (user_id, alarms, predictions, ticket_assignments, minimum_severity)
        select $2, coalesce($3, $7::bool), coalesce($4, $8::bool), coalesce($5, $9::bool), coalesce($6, $10::text)
        from ", actor!(), "
        on conflict (user_id) do update set
            alarms = coalesce($3, p.alarms),
            predictions = coalesce($4, p.predictions),
            ticket_assignments = coalesce($5, p.ticket_assignments),
            minimum_severity = coalesce($6, p.minimum_severity)
        returning true, alarms, predictions, ticket_assignments, minimum_severity");
    MAIL_SERVER_SEEN = "
        select max(reported_at) at time zone 'utc' from service_reports
        where kind = 'bridge' and report ->> 'mail_configured' = 'true'";
}

/// An event of the outbox that has not been planned.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The position of the last event that was planned before it.
    pub cursor: i64,
    /// Its own position.
    pub position: i64,
    /// Identifier.
    pub id: Uuid,
    /// When it was written.
    pub at: Timestamp,
    /// Its name.
    pub event_type: String,
    /// Its data.
    pub data: Value,
    /// The name of the machine in its data.
    pub machine: Option<String>,
}

/// The next events of the outbox, oldest first.
pub async fn events(db: &Db) -> Result<Vec<Event>, StoreError> {
    db.rows(EVENTS, vec![], |c| {
        Ok(Event {
            cursor: c.take()?,
            position: c.take()?,
            id: c.take()?,
            at: c.take()?,
            event_type: c.take()?,
            data: c.take()?,
            machine: c.take()?,
        })
    })
    .await
}

/// The active users who chose what they are told, and those with one of these addresses.
pub async fn subscribers(db: &Db, addresses: &[String]) -> Result<Vec<Subscriber>, StoreError> {
    let addresses = texts(addresses.iter().map(|a| a.to_lowercase()));
    db.rows(SUBSCRIBERS, vec![addresses], |c| Ok(Subscriber { email: c.take()?, preferences: read(c)? }))
        .await
}

/// A notice for one recipient.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned<'e> {
    /// The way it takes.
    pub channel: Channel,
    /// Whom it is for.
    pub recipient: String,
    /// The event.
    pub event: &'e Event,
    /// What the event tells.
    pub news: &'e News,
}

/// Stores notices and that the events up to position `to` are planned, if those up to `from` were the last ones; else
/// another notifier has planned them.
pub async fn plan(db: &Db, from: i64, to: i64, planned: &[Planned<'_>]) -> Result<(), StoreError> {
    let p = || planned.iter();
    let params = vec![
        from.into(),
        to.into(),
        texts(p().map(|p| p.channel.as_str())),
        texts(p().map(|p| &p.recipient)),
        texts(p().map(|p| p.event.id)),
        texts(p().map(|p| p.news.topic.as_str())),
        texts(p().map(|p| p.news.severity)),
        texts(p().map(|p| &p.news.title)),
        optional_texts(p().map(|p| p.event.machine.as_ref())),
        ints(p().map(|p| p.event.at.0)),
        texts(p().map(|p| &p.news.path)),
    ];
    db.execute(PLAN, params).await.map(drop)
}

/// Notices that wait for a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The way they take.
    pub channel: String,
    /// Whom they are for.
    pub recipient: String,
    /// Since when the first of them waits.
    pub oldest: Timestamp,
    /// When the last message with notices was made for this recipient.
    pub last_sent: Option<Timestamp>,
}

/// For whom notices wait.
pub async fn waiting(db: &Db) -> Result<Vec<Waiting>, StoreError> {
    db.rows(WAITING, vec![], |c| {
        Ok(Waiting { channel: c.take()?, recipient: c.take()?, oldest: c.take()?, last_sent: c.take()? })
    })
    .await
}

/// The notices that wait for a recipient, with their ids.
pub async fn of_recipient(db: &Db, waiting: &Waiting) -> Result<Vec<(i64, Notice)>, StoreError> {
    db.rows(OF_RECIPIENT, vec![text(&waiting.channel), text(&waiting.recipient)], |c| {
        let notice_id = c.take()?;
        let notice = Notice {
            kind: c.take()?,
            severity: c.take()?,
            title: c.take()?,
            machine: c.take()?,
            at: c.take()?,
            path: c.take()?,
        };
        Ok((notice_id, notice))
    })
    .await
}

/// Makes one message of these notices, unless another notifier was first.
pub async fn send(db: &Db, waiting: &Waiting, ids: &[i64], digest: &Digest) -> Result<(), StoreError> {
    let params = vec![
        text(&waiting.channel),
        text(&waiting.recipient),
        ints(ids.iter().copied()),
        json(digest)?,
        optional(waiting.last_sent, at),
        ALL_ATTEMPTS.into(),
        VALID_S.into(),
    ];
    db.execute(SEND, params).await.map(drop)
}

/// Preferences, or the default of those who have not chosen.
fn read(c: &mut Columns) -> Result<Preferences, StoreError> {
    let chosen: bool = c.take()?;
    let preferences = Preferences {
        alarms: c.take()?,
        predictions: c.take()?,
        ticket_assignments: c.take()?,
        minimum_severity: c.optional_word()?.unwrap_or(DEFAULT_PREFERENCES.minimum_severity),
    };
    Ok(if chosen { preferences } else { DEFAULT_PREFERENCES })
}

/// What a user wants to be told; `None`: no such account.
pub async fn preferences(db: &Db, user_id: UserId) -> Result<Option<Preferences>, StoreError> {
    db.first(PREFERENCES, vec![id(user_id.0)], read).await
}

/// Changes what the actor wants to be told.
pub async fn prefer(db: &Db, actor: &Actor, change: &PreferencesChange) -> Result<Preferences, StoreError> {
    let params = vec![
        actor.setting(),
        id(actor.user_id.0),
        optional(change.alarms, ParameterValue::from),
        optional(change.predictions, ParameterValue::from),
        optional(change.ticket_assignments, ParameterValue::from),
        optional(change.minimum_severity, |s| text(s.as_str())),
        DEFAULT_PREFERENCES.alarms.into(),
        DEFAULT_PREFERENCES.predictions.into(),
        DEFAULT_PREFERENCES.ticket_assignments.into(),
        text(DEFAULT_PREFERENCES.minimum_severity.as_str()),
    ];
    db.one(PREFER, params, read).await
}

/// When a bridge last reported that it knows a mail server.
pub async fn mail_server_seen(db: &Db) -> Result<Option<Timestamp>, StoreError> {
    db.one(MAIL_SERVER_SEEN, vec![], |c| c.take()).await
}
