//! Measures how far the features of the last day's readings lie from those that the active model learned from.

use crate::builtin::builtin;
use pm_api::{Timestamp, ai::FeatureDrift};
use pm_domain::duration::{DAY_S, HOUR_S};
use pm_model::{
    drift::DRIFT_PSI,
    features::{COUNT, NAMES},
    model::Card,
    retrain::{SensorHistory, replay},
};
use pm_store::{
    Db,
    model::{self, Sample, Scope, Span},
};
use pm_web::{Refusal, now};

const SENSORS: i64 = 24;
const READINGS: i64 = 3000;
/// The first readings of a replay see a sensor that is new.
const NEW: usize = 300;
const EVERY: usize = 7;

/// Measures and stores it; tells by an event when a feature has moved.
pub(crate) async fn measure(db: &Db) -> Result<(), Refusal> {
    let Some(card) = active_card(db).await? else { return Ok(()) };
    let to = now();
    let span =
        Span { from: to.plus_seconds(-DAY_S), to, sample: Sample::Newest(READINGS), without_faults: true };
    // Another choice of sensors every hour.
    let seed = (to.0 / (HOUR_S * Timestamp::SECOND)) as u64;
    let (mut rows, mut sensors) = (Vec::new(), 0);
    for (sensor, thresholds) in model::training_sensors(db, &Scope::default(), seed, SENSORS).await? {
        let readings = model::readings(db, sensor, span).await?;
        let history = SensorHistory { limits: pm_domain::limits::limits(thresholds), readings };
        let before = rows.len();
        replay(&history, &mut |k, judged| {
            if k >= NEW && k.is_multiple_of(EVERY) {
                rows.extend_from_slice(&judged.row);
            }
        });
        sensors += i32::from(rows.len() > before);
    }
    let psi = card.reference.psi(&rows);
    let mut features: Vec<FeatureDrift> = NAMES
        .iter()
        .zip(psi)
        .map(|(name, psi)| FeatureDrift { feature: (*name).to_owned(), psi: (psi * 1e4).round() / 1e4 })
        .collect();
    features.sort_by(|a, b| b.psi.total_cmp(&a.psi));
    let counts = (sensors, (rows.len() / COUNT) as i32);
    Ok(model::store_drift(db, &card.version, counts, &features, DRIFT_PSI).await?)
}

/// Card of the version that is active for machines in general.
async fn active_card(db: &Db) -> Result<Option<Card>, Refusal> {
    if let Some(id) = model::active_for(db, &Scope::default()).await?
        && let Some((card, _)) = model::record(db, id).await?
    {
        return Ok(serde_json::from_str(&card).ok());
    }
    Ok(builtin().and_then(|b| serde_json::from_value(b.card.clone()).ok()))
}
