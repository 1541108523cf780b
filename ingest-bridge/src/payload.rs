//! From one MQTT message to readings: every documented payload form, one reading per value.
//!
//! | topic contains | form | sensors |
//! |---|---|---|
//! | `factory/` and `telemetry` | flat OPC UA keys | `opcua_temperature`, `opcua_vibration`, … |
//! | `sensors/` and `telemetry` | flat keys | the key, or `<sensor_id>.<key>` |
//! | anything else | `value` | `sensor_id` |
//! | anything else | `values` | the value's name, or `<sensor_id>.<name>` |
//!
//! A payload with `value` or `values` is read as such on any topic. A JSON array, or an object with an array
//! `batch`, holds one such object per element; elements inherit machine, time and location from the object
//! around them. Topics of Sparkplug B are read by [`sparkplug`]. A JSON null counts as absent. Nothing is averaged,
//! guessed or dropped in silence: an unreadable value becomes a dead letter whose reason names the field, and the other
//! values are kept.

mod element;
mod field;
pub mod sparkplug;

use pm_api::ingest::{DeadLetter, MAX_BATCH_READINGS, Reading, SensorRef};
use pm_api::{Quality, Timestamp};
use serde_json::{Map, Value};

/// Longest payload that is read, in bytes.
pub const MAX_PAYLOAD_BYTES: usize = 1024 * 1024;
/// Longest `metadata` object of a reading, in bytes of JSON.
pub const MAX_METADATA_BYTES: usize = 16 * 1024;
/// How much of an unreadable payload is kept, in bytes.
pub const MAX_DEAD_LETTER_BYTES: usize = 64 * 1024;

/// One message as the broker delivered it.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// Topic it was published on.
    pub topic: &'a str,
    /// What was published.
    pub payload: &'a [u8],
    /// Receive time, used where the payload has none. Element `i` of an array is dated `i` µs later, so that values
    /// of one sensor stay apart.
    pub received_at: Timestamp,
    /// Sent because of a new subscription, hence of unknown age.
    pub retained: bool,
}

/// One value with the sensor it belongs to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ParsedReading {
    /// Machine and sensor as the payload names them.
    pub sensor: SensorRef,
    /// When it was measured.
    pub time: Timestamp,
    /// The value; finite.
    pub value: f64,
    /// Status that the sender claims.
    pub status: Option<pm_api::ReadingStatus>,
    /// Quality that the sender claims.
    pub quality: Quality,
    /// Does the sender call it historical?
    pub historical: bool,
    /// Is `time` the time of receipt?
    pub dated_on_receipt: bool,
    /// Metadata, a JSON object as text.
    pub metadata: Option<String>,
}

impl ParsedReading {
    /// The sensor, and the reading as a batch holds it; its index is not set yet.
    #[must_use]
    pub fn split(self) -> (SensorRef, Reading) {
        let Self { sensor, time, value, status, quality, historical, dated_on_receipt, metadata } = self;
        let reading =
            Reading { sensor: 0, time, value, status, quality, historical, dated_on_receipt, metadata };
        (sensor, reading)
    }

    /// A reading of a batch with the sensor that its index stands for.
    #[must_use]
    pub fn join(sensor: SensorRef, reading: Reading) -> Self {
        let Reading { sensor: _, time, value, status, quality, historical, dated_on_receipt, metadata } =
            reading;
        Self { sensor, time, value, status, quality, historical, dated_on_receipt, metadata }
    }
}

/// The readings and dead letters of one message.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Parsed {
    /// The readable values, in the payload's order.
    pub readings: Vec<ParsedReading>,
    /// The rest.
    pub dead_letters: Vec<DeadLetter>,
}

impl Parsed {
    /// Has one of the readings or dead letters the time of receipt, because the payload has none?
    #[must_use]
    pub fn is_dated_by(&self, received_at: Timestamp) -> bool {
        let reserved = received_at.0..=received_at.0.saturating_add(MAX_BATCH_READINGS as i64);
        !self.dead_letters.is_empty() || self.readings.iter().any(|r| reserved.contains(&r.time.0))
    }
}

