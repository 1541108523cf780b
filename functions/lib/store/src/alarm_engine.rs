//! Alarms that conditions raise: the state that `pm_domain::alarm::machine::step` asks for, and what it decided.

use crate::{
    Db, StoreError,
    closed::alarm_is_open,
    statement::statements,
    value::{at, floats, ints, optional, optional_ints, optional_texts, status_code, text, texts},
};
use pm_api::{
    AlarmId, MachineId, ReadingStatus, SensorId, Timestamp,
    alarm_engine::{Condition, ConditionKind},
};
use pm_domain::{
    alarm::{
        case::{CaseAlarm, CaseTicket, Placement, RELATED_WITHIN_S},
        machine::{Change, OpenAlarm, State, Step},
        suppression::Suppression,
    },
    ticket::AUTO_TICKET_ASSIGNEE,
};
use spin_sdk::pg::ParameterValue;
use std::collections::BTreeMap;

statements! {
    STATES = concat!("
        select coalesce(s.threshold_condition, 0::int2), coalesce(s.prediction_condition, 0::int2),
               coalesce(s.reported_condition, 0::int2), coalesce(s.stale_condition, 0::int2), a.id, a.xmin::text,
               a.severity, a.message, a.condition_active, a.occurrences, a.last_seen_at at time zone 'utc', a.prediction_id,
               coalesce(a.case_id, a.id)
        from unnest($1::text[], $2::text[], $3::text[]) with ordinality i (machine_id, sensor_id, kind, ord)
        left join sensor_state s on s.sensor_id = i.sensor_id::uuid
        left join alarms a on a.machine_id = i.machine_id::uuid and a.sensor_id = i.sensor_id::uuid and a.kind = i.kind
            and ", alarm_is_open!("a."), "
        order by i.ord");
    // those of a machine that are open or were seen lately, each once for every ticket about it; with the machine's newest
    CASES = concat!("
        select m.id, n.alarm_id, coalesce(a.case_id, a.id), a.sensor_id, a.open, a.condition_active,
               a.triggered_at at time zone 'utc', a.last_seen_at at time zone 'utc', t.id, t.status, t.priority
        from unnest($1::text[]::uuid[]) m (id)
        left join newest_alarms n on n.machine_id = m.id
        left join lateral (
            select a.*, ", alarm_is_open!("a."), " as open from alarms a
            where a.machine_id = m.id and a.kind <> 'manual' and (", alarm_is_open!("a."), " or a.last_seen_at >= epoch_us($2))
            order by a.triggered_at desc limit 200) a on true
        left join tickets t on t.alarm_id = a.id");
    APPLY = concat!("
        with input as materialized (
            select machine_id::uuid, sensor_id::uuid, kind, severity, message, value, epoch_us(us) as time,
                   prediction_id::uuid, alarm_id::uuid, version, was_reported, next_severity, next_message,
                   next_active <> 0 as next_active, next_occurrences, epoch_us(next_seen_us) as next_seen_at,
                   next_prediction::uuid, change, note, event, ticket_title, ticket_priority,
                   epoch_us(ticket_due_us) as ticket_due_at, new_id::uuid, joins::uuid
            from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], string_to_array($6, ',')::float8[],
                        $7::int8[], $8::text[], $9::text[], $10::text[], $11::int8[], $12::text[], $13::text[], $14::int8[],
                        $15::int8[], $16::int8[], $17::text[], $18::text[], $19::text[], $20::text[], $21::text[],
                        $22::text[], $23::int8[], $24::text[], $34::text[])
                i (machine_id, sensor_id, kind, severity, message, value, us, prediction_id, alarm_id, version,
                   was_reported, next_severity, next_message, next_active, next_occurrences, next_seen_us,
                   next_prediction, change, note, event, ticket_title, ticket_priority, ticket_due_us, new_id, joins)),
        raising as materialized (
            select machine_id::uuid, newest::uuid, next::uuid
            from unnest($35::text[], $36::text[], $37::text[]) r (machine_id, newest, next)),
        alarms_held as materialized (
            select a.id, a.xmin::text as version from alarms a
            where a.id in (select alarm_id from input) and ", alarm_is_open!("a."), " order by a.id for update of a),
        sensors_held as materialized (
            select s.sensor_id, s.threshold_condition, s.prediction_condition, s.reported_condition, s.stale_condition from sensor_state s
            where s.sensor_id in (select sensor_id from input) order by s.sensor_id for update of s),
        newest_held as materialized (
            select n.machine_id, n.alarm_id from newest_alarms n
            where n.machine_id in (select machine_id from raising) order by n.machine_id for update of n),
        -- all or nothing: the states are those that the decision was made on (a second new alarm of a cause violates
        -- alarms_one_per_cause)
        fits as materialized (
            select not exists (
                select from input i left join alarms_held a on a.id = i.alarm_id left join sensors_held s using (sensor_id)
                where a.version is distinct from i.version
                   or (i.kind, i.was_reported) not in (('threshold', coalesce(s.threshold_condition, 0)),
                                                       ('prediction', coalesce(s.prediction_condition, 0)),
                                                       ('reported', coalesce(s.reported_condition, 0)),
                                                       ('stale', coalesce(s.stale_condition, 0))))
            and not exists (
                select from raising r left join newest_held n using (machine_id)
                where n.alarm_id is distinct from r.newest) as all_do),
        updated as (
            update alarms a set
                severity = i.next_severity, message = i.next_message, condition_active = i.next_active,
                occurrences = i.next_occurrences, last_seen_at = i.next_seen_at, prediction_id = i.next_prediction,
                metadata = coalesce(a.metadata, '{}') || jsonb_strip_nulls(jsonb_build_object('value', nullif(i.value, 'NaN')))
            from input i, fits
            where fits.all_do and a.id = i.alarm_id and i.next_severity is not null
            returning a.*, a as alarm),
        raised as (
            insert into alarms as a (id, case_id, machine_id, sensor_id, kind, severity, message, condition_active, occurrences,
                                     triggered_at, last_seen_at, prediction_id, metadata)
            select new_id, joins, machine_id, sensor_id, kind, next_severity, next_message, next_active, next_occurrences, time,
                   next_seen_at, next_prediction, jsonb_strip_nulls(jsonb_build_object('value', nullif(value, 'NaN')))
            from input, fits where fits.all_do and alarm_id is null and next_severity is not null
            returning a.*, a as alarm),
        changed as (
            select a.*, i.change, i.note, i.event, i.ticket_title, i.ticket_priority, i.ticket_due_at
            from (select * from updated union all select * from raised) a
            join input i on i.machine_id = a.machine_id and i.sensor_id = a.sensor_id and i.kind = a.kind),
        suppressed as (
            insert into suppressed_conditions as s (machine_id, sensor_id, kind, window_id, day, severity, message,
                                                    first_seen_at, last_seen_at, occurrences)
            select i.machine_id, i.sensor_id, i.kind, u.window_id::uuid, (i.time at time zone 'utc')::date, i.severity,
                   i.message, i.time, i.time, u.occurrences
            from unnest($41::text[], $42::text[], $43::text[], $44::int8[]) u (sensor_id, kind, window_id, occurrences)
            join input i on i.sensor_id = u.sensor_id::uuid and i.kind = u.kind, fits
            where fits.all_do
            on conflict (sensor_id, kind, window_id, day) do update set
                severity = excluded.severity, message = excluded.message,
                last_seen_at = greatest(s.last_seen_at, excluded.last_seen_at),
                occurrences = s.occurrences + excluded.occurrences),
        history as (
            insert into alarm_transitions (alarm_id, change, note)
            select id, change, note from changed where change is not null),
        ticketed as (
            insert into tickets (machine_id, alarm_id, title, priority, assignee, description, due_at, auto_created, metadata)
            select machine_id, id, ticket_title, ticket_priority, $31, message, ticket_due_at, true,
                   jsonb_build_object('alarm_severity', severity)
            from changed where ticket_title is not null),
        lifted as (
            update tickets t set status = c.status, priority = c.priority
            from unnest($38::text[]::uuid[], $39::text[], $40::text[]) c (id, status, priority), fits
            where fits.all_do and t.id = c.id),
        newest as (
            update newest_alarms n set alarm_id = r.next
            from raising r, fits where fits.all_do and n.machine_id = r.machine_id),
        -- the first one of a machine; a second at once violates newest_alarms_pkey
        first as (
            insert into newest_alarms (machine_id, alarm_id)
            select r.machine_id, r.next from raising r, fits where fits.all_do and r.newest is null),
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
            select sensor_id::uuid, threshold::int2, prediction::int2, sent::int2, stale::int2, epoch_us(through_us) as through
            from unnest($27::text[], $28::int8[], $29::int8[], $30::int8[], $32::int8[], $45::int8[])
                r (sensor_id, threshold, prediction, through_us, sent, stale)),
        remembered as (
            update sensor_state s set
                threshold_condition = coalesce(r.threshold, s.threshold_condition),
                prediction_condition = coalesce(r.prediction, s.prediction_condition),
                reported_condition = coalesce(r.sent, s.reported_condition),
                stale_condition = coalesce(r.stale, s.stale_condition),
                evaluated_through = greatest(s.evaluated_through, r.through)
            from reported r, fits where fits.all_do and s.sensor_id = r.sensor_id),
        begun as (
            insert into sensor_state as s (sensor_id, threshold_condition, prediction_condition, reported_condition,
                                           stale_condition, evaluated_through)
            select r.sensor_id, coalesce(r.threshold, 0), coalesce(r.prediction, 0), coalesce(r.sent, 0),
                   coalesce(r.stale, 0), r.through
            from reported r, fits
            where fits.all_do and not exists (select from sensors_held h where h.sensor_id = r.sensor_id)
            on conflict (sensor_id) do update set
                threshold_condition = excluded.threshold_condition, prediction_condition = excluded.prediction_condition,
                reported_condition = excluded.reported_condition, stale_condition = excluded.stale_condition,
                evaluated_through = excluded.evaluated_through)
        select all_do from fits");
}

