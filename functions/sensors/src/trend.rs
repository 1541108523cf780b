//! The course of a sensor's values.

use http::StatusCode;
use pm_api::{SensorId, sensor::Trend};
use pm_store::sensor;
use pm_web::{Call, Outcome, Refusal, json, now};
use serde_json::json as value;

/// Points of a trend at most.
const MAX_POINTS: i64 = 1000;
/// The intervals that can be asked for, with their seconds.
const INTERVALS: &[(&str, i64)] =
    &[("1h", 3600), ("6h", 21_600), ("24h", 86_400), ("7d", 604_800), ("30d", 2_592_000)];

pub(crate) async fn trend(call: &Call) -> Outcome {
    let id: SensorId = call.id("sensor_id")?;
    let asked = call.query.text("interval").unwrap_or("24h");
    let Some((interval, seconds)) = INTERVALS.iter().find(|(name, _)| *name == asked) else {
        return Err(Refusal::field(
            "string_pattern_mismatch",
            &["query", "interval"],
            "String should match pattern '^(1h|6h|24h|7d|30d)$'",
            value!(asked),
        ));
    };
    let points = call.query.integer("points", MAX_POINTS, 2, MAX_POINTS)?;
    let now = now();
    let db = call.db().await?;
    sensor::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    let (points, statistics) = sensor::trend(&db, id, (now.plus_seconds(-seconds), now), points).await?;
    Ok(json(StatusCode::OK, &Trend { sensor_id: id, interval: (*interval).to_owned(), points, statistics }))
}
