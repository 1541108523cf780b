//! What people do with alarms: raise by hand, acknowledge, resolve, shelve.

use crate::{
    Actor, Db, StoreError,
    alarm::{alarm, columns},
    statement::statements,
    value::{at, id, json, optional, text, texts},
};
use pm_api::{
    AlarmId, AlarmStatus, MachineId, Metadata, SensorId, Severity, Timestamp, Verdict, alarm::Alarm,
};
use pm_domain::ticket::{AUTO_TICKET_ASSIGNEE, AUTO_TICKET_DUE_H, AutoTicket};
use spin_sdk::pg::ParameterValue;
use uuid::Uuid;

/// Data of `alarm.created` and `alarm.updated`.
macro_rules! event {
    () => {
        "jsonb_build_object('id', id, 'machine_id', machine_id, 'sensor_id', sensor_id, 'severity', severity,
            'message', message, 'status', status, 'triggered_at', triggered_at, 'resolved_at', resolved_at,
            'condition_active', condition_active, 'kind', kind, 'shelved_until', shelved_until)"
    };
}

statements! {
    CREATE = concat!("
        with raised as (
            insert into alarms (id, machine_id, sensor_id, kind, severity, message, status, triggered_at, last_seen_at,
                                acknowledged_at, acknowledged_by, metadata)
            select $2::uuid, $3::uuid, $4::uuid, 'manual', $5::text, $6::text, $7::text, coalesce(epoch_us($8), now()),
                   coalesce(epoch_us($8), now()), case when $7 = 'acknowledged' then now() end,
                   case when $7 = 'acknowledged' then $9::uuid end, $10::jsonb
            from (select set_config('pm.actor', $1, true)) actor
            returning *),
        history as (
            insert into alarm_transitions (alarm_id, change, by_user)
            select id, change, $9 from raised, unnest(array['raised', nullif(status, 'open')]) change
            where change is not null),
        ticket as (
            insert into tickets (machine_id, alarm_id, title, priority, assignee, description, due_at, auto_created, metadata)
            select machine_id, id, $11, $12, $13, message, now() + $14::int8 * interval '1 hour', true,
                   jsonb_build_object('alarm_severity', severity)
            from raised where $11::text is not null),
        told as (insert into outbox (event_type, data) select 'alarm.created', ", event!(), " from raised)
        select ", columns!(), " from raised");
    CHANGE = concat!("
        with actor as materialized (select set_config('pm.actor', $1, true)),
        wanted as materialized (select distinct w::uuid as id from unnest($2::text[]) w),
        was as materialized (
            select a.id, a.status, a.verdict from alarms a, actor
            where a.id in (select id from wanted) order by a.id for update of a),
        -- all or nothing: each exists and is in a state that the rule allows
        fits as materialized (
            select (select count(*) from was where status = any ($5::text[])) = (select count(*) from wanted) as all_do),
        changed as (
            update alarms a set
                status = coalesce($4, a.status),
                acknowledged_at = case when $4 = 'acknowledged' then coalesce(acknowledged_at, now()) else acknowledged_at end,
                acknowledged_by = case when $4 = 'acknowledged' then coalesce(acknowledged_by, $3::uuid) else acknowledged_by end,
                resolved_at = case when coalesce($4, a.status) = 'resolved'
                                   then coalesce(epoch_us($9), resolved_at, now()) else resolved_at end,
                resolved_by = case when $4 = 'resolved' then coalesce(resolved_by, $3::uuid) else resolved_by end,
                resolution_notes = coalesce($6, resolution_notes),
                metadata = coalesce($7::jsonb, metadata),
                verdict = coalesce($8, a.verdict),
                -- nothing but its resolution tells that the cause of a manual alarm is gone
                condition_active = condition_active and not ($4 is not distinct from 'resolved' and kind = 'manual'),
                shelved_until = case when $4 = 'resolved' then null else shelved_until end
            from was, fits where fits.all_do and a.id = was.id
            returning a.*, was.status as was_status, was.verdict as was_verdict),
        history as (
            insert into alarm_transitions (alarm_id, change, by_user, note)
            select id, status, $3, $6 from changed where status <> was_status
            union all
            select id, 'verdict', $3, verdict from changed where verdict is distinct from was_verdict),
        ticket as (
            update tickets t set status = 'resolved', resolution_notes = coalesce(c.resolution_notes, t.resolution_notes)
            from changed c
            where c.status = 'resolved' and c.was_status <> 'resolved' and t.alarm_id = c.id and t.auto_created
              and t.status not in ('resolved', 'closed', 'cancelled')),
        told as (insert into outbox (event_type, data) select 'alarm.updated', ", event!(), " from changed)
        select w.id, was.status, fits.all_do from wanted w cross join fits left join was on was.id = w.id order by w.id");
    SHELVE = concat!("
        with changed as (
            update alarms set shelved_until = now() + $3::int8 * interval '1 second', shelved_by = $4::uuid,
                              shelve_reason = $5
            from (select set_config('pm.actor', $1, true)) actor
            where id = $2 and status <> 'resolved'
            returning alarms.*),
        history as (
            insert into alarm_transitions (alarm_id, change, by_user, note) select id, 'shelved', $4, $5 from changed),
        told as (insert into outbox (event_type, data) select 'alarm.updated', ", event!(), " from changed)
        select ", columns!(), " from changed");
    UNSHELVE = concat!("
        with changed as (
            update alarms set shelved_until = null, shelved_by = null, shelve_reason = null
            from (select set_config('pm.actor', $1, true)) actor
            where id = $2 and shelved_until is not null
            returning alarms.*),
        history as (
            insert into alarm_transitions (alarm_id, change, by_user) select id, 'unshelved', $3::uuid from changed),
        told as (insert into outbox (event_type, data) select 'alarm.updated', ", event!(), " from changed)
        select ", columns!(), " from changed");
}

/// An alarm raised by hand.
#[derive(Debug, Clone)]
pub struct ManualAlarm {
    /// The machine.
    pub machine_id: MachineId,
    /// The sensor; the machine's.
    pub sensor_id: Option<SensorId>,
    /// How grave.
    pub severity: Severity,
    /// For people.
    pub message: String,
    /// Open or acknowledged.
    pub status: AlarmStatus,
    /// When it began; absent: now.
    pub triggered_at: Option<Timestamp>,
    /// Free object.
    pub metadata: Option<Metadata>,
}

/// Raises an alarm by hand, with its ticket if the rule asks for one.
///
/// # Errors
/// Constraints `alarms_machine_exists`, `alarms_sensor_exists`.
pub async fn create(
    db: &Db,
    actor: &Actor,
    new: ManualAlarm,
    ticket: Option<AutoTicket>,
) -> Result<Alarm, StoreError> {
    let (title, priority) = ticket.map(|t| (t.title, t.priority)).unzip();
    let params = vec![
        actor.setting(),
        id(Uuid::now_v7()),
        id(new.machine_id.0),
        optional(new.sensor_id, |s| id(s.0)),
        text(new.severity.as_str()),
        text(new.message),
        text(new.status.as_str()),
        optional(new.triggered_at, at),
        id(actor.user_id.0),
        new.metadata.map_or(Ok(ParameterValue::DbNull), |m| json(&m))?,
        optional(title, text),
        optional(priority, |p| text(p.as_str())),
        text(AUTO_TICKET_ASSIGNEE),
        AUTO_TICKET_DUE_H.into(),
    ];
    db.one(CREATE, params, alarm).await
}

/// What a person does to alarms.
#[derive(Debug, Clone, Default)]
pub struct AlarmChange {
    /// New status.
    pub status: Option<AlarmStatus>,
    /// What was found.
    pub notes: Option<String>,
    /// What the cause turned out to be.
    pub verdict: Option<Verdict>,
    /// When it was resolved; absent: now.
    pub resolved_at: Option<Timestamp>,
    /// Replaces the free object.
    pub metadata: Option<Metadata>,
}

/// How a change ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Was it made? To all alarms, or to none.
    pub done: bool,
    /// Each alarm with the state it was in; `None`: there is no such alarm.
    pub was: Vec<(AlarmId, Option<AlarmStatus>)>,
}

/// Changes alarms if all of them exist and are in one of the states `from`; resolving an alarm resolves its automatic
/// ticket.
pub async fn change(
    db: &Db,
    actor: &Actor,
    ids: &[AlarmId],
    from: &[AlarmStatus],
    change: &AlarmChange,
) -> Result<Changed, StoreError> {
    let params = vec![
        actor.setting(),
        texts(ids),
        id(actor.user_id.0),
        optional(change.status, |s| text(s.as_str())),
        texts(from),
        optional(change.notes.clone(), text),
        change.metadata.as_ref().map_or(Ok(ParameterValue::DbNull), json)?,
        optional(change.verdict, |v| text(v.as_str())),
        optional(change.resolved_at, at),
    ];
    let rows = db.rows(CHANGE, params, |c| Ok(((c.take()?, c.optional_word()?), c.take::<bool>()?))).await?;
    let done = rows.first().is_some_and(|(_, done)| *done);
    Ok(Changed { done, was: rows.into_iter().map(|(was, _)| was).collect() })
}

/// Shelves an alarm that is not resolved for `duration_s` seconds; `None`: there is no such alarm.
pub async fn shelve(
    db: &Db,
    actor: &Actor,
    alarm_id: AlarmId,
    duration_s: i64,
    reason: String,
) -> Result<Option<Alarm>, StoreError> {
    let params = vec![actor.setting(), id(alarm_id.0), duration_s.into(), id(actor.user_id.0), text(reason)];
    db.first(SHELVE, params, alarm).await
}

/// Ends the shelving of an alarm; `None`: there is no such alarm, or it was not shelved.
pub async fn unshelve(db: &Db, actor: &Actor, alarm_id: AlarmId) -> Result<Option<Alarm>, StoreError> {
    db.first(UNSHELVE, vec![actor.setting(), id(alarm_id.0), id(actor.user_id.0)], alarm).await
}
