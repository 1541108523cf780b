//! `POST /internal/score`: scoring that a person asks for.

use http::StatusCode;
use pm_api::ingest::{ScoreNow, Scored};
use pm_store::ingest;
use pm_web::{Call, Outcome, Refusal, json};

use crate::{scoring, tell_alarm_engine};

/// Scores what is stored of the sensors and not scored yet; or judges a supposed value of the first of them.
pub(crate) async fn score(call: &Call) -> Outcome {
    let ask: ScoreNow = postcard::from_bytes(&call.body)
        .map_err(|e| Refusal::field("value_error", &["body"], e.to_string(), serde_json::Value::Null))?;
    let db = call.db().await?;
    let known: Vec<_> = ingest::resolve(&db, &ask.sensors).await?.into_iter().flatten().collect();
    let unavailable = |e| Refusal::Unavailable(format!("not scored: {e}"));
    if let (Some(supposed), Some(sensor)) = (ask.supposed, known.first()) {
        let scored = scoring::score_supposed(&db, sensor, supposed).await.map_err(unavailable)?;
        return Ok(json(StatusCode::OK, &scored));
    }
    let due = known.iter().map(|s| (s.sensor_id, s)).collect();
    let (predictions, conditions) = scoring::score_due(&db, &due).await.map_err(unavailable)?;
    tell_alarm_engine(conditions).await?;
    Ok(json(StatusCode::OK, &Scored { predictions, scored_through: None }))
}
