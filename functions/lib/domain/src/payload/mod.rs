//! From one MQTT message to readings, one for each value.
//!
//! A payload is read in this order; the first that fits counts:
//!
//! 1. by the [`mapping`] that people made for its topic;
//! 2. as the plain form ([`element`]), which names its machine: `{"machine_id", "sensor_id", "value"}`, `values`, `batch`;
//! 3. by one of the built-in mappings ([`builtin`]), where the form is unmistakable;
//! 4. as flat numbers of the machine that the topic names (`sensors/+/telemetry`, `factory/+/telemetry`).
//!
//! Invariants: no value vanishes. It becomes a reading, or it is named in [`Parsed::ignored`], or a dead letter says why
//! it cannot be used. A value of doubtful quality is passed on with its quality. One message gives at most one dead
//! letter. Nothing is averaged or guessed. Every input ends, without a panic, in memory bounded by its size.
//!
//! Deliberately absent: Sparkplug B, which has a state (`ingest-bridge/src/payload/sparkplug`).

mod batch;
pub mod belonging;
pub mod builtin;
mod element;
pub mod field;
mod fields;
mod influx;
mod json;
mod lines;
pub mod mapping;
pub mod quality;
mod rows;
mod same_time;
mod senml;
mod shared;
mod table;
mod template;
pub mod time;
mod unread;
mod value;

pub use batch::BatchBuilder;
pub use lines::{LineFault, Part, parse_history, parse_lines};
pub use mapping::{Mapping, Mappings};
pub use shared::RETAINED_WITHOUT_TIME;

use pm_api::ingest::{DeadLetter, MAX_BATCH_READINGS, Reading, SensorRef};
use pm_api::{Quality, SameTime, Timestamp};
use serde_json::{Map, Value};

/// Longest payload that is read, in bytes.
pub const MAX_PAYLOAD_BYTES: usize = 1024 * 1024;
/// Longest `metadata` object of a reading, in bytes of JSON.
pub const MAX_METADATA_BYTES: usize = 16 * 1024;
/// How much of an unreadable payload is stored, in bytes.
pub const MAX_DEAD_LETTER_BYTES: usize = 64 * 1024;
/// Most names that [`Parsed::ignored`] holds for one message.
pub const MAX_IGNORED_NAMES: usize = 32;
/// Most reasons that a dead letter spells out.
const MAX_REASONS: usize = 8;

/// One message as the broker delivered it.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// Topic it was published on.
    pub topic: &'a str,
    /// What was published.
    pub payload: &'a [u8],
    /// Receive time, used where the payload has none. Later values of a sensor in the same message are dated 1 µs later
    /// each, so that they stay apart and in order.
    pub received_at: Timestamp,
    /// Sent because of a new subscription, hence of unknown age.
    pub retained: bool,
}

/// Where the time of a reading comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeOrigin {
    /// From the value itself.
    #[default]
    Value,
    /// From the message around it.
    Message,
    /// From the value or the message, to the second; within the second from the order and the receipt.
    Spread,
    /// From the receipt; the payload has none.
    Receipt,
}

/// One value with the sensor it belongs to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ParsedReading {
    /// Machine and sensor as the payload names them.
    pub sensor: SensorRef,
    /// When it was measured.
    pub time: Timestamp,
    /// Where `time` comes from.
    pub time_origin: TimeOrigin,
    /// The value; finite.
    pub value: f64,
    /// Status that the sender claims.
    pub status: Option<pm_api::ReadingStatus>,
    /// Quality that the sender claims.
    pub quality: Quality,
    /// Does the sender call it historical?
    pub historical: bool,
    /// Metadata, a JSON object as text.
    pub metadata: Option<String>,
    /// Does it replace another value that the sensor has at this time?
    pub replaces: bool,
}

impl ParsedReading {
    /// The sensor, and the reading as a batch holds it; its index is not set yet.
    #[must_use]
    pub fn split(self) -> (SensorRef, Reading) {
        let Self { sensor, time, time_origin, value, status, quality, historical, metadata, replaces } = self;
        let dated_on_receipt = time_origin == TimeOrigin::Receipt;
        let reading = Reading {
            sensor: 0,
            time,
            value,
            status,
            quality,
            historical,
            dated_on_receipt,
            metadata,
            replaces,
        };
        (sensor, reading)
    }

    /// A reading of a batch with the sensor that its index stands for.
    #[must_use]
    pub fn join(sensor: SensorRef, reading: Reading) -> Self {
        let Reading {
            sensor: _,
            time,
            value,
            status,
            quality,
            historical,
            dated_on_receipt,
            metadata,
            replaces,
        } = reading;
        let time_origin = if dated_on_receipt { TimeOrigin::Receipt } else { TimeOrigin::Value };
        Self { sensor, time, time_origin, value, status, quality, historical, metadata, replaces }
    }
}

