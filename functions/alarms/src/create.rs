//! Raising an alarm by hand.

use pm_api::{
    alarm::{Alarm, NewAlarm},
    error::FieldError,
    route::op,
};
use pm_domain::alarm::workflow;
use pm_store::{
    Db, StoreError,
    alarm_change::{self, ManualAlarm},
    machine, sensor,
};
use pm_web::{Input, Refusal, now};
use serde_json::json;

/// `POST /alarms`.
pub(crate) async fn create(input: Input<op::CreateAlarm>) -> Result<Alarm, Refusal> {
    let now = now();
    let db = input.db().await?;
    let body = &input.body;
    let mut faults = faults(&db, body).await?;
    let status = workflow::first_status(body.status);
    if let Err(reason) = status {
        faults.push(FieldError::new("value_error", &["body", "status"], reason, json!(body.status)));
    }
    if body.triggered_at.is_some_and(|at| workflow::is_future(at, now)) {
        let message = "An alarm cannot begin in the future";
        faults.push(FieldError::new(
            "value_error",
            &["body", "triggered_at"],
            message,
            json!(body.triggered_at),
        ));
    }
    let status = match status {
        Ok(status) if faults.is_empty() => status,
        _ => return Err(Refusal::Invalid(faults)),
    };
    let actor = input.actor(&db).await?;
    let follows = workflow::raise(body.severity, &body.message, status, now);
    let new = ManualAlarm {
        machine_id: body.machine_id,
        sensor_id: body.sensor_id,
        severity: body.severity,
        message: body.message.0.clone(),
        status,
        triggered_at: body.triggered_at.unwrap_or(now),
        metadata: body.metadata.clone(),
    };
    match alarm_change::create(&db, &actor, new, follows).await {
        Ok(alarm) => Ok(alarm),
        // deleted since the check
        Err(StoreError::Constraint(name)) if name.ends_with("_exists") => {
            Err(Refusal::Conflict("The machine or sensor was deleted in the meantime".to_owned()))
        }
        Err(error) => Err(error.into()),
    }
}

/// What the types of the body do not check.
async fn faults(db: &Db, body: &NewAlarm) -> Result<Vec<FieldError>, Refusal> {
    let mut faults = Vec::new();
    let mut refuse = |field: &str, message: &str, input| {
        faults.push(FieldError::new("value_error", &["body", field], message, input));
    };
    if machine::get(db, body.machine_id).await?.is_none() {
        refuse("machine_id", "There is no such machine", json!(body.machine_id));
    } else if let Some(sensor_id) = body.sensor_id {
        let sensor = sensor::get(db, sensor_id).await?;
        if sensor.is_none_or(|sensor| sensor.machine_id != body.machine_id) {
            refuse("sensor_id", "The machine has no such sensor", json!(sensor_id));
        }
    }
    Ok(faults)
}
