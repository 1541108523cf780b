//! Readings by HTTP. They go the way of all readings, so they are evaluated, scored and alarmed alike.

use pm_api::{
    Quality, SensorId, Timestamp,
    error::FieldError,
    ingest::{Batch, BatchReport, Reading, SensorRef},
    input::MAX_FAULTS,
    route::op,
    sensor_data::{NewReading, SensorData},
};
use pm_domain::freshness::{Freshness, freshness};
use pm_store::{Db, reading, sensor};
use pm_web::{Input, Refusal, Stored, ingest, now};
use serde_json::Value;
use std::collections::HashMap;

/// `POST /sensor-data`: 201 with the stored reading; 200 with the stored reading if just this one is stored already; 409
/// if the sensor has another value at this time.
pub(crate) async fn one(input: Input<op::CreateSensorData>) -> Result<Stored<SensorData>, Refusal> {
    let readings = std::slice::from_ref(&input.body);
    check_times(readings, &["body"], now())?;
    let db = input.db().await?;
    input.actor(&db).await?;
    let report = ingest(&batch(&db, readings, &["body"]).await?).await?;
    let stored = reading::get(&db, input.body.sensor_id, input.body.timestamp).await?;
    let stored = stored.ok_or_else(|| Refusal::Unavailable("the reading was not stored".to_owned()))?;
    match report {
        BatchReport { conflicts: 0, duplicates: 0, .. } => Ok(Stored::New(stored)),
        BatchReport { conflicts: 0, .. } => Ok(Stored::Known(stored)),
        _ => Err(Refusal::Conflict(format!("The sensor has the value {} at this time", stored.value))),
    }
}

/// `POST /sensor-data/batch`: 201 with what became of the readings. Those that are stored already, by sensor and time, stay
/// as they are: they are counted as duplicates, or as conflicts if their values differ.
pub(crate) async fn many(input: Input<op::CreateSensorDataBatch>) -> Result<BatchReport, Refusal> {
    let place = &["body", "readings"];
    check_times(&input.body.readings, place, now())?;
    let db = input.db().await?;
    input.actor(&db).await?;
    ingest(&batch(&db, &input.body.readings, place).await?).await
}

/// The place of a field of the reading `index`; a body that is a reading itself has no index.
fn fault(place: &[&str], index: usize, field: &str, message: &str, input: impl ToString) -> FieldError {
    let mut fault = FieldError::new("value_error", place, message, input.to_string().into());
    if place.len() > 1 {
        fault.loc.push(index.into());
    }
    fault.loc.push(field.into());
    fault
}

fn check_times(readings: &[NewReading], place: &[&str], now: Timestamp) -> Result<(), Refusal> {
    let impossible = |(index, reading): (usize, &NewReading)| match freshness(reading.timestamp, now) {
        Freshness::Refused(fault_of_clock) => {
            let reason = fault_of_clock.reason().trim_start_matches("timestamp: ");
            let message = format!("Input should lie between 2001 and ten minutes from now: it is {reason}");
            Some(fault(place, index, "timestamp", &message, reading.timestamp))
        }
        _ => None,
    };
    let faults: Vec<_> = readings.iter().enumerate().filter_map(impossible).take(MAX_FAULTS).collect();
    if faults.is_empty() { Ok(()) } else { Err(Refusal::Invalid(faults)) }
}

/// The batch that `ingest` takes; every sensor must exist, on the machine that is named.
async fn batch(db: &Db, readings: &[NewReading], place: &[&str]) -> Result<Batch, Refusal> {
    let ids: Vec<_> = readings.iter().map(|r| r.sensor_id).collect();
    let machines: HashMap<_, _> = sensor::machines_of(db, &ids).await?.into_iter().collect();
    let mut index: HashMap<(SensorId, Option<&str>), u32> = HashMap::new();
    let mut batch = Batch::default();
    let invalid = |fault| Err(Refusal::Invalid(vec![fault]));
    for (i, new) in readings.iter().enumerate() {
        let Some(machine) = machines.get(&new.sensor_id) else {
            return invalid(fault(place, i, "sensor_id", "There is no sensor with this id", new.sensor_id));
        };
        if let Some(other) = new.machine_id.filter(|m| m != machine) {
            return invalid(fault(place, i, "machine_id", "The sensor is not of this machine", other));
        }
        let unit = new.unit.as_deref();
        let sensor = *index.entry((new.sensor_id, unit)).or_insert_with(|| {
            batch.sensors.push(SensorRef {
                machine: machine.to_string(),
                sensor: new.sensor_id.to_string(),
                unit: unit.map(str::to_owned),
                ..SensorRef::default()
            });
            batch.sensors.len() as u32 - 1
        });
        batch.readings.push(Reading {
            sensor,
            time: new.timestamp,
            value: new.value.0,
            status: new.status,
            quality: new.quality.unwrap_or(Quality::Good),
            historical: new.historical.is_some_and(|flag| flag.0),
            dated_on_receipt: false,
            replaces: false,
            metadata: new.metadata.clone().map(|m| Value::Object(m).to_string()),
        });
    }
    Ok(batch)
}
