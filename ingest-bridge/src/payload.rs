//! From one MQTT message to readings. JSON, CSV and line protocol are read by [`pm_domain::payload`], which the API uses
//! too; [`sparkplug`] needs the births that the bridge has seen.

pub mod sparkplug;

pub use pm_domain::payload::belonging::MachineTopics;
pub use pm_domain::payload::{BatchBuilder, Mapping, Mappings, Message, Parsed, ParsedReading, parse};

use pm_api::Timestamp;
use pm_domain::payload::time;
use serde_json::Value;

/// Reads a time of a recording: ISO 8601 (one without zone is UTC), or a number, which may count from the start of the
/// recording.
///
/// # Errors
/// What is wrong with it.
pub fn recorded_time(text: &str) -> Result<Timestamp, String> {
    if let Some(us) = text.trim().parse().ok().and_then(|number| time::epoch(&number)) {
        return i64::try_from(us).map(Timestamp).map_err(|_| "timestamp: too large".to_owned());
    }
    time::read("timestamp", &Value::String(text.to_owned()), time::Zone::find("UTC").as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn every_number_survives(value: f64) {
            proptest::prop_assume!(value.is_finite());
            let payload = serde_json::json!({"machine_id": "m", "sensor_id": "s", "value": value}).to_string();
            let message = Message {
                topic: "a", payload: payload.as_bytes(), received_at: Timestamp(0), retained: false
            };
            let parsed = parse(message, &Mappings::default());
            proptest::prop_assert_eq!(parsed.readings.first().map(|r| r.value), Some(value));
        }
    }
}
