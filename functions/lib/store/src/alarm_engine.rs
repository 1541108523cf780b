//! Alarms that conditions raise: the state that `pm_domain::alarm::machine::step` asks for, and what it decided.

use crate::{
    Db, StoreError,
    closed::{alarm_is_open, ticket_is_open},
    statement::statements,
    value::{floats, ints, optional, optional_ints, optional_texts, status_code, text, texts},
};
use pm_api::{
    AlarmId, ReadingStatus, SensorId,
    alarm_engine::{Condition, ConditionKind},
};
use pm_domain::{
    alarm::machine::{Change, OpenAlarm, State, Step},
    ticket::AUTO_TICKET_ASSIGNEE,
};
use spin_sdk::pg::ParameterValue;
use std::collections::BTreeMap;

statements! {
    STATES = concat!("
        select coalesce(s.threshold_condition, 0::int2), coalesce(s.prediction_condition, 0::int2),
               coalesce(s.reported_condition, 0::int2), a.id, a.xmin::text,
               a.severity, a.message, a.condition_active, a.occurrences, a.last_seen_at at time zone 'utc', a.prediction_id
        from unnest($1::text[], $2::text[], $3::text[]) with ordinality i (machine_id, sensor_id, kind, ord)
        left join sensor_state s on s.sensor_id = i.sensor_id::uuid
        left join alarms a on a.machine_id = i.machine_id::uuid and a.sensor_id = i.sensor_id::uuid and a.kind = i.kind
            and ", alarm_is_open!("a."), "
        order by i.ord");
    APPLY = concat!("
        with input as materialized (
            select machine_id::uuid, sensor_id::uuid, kind, severity, message, value, epoch_us(us) as time,
                   prediction_id::uuid, alarm_id::uuid, version, was_reported, next_severity, next_message,
                   next_active <> 0 as next_active, next_occurrences, epoch_us(next_seen_us) as next_seen_at,
                   next_prediction::uuid, change, note, event, ticket_title, ticket_priority,
                   epoch_us(ticket_due_us) as ticket_due_at, tickets_priority
            from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], string_to_array($6, ',')::float8[],
                        $7::int8[], $8::text[], $9::text[], $10::text[], $11::int8[], $12::text[], $13::text[], $14::int8[],
                        $15::int8[], $16::int8[], $17::text[], $18::text[], $19::text[], $20::text[], $21::text[],
                        $22::text[], $23::int8[], $24::text[])
                i (machine_id, sensor_id, kind, severity, message, value, us, prediction_id, alarm_id, version,
                   was_reported, next_severity, next_message, next_active, next_occurrences, next_seen_us,
                   next_prediction, change, note, event, ticket_title, ticket_priority, ticket_due_us, tickets_priority)),
        alarms_held as materialized (
            select a.id, a.xmin::text as version from alarms a
            where a.id in (select alarm_id from input) and ", alarm_is_open!("a."), " order by a.id for update of a),
        sensors_held as materialized (
            select s.sensor_id, s.threshold_condition, s.prediction_condition, s.reported_condition from sensor_state s
            where s.sensor_id in (select sensor_id from input) order by s.sensor_id for update of s),
        -- all or nothing: the states are those that the decision was made on (a second new alarm of a cause violates
        -- alarms_one_per_cause)
        fits as materialized (
            select not exists (
                select from input i left join alarms_held a on a.id = i.alarm_id left join sensors_held s using (sensor_id)
                where a.version is distinct from i.version
                   or (i.kind, i.was_reported) not in (('threshold', coalesce(s.threshold_condition, 0)),
                                                       ('prediction', coalesce(s.prediction_condition, 0)),
                                                       ('reported', coalesce(s.reported_condition, 0)))) as all_do),
        updated as (
            update alarms a set
                severity = i.next_severity, message = i.next_message, condition_active = i.next_active,
                occurrences = i.next_occurrences, last_seen_at = i.next_seen_at, prediction_id = i.next_prediction,
                metadata = coalesce(a.metadata, '{}') || jsonb_strip_nulls(jsonb_build_object('value', nullif(i.value, 'NaN')))
            from input i, fits
            where fits.all_do and a.id = i.alarm_id and i.next_severity is not null
            returning a.*, a as alarm),
        raised as (
            insert into alarms as a (machine_id, sensor_id, kind, severity, message, condition_active, occurrences,
                                     triggered_at, last_seen_at, prediction_id, metadata)
            select machine_id, sensor_id, kind, next_severity, next_message, next_active, next_occurrences, time,
                   next_seen_at, next_prediction, jsonb_build_object('value', value)
            from input, fits where fits.all_do and alarm_id is null and next_severity is not null
            returning a.*, a as alarm),
        changed as (
            select a.*, i.change, i.note, i.event, i.ticket_title, i.ticket_priority, i.ticket_due_at, i.tickets_priority
            from (select * from updated union all select * from raised) a
            join input i on i.machine_id = a.machine_id and i.sensor_id = a.sensor_id and i.kind = a.kind),
        history as (
            insert into alarm_transitions (alarm_id, change, note)
            select id, change, note from changed where change is not null),
        ticketed as (
            insert into tickets (machine_id, alarm_id, title, priority, assignee, description, due_at, auto_created, metadata)
            select machine_id, id, ticket_title, ticket_priority, $31, message, ticket_due_at, true,
                   jsonb_build_object('alarm_severity', severity)
            from changed where ticket_title is not null),
        lifted as (
            update tickets t set priority = c.tickets_priority
            from changed c where c.tickets_priority is not null and t.alarm_id = c.id and ", ticket_is_open!("t."), "),
        event as (
            insert into outbox (event_type, data, traceparent)
            select event, alarm_event(alarm, change), $33::text from changed where event is not null
            union all
            select e.event, jsonb_build_object('id', i.prediction_id, 'machine_id', i.machine_id, 'sensor_id', i.sensor_id,
                       'status', i.severity, 'prediction', 'anomaly', 'score', i.value, 'timestamp', i.time,
                       'anomaly_type', upper(i.severity), 'message', i.message), $33
            from unnest($25::text[], $26::text[]) e (event, prediction_id)
            join input i on i.prediction_id = e.prediction_id::uuid, fits where fits.all_do),
        reported as materialized (
            select sensor_id::uuid, threshold::int2, prediction::int2, sent::int2, epoch_us(through_us) as through
            from unnest($27::text[], $28::int8[], $29::int8[], $30::int8[], $32::int8[])
                r (sensor_id, threshold, prediction, through_us, sent)),
        remembered as (
            update sensor_state s set
                threshold_condition = coalesce(r.threshold, s.threshold_condition),
                prediction_condition = coalesce(r.prediction, s.prediction_condition),
                reported_condition = coalesce(r.sent, s.reported_condition),
                evaluated_through = greatest(s.evaluated_through, r.through)
            from reported r, fits where fits.all_do and s.sensor_id = r.sensor_id),
        begun as (
            insert into sensor_state as s (sensor_id, threshold_condition, prediction_condition, reported_condition,
                                           evaluated_through)
            select r.sensor_id, coalesce(r.threshold, 0), coalesce(r.prediction, 0), coalesce(r.sent, 0), r.through
            from reported r, fits
            where fits.all_do and not exists (select from sensors_held h where h.sensor_id = r.sensor_id)
            on conflict (sensor_id) do update set
                threshold_condition = excluded.threshold_condition, prediction_condition = excluded.prediction_condition,
                reported_condition = excluded.reported_condition, evaluated_through = excluded.evaluated_through)
        select all_do from fits");
}

