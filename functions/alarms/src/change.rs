//! Acknowledging and resolving.

use crate::act::act_on;
use http::StatusCode;
use pm_api::{AlarmId, AlarmStatus};
use pm_domain::alarm::workflow::{Action, Update};
use pm_store::Actor;
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
    apply(call, Update { status: Some(AlarmStatus::Acknowledged), ..Update::default() }).await
}

/// `POST /alarms/{id}/resolve`: notes and verdict may stand in the query, as documented, or in the body.
pub(crate) async fn resolve(call: &Call) -> Outcome {
    let mut change = Update {
        status: Some(AlarmStatus::Resolved),
        notes: call.query.short_text("resolution_notes", LONGEST_NOTES)?,
        verdict: call.query.word("verdict")?,
        ..Update::default()
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
pub(crate) fn read(mut fields: Fields) -> Result<Update, Refusal> {
    let change = Update {
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

/// The actor with the audit log's word for a change.
pub(crate) fn doing(actor: Actor, change: &Update) -> Actor {
    match change.status {
        Some(AlarmStatus::Acknowledged) => actor.doing("acknowledge"),
        Some(AlarmStatus::Resolved) => actor.doing("resolve"),
        _ => actor,
    }
}

async fn apply(call: &Call, change: Update) -> Outcome {
    let id: AlarmId = call.id("alarm_id")?;
    let db = call.db().await?;
    let actor = doing(call.actor(&db).await?, &change);
    let alarm = act_on(&db, &actor, id, &Action::Update(change)).await?;
    Ok(json(StatusCode::OK, &alarm))
}
