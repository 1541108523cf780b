//! Readings and predictions in bulk: sensor by sensor, each in slices by time, so that no export is ever held as a whole.

use crate::{
    Db, StoreError,
    reading::WIDEST,
    statement::statements,
    value::{Columns, at, id, optional},
};
use pm_api::{MachineId, Quality, ReadingStatus, SensorId, Timestamp, word::PredictionStatus};
use pm_domain::trend::{Level, RetentionBounds};

statements! {
    SENSORS = "
        select s.id, s.name, s.sensor_type, s.unit, m.id, m.name
        from sensors s join machines m on m.id = s.machine_id
        where ($1::uuid is null or s.id = $1) and ($2::uuid is null or m.id = $2)
        order by m.name, m.id, s.name, s.id";
    RETENTION_BOUNDS = "
        select (select dropped_before at time zone 'utc' from retention_marks where class = 'readings'),
               (select dropped_before at time zone 'utc' from retention_marks where class = 'readings_1m')";
    RAW = "
        select time at time zone 'utc', 1::int8, value, value, value, value, status, quality from sensor_data
        where sensor_id = $1 and time > epoch_us($2) and time <= epoch_us($3) order by time limit $4";
    MINUTES = "
        select bucket at time zone 'utc', count, sum / count, min, max, last, worst, 0::int2 from readings_1m
        where sensor_id = $1 and bucket > epoch_us($2) and bucket <= epoch_us($3) order by bucket limit $4";
    HOURS = "
        select bucket at time zone 'utc', count, sum / count, min, max, last, worst, 0::int2 from readings_1h
        where sensor_id = $1 and bucket > epoch_us($2) and bucket <= epoch_us($3) order by bucket limit $4";
    PREDICTIONS = "
        select time at time zone 'utc', score, status, anomaly_type, prediction, confidence, health_percent, remaining_hours,
               model_version, id
        from predictions
        where sensor_id = $1 and time > epoch_us($2) and time <= epoch_us($3) and ($5::text is null or status = $5)
        order by time limit $4";
}

/// A sensor with its machine, for a line of an export.
#[derive(Debug, Clone)]
pub struct ExportSensor {
    /// The sensor.
    pub sensor_id: SensorId,
    /// Its name.
    pub name: String,
    /// Kind of quantity.
    pub sensor_type: String,
    /// Unit of the values.
    pub unit: Option<String>,
    /// Its machine.
    pub machine_id: MachineId,
    /// The machine's name.
    pub machine: String,
}

/// A reading, or the roll-up of a bucket.
#[derive(Debug, Clone, Copy)]
pub struct ExportRow {
    /// Time of the reading, or begin of the bucket.
    pub time: Timestamp,
    /// Number of readings.
    pub count: i64,
    /// Their mean.
    pub mean: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// The newest.
    pub last: f64,
    /// The worst status.
    pub status: ReadingStatus,
    /// How far a reading can be trusted; buckets hold good ones only.
    pub quality: Quality,
}

/// A prediction.
#[derive(Debug, Clone)]
pub struct ExportPrediction {
    /// Time of the newest reading that was scored.
    pub time: Timestamp,
    /// Smoothed anomaly score.
    pub score: f64,
    /// normal, warning, critical, buffering.
    pub status: String,
    /// NORMAL, WARNING, CRITICAL, BASELINE.
    pub anomaly_type: String,
    /// normal, anomaly.
    pub prediction: String,
    /// 0 to 1.
    pub confidence: f64,
    /// 0 to 100.
    pub health_percent: f64,
    /// Hours to a limit.
    pub remaining_hours: Option<f64>,
    /// Version of the model.
    pub model_version: String,
    /// Identifier.
    pub id: pm_api::PredictionId,
}

/// The sensors of an export, by machine and name.
pub async fn sensors(
    db: &Db,
    sensor_id: Option<SensorId>,
    machine_id: Option<MachineId>,
) -> Result<Vec<ExportSensor>, StoreError> {
    let params = vec![optional(sensor_id, |s| id(s.0)), optional(machine_id, |m| id(m.0))];
    db.rows(SENSORS, params, |c| {
        Ok(ExportSensor {
            sensor_id: c.take()?,
            name: c.take()?,
            sensor_type: c.take()?,
            unit: c.take()?,
            machine_id: c.take()?,
            machine: c.take()?,
        })
    })
    .await
}

/// From when on which level is kept.
pub async fn retention_bounds(db: &Db) -> Result<RetentionBounds, StoreError> {
    db.one(RETENTION_BOUNDS, vec![], |c| Ok(RetentionBounds { raw_from: c.take()?, minute_from: c.take()? }))
        .await
}

/// The range of an export whose ends may be open; its begin is not part of it.
#[must_use]
pub fn range(from: Option<Timestamp>, to: Option<Timestamp>) -> (Timestamp, Timestamp) {
    (Timestamp(from.unwrap_or(WIDEST.0).0.saturating_sub(1)), to.unwrap_or(WIDEST.1))
}

/// At most `limit` readings or roll-ups of a sensor, later than `after` and not later than `to`, oldest first. Roll-ups
/// are of minutes that have ended.
pub async fn rows(
    db: &Db,
    level: Level,
    sensor_id: SensorId,
    (after, to): (Timestamp, Timestamp),
    limit: i64,
) -> Result<Vec<ExportRow>, StoreError> {
    let statement = match level {
        Level::Raw => RAW,
        Level::Minute => MINUTES,
        Level::Hour => HOURS,
    };
    let params = vec![id(sensor_id.0), at(after), at(to), limit.into()];
    db.rows(statement, params, row).await
}

fn row(c: &mut Columns) -> Result<ExportRow, StoreError> {
    Ok(ExportRow {
        time: c.take()?,
        count: c.take()?,
        mean: c.take()?,
        min: c.take()?,
        max: c.take()?,
        last: c.take()?,
        status: c.take()?,
        quality: c.take()?,
    })
}

/// At most `limit` predictions of a sensor, later than `after` and not later than `to`, oldest first.
pub async fn predictions(
    db: &Db,
    sensor_id: SensorId,
    status: Option<PredictionStatus>,
    (after, to): (Timestamp, Timestamp),
    limit: i64,
) -> Result<Vec<ExportPrediction>, StoreError> {
    let status = optional(status, |status| crate::value::text(status.as_str()));
    let params = vec![id(sensor_id.0), at(after), at(to), limit.into(), status];
    db.rows(PREDICTIONS, params, |c| {
        Ok(ExportPrediction {
            time: c.take()?,
            score: c.take()?,
            status: c.take()?,
            anomaly_type: c.take()?,
            prediction: c.take()?,
            confidence: c.take()?,
            health_percent: c.take()?,
            remaining_hours: c.take()?,
            model_version: c.take()?,
            id: c.take()?,
        })
    })
    .await
}
