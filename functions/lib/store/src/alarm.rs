//! Alarms: raised from conditions, and read. What people do with them is in `alarm_change`.

use crate::{
    After, Db, Page, Paging, StoreError,
    statement::statements,
    value::{Columns, at, floats, id, ints, optional, optional_texts, text, texts},
};
use pm_api::{
    AlarmId, AlarmKind, AlarmSort, AlarmStatus, MachineId, PredictionId, SensorId, Severity, Timestamp,
    Verdict,
    alarm::{Alarm, AlarmTransition},
    alarm_engine::{Condition, ConditionKind, ConditionsReport},
};
use pm_domain::ticket::{AUTO_TICKET_ASSIGNEE, AUTO_TICKET_DUE_H, AutoTicket};
use spin_sdk::pg::ParameterValue;

macro_rules! columns {
    () => {
        "machine_id, sensor_id, prediction_id, severity, message, triggered_at at time zone 'utc', metadata, id,
         created_at at time zone 'utc', updated_at at time zone 'utc', status, resolved_at at time zone 'utc', kind,
         occurrences, condition_active, last_seen_at at time zone 'utc', acknowledged_at at time zone 'utc',
         acknowledged_by, resolution_notes, resolved_by, verdict, shelved_until at time zone 'utc', shelved_by,
         shelve_reason"
    };
}
pub(crate) use columns;

/// What a list's filter says; the same for its pages and its total.
macro_rules! filter {
    () => {
        "status = any ($1::text[]) and ($2::uuid is null or machine_id = $2) and ($3::uuid is null or sensor_id = $3)
         and ($4::text is null or severity = $4) and ($5::text is null or kind = $5)
         and ($6::bool is null or condition_active = $6)
         and ($7::bool is null or (acknowledged_at is not null) = $7)
         and ($8::bool is null or (coalesce(shelved_until, '-infinity') > now()) = $8)
         and ($9::int8 is null or triggered_at >= epoch_us($9)) and ($10::int8 is null or triggered_at < epoch_us($10))
         and ($11::text is null or position(lower($11) in lower(message)) > 0)
         and ($12::text is null or verdict = $12)"
    };
}

/// A list in the order of a column; `$order` and `$beyond` belong together (`desc` and `<`).
macro_rules! list {
    ($column:expr, $key:literal, $order:literal, $beyond:literal) => {
        concat!(
            "select ",
            columns!(),
            ", (select count(*) from alarms where ",
            filter!(),
            ")
             from alarms where ",
            filter!(),
            "
               and ($13::int8 is null or (",
            $column,
            ", id) ",
            $beyond,
            " (",
            $key,
            ", $14::uuid))
             order by ",
            $column,
            " ",
            $order,
            ", id ",
            $order,
            " limit $15 offset $16"
        )
    };
}

/// How much an alarm needs somebody, as [`place`] counts it.
macro_rules! need {
    () => {
        "(array_position(array['resolved', 'acknowledged', 'open'], status) * 8
          + array_position(array['info', 'warning', 'critical'], severity) * 2 + condition_active::int)"
    };
}

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
        judged as materialized (
            select i.*, coalesce(s.prediction_condition, 0) as before
            from input i left join sensor_state s on s.sensor_id = i.sensor_id
            where i.kind = 'prediction' and i.active),
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
                       'condition_active', condition_active, 'kind', kind, 'change', change,
                       'shelved_until', shelved_until)
            from changed where change <> 'repeated'
            union all
            select e.event, jsonb_build_object('id', j.prediction_id, 'machine_id', j.machine_id, 'sensor_id', j.sensor_id,
                       'status', j.severity, 'prediction', 'anomaly', 'score', j.value, 'timestamp', j.time,
                       'anomaly_type', upper(j.severity), 'message', j.message)
            from judged j
            -- leaving normal is one event, becoming critical another
            join (values ('prediction.anomaly', 1, 0), ('prediction.critical', 2, 1)) e (event, gravity, before)
                on j.gravity >= e.gravity and j.before <= e.before),
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
    BY_TIME_DESC = list!("triggered_at", "epoch_us($13)", "desc", "<");
    BY_TIME_ASC = list!("triggered_at", "epoch_us($13)", "asc", ">");
    BY_CHANGE_DESC = list!("updated_at", "epoch_us($13)", "desc", "<");
    BY_CHANGE_ASC = list!("updated_at", "epoch_us($13)", "asc", ">");
    BY_OCCURRENCES_DESC = list!("occurrences", "$13", "desc", "<");
    BY_OCCURRENCES_ASC = list!("occurrences", "$13", "asc", ">");
    BY_SEVERITY_DESC = list!("array_position(array['info', 'warning', 'critical'], severity)", "$13", "desc", "<");
    BY_SEVERITY_ASC = list!("array_position(array['info', 'warning', 'critical'], severity)", "$13", "asc", ">");
    BY_NEED_DESC = list!(need!(), "$13", "desc", "<");
    BY_NEED_ASC = list!(need!(), "$13", "asc", ">");
    COUNT = concat!("select count(*) from alarms where ", filter!());
    GET = concat!("select ", columns!(), " from alarms where id = $1");
    OF_PREDICTION = concat!(
        "select ", columns!(), " from alarms where prediction_id = $1 order by triggered_at desc limit 200"
    );
    HISTORY = "
        select t.id, t.at at time zone 'utc', t.change, t.note, t.by_user, u.full_name, u.email
        from alarm_transitions t left join users u on u.id = t.by_user
        where t.alarm_id = $1 order by t.id";
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
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// In any of these states.
    pub statuses: Vec<AlarmStatus>,
    /// Of this machine.
    pub machine_id: Option<MachineId>,
    /// Of this sensor.
    pub sensor_id: Option<SensorId>,
    /// Of this severity.
    pub severity: Option<Severity>,
    /// Raised by this.
    pub kind: Option<AlarmKind>,
    /// Whose condition holds, or does not.
    pub condition_active: Option<bool>,
    /// That somebody acknowledged, or nobody did.
    pub acknowledged: Option<bool>,
    /// That are shelved now, or are not.
    pub shelved: Option<bool>,
    /// Raised at or after.
    pub from: Option<Timestamp>,
    /// Raised before.
    pub to: Option<Timestamp>,
    /// Whose message contains this, in any case.
    pub text: Option<String>,
    /// That were found to be this.
    pub verdict: Option<Verdict>,
}

