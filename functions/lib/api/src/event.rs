//! Live events (SSE `GET /ws/events/stream`, `GET /realtime/events`): `data:` lines with one [`LiveEvent`] each.

use crate::{AlarmId, MachineId, PredictionId, SensorId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Answer of `POST /realtime/ticket`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StreamTicket {
    /// Opens one or more event streams while it lasts: `?token=…`.
    pub ticket: String,
    /// How long it lasts, seconds.
    pub expires_in_s: u64,
}

/// One live event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LiveEvent {
    /// `sensor_data.created`, `prediction.created`, `alarm.created`, `alarm.updated`, `ticket.created`,
    /// `ticket.updated`, `heartbeat`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// What happened; see the structs of this module. Absent in a heartbeat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    /// When it was sent.
    pub timestamp: Timestamp,
}

/// Data of `sensor_data.created`: the newest reading of a sensor (several in quick succession are sent as one).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SensorDataCreated {
    /// The sensor.
    pub sensor_id: SensorId,
    /// Its machine.
    pub machine_id: MachineId,
    /// The value in the sensor's unit.
    pub value: f64,
    /// normal, warning or critical.
    pub status: String,
    /// When it was measured.
    pub timestamp: Timestamp,
}

/// Data of `prediction.created`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PredictionCreated {
    /// Identifier.
    pub id: PredictionId,
    /// The machine.
    pub machine_id: MachineId,
    /// The sensor.
    pub sensor_id: SensorId,
    /// normal, warning, critical or buffering.
    pub status: String,
    /// normal or anomaly.
    pub prediction: String,
    /// Smoothed anomaly score, 0 to 1.
    pub score: f64,
    /// 0 to 1.
    pub confidence: f64,
    /// Time of the reading that was scored.
    pub timestamp: Timestamp,
    /// NORMAL, WARNING, CRITICAL or BASELINE.
    pub anomaly_type: String,
}

/// Data of `alarm.created` and `alarm.updated`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AlarmChanged {
    /// Identifier.
    pub id: AlarmId,
    /// The machine.
    pub machine_id: MachineId,
    /// The sensor, if one caused it.
    pub sensor_id: Option<SensorId>,
    /// info, warning or critical.
    pub severity: String,
    /// For people.
    pub message: String,
    /// open, acknowledged or resolved.
    pub status: String,
    /// Time of the reading that raised it.
    pub triggered_at: Timestamp,
    /// When it was resolved.
    pub resolved_at: Option<Timestamp>,
}