/// Violations of these constraints say that a cause, or a machine, got an alarm since its state was read.
const CHANGED_SINCE: [&str; 2] = ["alarms_one_per_cause", "newest_alarms_pkey"];

/// The state of a condition's cause, as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// The state.
    pub state: State,
    /// Its open alarm, with the version of the row and the case that it belongs to.
    alarm: Option<(AlarmId, String, AlarmId)>,
}

/// Reads the states of the conditions' causes, in their order.
pub async fn states(db: &Db, conditions: &[Condition]) -> Result<Vec<Known>, StoreError> {
    let params = vec![
        texts(conditions.iter().map(|c| c.machine_id)),
        texts(conditions.iter().map(|c| c.sensor_id)),
        texts(conditions.iter().map(|c| c.kind.as_str())),
    ];
    let rows = db.rows(STATES, params, |c| {
        let reported: [ReadingStatus; 4] = [c.take()?, c.take()?, c.take()?, c.take()?];
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
        Ok((reported, Some((alarm, (id, version, c.take()?)))))
    });
    let rows = rows.await?;
    let known = |(condition, (reported, alarm)): (&Condition, _)| {
        let [threshold, prediction, sent, stale] = reported;
        let (alarm, row) = Option::unzip(alarm);
        let reported = match condition.kind {
            ConditionKind::Threshold => threshold,
            ConditionKind::Prediction => prediction,
            ConditionKind::Reported => sent,
            ConditionKind::Stale => stale,
        };
        Known { state: State { alarm, reported }, alarm: row }
    };
    Ok(conditions.iter().zip(rows).map(known).collect())
}

