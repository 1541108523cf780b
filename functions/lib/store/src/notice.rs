//! What people are told by mail, and a Slack-compatible webhook. `pm_domain::notice` decides; here it is read and written.
//!
//! Events become notices per recipient; notices gather for a moment and leave as one message, and while a recipient got one
//! recently, the next waits: a flood of alarms is one mail, and then one every few minutes.

use crate::{
    Actor, Db, StoreError,
    closed::alarm_is_open,
    mail::{ALL_ATTEMPTS, VALID_S},
    statement::{actor, statements},
    value::{Columns, at, id, ints, json, optional, optional_texts, text, texts},
};
use pm_api::{
    Timestamp, UserId,
    mail::{Digest, Notice},
    notification::Preferences,
};
use pm_domain::{
    alarm_summary::SummaryAlarm,
    mail::Rendered,
    notice::{Channel, DEFAULT_PREFERENCES, News, Subscriber, next_summary},
};
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

/// The columns that [`read`] reads, of `notification_preferences p`.
macro_rules! preferences {
    () => {
        "p.user_id is not null, coalesce(p.alarms, false), coalesce(p.predictions, false),
         coalesce(p.ticket_assignments, false), p.minimum_severity, coalesce(p.machine_ids, '{}'),
         coalesce(p.machine_classes, '{}'), p.hours_from, p.hours_to, p.zone, p.summary_at"
    };
}

