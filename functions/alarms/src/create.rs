//! Raising an alarm by hand.

use http::StatusCode;
use pm_api::{AlarmStatus, MachineId, SensorId, Severity};
use pm_domain::alarm::workflow;
use pm_store::{
    Db, StoreError,
    alarm_change::{self, ManualAlarm},
    machine, sensor,
};
use pm_web::{Call, Fields, Outcome, Refusal, json, now};

const LONGEST_MESSAGE: usize = 2000;
/// How far a client's clock may be ahead, seconds.
const CLOCK_SKEW_S: i64 = 60;

/// `POST /alarms`.
pub(crate) async fn create(call: &Call) -> Outcome {
    let mut fields = call.fields()?;
    let machine_id: Option<MachineId> = fields.required_id("machine_id");
    let sensor_id: Option<SensorId> = fields.id("sensor_id");
    let severity: Option<Severity> = fields.required_word("severity");
    let message = fields.required_text("message", LONGEST_MESSAGE);
    let status = fields.word("status").unwrap_or(AlarmStatus::Open);
    if status == AlarmStatus::Resolved {
        fields.refuse("value_error", "status", "An alarm begins open or acknowledged");
    }
    let triggered_at = fields.time("triggered_at").flatten();
    if triggered_at.is_some_and(|at| at > now().plus_seconds(CLOCK_SKEW_S)) {
        fields.refuse("value_error", "triggered_at", "An alarm cannot begin in the future");
    }
    let metadata = fields.object(&["metadata", "metadata_json"]).flatten();
    let (Some(machine_id), Some(severity)) = (machine_id, severity) else {
        // one of the required fields is missing, and `end` says which
        return fields.end().and(Err(Refusal::NotFound));
    };
    let db = call.db().await?;
    check_references(&db, &mut fields, machine_id, sensor_id).await?;
    fields.end()?;
    let actor = call.actor(&db).await?;
    let now = now();
    let follows = workflow::raise(severity, &message, status, now);
    let triggered_at = triggered_at.unwrap_or(now);
    let new = ManualAlarm { machine_id, sensor_id, severity, message, status, triggered_at, metadata };
    match alarm_change::create(&db, &actor, new, follows).await {
        Ok(alarm) => Ok(json(StatusCode::CREATED, &alarm)),
        // deleted since the look
        Err(StoreError::Constraint(name)) if name.ends_with("_exists") => {
            Err(Refusal::Conflict("The machine or sensor was deleted meanwhile".to_owned()))
        }
        Err(error) => Err(error.into()),
    }
}

async fn check_references(
    db: &Db,
    fields: &mut Fields,
    machine_id: MachineId,
    sensor_id: Option<SensorId>,
) -> Result<(), Refusal> {
    if machine::get(db, machine_id).await?.is_none() {
        fields.refuse("value_error", "machine_id", "There is no such machine");
        return Ok(());
    }
    if let Some(sensor_id) = sensor_id {
        let its = sensor::get(db, sensor_id).await?.is_some_and(|s| s.machine_id == machine_id);
        if !its {
            fields.refuse("value_error", "sensor_id", "The machine has no such sensor");
        }
    }
    Ok(())
}
