//! Alarms: from conditions, and in people's hands.

use crate::{
    Actor, Db, Page, StoreError,
    statement::statements,
    value::{Columns, floats, id, ints, json, optional, optional_texts, page, text, texts},
};
use pm_api::{
    AlarmId, AlarmStatus, Metadata, PredictionId,
    alarm::Alarm,
    alarm_engine::{Condition, ConditionKind, ConditionsReport},
};
use pm_domain::ticket::{AUTO_TICKET_ASSIGNEE, AUTO_TICKET_DUE_H, AutoTicket};
use spin_sdk::pg::ParameterValue;

statements! {
    APPLY = "
        with input as materialized (
            select machine_id::uuid, sensor_id::uuid, kind, severity, message,
                   timestamptz 'epoch' + us * interval '1 microsecond' as time, occurrences, active <> 0 as active, value,
                   prediction_id::uuid, ticket_title, ticket_priority,
                   case severity when 'critical' then 2 when 'warning' then 1 else 0 end as gravity
            from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int8[], $7::int8[], $8::int8[],
                        string_to_array($9, ',')::float8[], $10::text[], $11::text[], $12::text[])
                i (machine_id, sensor_id, kind, severity, message, us, occurrences, active, value, prediction_id,
                   ticket_title, ticket_priority)),
        was as materialized (
            select a.id, a.severity, a.condition_active,
                   case a.severity when 'critical' then 2 when 'warning' then 1 else 0 end as gravity
            from input i join alarms a on a.machine_id = i.machine_id and a.sensor_id = i.sensor_id and a.kind = i.kind
            where a.status <> 'resolved'),
        raised as (
            insert into alarms as a (machine_id, sensor_id, kind, severity, message, condition_active, occurrences,
                                     triggered_at, last_seen_at, prediction_id, metadata)
            select machine_id, sensor_id, kind, severity, message, active, occurrences, time, time, prediction_id,
                   jsonb_build_object('value', value)
            from input where occurrences > 0
            on conflict (machine_id, sensor_id, kind) where status <> 'resolved' and kind <> 'manual' do update set
                occurrences = a.occurrences + excluded.occurrences,
                severity = case when excluded.severity = 'critical' then 'critical' else a.severity end,
                message = case when excluded.severity = 'critical' and a.severity <> 'critical'
                               then excluded.message else a.message end,
                condition_active = excluded.condition_active,
                last_seen_at = greatest(a.last_seen_at, excluded.last_seen_at),
                prediction_id = coalesce(excluded.prediction_id, a.prediction_id),
                metadata = coalesce(a.metadata, '{}') || excluded.metadata
            returning a.*),
        cleared as (
            update alarms a set condition_active = false
            from input i
            where i.occurrences = 0 and not i.active and a.machine_id = i.machine_id and a.sensor_id = i.sensor_id
              and a.kind = i.kind and a.status <> 'resolved' and a.condition_active
            returning a.*),
        changed as (
            select r.*, case
                       when was.id is null then 'raised'
                       when r.severity <> was.severity then 'escalated'
                       when r.condition_active and not was.condition_active then 'returned'
                       when was.condition_active and not r.condition_active then 'condition ended'
                       else 'repeated' end as change
            from raised r left join was on was.id = r.id
            union all
            select c.*, 'condition ended' from cleared c),
        history as (
            insert into alarm_transitions (alarm_id, change, note)
            select id, change, case change when 'escalated' then severity end from changed where change <> 'repeated'),
        ticketed as (
            insert into tickets (machine_id, alarm_id, title, priority, assignee, description, due_at, auto_created, metadata)
            select c.machine_id, c.id, i.ticket_title, i.ticket_priority, $13, c.message,
                   now() + $14::int8 * interval '1 hour', true, jsonb_build_object('alarm_severity', c.severity)
            from changed c join input i on i.machine_id = c.machine_id and i.sensor_id = c.sensor_id and i.kind = c.kind
            where c.change = 'raised' and i.ticket_title is not null
            returning *),
        lifted as (
            update tickets t set priority = i.ticket_priority
            from changed c join input i on i.machine_id = c.machine_id and i.sensor_id = c.sensor_id and i.kind = c.kind
            where c.change = 'escalated' and t.alarm_id = c.id and i.ticket_priority is not null
              and t.status not in ('resolved', 'closed', 'cancelled')),
        told as (
            insert into outbox (event_type, data)
            select case change when 'raised' then 'alarm.created' else 'alarm.updated' end,
                   jsonb_build_object('id', id, 'machine_id', machine_id, 'sensor_id', sensor_id, 'severity', severity,
                       'message', message, 'status', status, 'triggered_at', triggered_at, 'resolved_at', resolved_at,
                       'condition_active', condition_active, 'kind', kind)
            from changed where change <> 'repeated'
            union all
            select 'ticket.created', jsonb_build_object('id', id, 'machine_id', machine_id, 'alarm_id', alarm_id,
                       'title', title, 'priority', priority, 'status', status, 'assignee', assignee, 'due_at', due_at)
            from ticketed),
        remembered as (
            insert into sensor_state as s (sensor_id, threshold_condition, prediction_condition, evaluated_through)
            select sensor_id,
                   coalesce(max(case when active then gravity else 0 end) filter (where kind = 'threshold'), 0),
                   coalesce(max(case when active then gravity else 0 end) filter (where kind = 'prediction'), 0),
                   max(time) filter (where kind = 'threshold')
            from input group by sensor_id
            on conflict (sensor_id) do update set
                threshold_condition = case when exists (
                    select from input i where i.sensor_id = s.sensor_id and i.kind = 'threshold')
                    then excluded.threshold_condition else s.threshold_condition end,
                prediction_condition = case when exists (
                    select from input i where i.sensor_id = s.sensor_id and i.kind = 'prediction')
                    then excluded.prediction_condition else s.prediction_condition end,
                evaluated_through = greatest(s.evaluated_through, excluded.evaluated_through))
        select count(*) filter (where change = 'raised'), count(*) filter (where change <> 'raised'),
               (select count(*) from ticketed)
        from changed";
    LIST = "
        select machine_id, sensor_id, prediction_id, severity, message, triggered_at at time zone 'utc', metadata, id,
               created_at at time zone 'utc', updated_at at time zone 'utc', status, resolved_at at time zone 'utc',
               kind, occurrences, condition_active, last_seen_at at time zone 'utc', acknowledged_at at time zone 'utc',
               acknowledged_by, resolution_notes, count(*) over ()
        from alarms
        where status = any ($3::text[]) and ($4::uuid is null or machine_id = $4) and ($5::text is null or severity = $5)
          and ($6::uuid is null or sensor_id = $6)
        order by triggered_at desc, id desc limit $1 offset $2";
    GET = "
        select machine_id, sensor_id, prediction_id, severity, message, triggered_at at time zone 'utc', metadata, id,
               created_at at time zone 'utc', updated_at at time zone 'utc', status, resolved_at at time zone 'utc',
               kind, occurrences, condition_active, last_seen_at at time zone 'utc', acknowledged_at at time zone 'utc',
               acknowledged_by, resolution_notes
        from alarms where id = $1";
    OF_PREDICTION = "
        select machine_id, sensor_id, prediction_id, severity, message, triggered_at at time zone 'utc', metadata, id,
               created_at at time zone 'utc', updated_at at time zone 'utc', status, resolved_at at time zone 'utc',
               kind, occurrences, condition_active, last_seen_at at time zone 'utc', acknowledged_at at time zone 'utc',
               acknowledged_by, resolution_notes
        from alarms where prediction_id = $1 order by triggered_at desc limit 200";
    CHANGE = "
        with changed as (
            update alarms a set
                status = coalesce($4, status),
                acknowledged_at = case when $4 = 'acknowledged' then coalesce(acknowledged_at, now()) else acknowledged_at end,
                acknowledged_by = case when $4 = 'acknowledged' then coalesce(acknowledged_by, $3) else acknowledged_by end,
                resolved_at = case when $4 = 'resolved' then coalesce(resolved_at, now()) else resolved_at end,
                resolved_by = case when $4 = 'resolved' then coalesce(resolved_by, $3) else resolved_by end,
                resolution_notes = coalesce($5, resolution_notes),
                metadata = coalesce($6::jsonb, metadata)
            from (select set_config('pm.actor', $1, true)) actor
            -- only from the state that the rule was asked about
            where id = $2 and status = $7
            returning a.*),
        history as (
            insert into alarm_transitions (alarm_id, change, by_user, note)
            select id, status, $3, $5 from changed where status <> $7),
        ticket as (
            update tickets t set status = 'resolved', resolution_notes = coalesce(c.resolution_notes, t.resolution_notes)
            from changed c
            where c.status = 'resolved' and $7 <> 'resolved' and t.alarm_id = c.id and t.auto_created
              and t.status not in ('resolved', 'closed', 'cancelled')
            returning t.*),
        told as (
            insert into outbox (event_type, data)
            select 'alarm.updated', jsonb_build_object('id', id, 'machine_id', machine_id, 'sensor_id', sensor_id,
                       'severity', severity, 'message', message, 'status', status, 'triggered_at', triggered_at,
                       'resolved_at', resolved_at, 'condition_active', condition_active, 'kind', kind)
            from changed
            union all
            select 'ticket.updated', jsonb_build_object('id', id, 'machine_id', machine_id, 'alarm_id', alarm_id,
                       'title', title, 'priority', priority, 'status', status, 'assignee', assignee, 'due_at', due_at)
            from ticket)
        select machine_id, sensor_id, prediction_id, severity, message, triggered_at at time zone 'utc', metadata, id,
               created_at at time zone 'utc', updated_at at time zone 'utc', status, resolved_at at time zone 'utc',
               kind, occurrences, condition_active, last_seen_at at time zone 'utc', acknowledged_at at time zone 'utc',
               acknowledged_by, resolution_notes
        from changed";
}

