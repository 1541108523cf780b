//! Readings by HTTP. They go the way of all readings, so they are judged, scored and alarmed alike.

use http::StatusCode;
use pm_api::{
    MachineId, Metadata, ReadingStatus, SensorId, Timestamp,
    ingest::{BATCH_CONTENT_TYPE, Batch, BatchReport, MAX_BATCH_READINGS, Reading, SensorRef},
};
use pm_domain::freshness::{Freshness, freshness};
use pm_store::{Db, reading, sensor};
use pm_web::{Call, Fields, Outcome, Peer, Refusal, all_valid, json, now, variable};
use std::collections::HashMap;

/// A checked body.
struct New {
    sensor_id: SensorId,
    machine_id: Option<MachineId>,
    time: Timestamp,
    value: f64,
    status: Option<ReadingStatus>,
    metadata: Option<Metadata>,
}

fn new(mut fields: Fields, now: Timestamp) -> Result<New, Refusal> {
    let sensor_id = fields.required_id("sensor_id");
    let machine_id = fields.id("machine_id");
    let time = fields.required_time("timestamp");
    let value = fields.required_number("value");
    if time.is_some_and(|t| freshness(t, now) == Freshness::Future) {
        fields.refuse("value_error", "timestamp", "Input should lie between 1970 and ten minutes from now");
    }
    let (status, metadata) = (fields.word("status"), fields.object(&["metadata"]).flatten());
    fields.end()?;
    match (sensor_id, time, value) {
        (Some(sensor_id), Some(time), Some(value)) => {
            Ok(New { sensor_id, machine_id, time, value, status, metadata })
        }
        _ => Err(Refusal::Internal("a required field is missing unnoticed".to_owned())),
    }
}

/// `POST /sensor-data`: 201 with the stored reading; 200 with the stored reading if just this one is stored already; 409
/// if the sensor has another value at this time.
pub(crate) async fn one(call: &Call) -> Outcome {
    let new = new(call.fields()?, now())?;
    let db = call.db().await?;
    call.actor(&db).await?;
    let (sensor_id, time, value) = (new.sensor_id, new.time, new.value);
    let report = send(&batch(&db, vec![new]).await?).await?;
    let stored = reading::get(&db, sensor_id, time).await?;
    let stored = stored.ok_or_else(|| Refusal::Unavailable("the reading was not stored".to_owned()))?;
    match report {
        BatchReport { duplicates: 0, .. } => Ok(json(StatusCode::CREATED, &stored)),
        _ if stored.value == value => Ok(json(StatusCode::OK, &stored)),
        _ => Err(Refusal::Conflict(format!("The sensor has the value {} at this time", stored.value))),
    }
}

/// `POST /sensor-data/batch`: 201 with what became of the readings. Those that are stored already, by sensor and time, are
/// counted as duplicates and stay as they are.
pub(crate) async fn many(call: &Call) -> Outcome {
    let now = now();
    let items = call.fields()?.list_in("readings", MAX_BATCH_READINGS)?;
    let readings = all_valid(items.into_iter().map(|fields| new(fields, now)))?;
    let db = call.db().await?;
    call.actor(&db).await?;
    Ok(json(StatusCode::CREATED, &send(&batch(&db, readings).await?).await?))
}

/// The batch that `ingest` takes; every sensor must exist, on the machine that is named.
async fn batch(db: &Db, readings: Vec<New>) -> Result<Batch, Refusal> {
    let mut index: HashMap<SensorId, u32> = HashMap::new();
    for reading in &readings {
        let next = u32::try_from(index.len()).unwrap_or(u32::MAX);
        index.entry(reading.sensor_id).or_insert(next);
    }
    let ids: Vec<_> = index.keys().copied().collect();
    let machines: HashMap<_, _> = sensor::machines_of(db, &ids).await?.into_iter().collect();
    let several = readings.len() > 1;
    let mut sensors = vec![SensorRef::default(); index.len()];
    let mut batch = Batch::default();
    for (i, new) in readings.into_iter().enumerate() {
        let machine = machines.get(&new.sensor_id);
        let (Some(machine), Some(&sensor)) = (machine, index.get(&new.sensor_id)) else {
            return Err(unknown("sensor_id", "There is no sensor with this id", i, several, new.sensor_id));
        };
        if let Some(other) = new.machine_id.filter(|m| m != machine) {
            return Err(unknown("machine_id", "The sensor is not of this machine", i, several, other));
        }
        if let Some(slot) = sensors.get_mut(sensor as usize) {
            *slot = SensorRef {
                machine: machine.to_string(),
                sensor: new.sensor_id.to_string(),
                ..SensorRef::default()
            };
        }
        batch.readings.push(Reading {
            sensor,
            time: new.time,
            value: new.value,
            status: new.status,
            metadata: new.metadata.map(|m| serde_json::Value::Object(m).to_string()),
            ..Reading::default()
        });
    }
    batch.sensors = sensors;
    Ok(batch)
}

fn unknown(field: &str, message: &str, i: usize, several: bool, input: impl ToString) -> Refusal {
    let index = i.to_string();
    let place: &[&str] = if several { &["body", "readings", &index, field] } else { &["body", field] };
    Refusal::field("value_error", place, message, input.to_string().into())
}

/// Hands a batch to `ingest`.
pub(crate) async fn send(batch: &Batch) -> Result<BatchReport, Refusal> {
    let token = variable("component_token").await?;
    Peer("ingest")
        .post_postcard_for_json("/internal/ingest", batch, BATCH_CONTENT_TYPE, Some(&token))
        .await
        .map_err(|e| Refusal::Unavailable(format!("ingest {e}")))
}
