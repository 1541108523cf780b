//! Alarms and comments.

use crate::{
    AlarmId, AlarmStatus, CommentId, MachineId, Metadata, PredictionId, SensorId, Severity, Timestamp, UserId,
};
use serde::{Deserialize, Serialize};

/// An alarm. `status` says what people did about it, `condition_active` whether its cause still holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Alarm {
    /// The machine.
    pub machine_id: MachineId,
    /// The sensor, if one caused it.
    pub sensor_id: Option<SensorId>,
    /// The prediction behind it, if any.
    pub prediction_id: Option<PredictionId>,
    /// Gravest severity since it was raised.
    pub severity: Severity,
    /// For people.
    pub message: String,
    /// Time of the reading that raised it.
    pub triggered_at: Timestamp,
    /// Free object; `value` is the value behind the newest occurrence.
    pub metadata: Option<Metadata>,
    /// Identifier.
    pub id: AlarmId,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// What people did about it.
    pub status: AlarmStatus,
    /// When it was resolved.
    pub resolved_at: Option<Timestamp>,
    /// threshold, prediction or manual.
    pub kind: String,
    /// How often the condition was seen since it was raised.
    pub occurrences: i64,
    /// Does the condition hold now?
    pub condition_active: bool,
    /// When the condition was last seen.
    pub last_seen_at: Timestamp,
    /// When it was acknowledged.
    pub acknowledged_at: Option<Timestamp>,
    /// Who acknowledged it.
    pub acknowledged_by: Option<UserId>,
    /// What was found when it was resolved.
    pub resolution_notes: Option<String>,
}

/// Body of `PATCH /alarms/{id}`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AlarmUpdate {
    /// New status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<AlarmStatus>,
    /// Replaces the free object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

/// A comment on an alarm or a ticket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Comment {
    /// Identifier.
    pub id: CommentId,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// alarm or ticket.
    pub resource_type: String,
    /// The alarm or ticket.
    pub resource_id: String,
    /// Who wrote it.
    pub user_id: UserId,
    /// The text.
    pub content: String,
    /// Not for viewers.
    pub is_internal: bool,
}