/// A condition with the ticket that a new alarm of it opens.
#[derive(Debug, Clone)]
pub struct ConditionWithTicket {
    /// The condition.
    pub condition: Condition,
    /// The ticket, if the rule asks for one.
    pub ticket: Option<AutoTicket>,
}

/// Raises, repeats, escalates and clears alarms, opens tickets, tells the outbox: all or nothing.
/// At most one entry per sensor and kind.
///
/// # Errors
/// A constraint ending in `_exists` if machine or sensor were deleted meanwhile; else whatever the database says.
pub async fn apply(db: &Db, items: &[ConditionWithTicket]) -> Result<ConditionsReport, StoreError> {
    let c = || items.iter().map(|i| &i.condition);
    let params = vec![
        texts(c().map(|c| c.machine_id)),
        texts(c().map(|c| c.sensor_id)),
        texts(c().map(|c| ConditionKind::as_str(c.kind))),
        texts(c().map(|c| c.severity)),
        texts(c().map(|c| &c.message)),
        ints(c().map(|c| c.time.0)),
        ints(c().map(|c| i64::from(c.occurrences))),
        ints(c().map(|c| i64::from(c.still_active))),
        floats(c().map(|c| c.value)),
        ParameterValue::ArrayStr(c().map(|c| c.prediction_id.map(|p| p.to_string())).collect()),
        optional_texts(items.iter().map(|i| i.ticket.as_ref().map(|t| t.title.as_str()))),
        optional_texts(items.iter().map(|i| i.ticket.as_ref().map(|t| t.priority.as_str()))),
        text(AUTO_TICKET_ASSIGNEE),
        AUTO_TICKET_DUE_H.into(),
    ];
    db.one(APPLY, params, |c| {
        let count = |n: i64| n.unsigned_abs();
        Ok(ConditionsReport {
            raised: count(c.take()?),
            updated: count(c.take()?),
            tickets: count(c.take()?),
        })
    })
    .await
}

