//! One's own preferences.

use http::StatusCode;
use pm_api::notification::PreferencesChange;
use pm_store::notice;
use pm_web::{Call, Outcome, Refusal, json};

pub(crate) async fn get(call: &Call) -> Outcome {
    let user_id = call.identity()?.user_id;
    let preferences = notice::preferences(&call.db().await?, user_id).await?.ok_or(Refusal::BadToken)?;
    Ok(json(StatusCode::OK, &preferences))
}

pub(crate) async fn update(call: &Call) -> Outcome {
    let mut fields = call.fields()?;
    let change = PreferencesChange {
        alarms: fields.boolean("alarms"),
        predictions: fields.boolean("predictions"),
        ticket_assignments: fields.boolean("ticket_assignments"),
        minimum_severity: fields.word("minimum_severity"),
    };
    fields.end()?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    Ok(json(StatusCode::OK, &notice::prefer(&db, &actor, change).await?))
}
