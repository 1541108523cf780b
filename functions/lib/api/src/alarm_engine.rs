//! `ingest` → `alarm-engine`: conditions that began, went on or ended (postcard; answer JSON).

use crate::{MachineId, PredictionId, SensorId, Severity, Timestamp};
use serde::{Deserialize, Serialize};

/// Conditions of several sensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conditions {
    /// At most one entry per sensor and kind.
    pub items: Vec<Condition>,
}

/// What raised an alarm. With machine and sensor it is the alarm's cause: one open alarm per cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ConditionKind {
    /// A reading beyond a limit.
    #[serde(rename = "threshold")]
    Threshold,
    /// The model's judgement.
    #[serde(rename = "prediction")]
    Prediction,
    /// The status that a sender gave to a reading of a sensor without limits.
    #[serde(rename = "reported")]
    Reported,
    /// A sensor that sends nothing.
    #[serde(rename = "stale")]
    Stale,
}

impl ConditionKind {
    /// Text form, as stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Threshold => "threshold",
            Self::Prediction => "prediction",
            Self::Reported => "reported",
            Self::Stale => "stale",
        }
    }
}

/// One condition of one sensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// The machine.
    pub machine_id: MachineId,
    /// The sensor.
    pub sensor_id: SensorId,
    /// What judged.
    pub kind: ConditionKind,
    /// Times that the condition was seen in this batch; 0 when it only ended.
    pub occurrences: u32,
    /// Gravest severity seen.
    pub severity: Severity,
    /// False: the newest reading is normal again.
    pub still_active: bool,
    /// The value behind the occurrence of the highest severity, in the sensor's unit.
    pub value: f64,
    /// When it was measured, not later than the server's now.
    pub time: Timestamp,
    /// Time of the newest reading that was evaluated, not later than the server's now.
    pub evaluated_through: Timestamp,
    /// For people, e.g. `temp reported 93.5 °C`.
    pub message: String,
    /// The prediction behind it, for kind `prediction`.
    pub prediction_id: Option<PredictionId>,
}

/// Answer of `alarm-engine`: all of it is committed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ConditionsReport {
    /// New alarms.
    pub raised: u64,
    /// Open alarms whose count, severity or condition changed.
    pub updated: u64,
    /// New tickets.
    pub tickets: u64,
}
