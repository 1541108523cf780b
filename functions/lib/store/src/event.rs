//! What live listeners are told: the outbox, and the newest readings and predictions.

use crate::{Db, StoreError, statement::statements, value::at};
use pm_api::{
    Timestamp,
    event::{PredictionCreated, SensorDataCreated},
};
use pm_domain::rollup::PREDICTED_WITHIN_S;
use serde_json::Value;

statements! {
    NOW = "select now() at time zone 'utc', coalesce((select max(position) from outbox), 0)";
    OUTBOX_AFTER = "
        select position, event_type, data, created_at at time zone 'utc'
        from outbox where position > $1 order by position limit 500";
    LATEST_SINCE = "
        select l.sensor_id, s.machine_id, l.value, l.status, l.time at time zone 'utc', l.updated_at at time zone 'utc'
        from sensor_latest l join sensors s on s.id = l.sensor_id
        where l.updated_at > epoch_us($1) order by l.updated_at limit 2000";
    PREDICTIONS_SINCE = "
        select id, machine_id, sensor_id, status, prediction, score, confidence, time at time zone 'utc', anomaly_type,
               created_at at time zone 'utc'
        from predictions
        where created_at > epoch_us($1) and time > epoch_us($2)
        order by created_at limit 2000";
}

/// An event from the outbox.
#[derive(Debug, Clone)]
pub struct OutboxEvent {
    /// Its place in the order of events; a listener resumes after it.
    pub position: i64,
    /// E.g. `alarm.created`.
    pub event_type: String,
    /// What happened.
    pub data: Value,
    /// When.
    pub created_at: Timestamp,
}

/// The present of the database and the newest position.
pub async fn now(db: &Db) -> Result<(Timestamp, i64), StoreError> {
    db.one(NOW, vec![], |c| Ok((c.take()?, c.take()?))).await
}

/// Events after a position, in order, at most 500.
pub async fn outbox_after(db: &Db, position: i64) -> Result<Vec<OutboxEvent>, StoreError> {
    db.rows(OUTBOX_AFTER, vec![position.into()], |c| {
        Ok(OutboxEvent { position: c.take()?, event_type: c.take()?, data: c.take()?, created_at: c.take()? })
    })
    .await
}

/// Newest readings stored since `since`, with the time of storing.
pub async fn latest_since(
    db: &Db,
    since: Timestamp,
) -> Result<Vec<(SensorDataCreated, Timestamp)>, StoreError> {
    db.rows(LATEST_SINCE, vec![at(since)], |c| {
        let data = SensorDataCreated {
            sensor_id: c.take()?,
            machine_id: c.take()?,
            value: c.take()?,
            status: c.take()?,
            timestamp: c.take()?,
        };
        Ok((data, c.take()?))
    })
    .await
}

/// Predictions stored since `since`, with the time of storing.
pub async fn predictions_since(
    db: &Db,
    since: Timestamp,
) -> Result<Vec<(PredictionCreated, Timestamp)>, StoreError> {
    db.rows(PREDICTIONS_SINCE, vec![at(since), at(since.plus_seconds(-PREDICTED_WITHIN_S))], |c| {
        let data = PredictionCreated {
            id: c.take()?,
            machine_id: c.take()?,
            sensor_id: c.take()?,
            status: c.word()?,
            prediction: c.word()?,
            score: c.take()?,
            confidence: c.take()?,
            timestamp: c.take()?,
            anomaly_type: c.word()?,
        };
        Ok((data, c.take()?))
    })
    .await
}
