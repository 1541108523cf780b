//! Live events (SSE `GET /ws/events/stream`, `GET /realtime/events`): `data:` lines with one [`LiveEvent`] each.

use crate::{
    AlarmId, AttachmentId, CommentId, MachineId, PredictionId, SensorId, TicketId, Timestamp, UserId,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

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
    /// `ticket.updated`, `ticket.assigned`, `comment.created`, `comment.updated`, `comment.deleted`,
    /// `attachment.created`, `attachment.deleted`, `machine.status`, `heartbeat`, …
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

/// Data of `ticket.created`, `ticket.updated` and `ticket.assigned`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TicketChanged {
    /// Identifier.
    pub id: TicketId,
    /// The machine.
    pub machine_id: MachineId,
    /// The alarm that it is about.
    pub alarm_id: Option<AlarmId>,
    /// Short text.
    pub title: String,
    /// low, medium, high or critical.
    pub priority: String,
    /// Workflow state.
    pub status: String,
    /// Mail address of whoever works on it.
    pub assignee: Option<String>,
    /// When it should be done.
    pub due_at: Option<Timestamp>,
    /// `ticket.assigned` only: who had it before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_assignee: Option<String>,
    /// `ticket.assigned` only: who assigned it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<UserId>,
}

/// Data of `comment.created`, `comment.updated` and `comment.deleted`; without the text, which not everybody may read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CommentChanged {
    /// Identifier.
    pub id: CommentId,
    /// alarm or ticket.
    pub resource_type: String,
    /// The alarm or ticket.
    pub resource_id: Uuid,
    /// Who wrote it.
    pub user_id: UserId,
    /// For engineers and administrators only.
    pub is_internal: bool,
    /// When it was written.
    pub created_at: Timestamp,
}

/// Data of `attachment.created` and `attachment.deleted`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AttachmentChanged {
    /// Identifier.
    pub id: AttachmentId,
    /// general, alarm or ticket.
    pub resource_type: String,
    /// The alarm or ticket.
    pub resource_id: Option<Uuid>,
    /// The uploader's name for it.
    pub filename: String,
    /// Media type.
    pub content_type: String,
    /// Length, bytes.
    pub file_size: i64,
    /// Who stored it.
    pub uploaded_by: Option<UserId>,
}
