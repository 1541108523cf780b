//! `ingest` → `score`: new readings per sensor with the sensor's scoring state; back come the results and the next
//! state (postcard both ways). The scorer holds no state of its own and reads only registered models from the database,
//! so the same input gives the same output, live, in replay and in tests.

use crate::{MachineId, ModelId, ReadingStatus, SensorId, Timestamp, remaining_life::RemainingLife};
use serde::{Deserialize, Serialize};

/// Sensors to score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreRequest {
    /// One entry per sensor.
    pub items: Vec<ScoreItem>,
    /// Machines to judge as a whole from the items that are theirs.
    pub machines: Vec<MachineItem>,
}

/// A machine to judge as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MachineItem {
    /// The machine.
    pub machine_id: MachineId,
    /// The state returned by the last judgement; absent at the first.
    pub state: Option<Vec<u8>>,
}

/// One sensor with what is new since it was last scored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreItem {
    /// The sensor.
    pub sensor_id: SensorId,
    /// Its machine.
    pub machine_id: MachineId,
    /// Name for people; sentences begin with it.
    pub name: String,
    /// Kind of quantity, e.g. `pressure`.
    pub sensor_type: String,
    /// Unit of the values. When it changes, what was known of the sensor is forgotten.
    pub unit: Option<String>,
    /// The registered model that is active for this machine; absent: the one that came with the program.
    pub model: Option<ModelId>,
    /// A registered model that judges beside it without effect.
    pub challenger: Option<ModelId>,
    /// The sensor's limits.
    pub limits: Limits,
    /// How long the sensor's healthy reference is learned, s.
    pub learning_s: i64,
    /// False alarms of this sensor that are put up with, per month of 30 days. How far it may leave its reference follows from it.
    pub false_alarms_per_month: f64,
    /// When a person last said that an alarm of this sensor was false: what it showed then belongs to its reference.
    pub accepted: Option<Timestamp>,
    /// When a person last said that the sensor was replaced or its machine overhauled: what was known before says nothing of it.
    pub restarted: Option<Timestamp>,
    /// The state returned by the last scoring; absent at the first.
    pub state: Option<Vec<u8>>,
    /// New readings since then, oldest first. At the first scoring: the newest stored ones.
    pub readings: Vec<(Timestamp, f64)>,
}

/// Limits of a sensor, in its unit; each may be absent. See `pm_domain::limits` for their meaning.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Limits {
    /// At or above: warning.
    pub warning_high: Option<f64>,
    /// At or above: critical.
    pub critical_high: Option<f64>,
    /// At or below: warning.
    pub warning_low: Option<f64>,
    /// At or below: critical.
    pub critical_low: Option<f64>,
}

/// The results, in the order of the items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreResponse {
    /// One entry per item.
    pub items: Vec<ScoreResult>,
    /// One entry per machine.
    pub machines: Vec<MachineResult>,
}

/// The judgement of a machine as a whole: do its sensors move together as they used to?
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MachineResult {
    /// The machine.
    pub machine_id: MachineId,
    /// Smoothed score, 0 to 1; absent while the machine is new or has a single sensor.
    pub score: Option<f64>,
    /// Part of each sensor, 0 to 1, largest first.
    pub shares: Vec<(SensorId, f64)>,
    /// Level of each sensor that the others explain, in its unit; empty while that is learned.
    pub explained: Vec<(SensorId, f64)>,
    /// State for the next judgement.
    pub state: Vec<u8>,
}

/// The judgement of one sensor at its newest reading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreResult {
    /// Version of the model that scored; `rule-based` when no model could be used.
    pub model_version: String,
    /// Time of the newest reading that was scored.
    pub time: Timestamp,
    /// Fewer readings than the model needs: `status` is «buffering», the class stays normal.
    pub buffering: bool,
    /// Class after smoothing and hysteresis.
    pub class: ReadingStatus,
    /// Smoothed anomaly score, 0 (normal) to 1.
    pub score: f64,
    /// How sure the judgement is, 0 to 1.
    pub confidence: f64,
    /// Health in percent that the documented API calls `rul`: 100 is as new, 0 is failed.
    pub health_percent: f64,
    /// Remaining useful life until a limit is reached, where a trend allows an estimate.
    pub remaining_life: Option<RemainingLife>,
    /// What drove the score: a JSON object as text (rule_score, model_score, window_size, …).
    pub contributing_features: String,
    /// True when rules judged because no model fits.
    pub fallback: bool,
    /// Level and scatter of the window relative to the sensor's past, in its spreads; absent while buffering.
    pub relative: Option<[f32; 2]>,
    /// Mean of the new readings, in the sensor's unit; absent while buffering.
    pub level: Option<f64>,
    /// What a challenger said, where one judges beside the active model.
    pub shadow: Option<Shadow>,
    /// State for the next scoring of this sensor (opaque, versioned by the scorer).
    pub state: Vec<u8>,
}

/// What a challenger said of a sensor; nobody is told but its report.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Shadow {
    /// Smoothed anomaly score, 0 to 1.
    pub score: f64,
    /// Class after smoothing and hysteresis.
    pub class: ReadingStatus,
}
