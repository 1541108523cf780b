//! Shelving (ISA-18.2): an alarm is kept out of sight for a limited time, for a reason.

use crate::act::act_on;
use http::StatusCode;
use pm_api::AlarmId;
use pm_domain::alarm::workflow::{Action, SHELVE_MAX_S, SHELVE_MIN_S};
use pm_web::{Call, Outcome, json};

/// `POST /alarms/{id}/shelve`.
pub(crate) async fn shelve(call: &Call) -> Outcome {
    let id: AlarmId = call.id("alarm_id")?;
    let mut fields = call.fields()?;
    let reason = fields.required_text("reason", 1000);
    let duration_s = fields.required_integer("duration_s", SHELVE_MIN_S, SHELVE_MAX_S);
    fields.end()?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?.doing("shelve");
    let alarm = act_on(&db, &actor, id, &Action::Shelve { duration_s, reason }).await?;
    Ok(json(StatusCode::OK, &alarm))
}

/// `DELETE /alarms/{id}/shelve`: answers the alarm, shelved before or not.
pub(crate) async fn unshelve(call: &Call) -> Outcome {
    let id: AlarmId = call.id("alarm_id")?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?.doing("unshelve");
    let alarm = act_on(&db, &actor, id, &Action::Unshelve).await?;
    Ok(json(StatusCode::OK, &alarm))
}
