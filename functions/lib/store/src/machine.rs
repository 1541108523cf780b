//! Machines.

use crate::{
    Actor, Db, Page, StoreError,
    statement::statements,
    value::{Columns, id, json, optional, page, text},
};
use pm_api::{
    Criticality, MachineId, MachineStatus, Metadata,
    machine::{Machine, MachineSummary, SummaryMachine, SummaryPrediction, SummaryReading},
};
use spin_sdk::pg::ParameterValue;
use uuid::Uuid;

statements! {
    LIST = "
        select name, location, description, status, criticality, metadata, last_service_date::text, id,
               created_at at time zone 'utc', updated_at at time zone 'utc', count(*) over ()
        from machines
        order by created_at desc, id desc
        limit $1 offset $2";
    GET = "
        select name, location, description, status, criticality, metadata, last_service_date::text, id,
               created_at at time zone 'utc', updated_at at time zone 'utc'
        from machines where id = $1";
    CREATE = "
        insert into machines (id, name, location, description, status, criticality, metadata, last_service_date, mqtt_id)
        select $2, $3, $4, $5, $6, $7, $8, $9::text::date,
               -- payloads know the first machine of a name by that name
               case when not exists (select from machines where mqtt_id = $3) then $3 end
        from (select set_config('pm.actor', $1, true)) actor
        returning name, location, description, status, criticality, metadata, last_service_date::text, id,
                  created_at at time zone 'utc', updated_at at time zone 'utc'";
    UPDATE = "
        update machines set
            name = coalesce($3, name),
            location = case when $4 then $5 else location end,
            description = case when $6 then $7 else description end,
            status = coalesce($8, status),
            criticality = coalesce($9, criticality),
            metadata = case when $10 then $11::jsonb else metadata end,
            last_service_date = case when $12 then $13::text::date else last_service_date end
        from (select set_config('pm.actor', $1, true)) actor
        where id = $2
        returning name, location, description, status, criticality, metadata, last_service_date::text, id,
                  created_at at time zone 'utc', updated_at at time zone 'utc'";
    DELETE = "
        with actor as (select set_config('pm.actor', $1, true)),
        readings as (delete from sensor_data where sensor_id in (select id from sensors where machine_id = $2)),
        judged as (delete from predictions where sensor_id in (select id from sensors where machine_id = $2)),
        said as (
            delete from comments
            where (resource_type = 'alarm' and resource_id in (select id from alarms where machine_id = $2))
               or (resource_type = 'ticket' and resource_id in (select id from tickets where machine_id = $2)))
        delete from machines using actor where id = $2";
    SUMMARY = "
        select m.id, m.name, m.status, m.criticality,
               r.time at time zone 'utc', r.value, r.sensor_id,
               p.time at time zone 'utc', p.status, p.confidence, p.model_version,
               (select count(*) from alarms a where a.machine_id = m.id and a.status <> 'resolved'),
               coalesce((
                   select count(*)::float8 from (
                       select from generate_series(0, 23) hour
                       where exists (
                           select from sensors s join sensor_data d on d.sensor_id = s.id
                           where s.machine_id = m.id
                             and d.time > now() - (hour + 1) * interval '1 hour'
                             and d.time <= now() - hour * interval '1 hour')) seen)
                   / greatest(1, least(24, ceil(extract(epoch from now() - m.created_at) / 3600)::float8)) * 100, 0)
        from machines m
        left join lateral (
            select l.time, l.value, l.sensor_id from sensors s join sensor_latest l on l.sensor_id = s.id
            where s.machine_id = m.id order by l.time desc limit 1) r on true
        left join lateral (
            select p.* from sensors s
            cross join lateral (
                select time, status, confidence, model_version from predictions
                where sensor_id = s.id order by time desc limit 1) p
            where s.machine_id = m.id order by p.time desc limit 1) p on true
        where m.id = $1";
}

/// Fields of a new machine.
#[derive(Debug, Clone)]
pub struct NewMachine {
    /// Name.
    pub name: String,
    /// Where it stands.
    pub location: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Operating state.
    pub status: MachineStatus,
    /// How much depends on it.
    pub criticality: Criticality,
    /// Free object.
    pub metadata: Option<Metadata>,
    /// `YYYY-MM-DD`.
    pub last_service_date: Option<String>,
}

/// Fields to change; an outer `None` leaves a field as it is, an inner `None` empties it.
#[derive(Debug, Clone, Default)]
pub struct MachineChange {
    /// Name.
    pub name: Option<String>,
    /// Where it stands.
    pub location: Option<Option<String>>,
    /// For people.
    pub description: Option<Option<String>>,
    /// Operating state.
    pub status: Option<MachineStatus>,
    /// How much depends on it.
    pub criticality: Option<Criticality>,
    /// Free object.
    pub metadata: Option<Option<Metadata>>,
    /// `YYYY-MM-DD`.
    pub last_service_date: Option<Option<String>>,
}

