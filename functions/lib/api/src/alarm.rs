//! Alarms.

use crate::{
    AlarmId, AlarmStatus, MachineId, Metadata, PredictionId, SensorId, Severity, Timestamp, UserId, Verdict,
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
    /// Who resolved it.
    pub resolved_by: Option<UserId>,
    /// What the cause turned out to be.
    pub verdict: Option<Verdict>,
    /// Shelved (ISA-18.2) until then; in the past, or absent: not shelved.
    pub shelved_until: Option<Timestamp>,
    /// Who shelved it.
    pub shelved_by: Option<UserId>,
    /// Why it was shelved.
    pub shelve_reason: Option<String>,
}

/// Body of `POST /alarms`: an alarm raised by hand, of kind `manual`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewAlarm {
    /// The machine; it must exist.
    pub machine_id: MachineId,
    /// The sensor, if one is concerned; it must be the machine's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensor_id: Option<SensorId>,
    /// info, warning or critical.
    pub severity: Severity,
    /// For people, 1 to 2,000 characters.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 2000)))]
    pub message: String,
    /// open (the default) or acknowledged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<AlarmStatus>,
    /// When it began; default now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub triggered_at: Option<Timestamp>,
    /// Free object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

/// Body of `PATCH /alarms/{id}`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AlarmUpdate {
    /// New status: open → acknowledged → resolved, and not back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<AlarmStatus>,
    /// When it was resolved; only for a resolved alarm; default now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Timestamp>,
    /// What was found, at most 4,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(length(max = 4000)))]
    pub resolution_notes: Option<String>,
    /// What the cause turned out to be; only for a resolved alarm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Replaces the free object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

/// Body (or query) of `POST /alarms/{id}/resolve`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AlarmResolution {
    /// What was found, at most 4,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(length(max = 4000)))]
    pub resolution_notes: Option<String>,
    /// What the cause turned out to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
}

/// Body of `POST /alarms/bulk`. The second form has the ids in the query (`?ids=a,b`) and the payload alone as body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AlarmBulk {
    /// The change; one element, for all alarms.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub payload: Vec<AlarmUpdate>,
    /// The alarms, at most 1,000.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 1000)))]
    pub ids: Vec<AlarmId>,
}

/// Body of `POST /alarms/{id}/shelve`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AlarmShelving {
    /// For how long, seconds; 60 to 604,800 (a week).
    #[cfg_attr(feature = "schema", schemars(range(min = 60, max = 604_800)))]
    pub duration_s: i64,
    /// Why, 1 to 1,000 characters.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 1000)))]
    pub reason: String,
}

/// One entry of `GET /alarms/{id}/history`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AlarmTransition {
    /// Its place in the order of changes.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// `raised`, `escalated`, `condition ended`, `returned`, `acknowledged`, `resolved`, `verdict`, `shelved` or
    /// `unshelved`.
    pub change: String,
    /// Notes, the new severity, the verdict, or the reason.
    pub note: Option<String>,
    /// Who; absent: the system.
    pub by_user: Option<UserId>,
    /// The user's name.
    pub by_name: Option<String>,
    /// The user's mail address.
    pub by_email: Option<String>,
}