/// Which alarms.
#[derive(Debug, Clone)]
pub struct Filter {
    /// In any of these states.
    pub statuses: Vec<AlarmStatus>,
    /// Of this machine.
    pub machine_id: Option<pm_api::MachineId>,
    /// Of this sensor.
    pub sensor_id: Option<pm_api::SensorId>,
    /// Of this severity.
    pub severity: Option<pm_api::Severity>,
    /// At most this many.
    pub limit: i64,
    /// Leaving out this many.
    pub offset: i64,
}

/// Alarms, newest first.
///
/// # Errors
/// Whatever the database says.
pub async fn list(db: &Db, filter: &Filter) -> Result<Page<Alarm>, StoreError> {
    let params = vec![
        filter.limit.into(),
        filter.offset.into(),
        texts(&filter.statuses),
        optional(filter.machine_id, |m| id(m.0)),
        optional(filter.severity, |s| text(s.as_str())),
        optional(filter.sensor_id, |s| id(s.0)),
    ];
    Ok(page(db.rows(LIST, params, |c| Ok((alarm(c)?, c.take()?))).await?))
}

/// One alarm.
///
/// # Errors
/// Whatever the database says.
pub async fn get(db: &Db, alarm_id: AlarmId) -> Result<Option<Alarm>, StoreError> {
    db.first(GET, vec![id(alarm_id.0)], alarm).await
}

