//! Acknowledging and resolving.

use http::StatusCode;
use pm_api::{AlarmId, AlarmStatus};
use pm_domain::alarm::{changeable_from, refusal};
use pm_store::{
    Actor, alarm,
    alarm_change::{self, AlarmChange},
};
use pm_web::{Call, Fields, Outcome, Refusal, json, now};

const LONGEST_NOTES: usize = 4000;
/// How far a client's clock may be ahead, seconds.
const CLOCK_SKEW_S: i64 = 60;

/// `PATCH /alarms/{id}`.
pub(crate) async fn update(call: &Call) -> Outcome {
    let change = read(call.fields()?)?;
    apply(call, change).await
}

/// `POST /alarms/{id}/acknowledge`.
pub(crate) async fn acknowledge(call: &Call) -> Outcome {
    apply(call, AlarmChange { status: Some(AlarmStatus::Acknowledged), ..AlarmChange::default() }).await
}

/// `POST /alarms/{id}/resolve`: notes and verdict may stand in the query, as documented, or in the body.
pub(crate) async fn resolve(call: &Call) -> Outcome {
    let mut change = AlarmChange {
        status: Some(AlarmStatus::Resolved),
        notes: call.query.short_text("resolution_notes", LONGEST_NOTES)?,
        verdict: call.query.word("verdict")?,
        ..AlarmChange::default()
    };
    if !call.body.is_empty() {
        let mut fields = call.fields()?;
        let notes = fields.text("resolution_notes", LONGEST_NOTES).flatten();
        let verdict = fields.word("verdict");
        fields.end()?;
        change.notes = change.notes.or(notes);
        change.verdict = change.verdict.or(verdict);
    }
    apply(call, change).await
}

/// A change as a body says it.
pub(crate) fn read(mut fields: Fields) -> Result<AlarmChange, Refusal> {
    let change = AlarmChange {
        status: fields.word("status"),
        notes: fields.text("resolution_notes", LONGEST_NOTES).flatten(),
        verdict: fields.word("verdict"),
        resolved_at: fields.time("resolved_at").flatten(),
        metadata: fields.object(&["metadata", "metadata_json"]).flatten(),
    };
    if change.resolved_at.is_some_and(|at| at > now().plus_seconds(CLOCK_SKEW_S)) {
        fields.refuse("value_error", "resolved_at", "An alarm cannot be resolved in the future");
    }
    fields.end().map(|()| change)
}

/// The states that a change may start from.
pub(crate) fn from(change: &AlarmChange) -> Vec<AlarmStatus> {
    changeable_from(change.status, change.verdict.is_some() || change.resolved_at.is_some())
}

/// The actor with the audit log's word for a change.
pub(crate) fn doing(actor: Actor, change: &AlarmChange) -> Actor {
    match change.status {
        Some(AlarmStatus::Acknowledged) => actor.doing("acknowledge"),
        Some(AlarmStatus::Resolved) => actor.doing("resolve"),
        _ => actor,
    }
}

async fn apply(call: &Call, change: AlarmChange) -> Outcome {
    let id: AlarmId = call.id("alarm_id")?;
    let db = call.db().await?;
    let actor = doing(call.actor(&db).await?, &change);
    let changed = alarm_change::change(&db, &actor, &[id], &from(&change), &change).await?;
    match changed.was.first() {
        Some((_, Some(was))) if !changed.done => Err(Refusal::BadRequest(refusal(*was, change.status))),
        _ => {
            let alarm = alarm::get(&db, id).await?.ok_or(Refusal::NotFound)?;
            Ok(json(StatusCode::OK, &alarm))
        }
    }
}
