//! Predictions.

use crate::{
    Db, StoreError,
    statement::statements,
    value::{Columns, at, id},
};
use pm_api::{
    MachineId, Metadata, PredictionId, SensorId, Timestamp,
    prediction::{MachineShare, MachineStanding, Prediction, SensorShare},
};
use serde_json::json;

statements! {
    ALL_DESC = "
        select sensor_id, machine_id, time at time zone 'utc', score, status, anomaly_type, model_version,
               health_percent, remaining_hours, prediction, confidence, response_time_ms, contributing_features, id,
               created_at at time zone 'utc'
        from predictions where time > epoch_us($3) and time <= epoch_us($4)
        order by time desc limit $1 offset $2";
    ALL_ASC = "
        select sensor_id, machine_id, time at time zone 'utc', score, status, anomaly_type, model_version,
               health_percent, remaining_hours, prediction, confidence, response_time_ms, contributing_features, id,
               created_at at time zone 'utc'
        from predictions where time > epoch_us($3) and time <= epoch_us($4)
        order by time limit $1 offset $2";
    SENSOR_DESC = "
        select sensor_id, machine_id, time at time zone 'utc', score, status, anomaly_type, model_version,
               health_percent, remaining_hours, prediction, confidence, response_time_ms, contributing_features, id,
               created_at at time zone 'utc'
        from predictions where sensor_id = $5 and time > epoch_us($3) and time <= epoch_us($4)
        order by time desc limit $1 offset $2";
    MACHINE_DESC = "
        select p.sensor_id, p.machine_id, p.time at time zone 'utc', p.score, p.status, p.anomaly_type, p.model_version,
               p.health_percent, p.remaining_hours, p.prediction, p.confidence, p.response_time_ms,
               p.contributing_features, p.id, p.created_at at time zone 'utc'
        from sensors s cross join lateral (
            select * from predictions where sensor_id = s.id and time > epoch_us($3) and time <= epoch_us($4)
            order by time desc limit $1::int8 + $2::int8) p
        where s.machine_id = $5
        order by p.time desc limit $1 offset $2";
    GET = "
        select sensor_id, machine_id, time at time zone 'utc', score, status, anomaly_type, model_version,
               health_percent, remaining_hours, prediction, confidence, response_time_ms, contributing_features, id,
               created_at at time zone 'utc'
        from predictions where id = $1";
    SENSORS_BESIDE = "
        select s.id, s.name, p.score, p.score * p.score / nullif(sum(p.score * p.score) over (), 0)
        from sensors s cross join lateral (
            select score from predictions
            where sensor_id = s.id and time <= epoch_us($2) and time > epoch_us($2 - 600000000)
            order by time desc limit 1) p
        where s.machine_id = $1
        order by p.score desc, s.name limit 50";
    MACHINE_BESIDE = "
        select score, shares from machine_state
        where machine_id = $1 and score is not null
          and time between epoch_us($2 - 30000000) and epoch_us($2 + 30000000)";
}

/// Which predictions.
#[derive(Debug, Clone, Copy)]
pub struct Filter {
    /// Of this sensor (wins over the machine).
    pub sensor_id: Option<SensorId>,
    /// Of this machine.
    pub machine_id: Option<MachineId>,
    /// Later than this.
    pub from: Option<Timestamp>,
    /// Not later than this.
    pub to: Option<Timestamp>,
    /// Oldest first? (Without sensor and machine only.)
    pub ascending: bool,
    /// At most this many.
    pub limit: i64,
    /// Leaving out this many.
    pub offset: i64,
}

/// Predictions by time.
///
/// # Errors
/// Whatever the database says.
pub async fn list(db: &Db, filter: &Filter) -> Result<Vec<Prediction>, StoreError> {
    let mut params = vec![
        filter.limit.into(),
        filter.offset.into(),
        at(filter.from.unwrap_or(Timestamp(-1))),
        at(filter.to.unwrap_or(Timestamp(7_258_118_400_000_000))),
    ];
    let statement = match (filter.sensor_id, filter.machine_id) {
        (Some(_), _) => SENSOR_DESC,
        (None, Some(_)) => MACHINE_DESC,
        (None, None) if filter.ascending => ALL_ASC,
        (None, None) => ALL_DESC,
    };
    if let Some(key) = filter.sensor_id.map(|s| s.0).or(filter.machine_id.map(|m| m.0)) {
        params.push(id(key));
    }
    db.rows(statement, params, prediction).await
}

/// One prediction.
///
/// # Errors
/// Whatever the database says.
pub async fn get(db: &Db, prediction_id: PredictionId) -> Result<Option<Prediction>, StoreError> {
    db.first(GET, vec![id(prediction_id.0)], prediction).await
}

/// How much each sensor of the prediction's machine stood out at its moment (newest score of the ten minutes before),
/// most first.
///
/// # Errors
/// Whatever the database says.
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
///
/// # Errors
/// Whatever the database says.
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
    let (health, remaining_hours) = (c.take::<f64>()?, c.take::<Option<f64>>()?);
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