/// What one message gives.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Parsed {
    /// The readable values, in the payload's order.
    pub readings: Vec<ParsedReading>,
    /// The values that cannot be used, with the reasons.
    pub dead_letter: Option<DeadLetter>,
    /// Names of what is no measured value or says that there is none, each once; at most [`MAX_IGNORED_NAMES`].
    pub ignored: Vec<String>,
}

impl Parsed {
    /// Does the time of a reading or of the dead letter depend on the time of receipt?
    #[must_use]
    pub fn is_dated_on_receipt(&self) -> bool {
        let depends = |r: &ParsedReading| matches!(r.time_origin, TimeOrigin::Receipt | TimeOrigin::Spread);
        self.dead_letter.is_some() || self.readings.iter().any(depends)
    }
}

/// How a source writes its values, where the payload does not say it.
#[derive(Debug, Clone, Default)]
pub struct Style {
    /// Zone of times without one.
    pub zone: Option<time::Zone>,
    /// `12,5` is a number; points separate thousands.
    pub decimal_comma: bool,
    /// What becomes of several values of a sensor at the same time.
    pub same_time: SameTime,
}

/// Reads one message. Total: every input but an empty one gives readings, ignored names or a dead letter.
#[must_use]
pub fn parse(message: Message<'_>, mappings: &Mappings) -> Parsed {
    // a retained message that was cleared
    if message.payload.is_empty() {
        return Parsed::default();
    }
    let mapping = mappings.of_topic(message.topic);
    let default_style = Style::default();
    let style = mapping.map_or(&default_style, |mapping| &mapping.style);
    let mut reader = Reader::new(message, style);
    if let Err(reason) = read(&mut reader, mapping) {
        reader.fault(reason);
    }
    reader.finish()
}

fn read(reader: &mut Reader<'_>, mapping: Option<&Mapping>) -> Result<(), String> {
    check_length(reader.message.payload)?;
    let text = json::text(reader.message.payload)?;
    let Some(mapping) = mapping.filter(|mapping| mapping.maps_values()) else {
        return match json::read(text) {
            Ok(json::Read { value, leftover }) => {
                reader.ignore_leftover(leftover);
                read_value(reader, &value)
            }
            Err(reason) => match table::unmistakable(text).or_else(|| influx::unmistakable(text)) {
                Some(rows) => read_rows(reader, rows?),
                None => Err(format!("payload: not JSON: {reason}")),
            },
        };
    };
    mapping.read(reader, text)
}

/// Reads an object or array by the mapping that people made, else by its form.
fn read_mapped(reader: &mut Reader<'_>, mapping: Option<&Mapping>, value: &Value) -> Result<(), String> {
    match mapping.filter(|mapping| mapping.maps_values()) {
        Some(mapping) => mapping.read_value(reader, value),
        None => read_value(reader, value),
    }
}

/// Reads what a decoder made of lines.
fn read_rows(reader: &mut Reader<'_>, rows: rows::Rows) -> Result<(), String> {
    let Some(rows) = rows.take(reader)? else { return Ok(()) };
    read_value(reader, &rows)
}

fn read_value(reader: &mut Reader<'_>, value: &Value) -> Result<(), String> {
    match value {
        Value::Object(object) if element::is_plain(object) => read_object(reader, object),
        Value::Array(elements) if elements.iter().take(2).any(names_machine) => {
            element::read_array(reader, "", elements, &Map::new())
        }
        Value::Array(elements) if elements.is_empty() => Err("payload: an empty array".to_owned()),
        Value::Object(_) | Value::Array(_) => read_form(reader, value),
        _ => Err("payload: neither a JSON object nor an array; a mapping of the topic can name its machine and sensor"
            .to_owned()),
    }
}

fn names_machine(element: &Value) -> bool {
    element.as_object().is_some_and(element::is_plain)
}

/// A payload that names no machine in the plain way.
fn read_form(reader: &mut Reader<'_>, value: &Value) -> Result<(), String> {
    if let Some(rows) = senml::unmistakable(value, reader.message.received_at) {
        return read_rows(reader, rows?);
    }
    let flat_by_topic = element::flat_form(reader.message.topic).is_some();
    if let Some(mapping) = builtin::of_payload(reader.message.topic, value, flat_by_topic) {
        return mapping.read_value(reader, value);
    }
    match value {
        Value::Object(object) => read_object(reader, object),
        Value::Array(elements) => element::read_array(reader, "", elements, &Map::new()),
        _ => Ok(()),
    }
}

