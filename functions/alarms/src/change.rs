//! Acknowledging and resolving.

use http::StatusCode;
use pm_api::{AlarmId, AlarmStatus};
use pm_domain::alarm::may_change;
use pm_store::alarm::{self, AlarmChange};
use pm_web::{Call, Outcome, Refusal, json};

const LONGEST_NOTES: usize = 4000;

/// `PATCH /alarms/{id}`: status and free object.
pub(crate) async fn update(call: &Call) -> Outcome {
    let mut fields = call.fields()?;
    let change = AlarmChange {
        status: fields.word("status"),
        notes: fields.text("resolution_notes", LONGEST_NOTES).flatten(),
        metadata: fields.object(&["metadata", "metadata_json"]).flatten(),
    };
    fields.end()?;
    apply(call, change, None).await
}

/// `POST /alarms/{id}/resolve`: the notes may stand in the query, as documented, or in the body.
pub(crate) async fn resolve(call: &Call) -> Outcome {
    let mut notes = call.query.text("resolution_notes").map(str::to_owned);
    if notes.as_ref().is_some_and(|n| n.chars().count() > LONGEST_NOTES || n.contains('\0')) {
        let message = format!("String should have at most {LONGEST_NOTES} characters and no NUL");
        return Err(Refusal::field("string_too_long", &["query", "resolution_notes"], message, "…".into()));
    }
    if notes.is_none() && !call.body.is_empty() {
        let mut fields = call.fields()?;
        notes = fields.text("resolution_notes", LONGEST_NOTES).flatten();
        fields.end()?;
    }
    apply(call, AlarmChange { status: Some(AlarmStatus::Resolved), notes, metadata: None }, Some("resolve"))
        .await
}

async fn apply(call: &Call, change: AlarmChange, action: Option<&'static str>) -> Outcome {
    let id: AlarmId = call.id("alarm_id")?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    let action = action.or(match change.status {
        Some(AlarmStatus::Acknowledged) => Some("acknowledge"),
        Some(AlarmStatus::Resolved) => Some("resolve"),
        _ => None,
    });
    let actor = action.map_or(actor.clone(), |a| actor.doing(a));
    let from = alarm::get(&db, id).await?.ok_or(Refusal::NotFound)?.status;
    let to = change.status.unwrap_or(from);
    if !may_change(from, to) {
        return Err(Refusal::BadRequest(format!("An alarm cannot go from {from} to {to}")));
    }
    match alarm::change(&db, &actor, id, from, change).await? {
        Some(alarm) => Ok(json(StatusCode::OK, &alarm)),
        None => Err(Refusal::Conflict("The alarm was changed by somebody else; look again".to_owned())),
    }
}
