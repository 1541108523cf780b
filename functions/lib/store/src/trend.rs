//! The course of a sensor's values: readings, or buckets from the level that a plan names.

use crate::{
    Db, StoreError,
    statement::statements,
    value::{Columns, at, id},
};
use pm_api::{
    SensorId, Timestamp,
    sensor::{TrendPoint, TrendStatistics},
};
use pm_domain::trend::{BucketPlan, Level, RetentionBounds, plan};
use spin_sdk::pg::ParameterValue;

statements! {
    FACTS = "
        select (select count(*) from (
                    select from sensor_data
                    where sensor_id = $1 and time >= epoch_us($2) and time <= epoch_us($3) limit $4::int8 + 1) few),
               (select dropped_before at time zone 'utc' from retention_marks where class = 'readings'),
               (select dropped_before at time zone 'utc' from retention_marks where class = 'readings_1m')
        from sensors where id = $1";
    READINGS = "
        select time at time zone 'utc', value, status, value, value, 1::int8
        from sensor_data where sensor_id = $1 and time >= epoch_us($2) and time <= epoch_us($3)
        order by time";
    FROM_RAW = "
        select time_bucket($4::int8 * interval '1 microsecond', time) at time zone 'utc', avg(value), max(status), min(value),
               max(value), count(*)
        from sensor_data where sensor_id = $1 and time >= epoch_us($2) and time < epoch_us($3)
        group by 1 order by 1";
    FROM_MINUTES = "
        with tail as materialized (
            select coalesce((select minute from rollup_changes where sensor_id is null or sensor_id = $1
                             order by minute limit 1), 'infinity') as begin)
        select time_bucket($4::int8 * interval '1 microsecond', bucket) at time zone 'utc',
               sum(sum) / sum(count)::float8, max(worst), min(min), max(max), sum(count)::int8
        from (
            select bucket, count, sum, min, max, worst from readings_1m
            where sensor_id = $1 and bucket >= epoch_us($2) and bucket < epoch_us($3) and bucket < (select begin from tail)
            union all
            select time, 1, value, value, value, status from sensor_data
            where sensor_id = $1 and time >= epoch_us($2) and time < epoch_us($3) and time >= (select begin from tail)) p
        group by 1 order by 1";
    FROM_HOURS = "
        with tail as materialized (
            select coalesce((select time_bucket('1 hour', minute) from rollup_changes
                             where sensor_id is null or sensor_id = $1 order by minute limit 1), 'infinity') as begin)
        select time_bucket($4::int8 * interval '1 microsecond', bucket) at time zone 'utc',
               sum(sum) / sum(count)::float8, max(worst), min(min), max(max), sum(count)::int8
        from (
            select bucket, count, sum, min, max, worst from readings_1h
            where sensor_id = $1 and bucket >= epoch_us($2) and bucket < epoch_us($3) and bucket < (select begin from tail)
            union all
            select time, 1, value, value, value, status from sensor_data
            where sensor_id = $1 and time >= epoch_us($2) and time < epoch_us($3) and time >= (select begin from tail)) p
        group by 1 order by 1";
}

/// The course of a sensor's values.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// Points, oldest first; none where nothing was measured.
    pub points: Vec<TrendPoint>,
    /// Over all readings of the range.
    pub statistics: Option<TrendStatistics>,
    /// The range; with buckets, from the first's begin to the last's end.
    pub range: (Timestamp, Timestamp),
    /// Length of a bucket, microseconds; `None` where the points are the readings themselves.
    pub width_us: Option<i64>,
    /// What the points were made of.
    pub level: Level,
}

/// The course over `from` to `to`: the readings themselves where they are kept and at most `max_points`, else as many
/// buckets at most, with mean, extremes and gravest status. What is not rolled up yet is taken from the readings.
/// `None`: no such sensor.
pub async fn course(
    db: &Db,
    sensor_id: SensorId,
    (from, to): (Timestamp, Timestamp),
    max_points: i64,
) -> Result<Option<Course>, StoreError> {
    let params = vec![id(sensor_id.0), at(from), at(to), max_points.into()];
    let facts = db.first(FACTS, params, |c| Ok((c.take::<i64>()?, c.take()?, c.take()?))).await?;
    let Some((count, raw_from, minute_from)) = facts else { return Ok(None) };
    let kept = RetentionBounds { raw_from, minute_from };
    if kept.finest_level(from) == Level::Raw && count <= max_points {
        let rows = db.rows(READINGS, vec![id(sensor_id.0), at(from), at(to)], point).await?;
        return Ok(Some(made(rows, (from, to), None, Level::Raw)));
    }
    let BucketPlan { level, width_us, from, to } = plan((from, to), max_points, kept);
    let statement = match level {
        Level::Raw => FROM_RAW,
        Level::Minute => FROM_MINUTES,
        Level::Hour => FROM_HOURS,
    };
    let params = vec![id(sensor_id.0), at(from), at(to), ParameterValue::Int64(width_us)];
    let rows = db.rows(statement, params, point).await?;
    Ok(Some(made(rows, (from, to), Some(width_us), level)))
}

fn point(c: &mut Columns) -> Result<(TrendPoint, i64), StoreError> {
    let (timestamp, value, status, min, max) = (c.take()?, c.take()?, c.take()?, c.take()?, c.take()?);
    Ok((TrendPoint { timestamp, value, status, min, max }, c.take()?))
}

fn made(
    rows: Vec<(TrendPoint, i64)>,
    range: (Timestamp, Timestamp),
    width_us: Option<i64>,
    level: Level,
) -> Course {
    let count: i64 = rows.iter().map(|r| r.1).sum();
    let statistics = (count > 0).then(|| TrendStatistics {
        count,
        min: rows.iter().map(|r| r.0.min).fold(f64::INFINITY, f64::min),
        max: rows.iter().map(|r| r.0.max).fold(f64::NEG_INFINITY, f64::max),
        avg: rows.iter().map(|r| r.0.value * r.1 as f64).sum::<f64>() / count as f64,
    });
    Course { points: rows.into_iter().map(|r| r.0).collect(), statistics, range, width_us, level }
}