/// A violation of this constraint says that a cause got its alarm since its state was read.
const ONE_PER_CAUSE: &str = "alarms_one_per_cause";

/// The state of a condition's cause, as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// The state.
    pub state: State,
    /// Its open alarm, with the version of the row.
    alarm: Option<(AlarmId, String)>,
}

/// Reads the states of the conditions' causes, in their order.
pub async fn states(db: &Db, conditions: &[Condition]) -> Result<Vec<Known>, StoreError> {
    let params = vec![
        texts(conditions.iter().map(|c| c.machine_id)),
        texts(conditions.iter().map(|c| c.sensor_id)),
        texts(conditions.iter().map(|c| c.kind.as_str())),
    ];
    let rows = db.rows(STATES, params, |c| {
        let reported: [ReadingStatus; 3] = [c.take()?, c.take()?, c.take()?];
        let id: Option<AlarmId> = c.take()?;
        let Some(id) = id else { return Ok((reported, None)) };
        let version: String = c.take()?;
        let alarm = OpenAlarm {
            severity: c.word()?,
            message: c.take()?,
            condition_active: c.take()?,
            occurrences: c.take()?,
            last_seen_at: c.take()?,
            prediction_id: c.take()?,
        };
        Ok((reported, Some((alarm, (id, version)))))
    });
    let rows = rows.await?;
    let known = |(condition, (reported, alarm)): (&Condition, _)| {
        let [threshold, prediction, sent] = reported;
        let (alarm, row) = Option::unzip(alarm);
        let reported = match condition.kind {
            ConditionKind::Threshold => threshold,
            ConditionKind::Prediction => prediction,
            ConditionKind::Reported => sent,
        };
        Known { state: State { alarm, reported }, alarm: row }
    };
    Ok(conditions.iter().zip(rows).map(known).collect())
}

