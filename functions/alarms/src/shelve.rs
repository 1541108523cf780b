//! Shelving (ISA-18.2): an alarm is kept out of sight for a limited time, for a reason.

use http::StatusCode;
use pm_api::{AlarmId, AlarmStatus};
use pm_domain::alarm::{SHELVE_MAX_S, SHELVE_MIN_S};
use pm_store::{alarm, alarm_change};
use pm_web::{Call, Outcome, Refusal, json};

/// `POST /alarms/{id}/shelve`.
pub(crate) async fn shelve(call: &Call) -> Outcome {
    let id: AlarmId = call.id("alarm_id")?;
    let mut fields = call.fields()?;
    let reason = fields.required_text("reason", 1000);
    let duration_s = fields.required_integer("duration_s", SHELVE_MIN_S, SHELVE_MAX_S);
    fields.end()?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?.doing("shelve");
    match alarm_change::shelve(&db, &actor, id, duration_s, reason).await? {
        Some(alarm) => Ok(json(StatusCode::OK, &alarm)),
        None => match alarm::get(&db, id).await?.ok_or(Refusal::NotFound)?.status {
            AlarmStatus::Resolved => {
                Err(Refusal::BadRequest("A resolved alarm cannot be shelved".to_owned()))
            }
            _ => Err(Refusal::Conflict("The alarm was changed by somebody else; look again".to_owned())),
        },
    }
}

/// `DELETE /alarms/{id}/shelve`: answers the alarm, shelved before or not.
pub(crate) async fn unshelve(call: &Call) -> Outcome {
    let id: AlarmId = call.id("alarm_id")?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?.doing("unshelve");
    let alarm = match alarm_change::unshelve(&db, &actor, id).await? {
        Some(alarm) => alarm,
        None => alarm::get(&db, id).await?.ok_or(Refusal::NotFound)?,
    };
    Ok(json(StatusCode::OK, &alarm))
}
