//! The course of a sensor's values: readings, or buckets from the level that a plan names.

use crate::{
    Db, StoreError,
    statement::statements,
    value::{Columns, at, id},
};
use pm_api::{
    SensorId, Timestamp,
    sensor::{MarkedPoint, TrendPoint, TrendStatistics},
};
use pm_domain::{
    duration::DAY_S,
    held::{self, Piece},
    signal,
    trend::{BucketPlan, Level, RetentionBounds, plan},
};
use spin_sdk::pg::ParameterValue;

/// How far before a range the value is looked for that held when it began, seconds.
const HELD_FOR_S: i64 = DAY_S;

/// The buckets of a trend from a table of roll-ups up to the time that `tail` names, and from the readings after it.
macro_rules! from_rollups {
    ($table:literal) => {
        concat!("parts as (
            select bucket, count, sum, min, max, worst, last, first_time, last_time, area from ", $table, "
            where sensor_id = $1 and bucket >= epoch_us($2) and bucket < epoch_us($3) and bucket < (select begin from tail)
            union all
            select time, 1, summand(value), value, value, status, value, time, time, 0 from sensor_data
            where sensor_id = $1 and time >= epoch_us($2) and time < epoch_us($3) and time >= (select begin from tail)
              and quality = 0)
        select time_bucket($4::int8 * interval '1 microsecond', bucket) at time zone 'utc',
               sum(sum) / sum(count)::float8, max(worst), min(min), max(max), sum(count)::int8,
               min(first_time) at time zone 'utc', max(last_time) at time zone 'utc', last(last, last_time),
               sum(area + coalesce(gap, 0))
        from (
            select *, held_area(last, last_time, lead(first_time) over (
                       partition by time_bucket($4::int8 * interval '1 microsecond', bucket) order by bucket)) as gap
            from parts) p
        group by 1 order by 1")
    };
}

