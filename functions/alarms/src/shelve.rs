//! Shelving (ISA-18.2): an alarm is hidden for a limited time, for a reason.

use crate::act::act_on;
use pm_api::{AlarmId, alarm::Alarm, route::op};
use pm_domain::alarm::workflow::Action;
use pm_web::{Input, Refusal};

/// `POST /alarms/{id}/shelve`.
pub(crate) async fn shelve(input: Input<op::ShelveAlarm>) -> Result<Alarm, Refusal> {
    let id: AlarmId = input.id("alarm_id")?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?.doing("shelve");
    let (duration_s, reason) = (input.body.duration_s.0, input.body.reason.0.clone());
    act_on(&db, &actor, id, &Action::Shelve { duration_s, reason }).await
}

/// `DELETE /alarms/{id}/shelve`: answers the alarm, shelved before or not.
pub(crate) async fn unshelve(input: Input<op::UnshelveAlarm>) -> Result<Alarm, Refusal> {
    let id: AlarmId = input.id("alarm_id")?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?.doing("unshelve");
    act_on(&db, &actor, id, &Action::Unshelve).await
}
