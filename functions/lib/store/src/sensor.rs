//! Sensors and their trends.

use crate::{
    Actor, Db, Page, StoreError,
    statement::statements,
    value::{Columns, at, id, json, optional, page, text},
};
use pm_api::{
    MachineId, Metadata, ReadingStatus, SensorId, Timestamp,
    sensor::{LatestReading, Sensor, TrendPoint, TrendStatistics},
};
use spin_sdk::pg::ParameterValue;
use uuid::Uuid;

statements! {
    LIST = "
        select s.machine_id, s.name, s.sensor_type, s.unit, s.min_threshold, s.max_threshold, s.warning_threshold,
               s.critical_threshold, s.metadata, s.id, s.created_at at time zone 'utc', s.updated_at at time zone 'utc',
               l.time at time zone 'utc', l.value, l.status, count(*) over ()
        from sensors s left join sensor_latest l on l.sensor_id = s.id
        order by s.created_at desc, s.id desc limit $1 offset $2";
    LIST_OF_MACHINE = "
        select s.machine_id, s.name, s.sensor_type, s.unit, s.min_threshold, s.max_threshold, s.warning_threshold,
               s.critical_threshold, s.metadata, s.id, s.created_at at time zone 'utc', s.updated_at at time zone 'utc',
               l.time at time zone 'utc', l.value, l.status, count(*) over ()
        from sensors s left join sensor_latest l on l.sensor_id = s.id
        where s.machine_id = $3
        order by s.created_at desc, s.id desc limit $1 offset $2";
    GET = "
        select s.machine_id, s.name, s.sensor_type, s.unit, s.min_threshold, s.max_threshold, s.warning_threshold,
               s.critical_threshold, s.metadata, s.id, s.created_at at time zone 'utc', s.updated_at at time zone 'utc',
               l.time at time zone 'utc', l.value, l.status
        from sensors s left join sensor_latest l on l.sensor_id = s.id
        where s.id = $1";
    CREATE = "
        insert into sensors (id, machine_id, name, sensor_type, unit, min_threshold, max_threshold,
                             warning_threshold, critical_threshold, metadata, mqtt_id)
        select $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
               case when not exists (select from sensors where machine_id = $3 and mqtt_id = $4) then $4 end
        from (select set_config('pm.actor', $1, true)) actor
        returning machine_id, name, sensor_type, unit, min_threshold, max_threshold, warning_threshold,
                  critical_threshold, metadata, id, created_at at time zone 'utc', updated_at at time zone 'utc',
                  null::timestamp, null::float8, null::int2";
    UPDATE = "
        update sensors s set
            name = coalesce($3, name),
            sensor_type = coalesce($4, sensor_type),
            unit = case when $5 then $6 else unit end,
            min_threshold = case when $7 then $8 else min_threshold end,
            max_threshold = case when $9 then $10 else max_threshold end,
            warning_threshold = case when $11 then $12 else warning_threshold end,
            critical_threshold = case when $13 then $14 else critical_threshold end,
            metadata = case when $15 then $16::jsonb else metadata end
        from (select set_config('pm.actor', $1, true)) actor
        where s.id = $2
        returning machine_id, name, sensor_type, unit, min_threshold, max_threshold, warning_threshold,
                  critical_threshold, metadata, id, created_at at time zone 'utc', updated_at at time zone 'utc',
                  null::timestamp, null::float8, null::int2";
    DELETE = "
        with actor as (select set_config('pm.actor', $1, true)),
        readings as (delete from sensor_data where sensor_id = $2),
        judged as (delete from predictions where sensor_id = $2)
        delete from sensors using actor where id = $2";
    COUNT = "select count(*) from sensor_data where sensor_id = $1 and time > epoch_us($2) and time <= epoch_us($3)";
    TREND_RAW = "
        select time at time zone 'utc', value, status, value, value, 1::bigint
        from sensor_data where sensor_id = $1 and time > epoch_us($2) and time <= epoch_us($3)
        order by time";
    TREND_BUCKETS = "
        select time_bucket(epoch_us($4) - epoch_us(0), time) at time zone 'utc', avg(value), max(status), min(value),
               max(value), count(*)
        from sensor_data where sensor_id = $1 and time > epoch_us($2) and time <= epoch_us($3)
        group by 1 order by 1";
}

/// Fields of a new sensor; thresholds in its unit.
#[derive(Debug, Clone)]
pub struct NewSensor {
    /// Its machine.
    pub machine_id: MachineId,
    /// Name.
    pub name: String,
    /// Kind of quantity.
    pub sensor_type: String,
    /// Unit.
    pub unit: Option<String>,
    /// See [`Sensor`].
    pub min_threshold: Option<f64>,
    /// See [`Sensor`].
    pub max_threshold: Option<f64>,
    /// See [`Sensor`].
    pub warning_threshold: Option<f64>,
    /// See [`Sensor`].
    pub critical_threshold: Option<f64>,
    /// Free object.
    pub metadata: Option<Metadata>,
}

/// Fields to change; an outer `None` leaves a field as it is, an inner `None` empties it.
#[derive(Debug, Clone, Default)]
pub struct SensorChange {
    /// Name.
    pub name: Option<String>,
    /// Kind of quantity.
    pub sensor_type: Option<String>,
    /// Unit.
    pub unit: Option<Option<String>>,
    /// See [`Sensor`].
    pub min_threshold: Option<Option<f64>>,
    /// See [`Sensor`].
    pub max_threshold: Option<Option<f64>>,
    /// See [`Sensor`].
    pub warning_threshold: Option<Option<f64>>,
    /// See [`Sensor`].
    pub critical_threshold: Option<Option<f64>>,
    /// Free object.
    pub metadata: Option<Option<Metadata>>,
}