fn read_object(reader: &mut Reader<'_>, object: &Map<String, Value>) -> Result<(), String> {
    match element::array_of(object) {
        Some((name, elements)) => element::read_array(reader, name, elements, object),
        None => {
            element::read(reader, object);
            Ok(())
        }
    }
}

/// Checks the length of a payload.
///
/// # Errors
/// It is longer than [`MAX_PAYLOAD_BYTES`].
pub fn check_length(payload: &[u8]) -> Result<(), String> {
    let length = payload.len();
    if length <= MAX_PAYLOAD_BYTES {
        return Ok(());
    }
    Err(format!("payload: {length} bytes, more than {MAX_PAYLOAD_BYTES}"))
}

/// Collects what a message gives.
#[derive(Debug)]
pub struct Reader<'a> {
    /// The message.
    pub message: Message<'a>,
    /// How its source writes values.
    pub style: &'a Style,
    readings: Vec<ParsedReading>,
    ignored: Vec<String>,
    reasons: Vec<String>,
    faults: u32,
    /// May a sensor occur more than once?
    several: bool,
    /// Is each element a line of its own, so that its time is that of its values?
    of_lines: bool,
    /// Why each line that is not read completely is not; `None` where nobody asks.
    line_faults: Option<Vec<LineFault>>,
    /// The line that is read, counted from 1.
    line: usize,
}

impl<'a> Reader<'a> {
    /// Nothing yet.
    #[must_use]
    pub fn new(message: Message<'a>, style: &'a Style) -> Self {
        Self {
            message,
            style,
            readings: Vec::new(),
            ignored: Vec::new(),
            reasons: Vec::new(),
            faults: 0,
            several: false,
            of_lines: false,
            line_faults: None,
            line: 0,
        }
    }

    /// A sensor may occur more than once: values without a time of their own are to stay apart.
    pub fn values_may_repeat(&mut self) {
        self.several = true;
    }

    /// Adds a reading.
    ///
    /// # Errors
    /// The message has more than [`MAX_BATCH_READINGS`].
    pub fn add(&mut self, mut reading: ParsedReading) -> Result<(), String> {
        if self.readings.len() >= MAX_BATCH_READINGS {
            return Err(format!("value: the message has more than {MAX_BATCH_READINGS}"));
        }
        reading.sensor.topic = Some(field::clean(self.message.topic));
        self.readings.push(reading);
        Ok(())
    }

    /// Notes a value that cannot be used.
    pub fn fault(&mut self, reason: String) {
        self.faults = self.faults.saturating_add(1);
        if let Some(faults) = &mut self.line_faults
            && faults.len() < lines::MAX_LINE_FAULTS
        {
            let fault = LineFault { line: self.line, reason: reason.clone() };
            // the values of a line often have the same fault
            if faults.last() != Some(&fault) {
                faults.push(fault);
            }
        }
        if self.reasons.len() < MAX_REASONS && !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }

    /// Notes something that is no measured value.
    pub fn ignore(&mut self, name: &str) {
        if self.ignored.len() < MAX_IGNORED_NAMES && !self.ignored.iter().any(|known| known == name) {
            self.ignored.push(field::short_label(name));
        }
    }

    fn ignore_leftover(&mut self, bytes: usize) {
        if bytes > 0 {
            self.ignore("(bytes after the end of the JSON)");
        }
    }

    /// The readings, the ignored names and the dead letter.
    #[must_use]
    pub fn finish(mut self) -> Parsed {
        match self.style.same_time {
            SameTime::Conflict => {}
            SameTime::Last => same_time::keep_last(&mut self.readings),
            SameTime::Spread => same_time::spread(&mut self.readings, self.message.received_at),
        }
        if self.several {
            same_time::keep_apart(&mut self.readings);
        }
        let dead_letter = (self.faults > 0).then(|| {
            let mut reason = self.reasons.join("; ");
            let more = self.faults - self.reasons.len() as u32;
            if more > 0 {
                reason.push_str(&format!("; and {more} more"));
            }
            dead_letter(self.message, &reason, self.faults)
        });
        Parsed { readings: self.readings, dead_letter, ignored: self.ignored }
    }
}

/// A message, or as many values of it, that cannot be used.
fn dead_letter(message: Message<'_>, reason: &str, count: u32) -> DeadLetter {
    DeadLetter {
        topic: field::clean(message.topic),
        payload: message.payload[..message.payload.len().min(MAX_DEAD_LETTER_BYTES)].to_vec(),
        reason: field::clean(reason),
        count,
        received_at: message.received_at,
    }
}

#[cfg(test)]
mod tests;