/// A condition with the state it met and the step that was decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided<'c> {
    /// The condition; at most one per sensor and kind.
    pub condition: &'c Condition,
    /// The state that the decision was made on.
    pub known: &'c Known,
    /// The decision.
    pub step: Step,
}

/// Writes alarms, their history, tickets and events: all, or nothing if one of the states is not any more what it was when
/// it was read. Returns whether it was done.
///
/// # Errors
/// A constraint ending in `_exists` if a machine or sensor was deleted.
pub async fn apply(
    db: &Db,
    decided: &[Decided<'_>],
    traceparent: Option<String>,
) -> Result<bool, StoreError> {
    let mut params = params(decided);
    params.push(optional(traceparent, text));
    match db.one(APPLY, params, |c| c.take()).await {
        Err(StoreError::Constraint(name)) if name == ONE_PER_CAUSE => Ok(false),
        done => done,
    }
}

fn params(decided: &[Decided<'_>]) -> Vec<ParameterValue> {
    let condition = || decided.iter().map(|d| d.condition);
    let row = || decided.iter().map(|d| d.known.alarm.as_ref());
    let effects = || decided.iter().map(|d| &d.step.effects);
    // the alarm's next state, if the step touches it
    let next =
        || decided.iter().map(|d| d.step.next.alarm.as_ref().filter(|_| d.step.effects.change.is_some()));
    let ticket = || effects().map(|e| e.ticket.as_ref());
    let mut events = Vec::new();
    for d in decided {
        events
            .extend(d.step.effects.prediction_events.iter().map(|e| (e.as_str(), d.condition.prediction_id)));
    }
    let mut reported: BTreeMap<SensorId, Reported> = BTreeMap::new();
    for d in decided {
        reported.entry(d.condition.sensor_id).or_default().add(d);
    }
    vec![
        texts(condition().map(|c| c.machine_id)),
        texts(condition().map(|c| c.sensor_id)),
        texts(condition().map(|c| c.kind.as_str())),
        texts(condition().map(|c| c.severity)),
        texts(condition().map(|c| &c.message)),
        floats(effects().map(|e| e.value.unwrap_or(f64::NAN))),
        ints(condition().map(|c| c.time.0)),
        optional_texts(condition().map(|c| c.prediction_id)),
        optional_texts(row().map(|r| r.map(|(id, _)| id))),
        optional_texts(row().map(|r| r.map(|(_, version)| version))),
        ints(decided.iter().map(|d| status_code(d.known.state.reported).into())),
        optional_texts(next().map(|a| a.map(|a| a.severity))),
        optional_texts(next().map(|a| a.map(|a| &a.message))),
        optional_ints(next().map(|a| a.map(|a| a.condition_active.into()))),
        optional_ints(next().map(|a| a.map(|a| a.occurrences))),
        optional_ints(next().map(|a| a.map(|a| a.last_seen_at.0))),
        optional_texts(next().map(|a| a.and_then(|a| a.prediction_id))),
        optional_texts(effects().map(|e| e.change.and_then(Change::recorded))),
        optional_texts(decided.iter().map(|d| d.step.note())),
        optional_texts(effects().map(|e| e.change.and_then(Change::event))),
        optional_texts(ticket().map(|t| t.map(|t| &t.title))),
        optional_texts(ticket().map(|t| t.map(|t| t.priority))),
        optional_ints(ticket().map(|t| t.map(|t| t.due_at.0))),
        optional_texts(effects().map(|e| e.ticket_priority)),
        texts(events.iter().map(|(event, _)| event)),
        optional_texts(events.iter().map(|(_, prediction)| *prediction)),
        texts(reported.keys()),
        optional_ints(reported.values().map(|r| r.threshold)),
        optional_ints(reported.values().map(|r| r.prediction)),
        optional_ints(reported.values().map(|r| r.through)),
        text(AUTO_TICKET_ASSIGNEE),
        optional_ints(reported.values().map(|r| r.sent)),
    ]
}

/// What the conditions of a sensor reported, by kind, and up to when its readings were evaluated.
#[derive(Debug, Default)]
struct Reported {
    threshold: Option<i64>,
    prediction: Option<i64>,
    sent: Option<i64>,
    through: Option<i64>,
}

impl Reported {
    fn add(&mut self, decided: &Decided<'_>) {
        let class = Some(i64::from(status_code(decided.step.next.reported)));
        match decided.condition.kind {
            ConditionKind::Threshold => self.threshold = class,
            ConditionKind::Prediction => self.prediction = class,
            ConditionKind::Reported => self.sent = class,
        }
        if decided.condition.kind != ConditionKind::Prediction {
            self.through = self.through.max(Some(decided.condition.evaluated_through.0));
        }
    }
}
