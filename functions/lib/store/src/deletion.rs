//! Deleting machines and sensors. What was measured on them is a matter of the clock: a deletion lists the sensors, and
//! [`clear`] removes their readings, predictions and roll-ups in bounded steps. Nobody sees them meanwhile. Comments and
//! attachments go with their alarm or ticket, by trigger.

use crate::{
    Actor, Db, StoreError,
    statement::{actor, statements},
    value::{Columns, id},
};
use pm_api::{MachineId, SensorId, machine::DeletionPreview};
use pm_domain::retention::DELETION_SETTLES_S;

statements! {
    PREVIEW_MACHINE = "
        select d.sensors, d.readings, d.predictions, d.alarms, d.tickets, d.comments, d.attachments
        from machines m cross join lateral deletion_counts(m.id, null) d where m.id = $1";
    PREVIEW_SENSOR = "
        select d.sensors, d.readings, d.predictions, d.alarms, d.tickets, d.comments, d.attachments
        from sensors s cross join lateral deletion_counts(null, s.id) d where s.id = $1";
    DELETE_MACHINE = concat!("
        with actor as materialized (
            select actor.*
            from machines m cross join lateral deletion_counts(m.id, null) d cross join lateral ", actor!("
                ($1::text::jsonb || jsonb_build_object('details', format(
                    'Machine %s with %s sensors, %s readings, %s predictions, %s alarms, %s tickets, %s comments, %s attachments',
                    m.name, d.sensors, d.readings, d.predictions, d.alarms, d.tickets, d.comments, d.attachments)))::text"), "
            where m.id = $2),
        listed as (
            insert into deleted_sensors (sensor_id) select id from sensors where machine_id = $2 on conflict do nothing)
        delete from machines using actor where id = $2");
    DELETE_SENSOR = concat!("
        with actor as materialized (
            select actor.*
            from sensors s cross join lateral deletion_counts(null, s.id) d cross join lateral ", actor!("
                ($1::text::jsonb || jsonb_build_object('details', format(
                    'Sensor %s with %s readings, %s predictions, %s alarms, %s comments, %s attachments',
                    s.name, d.readings, d.predictions, d.alarms, d.comments, d.attachments)))::text"), "
            where s.id = $2),
        listed as (
            insert into deleted_sensors (sensor_id) select id from sensors where id = $2 on conflict do nothing)
        delete from sensors using actor where id = $2");
    CLEAR = "select clear_deleted($1, $2, now() - $3::int8 * interval '1 second')";
}

fn preview(c: &mut Columns) -> Result<DeletionPreview, StoreError> {
    Ok(DeletionPreview {
        sensors: c.take()?,
        readings: c.take()?,
        predictions: c.take()?,
        alarms: c.take()?,
        tickets: c.take()?,
        comments: c.take()?,
        attachments: c.take()?,
    })
}

/// What the deletion of a machine would take along; `None`: no such machine.
pub async fn preview_machine(db: &Db, machine_id: MachineId) -> Result<Option<DeletionPreview>, StoreError> {
    db.first(PREVIEW_MACHINE, vec![id(machine_id.0)], preview).await
}

/// What the deletion of a sensor would take along; `None`: no such sensor.
pub async fn preview_sensor(db: &Db, sensor_id: SensorId) -> Result<Option<DeletionPreview>, StoreError> {
    db.first(PREVIEW_SENSOR, vec![id(sensor_id.0)], preview).await
}

/// Deletes a machine with its sensors, readings, predictions, alarms, tickets, their comments and attachments; the audit
/// log says how many. False: no such machine.
pub async fn delete_machine(db: &Db, actor: &Actor, machine_id: MachineId) -> Result<bool, StoreError> {
    Ok(db.execute(DELETE_MACHINE, vec![actor.setting(), id(machine_id.0)]).await? > 0)
}

/// Deletes a sensor with its readings, predictions, alarms, their comments and attachments; the audit log says how many.
/// False: no such sensor.
pub async fn delete_sensor(db: &Db, actor: &Actor, sensor_id: SensorId) -> Result<bool, StoreError> {
    Ok(db.execute(DELETE_SENSOR, vec![actor.setting(), id(sensor_id.0)]).await? > 0)
}

/// Removes up to `max_rows` rows of deleted sensors, for about `budget_ms`; returns how many.
pub async fn clear(db: &Db, max_rows: i32, budget_ms: i32) -> Result<i64, StoreError> {
    db.one(CLEAR, vec![max_rows.into(), budget_ms.into(), DELETION_SETTLES_S.into()], |c| c.take()).await
}