/// Alarms in the order asked for.
pub async fn list(db: &Db, filter: Filter, paging: &Paging<AlarmSort>) -> Result<Page<Alarm>, StoreError> {
    let sql = match (paging.sort_by, paging.ascending) {
        (AlarmSort::TriggeredAt, false) => BY_TIME_DESC,
        (AlarmSort::TriggeredAt, true) => BY_TIME_ASC,
        (AlarmSort::UpdatedAt, false) => BY_CHANGE_DESC,
        (AlarmSort::UpdatedAt, true) => BY_CHANGE_ASC,
        (AlarmSort::Occurrences, false) => BY_OCCURRENCES_DESC,
        (AlarmSort::Occurrences, true) => BY_OCCURRENCES_ASC,
        (AlarmSort::Severity, false) => BY_SEVERITY_DESC,
        (AlarmSort::Severity, true) => BY_SEVERITY_ASC,
        (AlarmSort::Need, false) => BY_NEED_DESC,
        (AlarmSort::Need, true) => BY_NEED_ASC,
    };
    let params = vec![
        texts(&filter.statuses),
        optional(filter.machine_id, |m| id(m.0)),
        optional(filter.sensor_id, |s| id(s.0)),
        optional(filter.severity, |s| text(s.as_str())),
        optional(filter.kind, |k| text(k.as_str())),
        optional(filter.condition_active, Into::into),
        optional(filter.acknowledged, Into::into),
        optional(filter.shelved, Into::into),
        optional(filter.from, at),
        optional(filter.to, at),
        optional(filter.text, text),
        optional(filter.verdict, |v| text(v.as_str())),
    ];
    paging.read(db, sql, COUNT, params, alarm).await
}

/// The place of an alarm in a list of this order.
#[must_use]
pub fn place(alarm: &Alarm, sort_by: AlarmSort) -> After {
    let key = match sort_by {
        AlarmSort::TriggeredAt => alarm.triggered_at.0,
        AlarmSort::UpdatedAt => alarm.updated_at.0,
        AlarmSort::Occurrences => alarm.occurrences,
        // as array_position counts
        AlarmSort::Severity => alarm.severity as i64 + 1,
        AlarmSort::Need => {
            let status = match alarm.status {
                AlarmStatus::Resolved => 1,
                AlarmStatus::Acknowledged => 2,
                AlarmStatus::Open => 3,
            };
            status * 8 + (alarm.severity as i64 + 1) * 2 + i64::from(alarm.condition_active)
        }
    };
    After { key, id: alarm.id.0 }
}

/// One alarm.
pub async fn get(db: &Db, alarm_id: AlarmId) -> Result<Option<Alarm>, StoreError> {
    db.first(GET, vec![id(alarm_id.0)], alarm).await
}

/// Alarms raised by a prediction, newest first.
pub async fn of_prediction(db: &Db, prediction_id: PredictionId) -> Result<Vec<Alarm>, StoreError> {
    db.rows(OF_PREDICTION, vec![id(prediction_id.0)], alarm).await
}

/// What happened to an alarm, oldest first.
pub async fn history(db: &Db, alarm_id: AlarmId) -> Result<Vec<AlarmTransition>, StoreError> {
    db.rows(HISTORY, vec![id(alarm_id.0)], |c| {
        Ok(AlarmTransition {
            id: c.take()?,
            at: c.take()?,
            change: c.take()?,
            note: c.take()?,
            by_user: c.take()?,
            by_name: c.take()?,
            by_email: c.take()?,
        })
    })
    .await
}

pub(crate) fn alarm(c: &mut Columns) -> Result<Alarm, StoreError> {
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
        resolved_by: c.take()?,
        verdict: c.optional_word()?,
        shelved_until: c.take()?,
        shelved_by: c.take()?,
        shelve_reason: c.take()?,
    })
}
