//! What people are told by mail, and a Slack-compatible webhook.
//!
//! Events become notices per recipient; notices gather for a moment and leave as one mail, and while a recipient got one
//! recently, the next waits: a flood of alarms is one mail, and then one every few minutes.

use crate::{
    Actor, Db, StoreError,
    statement::statements,
    value::{Columns, id, optional, text, texts},
};
use pm_api::{
    UserId,
    notification::{Preferences, PreferencesChange},
};
use spin_sdk::pg::ParameterValue;

statements! {
    PLAN = "
        with cursor as (select position from outbox_cursors where consumer = 'notices' for update skip locked),
        news as materialized (
            select o.id, o.position, o.created_at, o.event_type, o.data
            from cursor c join outbox o on o.position > c.position order by o.position limit 500),
        moved as (
            update outbox_cursors set position = (select max(position) from news)
            where consumer = 'notices' and exists (select from news)),
        told as materialized (
            select n.id as event_id, n.created_at as at, m.name as machine, n.data ->> 'assignee' as assignee,
                   case when n.event_type = 'ticket.assigned' then 'ticket' when n.data ->> 'kind' = 'prediction' then 'prediction'
                        else 'alarm' end as kind,
                   case when n.event_type <> 'ticket.assigned' then n.data ->> 'severity'
                        when n.data ->> 'priority' = 'critical' then 'critical' when n.data ->> 'priority' = 'high' then 'warning'
                        else 'info' end as severity,
                   coalesce(n.data ->> 'title', n.data ->> 'message', '') as title,
                   case when n.event_type = 'ticket.assigned' then '/app/tickets/' else '/app/alarms/' end || (n.data ->> 'id') as path
            from news n left join machines m on m.id = (n.data ->> 'machine_id')::uuid
            where n.event_type in ('alarm.created', 'ticket.assigned')
               or (n.event_type = 'alarm.updated' and n.data ->> 'change' = 'escalated')),
        -- without a mail server nobody is told, also not later
        mail as (
            select from service_reports
            where $4::bool and kind = 'bridge' and reported_at > now() - interval '5 minutes' and report ->> 'mail_configured' = 'true'
            limit 1),
        recipients as (
            select t.event_id, 'mail' as channel, lower(u.email) as recipient
            from mail, told t join users u on u.is_active left join notification_preferences p on p.user_id = u.id
            where case t.kind
                      when 'ticket' then lower(u.email) = lower(t.assignee) and coalesce(p.ticket_assignments, true)
                      when 'prediction' then p.predictions and severity_rank(t.severity) >= severity_rank(p.minimum_severity)
                      else p.alarms and severity_rank(t.severity) >= severity_rank(p.minimum_severity) end
            union
            select t.event_id, 'mail', lower(address)
            from mail, told t, unnest($1::text[]) address
            where t.kind <> 'ticket' and severity_rank(t.severity) >= severity_rank($3)
            union
            select t.event_id, 'slack', 'slack'
            from told t where $2::bool and t.kind <> 'ticket' and severity_rank(t.severity) >= severity_rank($3))
        insert into notices (channel, recipient, event_id, kind, severity, title, machine, at, path)
        select channel, recipient, event_id, kind, severity, title, machine, at, path
        from recipients join told using (event_id)
        on conflict (channel, recipient, event_id) do nothing";
    DIGEST = "
        with turn as (select pg_try_advisory_xact_lock(hashtext('notice_digest')) as mine),
        ready as materialized (
            select n.channel, n.recipient
            from notices n join turn on turn.mine
            group by n.channel, n.recipient
            having min(n.created_at) <= now() - $1::int8 * interval '1 second' and not exists (
                select from mails m
                where m.channel = n.channel and m.recipient = n.recipient and m.digest is not null
                  and m.created_at > now() - $2::int8 * interval '1 second')
            limit 100),
        taken as (
            delete from notices n using ready r where n.channel = r.channel and n.recipient = r.recipient
            returning n.channel, n.recipient, n.kind, n.severity, n.title, n.machine, n.at, n.path),
        placed as (
            select *, row_number() over (partition by channel, recipient order by severity_rank(severity) desc, at desc) as place
            from taken)
        insert into mails (channel, kind, recipient, digest)
        select channel, 'digest', recipient, jsonb_build_object('total', count(*), 'items', jsonb_agg(jsonb_build_object(
                   'kind', kind, 'severity', severity, 'title', title, 'machine', machine,
                   'at', to_char(at at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), 'path', path) order by place)
                   filter (where place <= $3::int8))
        from placed group by channel, recipient";
    PREFERENCES = "
        select coalesce(p.alarms, false), coalesce(p.predictions, false), coalesce(p.ticket_assignments, true),
               coalesce(p.minimum_severity, 'warning')
        from users u left join notification_preferences p on p.user_id = u.id where u.id = $1 and u.is_active";
    PREFER = "
        insert into notification_preferences as p (user_id, alarms, predictions, ticket_assignments, minimum_severity)
        select $2, coalesce($3, false), coalesce($4, false), coalesce($5, true), coalesce($6, 'warning')
        from (select set_config('pm.actor', $1, true)) actor
        on conflict (user_id) do update set
            alarms = coalesce($3, p.alarms),
            predictions = coalesce($4, p.predictions),
            ticket_assignments = coalesce($5, p.ticket_assignments),
            minimum_severity = coalesce($6, p.minimum_severity)
        returning alarms, predictions, ticket_assignments, minimum_severity";
    MAIL_CONFIGURED = "
        select exists (
            select from service_reports
            where kind = 'bridge' and reported_at > now() - interval '30 seconds' and report ->> 'mail_configured' = 'true')";
}