statements! {
    FACTS = "
        select (select count(*) from (
                    select from sensor_data
                    where sensor_id = $1 and time >= epoch_us($2) and time <= epoch_us($3) and quality = 0
                    limit $4::int8 + 1) few),
               (select dropped_before at time zone 'utc' from retention_marks where class = 'readings'),
               (select dropped_before at time zone 'utc' from retention_marks where class = 'readings_1m')
        from sensors where id = $1";
    READINGS = "
        select time at time zone 'utc', value, status, value, value, 1::int8, time at time zone 'utc', time at time zone 'utc',
               value, 0::float8
        from sensor_data where sensor_id = $1 and time >= epoch_us($2) and time <= epoch_us($3) and quality = 0
        order by time";
    MARKED = "
        select * from (
            select time at time zone 'utc' as time, value, quality from sensor_data
            where sensor_id = $1 and time >= epoch_us($2) and time <= epoch_us($3) and quality <> 0
            order by time desc limit $4) newest
        order by time";
    // The last value before a range, of the day before it.
    HELD = "
        select value from sensor_data
        where sensor_id = $1 and time < epoch_us($2) and time >= epoch_us($3) and quality = 0 order by time desc limit 1";
    FROM_RAW = "
        select time_bucket($4::int8 * interval '1 microsecond', time) at time zone 'utc', avg(summand(value)), max(status),
               min(value), max(value), count(*), min(time) at time zone 'utc', max(time) at time zone 'utc', last(value, time),
               coalesce(sum(held), 0)
        from (
            select time, value, status, held_area(value, time, lead(time) over (
                       partition by time_bucket($4::int8 * interval '1 microsecond', time) order by time)) as held
            from sensor_data
            where sensor_id = $1 and time >= epoch_us($2) and time < epoch_us($3) and quality = 0) d
        group by 1 order by 1";
    FROM_MINUTES = concat!("
        with tail as materialized (
            select coalesce((select minute from rollup_changes where sensor_id is null or sensor_id = $1
                             order by minute limit 1), 'infinity') as begin),
        ", from_rollups!("readings_1m"));
    FROM_HOURS = concat!("
        with tail as materialized (
            select coalesce((select time_bucket('1 hour', minute) from rollup_changes
                             where sensor_id is null or sensor_id = $1 order by minute limit 1), 'infinity') as begin),
        ", from_rollups!("readings_1h"));
}

/// The course of a sensor's values.
#[derive(Debug, Clone, PartialEq)]
pub struct TrendData {
    /// Points, oldest first; none where nothing was measured.
    pub points: Vec<TrendPoint>,
    /// Over all good readings of the range.
    pub statistics: Option<TrendStatistics>,
    /// The range; with buckets, from the first's begin to the last's end.
    pub range: (Timestamp, Timestamp),
    /// Length of a bucket, microseconds; `None` where the points are the readings themselves.
    pub width_us: Option<i64>,
    /// What the points were made of.
    pub level: Level,
}

/// The course over `from` to `to`: the readings themselves where they are kept and at most `max_points`, else as many
/// buckets at most, with mean, extremes and worst status. What is not rolled up yet is taken from the readings.
/// `None`: no such sensor.
pub async fn trend(
    db: &Db,
    sensor_id: SensorId,
    (from, to): (Timestamp, Timestamp),
    max_points: i64,
    now: Timestamp,
) -> Result<Option<TrendData>, StoreError> {
    let params = vec![id(sensor_id.0), at(from), at(to), max_points.into()];
    let facts = db.first(FACTS, params, |c| Ok((c.take::<i64>()?, c.take()?, c.take()?))).await?;
    let Some((count, raw_from, minute_from)) = facts else { return Ok(None) };
    let bounds = RetentionBounds { raw_from, minute_from };
    if bounds.finest_level(from) == Level::Raw && count <= max_points {
        let rows = db.rows(READINGS, vec![id(sensor_id.0), at(from), at(to)], point).await?;
        let held = held_before(db, sensor_id, from).await?;
        return Ok(Some(made(&rows, (from, to), held, None, Level::Raw, now)));
    }
    let BucketPlan { level, width_us, from, to } = plan((from, to), max_points, bounds);
    let statement = match level {
        Level::Raw => FROM_RAW,
        Level::Minute => FROM_MINUTES,
        Level::Hour => FROM_HOURS,
    };
    let params = vec![id(sensor_id.0), at(from), at(to), ParameterValue::Int64(width_us)];
    let rows = db.rows(statement, params, point).await?;
    let held = held_before(db, sensor_id, from).await?;
    Ok(Some(made(&rows, (from, to), held, Some(width_us), level, now)))
}

async fn held_before(db: &Db, sensor_id: SensorId, from: Timestamp) -> Result<Option<f64>, StoreError> {
    let params = vec![id(sensor_id.0), at(from), at(from.plus_seconds(-HELD_FOR_S))];
    db.first(HELD, params, |c| c.take()).await
}

/// The readings over `from` to `to` that are not good, oldest first: the newest `limit` of them.
pub async fn marked(
    db: &Db,
    sensor_id: SensorId,
    (from, to): (Timestamp, Timestamp),
    limit: i64,
) -> Result<Vec<MarkedPoint>, StoreError> {
    db.rows(MARKED, vec![id(sensor_id.0), at(from), at(to), limit.into()], |c| {
        Ok(MarkedPoint { timestamp: c.take()?, value: c.take()?, quality: c.take()? })
    })
    .await
}

/// A point with what its statistics need.
struct Row {
    point: TrendPoint,
    count: i64,
    piece: Piece,
}

fn point(c: &mut Columns) -> Result<Row, StoreError> {
    let (timestamp, value, status, min, max) = (c.take()?, c.take()?, c.take()?, c.take()?, c.take()?);
    Ok(Row {
        // a sum is not exact: the mean of equal values is that value
        point: TrendPoint { timestamp, value: f64::max(value, min).min(max), status, min, max },
        count: c.take()?,
        piece: Piece { from: c.take()?, to: c.take()?, last: c.take()?, area: c.take()? },
    })
}

fn made(
    rows: &[Row],
    range: (Timestamp, Timestamp),
    held: Option<f64>,
    width_us: Option<i64>,
    level: Level,
    now: Timestamp,
) -> TrendData {
    let count: i64 = rows.iter().map(|r| r.count).sum();
    let end = range.1.min(now);
    let count_mean =
        rows.iter().map(|r| held::summand(r.point.value) * r.count as f64).sum::<f64>() / count as f64;
    let pieces: Vec<Piece> = rows.iter().map(|r| r.piece).collect();
    let extremes = rows.iter().map(|r| signal::Point {
        at: r.piece.to,
        min: held::summand(r.point.min),
        max: held::summand(r.point.max),
    });
    let min = rows.iter().map(|r| r.point.min).fold(f64::INFINITY, f64::min);
    let max = rows.iter().map(|r| r.point.max).fold(f64::NEG_INFINITY, f64::max);
    // what was held before the range counts as well
    let (least, most) = held.map_or((min, max), |value| (min.min(value), max.max(value)));
    let statistics = (count > 0).then(|| TrendStatistics {
        count,
        min,
        max,
        // a sum of products is not exact: the mean of equal values is that value
        avg: held::mean(range.0, end, held, &pieces).unwrap_or(count_mean).clamp(least, most),
        count_mean,
        signal: signal::describe(&extremes.collect::<Vec<_>>(), end),
    });
    TrendData { points: rows.iter().map(|r| r.point.clone()).collect(), statistics, range, width_us, level }
}
