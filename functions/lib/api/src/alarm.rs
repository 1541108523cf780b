//! Alarms.

use crate::list::MAX_SEARCH_CHARS;
use crate::{
    AlarmId, AlarmStatus, MachineId, Metadata, PredictionId, SensorId, Severity, Timestamp, UserId, Verdict,
};
use crate::{
    AlarmKind,
    input::{CommaSeparated, Faults, Flag, Many, Refused, Scalar, Text, Whole, input, read_as_scalar},
};
use serde::{Deserialize, Serialize};

/// Shortest shelving of an alarm, seconds.
pub const SHELVE_MIN_S: i64 = 60;
/// Longest shelving of an alarm, seconds: a week.
pub const SHELVE_MAX_S: i64 = 7 * 24 * 3600;

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
    /// The alarm that began its case; its own identifier if it did. Alarms of one trouble are one case with one ticket.
    pub case_id: AlarmId,
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

input! {
    /// Filters of `GET /alarms`.
    AlarmFilter {
        optional {
            /// In this state.
            status: StatusOrActive,
            /// Of this machine.
            machine_id: MachineId,
            /// Of this sensor.
            sensor_id: SensorId,
            /// Of this severity.
            severity: Severity,
            /// Raised by this.
            kind: AlarmKind,
            /// That were found to be this.
            verdict: Verdict,
            /// Of the case that this alarm began.
            case_id: AlarmId,
            /// Whose condition holds, or does not.
            condition_active: Flag,
            /// That were acknowledged, or were not.
            acknowledged: Flag,
            /// That are shelved now, or are not.
            shelved: Flag,
            /// Raised at or after.
            start_date: Timestamp,
            /// Raised before.
            end_date: Timestamp,
            /// With this text in the message.
            q: Text<0, MAX_SEARCH_CHARS>,
        }
    }
    /// Parameters of `POST /alarms/bulk`.
    AlarmBulkQuery {
        optional {
            /// The alarms; then the body is the payload alone, an array of one change.
            ids: CommaSeparated<AlarmId, 1000>,
        }
    }
    /// Body of `POST /alarms`: an alarm raised by hand, of kind `manual`.
    NewAlarm {
        required {
            /// The machine; it must exist.
            machine_id: MachineId,
            /// info, warning or critical.
            severity: Severity,
            /// For people.
            message: Text<1, 2000>,
        }
        optional {
            /// The sensor, if one is concerned; it must be the machine's.
            sensor_id: SensorId,
            /// open (unless given; active is the same) or acknowledged.
            status: StatusOrActive,
            /// When it began; now unless given.
            triggered_at: Timestamp,
            /// Free object.
            metadata: Metadata,
        }
    }
    /// Body of `PATCH /alarms/{id}`.
    AlarmUpdate {
        optional {
            /// New status: open → acknowledged → resolved, and not back. An alarm that is active stays as it is by `active`.
            status: StatusOrActive,
            /// When it was resolved; only for a resolved alarm; now unless given.
            resolved_at: Timestamp,
            /// What was found.
            resolution_notes: Text<0, 4000>,
            /// What the cause turned out to be; only for a resolved alarm.
            verdict: Verdict,
            /// Replaces the free object.
            metadata: Metadata,
        }
    }
    /// Body (or query) of `POST /alarms/{id}/resolve`.
    AlarmResolution {
        optional {
            /// What was found and done.
            resolution_notes: Text<0, 4000>,
            /// What the cause turned out to be.
            verdict: Verdict,
        }
    }
    /// Body of `POST /alarms/bulk`. With the ids in the query, the body may be the payload alone.
    AlarmBulk {
        required {
            /// The change for all alarms: the first element.
            payload: Many<AlarmUpdate, 1, 1000>,
        }
        optional {
            /// The alarms; here or in the query.
            ids: Many<AlarmId, 1, 1000>,
        }
    }
    /// Body of `POST /alarms/{id}/shelve`.
    AlarmShelving {
        required {
            /// For how long, seconds; at most a week.
            duration_s: Whole<SHELVE_MIN_S, SHELVE_MAX_S>,
            /// Why.
            reason: Text<1, 1000>,
        }
    }
}

/// A status of an alarm, or `active`: any status that is not closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusOrActive {
    /// Any status that is not closed.
    Active,
    /// This status.
    Is(AlarmStatus),
}

impl StatusOrActive {
    const ACTIVE: &'static str = "active";

    /// Its text form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => Self::ACTIVE,
            Self::Is(status) => status.as_str(),
        }
    }
}

impl From<AlarmStatus> for StatusOrActive {
    fn from(status: AlarmStatus) -> Self {
        Self::Is(status)
    }
}

impl Scalar for StatusOrActive {
    fn read(value: &serde_json::Value) -> Result<Self, Refused> {
        if value == Self::ACTIVE {
            return Ok(Self::Active);
        }
        AlarmStatus::read(value).map(Self::Is).map_err(|refused| match refused.kind {
            "enum" => Refused::new("enum", format!("{} or '{}'", refused.message, Self::ACTIVE)),
            _ => refused,
        })
    }
}

read_as_scalar!(StatusOrActive);

impl Serialize for StatusOrActive {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for StatusOrActive {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "StatusOrActive".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let words: Vec<_> = AlarmStatus::WORDS.iter().copied().chain([Self::ACTIVE]).collect();
        schemars::json_schema!({
            "description": "A status of an alarm, or `active`: any status that is not closed.",
            "type": "string",
            "enum": words
        })
    }
}

/// An [`AlarmBulk`], or its payload alone.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transparent))]
#[serde(transparent)]
pub struct AlarmBulkBody(pub AlarmBulk);

impl std::ops::Deref for AlarmBulkBody {
    type Target = AlarmBulk;
    fn deref(&self) -> &AlarmBulk {
        &self.0
    }
}

impl deserr::Deserr<Faults> for AlarmBulkBody {
    fn deserialize_from_value<V: deserr::IntoValue>(
        value: deserr::Value<V>,
        location: deserr::ValuePointerRef,
    ) -> Result<Self, Faults> {
        match value {
            deserr::Value::Sequence(_) => {
                let payload = Many::deserialize_from_value(value, location)?;
                Ok(Self(AlarmBulk { payload, ids: None }))
            }
            value => AlarmBulk::deserialize_from_value(value, location).map(Self),
        }
    }
}
