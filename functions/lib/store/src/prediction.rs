//! Predictions.

use crate::{
    Db, Listing, Slicing, StoreError,
    reading::{WIDEST, begin},
    statement::statements,
    value::{Columns, at, id, optional, text},
};
use pm_api::{
    MachineId, Metadata, PredictionId, SensorId, Timestamp,
    prediction::{MachineShare, MachineStanding, Prediction, SensorShare},
    remaining_life::{CONFIDENCE_LEVEL, RemainingLife},
};
use serde_json::json;
use spin_sdk::pg::ParameterValue;

/// The columns of a prediction `p`.
macro_rules! columns {
    () => {
        "p.sensor_id, p.machine_id, p.time at time zone 'utc', p.score, p.status, p.anomaly_type, p.model_version,
         p.health_percent, p.remaining_hours, p.remaining_lower_hours, p.remaining_upper_hours, p.remaining_method,
         p.remaining_model, p.prediction, p.confidence, p.response_time_ms, p.contributing_features, p.id, p.created_at at time zone 'utc'"
    };
}

/// Of all sensors. Parameters as in the statements of readings; $7 is a status.
macro_rules! of_all {
    ($compare:literal, $order:literal) => {
        concat!(
            "select ",
            columns!(),
            "
             from (select * from predictions
                   where time >= epoch_us($3) and time <= epoch_us($4)
                     and time ",
            $compare,
            "= epoch_us($5) and (time, sensor_id) ",
            $compare,
            " (epoch_us($5), $6::uuid)
                     and ($7::text is null or status = $7)
                     and sensor_id <> all (array(select sensor_id from deleted_sensors))
                   order by time ",
            $order,
            " fetch first ($1::int8 + $2::int8) rows with ties) p
             order by p.time ",
            $order,
            ", p.sensor_id ",
            $order,
            " limit $1 offset $2"
        )
    };
}

/// Of one sensor, or of all sensors of a machine.
macro_rules! of_some {
    ($compare:literal, $order:literal) => {
        concat!(
            "select ",
            columns!(),
            "
             from sensors s cross join lateral (
                 select * from predictions
                 where sensor_id = s.id and time >= epoch_us($3) and time <= epoch_us($4)
                   and time ",
            $compare,
            "= epoch_us($5) and (time, sensor_id) ",
            $compare,
            " (epoch_us($5), $6::uuid)
                   and ($7::text is null or status = $7)
                 order by time ",
            $order,
            " limit $1::int8 + $2::int8) p
             where ($8::uuid is null or s.id = $8) and ($9::uuid is null or s.machine_id = $9)
             order by p.time ",
            $order,
            ", p.sensor_id ",
            $order,
            " limit $1 offset $2"
        )
    };
}

statements! {
    ALL_DESC = of_all!("<", "desc");
    ALL_ASC = of_all!(">", "asc");
    SOME_DESC = of_some!("<", "desc");
    SOME_ASC = of_some!(">", "asc");
    COUNT = "
        select count(*) from (
            select from predictions
            where time >= epoch_us($1) and time <= epoch_us($2) and ($3::text is null or status = $3)
              and sensor_id <> all (array(select sensor_id from deleted_sensors)) limit 10000) few";
    COUNT_SOME = "
        select count(*) from (
            select from sensors s join predictions p on p.sensor_id = s.id
            where ($4::uuid is null or s.id = $4) and ($5::uuid is null or s.machine_id = $5)
              and p.time >= epoch_us($1) and p.time <= epoch_us($2) and ($3::text is null or p.status = $3) limit 10000) few";
    GET = concat!("select ", columns!(), " from predictions p join sensors s on s.id = p.sensor_id where p.id = $1");
    NEWEST = concat!(
        "select ", columns!(), "
         from unnest($1::text[]::uuid[]) r (sensor_id)
         cross join lateral (select * from predictions where sensor_id = r.sensor_id order by time desc limit 1) p
         order by p.time desc, p.sensor_id"
    );
    SENSORS_BESIDE = "
        select s.id, s.name, p.score, p.score * p.score / nullif(sum(p.score * p.score) over (), 0)
        from sensors s cross join lateral (
            select score from predictions
            where sensor_id = s.id and time <= epoch_us($2) and time > epoch_us($2::int8 - 600000000)
            order by time desc limit 1) p
        where s.machine_id = $1
        order by p.score desc, s.name limit 50";
    MACHINE_BESIDE = "
        select score, shares from machine_state
        where machine_id = $1 and score is not null
          and time between epoch_us($2::int8 - 30000000) and epoch_us($2::int8 + 30000000)";
}

/// Which predictions.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter<'f> {
    /// Of this sensor.
    pub sensor_id: Option<SensorId>,
    /// Of this machine.
    pub machine_id: Option<MachineId>,
    /// Of this status: normal, warning, critical or buffering.
    pub status: Option<&'f str>,
    /// Not earlier than this.
    pub from: Option<Timestamp>,
    /// Not later than this.
    pub to: Option<Timestamp>,
}

/// The field that orders predictions.
pub const SORTS: &[&str] = &["timestamp"];

/// A slice of the predictions, by time. The length of the whole is counted up to 10,000.
///
/// # Errors
/// [`StoreError::Invalid`] for a cursor of another list.
pub async fn list(db: &Db, filter: &Filter<'_>, paging: &Slicing) -> Result<Listing<Prediction>, StoreError> {
    let range = || [at(filter.from.unwrap_or(WIDEST.0)), at(filter.to.unwrap_or(WIDEST.1))];
    let status = || [optional(filter.status, text)];
    let (time, sensor) = begin(paging)?;
    let mut params: Vec<ParameterValue> = vec![paging.limit.into(), paging.offset.into()];
    params.extend(range());
    params.extend([at(time), id(sensor)]);
    params.extend(status());
    let mut count: Vec<_> = range().into_iter().chain(status()).collect();
    let (statement, counting) = if filter.sensor_id.is_none() && filter.machine_id.is_none() {
        (if paging.descending { ALL_DESC } else { ALL_ASC }, COUNT)
    } else {
        let ids = || [optional(filter.sensor_id, |s| id(s.0)), optional(filter.machine_id, |m| id(m.0))];
        params.extend(ids());
        count.extend(ids());
        (if paging.descending { SOME_DESC } else { SOME_ASC }, COUNT_SOME)
    };
    let rows = db.rows(statement, params, prediction).await?;
    let total = db.one(counting, count, |c| c.take()).await?;
    Ok(paging.by_time(rows, total, |p| (p.timestamp, p.sensor_id.0)))
}

/// The newest prediction of each of the given sensors.
pub async fn newest(db: &Db, sensors: &[SensorId]) -> Result<Vec<Prediction>, StoreError> {
    db.rows(NEWEST, vec![crate::value::texts(sensors)], prediction).await
}

/// One prediction.
pub async fn get(db: &Db, prediction_id: PredictionId) -> Result<Option<Prediction>, StoreError> {
    db.first(GET, vec![id(prediction_id.0)], prediction).await
}

/// How much each sensor of the prediction's machine stood out at its moment (newest score of the ten minutes before),
/// most first.
pub async fn sensors_beside(db: &Db, of: &Prediction) -> Result<Vec<SensorShare>, StoreError> {
    db.rows(SENSORS_BESIDE, vec![id(of.machine_id.0), at(of.timestamp)], |c| {
        Ok(SensorShare {
            sensor_id: c.take()?,
            name: c.take()?,
            score: c.take()?,
            share: c.take::<Option<f64>>()?.unwrap_or(0.0),
        })
    })
    .await
}

/// How the prediction's machine as a whole stood at its moment, if that is still known.
pub async fn machine_beside(db: &Db, of: &Prediction) -> Result<Option<MachineStanding>, StoreError> {
    db.first(MACHINE_BESIDE, vec![id(of.machine_id.0), at(of.timestamp)], |c| {
        let (score, shares) = (c.take()?, c.take::<serde_json::Value>()?);
        let shares: Vec<(SensorId, f64)> = serde_json::from_value(shares).unwrap_or_default();
        let share = |(sensor_id, share)| MachineShare { sensor_id, share };
        Ok(MachineStanding { score, shares: shares.into_iter().map(share).collect() })
    })
    .await
}

fn prediction(c: &mut Columns) -> Result<Prediction, StoreError> {
    let (sensor_id, machine_id, timestamp, score) = (c.take()?, c.take()?, c.take()?, c.take::<f64>()?);
    let (status, anomaly_type, model_version) =
        (c.take::<String>()?, c.take::<String>()?, c.take::<String>()?);
    let health = c.take::<f64>()?;
    let (remaining_hours, remaining_life) = remaining_life(c)?;
    let (prediction, confidence, response_time_ms) =
        (c.take::<String>()?, c.take::<f64>()?, c.take::<f64>()?);
    let contributing_features: Metadata = c.take()?;
    let (id, created_at) = (c.take()?, c.take()?);
    let said = json!({
        "prediction": prediction, "status": status, "score": score, "confidence": confidence,
        "anomaly_type": anomaly_type, "model_version": model_version, "rul": health,
        "remaining_hours": remaining_hours, "response_time_ms": response_time_ms,
        "contributing_features": contributing_features,
    });
    Ok(Prediction {
        sensor_id,
        machine_id,
        timestamp,
        score,
        status,
        anomaly_type,
        model_version,
        remaining_useful_life: Some(health.round()),
        remaining_life,
        prediction,
        confidence,
        response_time_ms,
        contributing_features,
        metadata: said.as_object().cloned().unwrap_or_default(),
        id,
        created_at,
        updated_at: created_at,
    })
}

/// The columns remaining_hours, remaining_lower_hours, remaining_upper_hours, remaining_method, remaining_model.
pub(crate) fn remaining_life(c: &mut Columns) -> Result<(Option<f64>, Option<RemainingLife>), StoreError> {
    let (hours, lower): (Option<f64>, Option<f64>) = (c.take()?, c.take()?);
    let (upper_hours, method, model): (Option<f64>, Option<String>, Option<String>) =
        (c.take()?, c.take()?, c.take()?);
    let method = method.and_then(|m| m.parse().ok());
    let life = hours.zip(lower).zip(method).map(|((hours, lower_hours), method)| RemainingLife {
        method,
        hours,
        lower_hours,
        upper_hours,
        confidence_level: CONFIDENCE_LEVEL,
        model,
    });
    Ok((hours, life))
}