impl Known {
    /// The case that its open alarm belongs to.
    #[must_use]
    pub fn case_id(&self) -> Option<AlarmId> {
        self.alarm.as_ref().map(|(_, _, case)| *case)
    }
}

/// The alarms of a machine whose case a new one may join.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MachineCases {
    /// The newest alarm that a condition raised on it.
    pub newest: Option<AlarmId>,
    /// Those that are open or were seen lately.
    pub alarms: Vec<CaseAlarm>,
}

/// Reads the alarms of machines whose case a new one may join now.
pub async fn cases(
    db: &Db,
    machines: impl IntoIterator<Item = MachineId>,
    now: Timestamp,
) -> Result<BTreeMap<MachineId, MachineCases>, StoreError> {
    let recent = at(now.plus_seconds(-RELATED_WITHIN_S));
    let rows = db.rows(CASES, vec![texts(machines), recent], |c| {
        let machine: MachineId = c.take()?;
        let newest: Option<AlarmId> = c.take()?;
        let Some(case_id) = c.take()? else { return Ok((machine, newest, None)) };
        let alarm = CaseAlarm {
            case_id,
            sensor_id: c.take()?,
            open: c.take()?,
            condition_active: c.take()?,
            triggered_at: c.take()?,
            last_seen_at: c.take()?,
            ticket: match c.take()? {
                Some(id) => Some(CaseTicket { ticket_id: Some(id), status: c.word()?, priority: c.word()? }),
                None => None,
            },
        };
        Ok((machine, newest, Some(alarm)))
    });
    let mut cases: BTreeMap<MachineId, MachineCases> = BTreeMap::new();
    for (machine, newest, alarm) in rows.await? {
        let of_machine = cases.entry(machine).or_default();
        of_machine.newest = newest;
        of_machine.alarms.extend(alarm);
    }
    Ok(cases)
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
    /// The identifier of the alarm that it raises.
    pub raises: Option<AlarmId>,
    /// The case of that alarm, and what becomes of tickets.
    pub placement: Placement,
    /// Why the condition raises no alarm.
    pub suppression: Option<Suppression>,
}

