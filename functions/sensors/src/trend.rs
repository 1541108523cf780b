//! The course of a sensor's values, and of its status.

use http::StatusCode;
use pm_api::{
    SensorId, Timestamp,
    sensor::{StatusTimeline, Trend},
};
use pm_domain::timeline::timeline as spans;
use pm_store::trend::course;
use pm_web::{Call, Outcome, Refusal, json, now};
use serde_json::json as value;

/// Points of a trend at most.
const MAX_POINTS: i64 = 1000;
/// The intervals that can be asked for, with their seconds.
const INTERVALS: &[(&str, i64)] =
    &[("1h", 3600), ("6h", 21_600), ("24h", 86_400), ("7d", 604_800), ("30d", 2_592_000)];
/// Silence longer than this is «no data» if the caller does not say otherwise and buckets are not longer, seconds.
const GAP_S: i64 = 300;
/// Longest range, ten years, in seconds.
const LONGEST_S: i64 = 316_000_000;

/// `interval` (up to now), or `start` and perhaps `end`.
fn range(call: &Call) -> Result<(String, (Timestamp, Timestamp)), Refusal> {
    let now = now();
    if let Some(start) = call.query.time("start")? {
        let end = call.query.time("end")?.unwrap_or(now);
        let wrong =
            |message: &str| Err(Refusal::field("value_error", &["query", "end"], message, value!(end)));
        return match end.0.saturating_sub(start.0) {
            ..=0 => wrong("Input should be later than start"),
            us if us > LONGEST_S * Timestamp::SECOND => {
                wrong("Input should be at most ten years after start")
            }
            _ if start.0 < 0 || end > now.plus_seconds(LONGEST_S) => wrong("Input should be within this age"),
            _ => Ok(("custom".to_owned(), (start, end))),
        };
    }
    let asked = call.query.text("interval").unwrap_or("24h");
    match INTERVALS.iter().find(|(name, _)| *name == asked) {
        Some((name, seconds)) => Ok(((*name).to_owned(), (now.plus_seconds(-seconds), now))),
        None => Err(Refusal::field(
            "string_pattern_mismatch",
            &["query", "interval"],
            "String should match pattern '^(1h|6h|24h|7d|30d)$'",
            value!(asked),
        )),
    }
}

pub(crate) async fn trend(call: &Call) -> Outcome {
    let sensor_id: SensorId = call.id("sensor_id")?;
    let (interval, range) = range(call)?;
    let points = call.query.integer("points", MAX_POINTS, 2, MAX_POINTS)?;
    let course = course(&call.db().await?, sensor_id, range, points).await?.ok_or(Refusal::NotFound)?;
    let trend = Trend {
        sensor_id,
        interval,
        points: course.points,
        statistics: course.statistics,
        start: course.range.0,
        end: course.range.1,
        bucket_seconds: course.width_us.map(|us| us as f64 / Timestamp::SECOND as f64),
        resolution: course.level.as_str().to_owned(),
    };
    Ok(json(StatusCode::OK, &trend))
}

/// Spans are as sharp as a trend of the same range: to the reading, or to the bucket.
pub(crate) async fn timeline(call: &Call) -> Outcome {
    let sensor_id: SensorId = call.id("sensor_id")?;
    let (_, (start, end)) = range(call)?;
    let gap_s = call.query.integer("gap_seconds", GAP_S, 1, 86_400)?;
    // a reading shortly before the range still says how it begins
    let heard_from = Timestamp(start.plus_seconds(-gap_s).0.max(0));
    let course = course(&call.db().await?, sensor_id, (heard_from, end), MAX_POINTS).await?;
    let course = course.ok_or(Refusal::NotFound)?;
    let width_us = course.width_us.unwrap_or(0);
    let gap_us = (gap_s * Timestamp::SECOND).max(width_us);
    let points: Vec<_> = course.points.iter().map(|p| (p.timestamp, p.status)).collect();
    let timeline = StatusTimeline {
        sensor_id,
        start,
        end,
        gap_seconds: gap_us as f64 / Timestamp::SECOND as f64,
        spans: spans(&points, width_us, (start, end), gap_us),
    };
    Ok(json(StatusCode::OK, &timeline))
}