fn sensor(c: &mut Columns) -> Result<Sensor, StoreError> {
    let mut sensor = Sensor {
        machine_id: c.take()?,
        name: c.take()?,
        sensor_type: c.take()?,
        unit: c.take()?,
        min_threshold: c.take()?,
        max_threshold: c.take()?,
        warning_threshold: c.take()?,
        critical_threshold: c.take()?,
        metadata: c.take()?,
        id: c.take()?,
        created_at: c.take()?,
        updated_at: c.take()?,
        latest: None,
    };
    let latest: (Option<Timestamp>, Option<f64>, Option<ReadingStatus>) = (c.take()?, c.take()?, c.take()?);
    if let (Some(timestamp), Some(value), Some(status)) = latest {
        sensor.latest = Some(LatestReading { timestamp, value, status });
    }
    Ok(sensor)
}

/// Sensors, newest first, of one machine or of all.
///
/// # Errors
/// Whatever the database says.
pub async fn list(
    db: &Db,
    machine_id: Option<MachineId>,
    limit: i64,
    offset: i64,
) -> Result<Page<Sensor>, StoreError> {
    let mut params = vec![limit.into(), offset.into()];
    let sql = match machine_id {
        Some(machine) => {
            params.push(id(machine.0));
            LIST_OF_MACHINE
        }
        None => LIST,
    };
    Ok(page(db.rows(sql, params, |c| Ok((sensor(c)?, c.take()?))).await?))
}

/// One sensor.
///
/// # Errors
/// Whatever the database says.
pub async fn get(db: &Db, sensor_id: SensorId) -> Result<Option<Sensor>, StoreError> {
    db.first(GET, vec![id(sensor_id.0)], sensor).await
}

/// Creates a sensor.
///
/// # Errors
/// Constraint `sensors_machine_exists` for an unknown machine.
pub async fn create(db: &Db, actor: &Actor, new: NewSensor) -> Result<Sensor, StoreError> {
    let params = vec![
        actor.setting(),
        id(Uuid::now_v7()),
        id(new.machine_id.0),
        text(new.name),
        text(new.sensor_type),
        optional(new.unit, text),
        new.min_threshold.into(),
        new.max_threshold.into(),
        new.warning_threshold.into(),
        new.critical_threshold.into(),
        new.metadata.map_or(Ok(ParameterValue::DbNull), |m| json(&m))?,
    ];
    db.one(CREATE, params, sensor).await
}

/// Changes a sensor; `None` if there is no such sensor.
///
/// # Errors
/// Whatever the database says.
pub async fn update(
    db: &Db,
    actor: &Actor,
    sensor_id: SensorId,
    change: SensorChange,
) -> Result<Option<Sensor>, StoreError> {
    let mut params = vec![
        actor.setting(),
        id(sensor_id.0),
        optional(change.name, text),
        optional(change.sensor_type, text),
        change.unit.is_some().into(),
        optional(change.unit.flatten(), text),
    ];
    for threshold in
        [change.min_threshold, change.max_threshold, change.warning_threshold, change.critical_threshold]
    {
        params.push(threshold.is_some().into());
        params.push(threshold.flatten().into());
    }
    params.push(change.metadata.is_some().into());
    params.push(change.metadata.flatten().map_or(Ok(ParameterValue::DbNull), |m| json(&m))?);
    db.first(UPDATE, params, sensor).await
}

/// Deletes a sensor with its readings, predictions and alarms. False: no such sensor.
///
/// # Errors
/// Whatever the database says.
pub async fn delete(db: &Db, actor: &Actor, sensor_id: SensorId) -> Result<bool, StoreError> {
    Ok(db.execute(DELETE, vec![actor.setting(), id(sensor_id.0)]).await? > 0)
}

/// The course of a sensor's values in (`from`, `to`]: the readings themselves if there are at most `max_points`,
/// else buckets of equal length with mean, extremes and gravest status.
///
/// # Errors
/// Whatever the database says.
pub async fn trend(
    db: &Db,
    sensor_id: SensorId,
    (from, to): (Timestamp, Timestamp),
    max_points: i64,
) -> Result<(Vec<TrendPoint>, Option<TrendStatistics>), StoreError> {
    let range = || vec![id(sensor_id.0), at(from), at(to)];
    let count: i64 = db.one(COUNT, range(), |c| c.take()).await?;
    let read = |c: &mut Columns| {
        let (timestamp, value, status, min, max) = (c.take()?, c.take()?, c.take()?, c.take()?, c.take()?);
        Ok((TrendPoint { timestamp, value, status, min, max }, c.take::<i64>()?))
    };
    let rows = if count <= max_points {
        db.rows(TREND_RAW, range(), read).await?
    } else {
        let bucket_us = (to.0 - from.0) / (max_points - 1).max(1) + 1;
        let mut params = range();
        params.push(ParameterValue::Int64(bucket_us));
        db.rows(TREND_BUCKETS, params, read).await?
    };
    let statistics = statistics(&rows);
    Ok((rows.into_iter().map(|r| r.0).collect(), statistics))
}

fn statistics(rows: &[(TrendPoint, i64)]) -> Option<TrendStatistics> {
    let count: i64 = rows.iter().map(|r| r.1).sum();
    (count > 0).then(|| TrendStatistics {
        count,
        min: rows.iter().map(|r| r.0.min).fold(f64::INFINITY, f64::min),
        max: rows.iter().map(|r| r.0.max).fold(f64::NEG_INFINITY, f64::max),
        avg: rows.iter().map(|r| r.0.value * r.1 as f64).sum::<f64>() / count as f64,
    })
}
