//! Dead letters about readings of a batch: one for each topic and reason, with the number of readings and the last of them.

use pm_api::{
    Timestamp,
    ingest::{DeadLetter, Reading, SensorRef},
};
use serde_json::{Value, json};
use std::{borrow::Cow, collections::BTreeMap};

/// The topic of readings that came by HTTP.
const HTTP_TOPIC: &str = "(http)";

/// Collects readings that their sender has to be told of.
#[derive(Default)]
pub(crate) struct Letters<'b> {
    by_cause: BTreeMap<(&'b str, Cow<'static, str>), (u32, &'b SensorRef, &'b Reading)>,
}

impl<'b> Letters<'b> {
    pub(crate) fn add(
        &mut self,
        sensor: &'b SensorRef,
        reading: &'b Reading,
        reason: impl Into<Cow<'static, str>>,
    ) {
        let topic = sensor.topic.as_deref().unwrap_or(HTTP_TOPIC);
        let last = self.by_cause.entry((topic, reason.into())).or_insert((0, sensor, reading));
        *last = (last.0 + 1, sensor, reading);
    }

    /// How many readings were collected.
    pub(crate) fn readings(&self) -> u64 {
        self.by_cause.values().map(|(count, ..)| u64::from(*count)).sum()
    }

    pub(crate) fn into_letters(self, now: Timestamp) -> Vec<DeadLetter> {
        let letter =
            |((topic, reason), (count, sensor, reading)): ((&str, Cow<'static, str>), _)| DeadLetter {
                topic: topic.to_owned(),
                payload: payload(sensor, reading),
                reason: reason.into_owned(),
                count,
                received_at: now,
            };
        self.by_cause.into_iter().map(letter).collect()
    }
}

/// The reading in the form that a sender may publish again.
fn payload(sensor: &SensorRef, reading: &Reading) -> Vec<u8> {
    let metadata = reading.metadata.as_deref().and_then(|m| serde_json::from_str::<Value>(m).ok());
    let payload = json!({
        "machine_id": sensor.machine, "sensor_id": sensor.sensor, "timestamp": reading.time,
        "value": reading.value, "unit": sensor.unit, "metadata": metadata,
    });
    payload.to_string().into_bytes()
}
