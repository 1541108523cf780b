//! Acknowledging and resolving.

use crate::act::act_on;
use pm_api::{
    AlarmId, AlarmStatus,
    alarm::{Alarm, AlarmUpdate, StatusOrActive},
    route::op,
};
use pm_domain::alarm::workflow::{Action, is_future};
use pm_store::Actor;
use pm_web::{Call, Input, Refusal, now};
use serde_json::json;

/// `PATCH /alarms/{id}`.
pub(crate) async fn update(input: Input<op::UpdateAlarm>) -> Result<Alarm, Refusal> {
    check_time(&input.body, &["body", "resolved_at"])?;
    apply(&input, input.body.clone()).await
}

/// `POST /alarms/{id}/acknowledge`.
pub(crate) async fn acknowledge(input: Input<op::AcknowledgeAlarm>) -> Result<Alarm, Refusal> {
    apply(&input, AlarmUpdate { status: Some(AlarmStatus::Acknowledged.into()), ..AlarmUpdate::default() })
        .await
}

/// `POST /alarms/{id}/resolve`: notes and verdict may stand in the query, as documented, or in the body.
pub(crate) async fn resolve(input: Input<op::ResolveAlarm>) -> Result<Alarm, Refusal> {
    let body = input.body.clone().unwrap_or_default();
    let change = AlarmUpdate {
        status: Some(AlarmStatus::Resolved.into()),
        resolution_notes: input.query.resolution_notes.clone().or(body.resolution_notes),
        verdict: input.query.verdict.or(body.verdict),
        ..AlarmUpdate::default()
    };
    apply(&input, change).await
}

/// An alarm cannot have been resolved in the future; `place` is where the fault is reported.
pub(crate) fn check_time(change: &AlarmUpdate, place: &[&str]) -> Result<(), Refusal> {
    match change.resolved_at {
        Some(at) if is_future(at, now()) => {
            let message = "An alarm cannot be resolved in the future";
            Err(Refusal::field("value_error", place, message, json!(at)))
        }
        _ => Ok(()),
    }
}

/// The actor with the audit log's word for a change.
pub(crate) fn doing(actor: Actor, change: &AlarmUpdate) -> Actor {
    match change.status {
        Some(StatusOrActive::Is(AlarmStatus::Acknowledged)) => actor.doing("acknowledge"),
        Some(StatusOrActive::Is(AlarmStatus::Resolved)) => actor.doing("resolve"),
        _ => actor,
    }
}

async fn apply(call: &Call, change: AlarmUpdate) -> Result<Alarm, Refusal> {
    let id: AlarmId = call.id("alarm_id")?;
    let db = call.db().await?;
    let actor = doing(call.actor(&db).await?, &change);
    act_on(&db, &actor, id, &Action::Update(change)).await
}
