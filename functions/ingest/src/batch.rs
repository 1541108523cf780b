//! Reading and checking a batch. What is wrong with one reading costs that reading only, and it goes to the dead
//! letters with its reason; only a batch that cannot be decoded is refused as a whole.

use pm_api::{
    Timestamp,
    ingest::{Batch, DeadLetter, MAX_BATCH_READINGS, MAX_NAME_BYTES, Reading, SensorRef},
};
use pm_domain::freshness::{Freshness, freshness};
use pm_web::Refusal;
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// Topic under which a refused reading stands in the dead letters.
const REFUSED_TOPIC: &str = "ingest";

/// A batch whose readings can all be stored.
pub(crate) struct Checked {
    pub(crate) sensors: Vec<SensorRef>,
    pub(crate) readings: Vec<Reading>,
    pub(crate) dead_letters: Vec<DeadLetter>,
    /// Readings moved to the dead letters here.
    pub(crate) refused: u64,
    /// Readings that stood twice in the batch.
    pub(crate) doubled: u64,
}

pub(crate) fn read(body: &[u8], now: Timestamp) -> Result<Checked, Refusal> {
    let malformed = |message: String| Refusal::field("value_error", &["body"], message, Value::Null);
    let batch: Batch = postcard::from_bytes(body).map_err(|e| malformed(format!("not a batch: {e}")))?;
    if batch.readings.len() > MAX_BATCH_READINGS {
        return Err(malformed(format!("a batch has at most {MAX_BATCH_READINGS} readings")));
    }
    if batch.readings.iter().any(|r| batch.sensors.get(r.sensor as usize).is_none()) {
        return Err(malformed("a reading points to a sensor that the batch does not name".to_owned()));
    }
    Ok(check(batch, now))
}

fn check(batch: Batch, now: Timestamp) -> Checked {
    let Batch { sensors, readings, mut dead_letters } = batch;
    let mut kept = Vec::with_capacity(readings.len());
    let mut seen = HashSet::with_capacity(readings.len());
    let (mut refused, mut doubled) = (0, 0);
    for reading in readings {
        let Some(sensor) = sensors.get(reading.sensor as usize) else { continue };
        match problem(sensor, &reading, now) {
            Some(reason) => {
                dead_letters.push(letter(sensor, &reading, reason, now));
                refused += 1;
            }
            None if seen.insert((reading.sensor, reading.time)) => kept.push(reading),
            None => doubled += 1,
        }
    }
    // sensors without a good reading are not registered
    let used: HashSet<u32> = kept.iter().map(|r| r.sensor).collect();
    let mut index = vec![0; sensors.len()];
    let mut named = Vec::with_capacity(used.len());
    for (old, sensor) in (0_u32..).zip(sensors) {
        if used.contains(&old) {
            index[old as usize] = named.len() as u32;
            named.push(sensor);
        }
    }
    for reading in &mut kept {
        reading.sensor = index[reading.sensor as usize];
    }
    Checked { sensors: named, readings: kept, dead_letters, refused, doubled }
}

/// What makes a reading unusable; names the field.
fn problem(sensor: &SensorRef, reading: &Reading, now: Timestamp) -> Option<String> {
    for (field, name) in [("machine_id", &sensor.machine), ("sensor_id", &sensor.sensor)] {
        if name.trim().is_empty() || name.len() > MAX_NAME_BYTES || name.contains('\0') {
            return Some(format!("{field}: must have 1 to {MAX_NAME_BYTES} bytes and no NUL"));
        }
    }
    let texts =
        [("sensor_type", &sensor.sensor_type), ("unit", &sensor.unit), ("location", &sensor.location)];
    for (field, text) in texts {
        if text.as_ref().is_some_and(|t| t.contains('\0')) {
            return Some(format!("{field}: must not contain NUL"));
        }
    }
    if !reading.value.is_finite() {
        return Some("value: must be a finite number".to_owned());
    }
    if freshness(reading.time, now) == Freshness::Future {
        return Some(format!("timestamp: {} is not within 1970 and 10 minutes from now", reading.time));
    }
    let metadata = reading.metadata.as_deref()?;
    match serde_json::from_str::<Map<String, Value>>(metadata) {
        Ok(_) if metadata.contains("\\u0000") => Some("metadata: must not contain NUL".to_owned()),
        Ok(_) => None,
        Err(error) => Some(format!("metadata: not a JSON object: {error}")),
    }
}

fn letter(sensor: &SensorRef, reading: &Reading, reason: String, now: Timestamp) -> DeadLetter {
    let payload = json!({
        "machine_id": sensor.machine, "sensor_id": sensor.sensor, "timestamp": reading.time,
        "value": reading.value, "metadata": reading.metadata,
    });
    DeadLetter {
        topic: REFUSED_TOPIC.to_owned(),
        payload: payload.to_string().into_bytes(),
        reason,
        count: 1,
        received_at: now,
    }
}
