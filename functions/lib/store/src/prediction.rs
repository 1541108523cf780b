//! Predictions.

use crate::{
    Db, StoreError,
    list::{Id, Key, List, Total, lists},
    reading::WIDEST,
    statement::statements,
    value::{Columns, at, id, optional, text},
};
use pm_api::{
    Metadata, PredictionId, SensorId,
    list::{ListQuery, Page},
    prediction::{MachineAssessment, MachineShare, Prediction, PredictionFilter, SensorShare},
    remaining_life::{CONFIDENCE_LEVEL, RemainingLife},
    sort::PredictionSort,
};
use serde_json::json;

/// The columns of a prediction `p`.
macro_rules! columns {
    () => {
        "p.sensor_id, p.machine_id, p.time at time zone 'utc', p.score, p.status, p.anomaly_type, p.model_version,
         p.health_percent, p.remaining_hours, p.remaining_lower_hours, p.remaining_upper_hours, p.remaining_method,
         p.remaining_model, p.prediction, p.confidence, p.response_time_ms, p.contributing_features, p.id, p.created_at at time zone 'utc'"
    };
}

/// A list of predictions.
macro_rules! predictions {
    ($rows:literal) => {
        List {
            columns: columns!(),
            rows: $rows,
            id: Id::Uuid("p.sensor_id"),
            key: |PredictionSort::Timestamp| Key::Time("p.time"),
            total: Total::UpTo(10_000),
            one_plan: false,
        }
    };
}

lists! {
    /// Of all sensors.
    OF_ALL: PredictionSort = predictions!("
        from (select p.* from predictions p
              where p.time >= epoch_us($1) and p.time <= epoch_us($2) and ($3::text is null or p.status = $3)
                and p.sensor_id <> all (array(select sensor_id from deleted_sensors)){after}{first}) p");
    /// Of one sensor, or of all sensors of a machine.
    OF_SOME: PredictionSort = predictions!("
        from sensors s cross join lateral (
            select p.* from predictions p
            where p.sensor_id = s.id and p.time >= epoch_us($1) and p.time <= epoch_us($2)
              and ($3::text is null or p.status = $3){after}{first}) p
        where ($4::uuid is null or s.id = $4) and ($5::uuid is null or s.machine_id = $5)");
}

statements! {
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

/// A page of the predictions. The length of the whole is counted up to 10,000.
pub async fn list(
    db: &Db,
    filter: &PredictionFilter,
    query: &ListQuery<PredictionSort>,
) -> Result<Page<Prediction>, StoreError> {
    let mut params = vec![
        at(filter.start_time.unwrap_or(WIDEST.0)),
        at(filter.end_time.unwrap_or(WIDEST.1)),
        optional(filter.status, |status| text(status.as_str())),
    ];
    if filter.sensor_id.is_none() && filter.machine_id.is_none() {
        return OF_ALL.page(db, query, params, prediction).await;
    }
    params.extend([optional(filter.sensor_id, |s| id(s.0)), optional(filter.machine_id, |m| id(m.0))]);
    OF_SOME.page(db, query, params, prediction).await
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
pub async fn machine_beside(db: &Db, of: &Prediction) -> Result<Option<MachineAssessment>, StoreError> {
    db.first(MACHINE_BESIDE, vec![id(of.machine_id.0), at(of.timestamp)], |c| {
        let (score, shares) = (c.take()?, c.take::<serde_json::Value>()?);
        let shares: Vec<(SensorId, f64)> = serde_json::from_value(shares).unwrap_or_default();
        let share = |(sensor_id, share)| MachineShare { sensor_id, share };
        Ok(MachineAssessment { score, shares: shares.into_iter().map(share).collect() })
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