/// Writes alarms, their history, tickets and events: all, or nothing if one of the states is not any more what it was when
/// it was read. `newest`: the newest alarm, as it was read, of each machine on which one is raised. Returns whether it was
/// done.
///
/// # Errors
/// A constraint ending in `_exists` if a machine or sensor was deleted.
pub async fn apply(
    db: &Db,
    decided: &[Decided<'_>],
    newest: &BTreeMap<MachineId, Option<AlarmId>>,
    traceparent: Option<String>,
) -> Result<bool, StoreError> {
    let params = params(decided, newest, traceparent);
    match db.one(APPLY, params, |c| c.take()).await {
        Err(StoreError::Constraint(name)) if CHANGED_SINCE.contains(&name.as_str()) => Ok(false),
        done => done,
    }
}

fn params(
    decided: &[Decided<'_>],
    newest: &BTreeMap<MachineId, Option<AlarmId>>,
    traceparent: Option<String>,
) -> Vec<ParameterValue> {
    let condition = || decided.iter().map(|d| d.condition);
    let row = || decided.iter().map(|d| d.known.alarm.as_ref());
    let effects = || decided.iter().map(|d| &d.step.effects);
    // the alarm's next state, if the step touches it
    let next =
        || decided.iter().map(|d| d.step.next.alarm.as_ref().filter(|_| d.step.effects.change.is_some()));
    let ticket = || decided.iter().map(|d| d.placement.ticket.as_ref());
    let changes = || decided.iter().flat_map(|d| &d.placement.changes);
    let newest_raised = |machine: &MachineId| {
        decided.iter().rev().find(|d| d.condition.machine_id == *machine && d.raises.is_some())?.raises
    };
    let suppressed = || decided.iter().filter_map(|d| Some((d.condition, d.suppression?)));
    let mut events = Vec::new();
    for d in decided {
        events
            .extend(d.step.effects.prediction_events.iter().map(|e| (e.as_str(), d.condition.prediction_id)));
    }
    let reported = reported(decided);
    vec![
        texts(condition().map(|c| c.machine_id)),
        texts(condition().map(|c| c.sensor_id)),
        texts(condition().map(|c| c.kind.as_str())),
        texts(condition().map(|c| c.severity)),
        texts(condition().map(|c| &c.message)),
        floats(effects().map(|e| e.value.unwrap_or(f64::NAN))),
        ints(condition().map(|c| c.time.0)),
        optional_texts(condition().map(|c| c.prediction_id)),
        optional_texts(row().map(|r| r.map(|(id, ..)| id))),
        optional_texts(row().map(|r| r.map(|(_, version, _)| version))),
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
        optional_texts(decided.iter().map(|d| d.raises)),
        texts(events.iter().map(|(event, _)| event)),
        optional_texts(events.iter().map(|(_, prediction)| *prediction)),
        texts(reported.keys()),
        optional_ints(reported.values().map(|r| r.threshold)),
        optional_ints(reported.values().map(|r| r.prediction)),
        optional_ints(reported.values().map(|r| r.through)),
        text(AUTO_TICKET_ASSIGNEE),
        optional_ints(reported.values().map(|r| r.sent)),
        optional(traceparent, text),
        optional_texts(decided.iter().map(|d| d.placement.joins)),
        texts(newest.keys()),
        optional_texts(newest.values().copied()),
        optional_texts(newest.keys().map(newest_raised)),
        texts(changes().map(|c| c.ticket_id)),
        texts(changes().map(|c| c.status)),
        texts(changes().map(|c| c.priority)),
        texts(suppressed().map(|(c, _)| c.sensor_id)),
        texts(suppressed().map(|(c, _)| c.kind.as_str())),
        optional_texts(suppressed().map(|(_, why)| match why {
            Suppression::Window(window) => Some(window),
            Suppression::Maintenance => None,
        })),
        ints(suppressed().map(|(c, _)| c.occurrences.into())),
        optional_ints(reported.values().map(|r| r.stale)),
    ]
}

fn reported(decided: &[Decided<'_>]) -> BTreeMap<SensorId, Reported> {
    let mut reported: BTreeMap<SensorId, Reported> = BTreeMap::new();
    for d in decided {
        reported.entry(d.condition.sensor_id).or_default().add(d);
    }
    reported
}

/// What the conditions of a sensor reported, by kind, and up to when its readings were evaluated.
#[derive(Debug, Default)]
struct Reported {
    threshold: Option<i64>,
    prediction: Option<i64>,
    sent: Option<i64>,
    stale: Option<i64>,
    through: Option<i64>,
}

impl Reported {
    fn add(&mut self, decided: &Decided<'_>) {
        let class = Some(i64::from(status_code(decided.step.next.reported)));
        match decided.condition.kind {
            ConditionKind::Threshold => self.threshold = class,
            ConditionKind::Prediction => self.prediction = class,
            ConditionKind::Reported => self.sent = class,
            ConditionKind::Stale => self.stale = class,
        }
        if !matches!(decided.condition.kind, ConditionKind::Prediction | ConditionKind::Stale) {
            self.through = self.through.max(Some(decided.condition.evaluated_through.0));
        }
    }
}