/// Who is told besides the users who ask for it.
#[derive(Debug, Clone)]
pub struct Audience {
    /// Is mail sent at all?
    pub mail: bool,
    /// Mail addresses.
    pub addresses: Vec<String>,
    /// Is the Slack-compatible webhook told?
    pub slack: bool,
    /// Lowest severity for these addresses and Slack.
    pub minimum_severity: String,
}

/// Turns what the outbox has news of into notices: for users by their preferences, and for the rest of the audience.
/// Returns how many.
pub async fn plan(db: &Db, audience: &Audience) -> Result<u64, StoreError> {
    let Audience { mail, addresses, slack, minimum_severity } = audience;
    db.execute(PLAN, vec![texts(addresses), (*slack).into(), text(minimum_severity), (*mail).into()]).await
}

/// Makes one mail for each recipient whose oldest notice has waited `gather_s` seconds and who got none in the last
/// `window_s`; it lists `most` notices at most. Returns how many mails.
pub async fn digest(db: &Db, gather_s: i64, window_s: i64, most: i64) -> Result<u64, StoreError> {
    db.execute(DIGEST, vec![gather_s.into(), window_s.into(), most.into()]).await
}

fn read(c: &mut Columns) -> Result<Preferences, StoreError> {
    Ok(Preferences {
        alarms: c.take()?,
        predictions: c.take()?,
        ticket_assignments: c.take()?,
        minimum_severity: c.word()?,
    })
}

/// What a user wants to be told; `None`: no such account.
pub async fn preferences(db: &Db, user_id: UserId) -> Result<Option<Preferences>, StoreError> {
    db.first(PREFERENCES, vec![id(user_id.0)], read).await
}

/// Changes what the actor wants to be told.
pub async fn prefer(db: &Db, actor: &Actor, change: PreferencesChange) -> Result<Preferences, StoreError> {
    let params = vec![
        actor.setting(),
        id(actor.user_id.0),
        optional(change.alarms, ParameterValue::from),
        optional(change.predictions, ParameterValue::from),
        optional(change.ticket_assignments, ParameterValue::from),
        optional(change.minimum_severity, |s| text(s.as_str())),
    ];
    db.one(PREFER, params, read).await
}

/// Does a bridge that is there now know a mail server?
pub async fn mail_configured(db: &Db) -> Result<bool, StoreError> {
    db.one(MAIL_CONFIGURED, vec![], |c| c.take()).await
}
