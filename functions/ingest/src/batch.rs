//! Reading a batch, and checking what makes a reading unusable whatever its sensor is. What is wrong with one reading costs
//! that reading only; only a batch that cannot be decoded is refused as a whole.

use crate::letters::Letters;
use pm_api::{
    Timestamp,
    ingest::{Batch, MAX_BATCH_READINGS, MAX_NAME_BYTES, Reading, SensorRef},
};
use pm_domain::reading::{Admission, Claim, admit};
use pm_web::Refusal;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// A batch of which some readings cannot be stored.
pub(crate) struct Checked<'b> {
    pub(crate) batch: &'b Batch,
    /// The readings that may be stored, by their indices.
    pub(crate) usable: Vec<usize>,
    /// The sensors of these readings, by their indices: others are not registered.
    pub(crate) wanted: Vec<usize>,
    /// The other readings.
    pub(crate) refused: Letters<'b>,
}

/// Decodes a batch; every reading points to a sensor of it.
pub(crate) fn read(body: &[u8]) -> Result<Batch, Refusal> {
    let malformed = |message: String| Refusal::field("value_error", &["body"], message, Value::Null);
    let batch: Batch = postcard::from_bytes(body).map_err(|e| malformed(format!("not a batch: {e}")))?;
    if batch.readings.len() > MAX_BATCH_READINGS {
        return Err(malformed(format!("a batch has at most {MAX_BATCH_READINGS} readings")));
    }
    if batch.readings.iter().any(|r| batch.sensors.get(r.sensor as usize).is_none()) {
        return Err(malformed("a reading points to a sensor that the batch does not name".to_owned()));
    }
    Ok(batch)
}

/// Separates the readings that cannot be stored, whatever their sensors are.
pub(crate) fn check(batch: &Batch, now: Timestamp) -> Checked<'_> {
    let mut usable = Vec::with_capacity(batch.readings.len());
    let mut is_wanted = vec![false; batch.sensors.len()];
    let mut refused = Letters::default();
    for (index, reading) in batch.readings.iter().enumerate() {
        let Some(sensor) = batch.sensors.get(reading.sensor as usize) else { continue };
        let impossible = || match admit(claim(reading), None, now) {
            Admission::Refused(reason) => Some(Cow::from(reason)),
            Admission::Stored { .. } => None,
        };
        match problem(sensor, reading).map(Cow::from).or_else(impossible) {
            Some(reason) => refused.add(sensor, reading, reason),
            None => {
                usable.push(index);
                is_wanted[reading.sensor as usize] = true;
            }
        }
    }
    let wanted = (0..batch.sensors.len()).filter(|&sensor| is_wanted[sensor]).collect();
    Checked { batch, usable, wanted, refused }
}

/// What a reading says about its time and quality.
pub(crate) fn claim(reading: &Reading) -> Claim {
    Claim {
        time: reading.time,
        quality: reading.quality,
        historical: reading.historical,
        dated_on_receipt: reading.dated_on_receipt,
    }
}

/// What makes a reading unusable; names the field.
fn problem(sensor: &SensorRef, reading: &Reading) -> Option<String> {
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
    let metadata = reading.metadata.as_deref()?;
    match serde_json::from_str::<Map<String, Value>>(metadata) {
        Ok(_) if metadata.contains("\\u0000") => Some("metadata: must not contain NUL".to_owned()),
        Ok(_) => None,
        Err(error) => Some(format!("metadata: not a JSON object: {error}")),
    }
}
