//! Healthy references: what each sensor is expected to show, and when people started one anew.

use crate::{
    Actor, Db, StoreError,
    statement::{actor, statements},
    value::{Columns, id, optional, text},
};
use pm_api::{
    MachineId, SensorId, Timestamp,
    reference::{ReferenceRestart, RestartReference, SensorReference},
};
use spin_sdk::pg::ParameterValue;
use uuid::Uuid;

macro_rules! restart_columns {
    () => {
        "r.id, r.machine_id, r.sensor_id, r.reason, r.note, r.created_at at time zone 'utc', r.by_user"
    };
}

statements! {
    OF_MACHINE = concat!("
        select s.id, s.name, s.unit, p.time at time zone 'utc', p.status, p.reason, p.reference, x.level,
               ", restart_columns!(), "
        from sensors s
        left join lateral (
            select * from reference_restarts
            where machine_id = s.machine_id and (sensor_id is null or sensor_id = s.id)
            order by created_at desc limit 1) r on true
        left join lateral (
            select time, status, contributing_features->>'reason' as reason, contributing_features->'reference' as reference
            from predictions where sensor_id = s.id and time > coalesce(r.created_at, '-infinity')
            order by time desc limit 1) p on true
        left join machine_state m on m.machine_id = s.machine_id and m.time > coalesce(r.created_at, '-infinity')
        left join lateral (
            select (e.value->>1)::float8 as level from jsonb_array_elements(m.explained) e
            where e.value->>0 = s.id::text limit 1) x on true
        where s.machine_id = $1
        order by s.name, s.id limit 1000");
    RESTART_MACHINE = concat!("
        with r as (
            insert into reference_restarts (machine_id, reason, note, by_user)
            select m.id, $3::text, $4::text, $5::uuid from machines m, ", actor!(), " where m.id = $2::uuid
            returning *)
        select ", restart_columns!(), " from r");
    RESTART_SENSOR = concat!("
        with r as (
            insert into reference_restarts (machine_id, sensor_id, reason, note, by_user)
            select s.machine_id, s.id, $3::text, $4::text, $5::uuid from sensors s, ", actor!(), " where s.id = $2::uuid
            returning *)
        select ", restart_columns!(), " from r");
}

/// The references of a machine's sensors, by name.
pub async fn of_machine(db: &Db, machine_id: MachineId) -> Result<Vec<SensorReference>, StoreError> {
    db.rows(OF_MACHINE, vec![id(machine_id.0)], |c| {
        let (sensor_id, name, unit, at) = (c.take()?, c.take()?, c.take()?, c.take::<Option<Timestamp>>()?);
        let (status, reason) = (c.optional_word()?, c.take()?);
        let reference = c.take::<Option<serde_json::Value>>()?;
        Ok(SensorReference {
            sensor_id,
            name,
            unit,
            at,
            status,
            reason,
            reference: reference.and_then(|r| serde_json::from_value(r).ok()),
            explained: c.take()?,
            restart: restart(c)?,
        })
    })
    .await
}

/// Starts the references of all sensors of a machine anew; `None`: no such machine.
pub async fn restart_machine(
    db: &Db,
    actor: &Actor,
    machine_id: MachineId,
    why: &RestartReference,
) -> Result<Option<ReferenceRestart>, StoreError> {
    Ok(db.first(RESTART_MACHINE, restarting(actor, id(machine_id.0), why), restart).await?.flatten())
}

/// Starts the reference of a sensor anew; `None`: no such sensor.
pub async fn restart_sensor(
    db: &Db,
    actor: &Actor,
    sensor_id: SensorId,
    why: &RestartReference,
) -> Result<Option<ReferenceRestart>, StoreError> {
    Ok(db.first(RESTART_SENSOR, restarting(actor, id(sensor_id.0), why), restart).await?.flatten())
}

fn restarting(actor: &Actor, of: ParameterValue, why: &RestartReference) -> Vec<ParameterValue> {
    vec![
        actor.setting(),
        of,
        text(why.reason.as_str()),
        optional(why.note.as_deref().map(str::trim).filter(|n| !n.is_empty()), text),
        id(actor.user_id.0),
    ]
}

/// The columns of a restart, if there is one.
fn restart(c: &mut Columns) -> Result<Option<ReferenceRestart>, StoreError> {
    let (id, machine_id, sensor_id) =
        (c.take::<Option<Uuid>>()?, c.take::<Option<MachineId>>()?, c.take::<Option<SensorId>>()?);
    let (reason, note) = (c.optional_word()?, c.take()?);
    let (created_at, by_user) = (c.take::<Option<Timestamp>>()?, c.take()?);
    let known = id.zip(machine_id).zip(reason).zip(created_at);
    Ok(known.map(|(((id, machine_id), reason), created_at)| ReferenceRestart {
        id,
        machine_id,
        sensor_id,
        reason,
        note,
        created_at,
        by_user,
    }))
}
