//! What people do with alarms: raise by hand, and what `pm_domain::alarm::workflow::act` decided.

use crate::{
    Actor, Db, StoreError,
    alarm::{alarm, columns},
    closed::{alarm_is_open, ticket_is_open},
    statement::{actor, statements},
    value::{Columns, at, id, ints, json, optional, optional_ints, optional_texts, text, texts},
};
use pm_api::{AlarmId, AlarmStatus, MachineId, Metadata, SensorId, Severity, Timestamp, alarm::Alarm};
use pm_domain::{
    alarm::workflow::{Outcome, RaisedByHand},
    ticket::AUTO_TICKET_ASSIGNEE,
};
use spin_sdk::pg::ParameterValue;
use uuid::Uuid;

/// The version of what people decide of an alarm. What conditions change (they may do so ten times a second) is not in it.
macro_rules! version {
    () => {
        "md5(row(status, acknowledged_at, acknowledged_by, resolved_at, resolved_by, resolution_notes, verdict,
                 shelved_until, shelved_by, shelve_reason)::text)"
    };
}

statements! {
    CREATE = concat!("
        with raised as (
            insert into alarms (id, machine_id, sensor_id, kind, severity, message, status, triggered_at, last_seen_at,
                                acknowledged_at, acknowledged_by, metadata)
            select $2::uuid, $3::uuid, $4::uuid, 'manual', $5::text, $6::text, $7::text, epoch_us($8), epoch_us($8),
                   epoch_us($9), $10::uuid, $11::jsonb
            from ", actor!(), "
            returning *, alarms as alarm),
        history as (
            insert into alarm_transitions (alarm_id, change, by_user)
            select id, change, $12::uuid from raised, unnest($13::text[]) with ordinality h (change, ord) order by ord),
        ticket as (
            insert into tickets (machine_id, alarm_id, title, priority, assignee, description, due_at, auto_created, metadata)
            select machine_id, id, $14, $15, $17, message, epoch_us($16), true,
                   jsonb_build_object('alarm_severity', severity)
            from raised where $14::text is not null),
        event as (
            insert into outbox (event_type, data) select 'alarm.created', alarm_event(alarm, ($13::text[])[1]) from raised)
        select ", columns!(), " from raised");
    READ = concat!("select ", version!(), ", ", columns!(), " from alarms where id = any ($1::text[]::uuid[]) order by id");
    CHANGE = concat!("
        with actor as materialized (select * from ", actor!(), "),
        input as materialized (
            select id::uuid, version, status, epoch_us(acknowledged_us) as acknowledged_at, acknowledged_by::uuid,
                   epoch_us(resolved_us) as resolved_at, resolved_by::uuid, notes, verdict, ends_condition <> 0 as ends_condition,
                   epoch_us(shelved_us) as shelved_until, shelved_by::uuid, shelve_reason, resolves_ticket <> 0 as resolves_ticket
            from unnest($2::text[], $3::text[], $4::text[], $5::int8[], $6::text[], $7::int8[], $8::text[], $9::text[],
                        $10::text[], $11::int8[], $12::int8[], $13::text[], $14::text[], $15::int8[])
                i (id, version, status, acknowledged_us, acknowledged_by, resolved_us, resolved_by, notes, verdict,
                   ends_condition, shelved_us, shelved_by, shelve_reason, resolves_ticket)),
        held as materialized (
            select a.id, ", version!(), " as version from alarms a, actor
            where a.id in (select id from input) order by a.id for update of a),
        -- all or nothing: the alarms are those that the decision was made on
        fits as materialized (
            select not exists (
                select from input i left join held h using (id) where h.version is distinct from i.version) as all_do),
        changed as (
            update alarms a set
                status = i.status, acknowledged_at = i.acknowledged_at, acknowledged_by = i.acknowledged_by,
                resolved_at = i.resolved_at, resolved_by = i.resolved_by, resolution_notes = i.notes, verdict = i.verdict,
                condition_active = a.condition_active and not i.ends_condition, shelved_until = i.shelved_until, shelved_by = i.shelved_by,
                shelve_reason = i.shelve_reason, metadata = coalesce($16::jsonb, a.metadata)
            from input i, fits where fits.all_do and a.id = i.id
            returning a.*, a as alarm, i.resolves_ticket),
        history as (
            insert into alarm_transitions (alarm_id, change, note, by_user)
            select h.alarm_id::uuid, h.change, h.note, $20::uuid
            from unnest($17::text[], $18::text[], $19::text[]) with ordinality h (alarm_id, change, note, ord), fits
            where fits.all_do order by h.ord),
        ticket as (
            update tickets t set status = 'resolved', resolution_notes = coalesce(c.resolution_notes, t.resolution_notes)
            from changed c
            where c.resolves_ticket and t.auto_created and ", ticket_is_open!("t."), "
              and t.alarm_id in (select m.id from alarms m where coalesce(m.case_id, m.id) = coalesce(c.case_id, c.id))
              -- the last alarm of the case that was open
              and not exists (select from alarms o where coalesce(o.case_id, o.id) = coalesce(c.case_id, c.id)
                                and ", alarm_is_open!("o."), " and o.id not in (select id from input))),
        event as (
            insert into outbox (event_type, data)
            -- the first entry of the alarm's history names the change; without one, people changed notes or metadata
            select 'alarm.updated', alarm_event(alarm, coalesce(($18::text[])[array_position($17::text[], id::text)], 'updated'))
            from changed)
        select ", columns!(), " from changed order by id");
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
    /// When it began.
    pub triggered_at: Timestamp,
    /// Free object.
    pub metadata: Option<Metadata>,
}

/// Raises an alarm by hand, with what follows from it.
///
/// # Errors
/// Constraints `alarms_machine_exists`, `alarms_sensor_exists`.
pub async fn create(
    db: &Db,
    actor: &Actor,
    new: ManualAlarm,
    follows: RaisedByHand,
) -> Result<Alarm, StoreError> {
    let ticket = follows.ticket.as_ref();
    let params = vec![
        actor.setting(),
        id(Uuid::now_v7()),
        id(new.machine_id.0),
        optional(new.sensor_id, |s| id(s.0)),
        text(new.severity.as_str()),
        text(new.message),
        text(new.status.as_str()),
        at(new.triggered_at),
        optional(follows.acknowledged_at, at),
        optional(follows.acknowledged_at, |_| id(actor.user_id.0)),
        new.metadata.map_or(Ok(ParameterValue::DbNull), |m| json(&m))?,
        id(actor.user_id.0),
        texts(follows.history),
        optional(ticket, |t| text(&t.title)),
        optional(ticket, |t| text(t.priority.as_str())),
        optional(ticket, |t| at(t.due_at)),
        text(AUTO_TICKET_ASSIGNEE),
    ];
    db.one(CREATE, params, alarm).await
}

/// An alarm as it was read: a change is written only if it is still the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// The alarm.
    pub alarm: Alarm,
    /// The version of what people decide of it.
    version: String,
}

/// Reads the alarms that exist, by their ids in ascending order.
pub async fn read(db: &Db, ids: &[AlarmId]) -> Result<Vec<Known>, StoreError> {
    let known = |c: &mut Columns| Ok(Known { version: c.take()?, alarm: alarm(c)? });
    db.rows(READ, vec![texts(ids)], known).await
}

/// Writes what was decided for alarms as they were read, with their history, tickets and events. `metadata` replaces the
/// free object of all of them. Returns the alarms after it; `None`: one of them was changed since it was read, and nothing
/// is written.
pub async fn change(
    db: &Db,
    actor: &Actor,
    decided: &[(Known, Outcome)],
    metadata: Option<&Metadata>,
) -> Result<Option<Vec<Alarm>>, StoreError> {
    let after = || decided.iter().map(|(_, outcome)| &outcome.alarm);
    let history = || decided.iter().flat_map(|(_, o)| o.history.iter().map(move |entry| (o.alarm.id, entry)));
    let params = vec![
        actor.setting(),
        texts(after().map(|a| a.id)),
        texts(decided.iter().map(|(known, _)| &known.version)),
        texts(after().map(|a| a.status)),
        optional_ints(after().map(|a| a.acknowledged_at.map(|at| at.0))),
        optional_texts(after().map(|a| a.acknowledged_by)),
        optional_ints(after().map(|a| a.resolved_at.map(|at| at.0))),
        optional_texts(after().map(|a| a.resolved_by)),
        optional_texts(after().map(|a| a.resolution_notes.as_ref())),
        optional_texts(after().map(|a| a.verdict)),
        ints(decided.iter().map(|(k, o)| (k.alarm.condition_active && !o.alarm.condition_active).into())),
        optional_ints(after().map(|a| a.shelved_until.map(|at| at.0))),
        optional_texts(after().map(|a| a.shelved_by)),
        optional_texts(after().map(|a| a.shelve_reason.as_ref())),
        ints(decided.iter().map(|(_, outcome)| outcome.resolves_ticket.into())),
        metadata.map_or(Ok(ParameterValue::DbNull), json)?,
        texts(history().map(|(alarm_id, _)| alarm_id)),
        texts(history().map(|(_, entry)| entry.change)),
        optional_texts(history().map(|(_, entry)| entry.note.as_ref())),
        id(actor.user_id.0),
    ];
    let changed = db.rows(CHANGE, params, alarm).await?;
    Ok((changed.len() == decided.len()).then_some(changed))
}
