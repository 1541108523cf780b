//! The course of a sensor's values, and of its status.

use pm_api::{
    SensorId, Timestamp,
    route::op,
    sensor::{StatusTimeline, Trend},
    word::Interval,
};
use pm_domain::{timeline::timeline as spans, trend};
use pm_store::trend as stored;
use pm_web::{Input, Refusal, now};
use serde_json::json;

/// Points of a trend at most.
const MAX_POINTS: i64 = 1000;
/// The range of a request that names none.
const DEFAULT_INTERVAL: Interval = Interval::Day;
/// Silence longer than this is «no data» if the caller does not say otherwise and buckets are not longer, seconds.
const GAP_S: i64 = 300;

fn range(
    interval: Option<Interval>,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
) -> Result<(Timestamp, Timestamp), Refusal> {
    let now = now();
    trend::range(interval.unwrap_or(DEFAULT_INTERVAL), start, end, now).map_err(|message| {
        Refusal::field("value_error", &["query", "end"], message, json!(end.unwrap_or(now)))
    })
}

pub(crate) async fn trend(input: Input<op::SensorTrend>) -> Result<Trend, Refusal> {
    let sensor_id: SensorId = input.id("sensor_id")?;
    let query = &input.query;
    let range = range(query.interval, query.start, query.end)?;
    let points = query.points.map_or(MAX_POINTS, |points| points.0);
    let db = input.db().await?;
    let trend = stored::trend(&db, sensor_id, range, points, now()).await?.ok_or(Refusal::NotFound)?;
    let marked = stored::marked(&db, sensor_id, range, points).await?;
    let interval = match query.start {
        Some(_) => "custom",
        None => query.interval.unwrap_or(DEFAULT_INTERVAL).as_str(),
    };
    Ok(Trend {
        sensor_id,
        interval: interval.to_owned(),
        points: trend.points,
        marked,
        statistics: trend.statistics,
        start: trend.range.0,
        end: trend.range.1,
        bucket_seconds: trend.width_us.map(|us| us as f64 / Timestamp::SECOND as f64),
        resolution: trend.level.as_str().to_owned(),
    })
}

/// Spans are as sharp as a trend of the same range: to the reading, or to the bucket.
pub(crate) async fn timeline(input: Input<op::SensorTimeline>) -> Result<StatusTimeline, Refusal> {
    let sensor_id: SensorId = input.id("sensor_id")?;
    let query = &input.query;
    let (start, end) = range(query.interval, query.start, query.end)?;
    let gap_s = query.gap_seconds.map_or(GAP_S, |seconds| seconds.0);
    // a reading shortly before the range still says how it begins
    let heard_from = Timestamp(start.plus_seconds(-gap_s).0.max(0));
    let trend = stored::trend(&input.db().await?, sensor_id, (heard_from, end), MAX_POINTS, now()).await?;
    let trend = trend.ok_or(Refusal::NotFound)?;
    let width_us = trend.width_us.unwrap_or(0);
    let gap_us = (gap_s * Timestamp::SECOND).max(width_us);
    let points: Vec<_> = trend.points.iter().map(|p| (p.timestamp, p.status)).collect();
    Ok(StatusTimeline {
        sensor_id,
        start,
        end,
        gap_seconds: gap_us as f64 / Timestamp::SECOND as f64,
        spans: spans(&points, width_us, (start, end), gap_us),
    })
}