/// Reads a time as payloads may write it, ISO 8601 or a number.
///
/// # Errors
/// What is wrong with it.
pub fn time(text: &str) -> Result<Timestamp, String> {
    field::time(&Value::String(text.to_owned()))
}

/// Reads one message. Total: every input gives readings, dead letters or both.
#[must_use]
pub fn parse(message: Message<'_>) -> Parsed {
    let mut parsed = Parsed::default();
    if let Err(reason) = parse_into(message, &mut parsed) {
        parsed.dead_letters.push(dead_letter(message, message.payload, reason));
    }
    parsed
}

fn too_long(payload: &[u8]) -> Result<(), String> {
    let length = payload.len();
    if length <= MAX_PAYLOAD_BYTES {
        return Ok(());
    }
    Err(format!("payload: {length} bytes, more than {MAX_PAYLOAD_BYTES}"))
}

fn parse_into(message: Message<'_>, parsed: &mut Parsed) -> Result<(), String> {
    too_long(message.payload)?;
    let text = std::str::from_utf8(message.payload)
        .map_err(|e| format!("payload: not UTF-8 after byte {}", e.valid_up_to()))?;
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Err("payload: empty".to_owned());
    }
    let value: Value = serde_json::from_str(text).map_err(|e| format!("payload: not JSON: {e}"))?;
    match value {
        Value::Array(elements) => array(message, "", &elements, &Map::new(), parsed),
        Value::Object(object) => match object.get("batch") {
            Some(Value::Array(elements)) => array(message, "batch", elements, &object, parsed),
            _ => {
                let reasons = element::read(message, &object, &Map::new(), 0, &mut parsed.readings);
                if reasons.is_empty() { Ok(()) } else { Err(joined(&reasons, "")) }
            }
        },
        _ => Err("payload: neither a JSON object nor an array".to_owned()),
    }
}

fn array(
    message: Message<'_>,
    name: &str,
    elements: &[Value],
    around: &Map<String, Value>,
    parsed: &mut Parsed,
) -> Result<(), String> {
    if elements.is_empty() {
        return Err(format!("{}: an empty array", if name.is_empty() { "payload" } else { name }));
    }
    if elements.len() > MAX_BATCH_READINGS {
        return Err(format!(
            "{}: {} elements, more than {MAX_BATCH_READINGS}",
            if name.is_empty() { "payload" } else { name },
            elements.len()
        ));
    }
    for (index, element) in elements.iter().enumerate() {
        let reasons = match element {
            Value::Object(object) => {
                element::read(message, object, around, index as i64, &mut parsed.readings)
            }
            _ => vec!["not a JSON object".to_owned()],
        };
        if !reasons.is_empty() {
            let reason = joined(&reasons, &format!("{name}[{index}] "));
            parsed.dead_letters.push(dead_letter(message, element.to_string().as_bytes(), reason));
        }
    }
    Ok(())
}

/// One sentence out of the reasons of one object, each with its place; at most eight are spelled out.
fn joined(reasons: &[String], place: &str) -> String {
    const SPELLED_OUT: usize = 8;
    let mut text = String::new();
    for reason in reasons.iter().take(SPELLED_OUT) {
        if !text.is_empty() {
            text.push_str("; ");
        }
        text.push_str(place);
        text.push_str(reason);
    }
    if reasons.len() > SPELLED_OUT {
        text.push_str(&format!("; and {} more", reasons.len() - SPELLED_OUT));
    }
    text
}

fn dead_letter(message: Message<'_>, payload: &[u8], reason: String) -> DeadLetter {
    DeadLetter {
        topic: field::clean(message.topic),
        payload: payload[..payload.len().min(MAX_DEAD_LETTER_BYTES)].to_vec(),
        reason: field::clean(&reason),
        count: 1,
        received_at: message.received_at,
    }
}

#[cfg(test)]
mod tests;