statements! {
    EVENTS = "
        select c.position, o.position, o.id, o.created_at at time zone 'utc', o.event_type, o.data, m.name, m.machine_class
        from outbox_cursors c join outbox o on o.position > c.position
        left join machines m on m.id = (o.data ->> 'machine_id')::uuid
        where c.consumer = 'notices' order by o.position limit 500";
    SUBSCRIBERS = concat!("
        select u.email, ", preferences!(), "
        from users u left join notification_preferences p on p.user_id = u.id
        where u.is_active and (p.user_id is not null or lower(u.email) = any ($1::text[]))");
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
    PREFERENCES = concat!("
        select ", preferences!(), "
        from users u left join notification_preferences p on p.user_id = u.id where u.id = $1 and u.is_active");
    PREFER = concat!("
        with chosen as (
            insert into notification_preferences as p (user_id, alarms, predictions, ticket_assignments, minimum_severity,
                                                       machine_ids, machine_classes, hours_from, hours_to, zone, summary_at,
                                                       summary_due_at)
            select $2, $3, $4, $5, $6, $7::text[], $8::text[], $9, $10, $11, $12, epoch_us($13)
            from ", actor!(), "
            on conflict (user_id) do update set
                alarms = $3, predictions = $4, ticket_assignments = $5, minimum_severity = $6, machine_ids = $7::text[],
                machine_classes = $8::text[], hours_from = $9, hours_to = $10, zone = $11, summary_at = $12,
                summary_due_at = epoch_us($13)
            returning *)
        select ", preferences!(), " from chosen p");
    SUMMARIES_DUE = concat!("
        select u.id, u.email, p.summary_due_at at time zone 'utc', ", preferences!(), "
        from notification_preferences p join users u on u.id = p.user_id
        where p.summary_due_at <= now() and u.is_active order by p.summary_due_at limit 20");
    SUMMARY = concat!("
        select a.id, a.severity, a.message, m.name, a.status,
               a.triggered_at >= epoch_us($1), coalesce(a.resolved_at >= epoch_us($1), false), m.id, m.machine_class
        from alarms a join machines m on m.id = a.machine_id
        where ", alarm_is_open!("a."), " or a.resolved_at >= epoch_us($1)
        order by array_position(array['critical', 'warning', 'info'], a.severity), a.triggered_at desc limit 2000");
    SUMMARIZED = "
        with moved as (
            update notification_preferences set summary_due_at = epoch_us($3)
            where user_id = $1 and summary_due_at = epoch_us($2) returning user_id)
        insert into mails (id, kind, recipient, subject, body_text, body_html, attempts_allowed, expires_at)
        select $4, 'summary', $5, $6, $7, $8, $9, now() + $10::int8 * interval '1 second' from moved where $11::bool";
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
    /// Its class.
    pub machine_class: Option<String>,
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
            machine_class: c.take()?,
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
        machine_ids: c.take::<Vec<String>>()?.iter().filter_map(|id| id.parse().ok()).collect(),
        machine_classes: c.take()?,
        hours_from: c.take()?,
        hours_to: c.take()?,
        zone: c.take()?,
        summary_at: c.take()?,
    };
    Ok(if chosen { preferences } else { DEFAULT_PREFERENCES })
}

/// What a user wants to be told; `None`: no such account.
pub async fn preferences(db: &Db, user_id: UserId) -> Result<Option<Preferences>, StoreError> {
    db.first(PREFERENCES, vec![id(user_id.0)], read).await
}

/// Stores what the actor wants to be told. The next summary is due after `now`.
///
/// # Errors
/// Constraint `notification_preferences_hours_both`.
pub async fn prefer(
    db: &Db,
    actor: &Actor,
    chosen: &Preferences,
    now: Timestamp,
) -> Result<Preferences, StoreError> {
    let params = vec![
        actor.setting(),
        id(actor.user_id.0),
        chosen.alarms.into(),
        chosen.predictions.into(),
        chosen.ticket_assignments.into(),
        text(chosen.minimum_severity.as_str()),
        texts(&chosen.machine_ids),
        texts(&chosen.machine_classes),
        optional(chosen.hours_from, ParameterValue::from),
        optional(chosen.hours_to, ParameterValue::from),
        optional(chosen.zone.as_ref(), text),
        optional(chosen.summary_at, ParameterValue::from),
        optional(next_summary(chosen, now), at),
    ];
    db.one(PREFER, params, read).await
}

/// A user whose summary of a day is due.
#[derive(Debug, Clone, PartialEq)]
pub struct SummaryDue {
    /// The account.
    pub user_id: UserId,
    /// Mail address.
    pub email: String,
    /// When it became due.
    pub due_at: Timestamp,
    /// What the user wants to be told.
    pub preferences: Preferences,
}

/// The users whose summary is due, at most 20.
pub async fn summaries_due(db: &Db) -> Result<Vec<SummaryDue>, StoreError> {
    db.rows(SUMMARIES_DUE, vec![], |c| {
        Ok(SummaryDue { user_id: c.take()?, email: c.take()?, due_at: c.take()?, preferences: read(c)? })
    })
    .await
}

/// The alarms that are not resolved or were resolved since then, the most severe and newest first, at most 2,000.
pub async fn summary(db: &Db, since: Timestamp) -> Result<Vec<SummaryAlarm>, StoreError> {
    db.rows(SUMMARY, vec![at(since)], |c| {
        Ok(SummaryAlarm {
            id: c.take()?,
            severity: c.word()?,
            message: c.take()?,
            machine: c.take()?,
            status: c.word()?,
            is_new: c.take()?,
            is_resolved: c.take()?,
            machine_id: c.take()?,
            machine_class: c.take()?,
        })
    })
    .await
}

/// Queues a summary and says when the next one is due, unless another notifier did. Without words, none is queued.
pub async fn summarized(
    db: &Db,
    of: &SummaryDue,
    next: Option<Timestamp>,
    words: Option<&Rendered>,
) -> Result<(), StoreError> {
    let params = vec![
        id(of.user_id.0),
        at(of.due_at),
        optional(next, at),
        id(Uuid::now_v7()),
        text(&of.email),
        text(words.map_or("", |w| &w.subject)),
        text(words.map_or("", |w| &w.text)),
        text(words.map_or("", |w| &w.html)),
        ALL_ATTEMPTS.into(),
        VALID_S.into(),
        words.is_some().into(),
    ];
    db.execute(SUMMARIZED, params).await.map(drop)
}

/// When a bridge last reported that it knows a mail server.
pub async fn mail_server_seen(db: &Db) -> Result<Option<Timestamp>, StoreError> {
    db.one(MAIL_SERVER_SEEN, vec![], |c| c.take()).await
}
