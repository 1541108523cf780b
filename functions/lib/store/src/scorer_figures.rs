//! What the scorer does, by what it has stored.

use crate::{Db, StoreError, statement::statements};
use pm_api::ai::ScorerPerformance;
use pm_domain::duration::MINUTE_S;

/// Predictions that the figures are taken from.
const SAMPLE: i64 = 1000;

statements! {
    FIGURES = "
        with newest as materialized (
            select created_at, time, sensor_id, response_time_ms, contributing_features
            from predictions order by time desc limit $1::int8),
        recent as materialized (
            select * from newest where created_at > now() - $2::int8 * interval '1 second'),
        -- a full sample covers less than the whole minute
        span as materialized (
            select case when count(*) < $1::int8 then $2::float8
                        else greatest(extract(epoch from now() - min(created_at))::float8, 0.001) end as seconds
            from recent),
        counted as materialized (
            select coalesce(max(bucket) + interval '1 minute', '-infinity') as through,
                   coalesce(sum(normal + warning + critical + buffering), 0)::int8 as predictions
            from predictions_1m),
        windows as (
            select distinct on (sensor_id)
                   coalesce(contributing_features ->> 'window_size', contributing_features ->> 'buffer_size', '0')::float8 as size
            from newest order by sensor_id, time desc),
        batches as (select distinct created_at, response_time_ms from recent)
        select (select count(*) from sensor_state where score_state is not null),
               (select coalesce(sum(size), 0)::int8 from windows),
               (select predictions from counted)
                   + (select count(*) from predictions where time >= (select through from counted)),
               (select count(*) from recent) / (select seconds from span),
               (select coalesce(avg(response_time_ms), 0)::float8 from newest),
               (select coalesce(min(response_time_ms), 0)::float8 from newest),
               (select coalesce(max(response_time_ms), 0)::float8 from newest),
               (select coalesce(sum(response_time_ms), 0)::float8 from batches) / 10 / (select seconds from span)";
}

/// What the scorer does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScorerFigures {
    /// Sensors that have a scoring state.
    pub buffers: i64,
    /// Readings in the windows of the sensors that were scored last.
    pub buffer_entries: i64,
    /// How much is scored, and how fast.
    pub performance: ScorerPerformance,
    /// Share of the last minute in which scores were computed, percent.
    pub busy_percent: f64,
}

/// What the scorer does, by the newest predictions.
pub async fn scorer_figures(db: &Db) -> Result<ScorerFigures, StoreError> {
    db.one(FIGURES, vec![SAMPLE.into(), MINUTE_S.into()], |c| {
        Ok(ScorerFigures {
            buffers: c.take()?,
            buffer_entries: c.take()?,
            performance: ScorerPerformance {
                predictions_total: c.take()?,
                predictions_per_second: c.take()?,
                avg_response_time_ms: c.take()?,
                min_response_time_ms: c.take()?,
                max_response_time_ms: c.take()?,
            },
            busy_percent: c.take()?,
        })
    })
    .await
}