/// Alarms raised by a prediction, newest first.
///
/// # Errors
/// Whatever the database says.
pub async fn of_prediction(db: &Db, prediction_id: PredictionId) -> Result<Vec<Alarm>, StoreError> {
    db.rows(OF_PREDICTION, vec![id(prediction_id.0)], alarm).await
}

/// What a person does to an alarm.
#[derive(Debug, Clone, Default)]
pub struct AlarmChange {
    /// New status.
    pub status: Option<AlarmStatus>,
    /// What was found.
    pub notes: Option<String>,
    /// Replaces the free object.
    pub metadata: Option<Metadata>,
}

/// Changes an alarm that is in state `from`; resolving it resolves its automatic ticket. `None` if it is in another
/// state by now.
///
/// # Errors
/// Whatever the database says.
pub async fn change(
    db: &Db,
    actor: &Actor,
    alarm_id: AlarmId,
    from: AlarmStatus,
    change: AlarmChange,
) -> Result<Option<Alarm>, StoreError> {
    let params = vec![
        actor.setting(),
        id(alarm_id.0),
        id(actor.user_id.0),
        optional(change.status, |s| text(s.as_str())),
        optional(change.notes, text),
        change.metadata.map_or(Ok(ParameterValue::DbNull), |m| json(&m))?,
        text(from.as_str()),
    ];
    db.first(CHANGE, params, alarm).await
}

fn alarm(c: &mut Columns) -> Result<Alarm, StoreError> {
    Ok(Alarm {
        machine_id: c.take()?,
        sensor_id: c.take()?,
        prediction_id: c.take()?,
        severity: c.word()?,
        message: c.take()?,
        triggered_at: c.take()?,
        metadata: c.take()?,
        id: c.take()?,
        created_at: c.take()?,
        updated_at: c.take()?,
        status: c.word()?,
        resolved_at: c.take()?,
        kind: c.take()?,
        occurrences: c.take()?,
        condition_active: c.take()?,
        last_seen_at: c.take()?,
        acknowledged_at: c.take()?,
        acknowledged_by: c.take()?,
        resolution_notes: c.take()?,
    })
}
