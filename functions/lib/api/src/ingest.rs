//! Bridge → `ingest`: a batch of readings (postcard). The bridge acknowledges the MQTT messages behind a batch only
//! after an answer 200, which says that every reading of it is committed.

use crate::{PredictionId, Quality, ReadingStatus, Timestamp};
use serde::{Deserialize, Serialize};

/// Content type of a postcard-encoded [`Batch`].
pub const BATCH_CONTENT_TYPE: &str = "application/vnd.pm.batch+postcard";
/// Longest machine or sensor name, in bytes.
pub const MAX_NAME_BYTES: usize = 100;
/// Most readings in one batch.
pub const MAX_BATCH_READINGS: usize = 10_000;
/// A reading dated further than this beyond the server's clock is refused (seconds).
pub const MAX_FUTURE_S: i64 = 600;
/// A reading older than this against the server's clock is historical: stored, but it raises no live alarm (seconds).
pub const LATE_AFTER_S: i64 = 300;

/// Readings of several sensors plus the payloads that could not be read.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Batch {
    /// The sensors that the readings point to, each once.
    pub sensors: Vec<SensorRef>,
    /// The readings, in the order of arrival.
    pub readings: Vec<Reading>,
    /// Payloads that could not be turned into readings.
    pub dead_letters: Vec<DeadLetter>,
}

/// A sensor as a payload names it. Unknown machines and sensors are registered from these fields.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct SensorRef {
    /// Machine: its UUID or its MQTT id (an auto-registered machine's name).
    pub machine: String,
    /// Sensor: its UUID or its MQTT id, within the machine.
    pub sensor: String,
    /// Kind of quantity, e.g. `temperature`.
    pub sensor_type: Option<String>,
    /// Unit of the values that point to this entry, e.g. `°C`. A sensor that sends values in two units stands in
    /// the batch twice.
    pub unit: Option<String>,
    /// Where the machine stands.
    pub location: Option<String>,
    /// MQTT topic of the values; absent where they came another way.
    pub topic: Option<String>,
}

/// One value of one sensor.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Reading {
    /// Index into [`Batch::sensors`].
    pub sensor: u32,
    /// When it was measured (absent in the payload: when it was received).
    pub time: Timestamp,
    /// The value, finite, in the unit of its [`SensorRef`].
    pub value: f64,
    /// Status claimed by the sender; used where the sensor has no thresholds.
    pub status: Option<ReadingStatus>,
    /// Quality claimed by the sender; good where it claims none.
    pub quality: Quality,
    /// Did the sender mark it as historical (a buffered value, sent later)?
    pub historical: bool,
    /// Is `time` the time of receipt, because the sender gave none?
    pub dated_on_receipt: bool,
    /// The payload's metadata, a JSON object as text.
    pub metadata: Option<String>,
    /// Does it replace another value that the sensor has at this time?
    pub replaces: bool,
}

/// A payload that could not be read, kept for inspection.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeadLetter {
    /// MQTT topic it came on.
    pub topic: String,
    /// The payload, at most 64 KiB of it.
    pub payload: Vec<u8>,
    /// Why it could not be read; names the field.
    pub reason: String,
    /// Number of values of the message that it stands for; 0 counts as 1.
    pub count: u32,
    /// When it was received.
    pub received_at: Timestamp,
}

/// Answer of `ingest` (JSON): all of it is committed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BatchReport {
    /// Readings stored now.
    pub stored: u64,
    /// Readings that were there already (same sensor, same time).
    pub duplicates: u64,
    /// Readings refused and written to dead letters (for instance dated in the future).
    pub refused: u64,
    /// Readings that are not stored because the sensor has another value at this time; written to dead letters.
    #[serde(default)]
    pub conflicts: u64,
    /// Readings that are stored with a quality other than good, and neither evaluated nor scored.
    #[serde(default)]
    pub marked: u64,
    /// Sensors scored with this batch.
    pub scored: u64,
    /// Alarms raised, escalated, repeated or cleared.
    pub alarm_changes: u64,
}

/// `predictions` → `ingest` (postcard): sensors to score now; the answer is [`Scored`] (JSON).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreNow {
    /// The sensors, by their UUIDs; they exist.
    pub sensors: Vec<SensorRef>,
    /// A value that the first of them might report, and when: judged without changing the sensor's state, and nothing
    /// else is scored.
    pub hypothetical: Option<(Timestamp, f64)>,
}

/// What was scored.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Scored {
    /// Predictions stored.
    pub predictions: Vec<PredictionId>,
    /// The hypothetical value's time is not later than this, which the sensor was scored through: it was not judged.
    pub scored_through: Option<Timestamp>,
}
