//! Acknowledging and resolving.

use crate::act::act_on;
use pm_api::{
    AlarmId, AlarmStatus,
    alarm::{Alarm, AlarmUpdate},
    route::op,
};
use pm_domain::alarm::workflow::{Action, Update};
use pm_store::Actor;
use pm_web::{Call, Input, Refusal, now};
use serde_json::json;

/// How far a client's clock may be ahead, seconds.
pub(crate) const CLOCK_SKEW_S: i64 = 60;

/// `PATCH /alarms/{id}`.
pub(crate) async fn update(input: Input<op::UpdateAlarm>) -> Result<Alarm, Refusal> {
    let change = checked(&input.body, &["body", "resolved_at"])?;
    apply(&input, change).await
}

/// `POST /alarms/{id}/acknowledge`.
pub(crate) async fn acknowledge(input: Input<op::AcknowledgeAlarm>) -> Result<Alarm, Refusal> {
    apply(&input, Update { status: Some(AlarmStatus::Acknowledged), ..Update::default() }).await
}

/// `POST /alarms/{id}/resolve`: notes and verdict may stand in the query, as documented, or in the body.
pub(crate) async fn resolve(input: Input<op::ResolveAlarm>) -> Result<Alarm, Refusal> {
    let body = input.body.clone().unwrap_or_default();
    let change = Update {
        status: Some(AlarmStatus::Resolved),
        notes: input.query.resolution_notes.clone().or(body.resolution_notes).map(String::from),
        verdict: input.query.verdict.or(body.verdict),
        ..Update::default()
    };
    apply(&input, change).await
}

/// A change as a body has it; `place` is where a fault of its time is told.
pub(crate) fn checked(body: &AlarmUpdate, place: &[&str]) -> Result<Update, Refusal> {
    if let Some(at) = body.resolved_at.filter(|at| *at > now().plus_seconds(CLOCK_SKEW_S)) {
        let message = "An alarm cannot be resolved in the future";
        return Err(Refusal::field("value_error", place, message, json!(at)));
    }
    Ok(Update {
        status: body.status,
        notes: body.resolution_notes.clone().map(String::from),
        verdict: body.verdict,
        resolved_at: body.resolved_at,
        metadata: body.metadata.clone(),
    })
}

/// The actor with the audit log's word for a change.
pub(crate) fn doing(actor: Actor, change: &Update) -> Actor {
    match change.status {
        Some(AlarmStatus::Acknowledged) => actor.doing("acknowledge"),
        Some(AlarmStatus::Resolved) => actor.doing("resolve"),
        _ => actor,
    }
}

async fn apply(call: &Call, change: Update) -> Result<Alarm, Refusal> {
    let id: AlarmId = call.id("alarm_id")?;
    let db = call.db().await?;
    let actor = doing(call.actor(&db).await?, &change);
    act_on(&db, &actor, id, &Action::Update(change)).await
}