fn machine(c: &mut Columns) -> Result<Machine, StoreError> {
    Ok(Machine {
        name: c.take()?,
        location: c.take()?,
        description: c.take()?,
        status: c.word()?,
        criticality: c.word()?,
        metadata: c.take()?,
        last_service_date: c.take()?,
        id: c.take()?,
        created_at: c.take()?,
        updated_at: c.take()?,
    })
}

/// Machines, newest first.
///
/// # Errors
/// Whatever the database says.
pub async fn list(db: &Db, limit: i64, offset: i64) -> Result<Page<Machine>, StoreError> {
    let rows = db.rows(LIST, vec![limit.into(), offset.into()], |c| Ok((machine(c)?, c.take()?))).await?;
    Ok(page(rows))
}

/// One machine.
///
/// # Errors
/// Whatever the database says.
pub async fn get(db: &Db, machine_id: MachineId) -> Result<Option<Machine>, StoreError> {
    db.first(GET, vec![id(machine_id.0)], machine).await
}

/// Creates a machine.
///
/// # Errors
/// Whatever the database says.
pub async fn create(db: &Db, actor: &Actor, new: NewMachine) -> Result<Machine, StoreError> {
    let params = vec![
        actor.setting(),
        id(Uuid::now_v7()),
        text(new.name),
        optional(new.location, text),
        optional(new.description, text),
        text(new.status.as_str()),
        text(new.criticality.as_str()),
        new.metadata.map_or(Ok(ParameterValue::DbNull), |m| json(&m))?,
        optional(new.last_service_date, text),
    ];
    db.one(CREATE, params, machine).await
}

/// Changes a machine; `None` if there is no such machine.
///
/// # Errors
/// Whatever the database says.
pub async fn update(
    db: &Db,
    actor: &Actor,
    machine_id: MachineId,
    change: MachineChange,
) -> Result<Option<Machine>, StoreError> {
    let params = vec![
        actor.setting(),
        id(machine_id.0),
        optional(change.name, text),
        change.location.is_some().into(),
        optional(change.location.flatten(), text),
        change.description.is_some().into(),
        optional(change.description.flatten(), text),
        optional(change.status, |s| text(s.as_str())),
        optional(change.criticality, |s| text(s.as_str())),
        change.metadata.is_some().into(),
        change.metadata.flatten().map_or(Ok(ParameterValue::DbNull), |m| json(&m))?,
        change.last_service_date.is_some().into(),
        optional(change.last_service_date.flatten(), text),
    ];
    db.first(UPDATE, params, machine).await
}

/// Deletes a machine with its sensors, readings, predictions, alarms, tickets and comments. False: no such machine.
///
/// # Errors
/// Whatever the database says.
pub async fn delete(db: &Db, actor: &Actor, machine_id: MachineId) -> Result<bool, StoreError> {
    Ok(db.execute(DELETE, vec![actor.setting(), id(machine_id.0)]).await? > 0)
}

/// A machine in short. Uptime is the share of the last 24 hours (or of the machine's life) in which readings came.
///
/// # Errors
/// Whatever the database says.
pub async fn summary(db: &Db, machine_id: MachineId) -> Result<Option<MachineSummary>, StoreError> {
    db.first(SUMMARY, vec![id(machine_id.0)], |c| {
        let machine = SummaryMachine {
            id: c.take()?,
            name: c.take()?,
            status: c.word()?,
            criticality: c.word()?,
            ai: Metadata::new(),
        };
        let reading: (Option<_>, Option<f64>, Option<_>) = (c.take()?, c.take()?, c.take()?);
        let prediction: (Option<_>, Option<String>, Option<f64>, Option<String>) =
            (c.take()?, c.take()?, c.take()?, c.take()?);
        Ok(MachineSummary {
            machine,
            last_reading: match reading {
                (Some(timestamp), Some(value), Some(sensor_id)) => {
                    Some(SummaryReading { timestamp, value, sensor_id })
                }
                _ => None,
            },
            last_prediction: match prediction {
                (Some(timestamp), Some(status), confidence, model_version) => {
                    Some(SummaryPrediction { timestamp, status, confidence, model_version })
                }
                _ => None,
            },
            active_alarms: c.take()?,
            uptime_percent: c.take::<f64>()?.min(100.0),
        })
    })
    .await
}
