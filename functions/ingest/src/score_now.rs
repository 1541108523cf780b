//! `POST /internal/score`: scoring that a person asks for.

use pm_api::{
    ingest::{ScoreNow, Scored},
    route::op,
};
use pm_store::ingest::{self, Resolved};
use pm_web::{Input, Refusal, now};

use crate::{scoring, tell_alarm_engine};

/// Scores what is stored of the sensors and not scored yet; or judges a hypothetical value of the first of them.
pub(crate) async fn score(input: Input<op::Score>) -> Result<Scored, Refusal> {
    let ask: ScoreNow = postcard::from_bytes(&input.body)
        .map_err(|e| Refusal::field("value_error", &["body"], e.to_string(), serde_json::Value::Null))?;
    let db = input.db().await?;
    let resolved = ingest::resolve(&db, &ask.sensors.iter().collect::<Vec<_>>()).await?;
    let known: Vec<_> = resolved
        .into_iter()
        .filter_map(|sensor| match sensor {
            Resolved::Known(sensor) => Some(*sensor),
            Resolved::Refused(_) | Resolved::Gone => None,
        })
        .collect();
    let unavailable = |e| Refusal::Unavailable(format!("not scored: {e}"));
    if let (Some(hypothetical), Some(sensor)) = (ask.hypothetical, known.first()) {
        return scoring::score_hypothetical(&db, sensor, hypothetical).await.map_err(unavailable);
    }
    let due = known.iter().map(|s| (s.sensor_id, s)).collect();
    let (predictions, conditions) = scoring::score_due(&db, &due, now()).await.map_err(unavailable)?;
    tell_alarm_engine(conditions).await?;
    Ok(Scored { predictions, scored_through: None })
}
