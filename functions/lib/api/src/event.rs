//! Events: what the outbox holds and webhooks receive, and what live streams (SSE `GET /ws/events/stream`,
//! `GET /realtime/events`) carry in `data:` lines with one [`LiveEvent`] each.
//!
//! [`EVENTS`] is the one table of the outbox's events. The filters that webhooks accept and the `webhooks` section of
//! openapi.json come from it. Invariant: an event's data has exactly the fields of its type, whatever made the change.

use crate::input::{CommaSeparated, Refused, Scalar, Text, Whole, input, read_as_scalar};
use crate::{
    AlarmChangeKind, AlarmId, AlarmKind, AlarmStatus, AnomalyType, AttachmentId, CommentId, Criticality,
    MachineId, MachineStatus, PredictionClass, PredictionId, PredictionStatus, Priority, ReadingStatus,
    Resource, SensorId, Severity, TicketId, TicketStatus, Timestamp, UserId, ai::FeatureDrift,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// One line of the table of events.
#[derive(Debug, Clone, Copy)]
pub struct EventType {
    /// Its name, e.g. `alarm.created`.
    pub name: &'static str,
    /// When it is sent.
    pub summary: &'static str,
    /// Schema of its data.
    #[cfg(feature = "schema")]
    pub schema: fn(&mut schemars::SchemaGenerator) -> schemars::Schema,
}

macro_rules! events {
    ($($name:literal => $variant:ident($data:ty): $summary:literal;)*) => {
        /// An event with its data, tagged by its name: `{"event": "alarm.created", "data": {…}}`.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "event", content = "data")]
        pub enum Event {
            $(#[doc = $summary] #[serde(rename = $name)] $variant($data),)*
        }

        /// Every event that a webhook can receive: name, type of its data, summary.
        pub const EVENTS: &[EventType] = &[$(EventType {
            name: $name,
            summary: $summary,
            #[cfg(feature = "schema")]
            schema: schemars::SchemaGenerator::subschema_for::<$data>,
        }),*];
    };
}

events! {
    "alarm.created" => AlarmCreated(AlarmChanged): "An alarm was raised";
    "alarm.updated" => AlarmUpdated(AlarmChanged): "An alarm's condition, severity or status changed, or people worked on it";
    "attachment.created" => AttachmentCreated(AttachmentChanged): "A file was stored";
    "attachment.deleted" => AttachmentDeleted(AttachmentChanged): "A file was deleted, or what it belonged to was";
    "comment.created" => CommentCreated(CommentChanged): "A comment was written";
    "comment.deleted" => CommentDeleted(CommentChanged): "A comment was deleted, or what it belonged to was";
    "comment.updated" => CommentUpdated(CommentChanged): "A comment was changed";
    "machine.status" => MachineStatus(MachineStatusChanged): "The operating state of a machine changed";
    "model.drift" => ModelDrift(ModelDrifted): "Readings have moved away from those that the active model was trained on";
    "prediction.anomaly" => PredictionAnomaly(AnomalyDetected): "A sensor that was normal behaves unusually";
    "prediction.critical" => PredictionCritical(AnomalyDetected): "A sensor's anomaly became critical";
    "test.event" => Test(TestEvent): "A test that a person asked for";
    "ticket.assigned" => TicketAssigned(TicketChanged): "A ticket was given to an assignee, automatic tickets excepted";
    "ticket.created" => TicketCreated(TicketChanged): "A ticket was opened";
    "ticket.updated" => TicketUpdated(TicketChanged): "A ticket was changed";
}

/// The name of the event that tests send.
pub const TEST_EVENT: &str = "test.event";

/// The body of a delivery to a webhook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Envelope<T> {
    /// Name of the event.
    pub event: String,
    /// When it happened.
    pub timestamp: Timestamp,
    /// What happened.
    pub data: T,
}

/// Answer of `POST /realtime/ticket`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StreamTicket {
    /// Opens one event stream while it lasts: `?token=…`.
    pub ticket: String,
    /// How long it lasts, seconds.
    pub expires_in_s: u64,
}

/// One live event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LiveEvent {
    /// Name of an event that webhooks receive (section `webhooks`), or `sensor_data.created`, `prediction.created` or
    /// `heartbeat`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What happened; its fields depend on the type. Absent in a heartbeat.
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
    /// The value compared with the sensor's limits.
    pub status: ReadingStatus,
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
    /// Class of the score; buffering while there are too few readings.
    pub status: PredictionStatus,
    /// Is it unusual?
    pub prediction: PredictionClass,
    /// Smoothed anomaly score, 0 to 1.
    pub score: f64,
    /// 0 to 1.
    pub confidence: f64,
    /// Time of the reading that was scored.
    pub timestamp: Timestamp,
    /// The class in the words of older clients.
    pub anomaly_type: AnomalyType,
}

/// Data of `prediction.anomaly` and `prediction.critical`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AnomalyDetected {
    /// The prediction.
    pub id: PredictionId,
    /// The machine.
    pub machine_id: MachineId,
    /// The sensor.
    pub sensor_id: SensorId,
    /// Class of the score: warning or critical.
    pub status: PredictionStatus,
    /// Always anomaly.
    pub prediction: PredictionClass,
    /// Smoothed anomaly score, 0 to 1.
    pub score: f64,
    /// Time of the reading that was scored.
    pub timestamp: Timestamp,
    /// The class in the words of older clients.
    pub anomaly_type: AnomalyType,
    /// One sentence for people.
    pub message: String,
}

/// Data of `alarm.created` and `alarm.updated`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AlarmChanged {
    /// Identifier.
    pub id: AlarmId,
    /// The machine.
    pub machine_id: MachineId,
    /// The sensor, if one caused it.
    pub sensor_id: Option<SensorId>,
    /// What raised it.
    pub kind: AlarmKind,
    /// Highest severity since it was raised.
    pub severity: Severity,
    /// One sentence for people.
    pub message: String,
    /// What people did about it.
    pub status: AlarmStatus,
    /// Does the condition hold now?
    pub condition_active: bool,
    /// Time of the reading that raised it.
    pub triggered_at: Timestamp,
    /// When it was resolved.
    pub resolved_at: Option<Timestamp>,
    /// Shelved until then; absent or in the past: not shelved.
    pub shelved_until: Option<Timestamp>,
    /// The alarm that began its case; its own identifier if it did.
    pub case_id: AlarmId,
    /// What changed.
    pub change: AlarmChangeKind,
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
    /// Urgency.
    pub priority: Priority,
    /// Workflow state.
    pub status: TicketStatus,
    /// Mail address of the assignee.
    pub assignee: Option<String>,
    /// When it should be done.
    pub due_at: Option<Timestamp>,
    /// The assignee before this change; absent for a new ticket.
    pub previous_assignee: Option<String>,
    /// The account that made the change; absent: the system.
    pub by: Option<UserId>,
}

/// Data of `comment.created`, `comment.updated` and `comment.deleted`; without the text, which may be internal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CommentChanged {
    /// Identifier.
    pub id: CommentId,
    /// What it belongs to: alarm or ticket.
    pub resource_type: Resource,
    /// The alarm or ticket.
    pub resource_id: Uuid,
    /// The account that wrote it.
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
    /// What it belongs to.
    pub resource_type: Resource,
    /// The alarm or ticket.
    pub resource_id: Option<Uuid>,
    /// The uploader's name for it.
    pub filename: String,
    /// Media type.
    pub content_type: String,
    /// Length, bytes.
    pub file_size: i64,
    /// The account that stored it.
    pub uploaded_by: Option<UserId>,
}

/// Data of `machine.status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MachineStatusChanged {
    /// The machine.
    pub id: MachineId,
    /// The machine, under the name that other events use.
    pub machine_id: MachineId,
    /// Its name.
    pub name: String,
    /// State now.
    pub status: MachineStatus,
    /// State before.
    pub previous_status: MachineStatus,
    /// How much depends on it.
    pub criticality: Criticality,
}

/// Data of `model.drift`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ModelDrifted {
    /// Version of the active model.
    pub model_version: String,
    /// Population stability index of the feature that moved most.
    pub worst: f64,
    /// Every feature, the one that moved most first.
    pub features: Vec<FeatureDrift>,
    /// When it was measured.
    pub created_at: Timestamp,
}

/// Data of `test.event`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TestEvent {
    /// Always true.
    pub test: bool,
    /// One sentence for people.
    pub message: String,
    /// When it was sent.
    pub timestamp: Timestamp,
}

/// Which events a listener wants: one kind (`alarm.created`), or with a `*` at the end all that begin so (`alarm.*`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct EventPattern(pub String);

impl EventPattern {
    /// Is it about events of this kind?
    #[must_use]
    pub fn covers(&self, kind: &str) -> bool {
        self.0.strip_suffix('*').map_or(self.0 == kind, |beginning| kind.starts_with(beginning))
    }
}

impl Scalar for EventPattern {
    fn read(value: &Value) -> Result<Self, Refused> {
        let Text(text) = Text::<1, 100>::read(value)?;
        let beginning = text.strip_suffix('*').unwrap_or(&text);
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._".contains(&b);
        if !beginning.bytes().all(fits) {
            let message = "Input should be kinds of events such as alarm.created or alarm.*, by commas";
            return Err(Refused::new("value_error", message));
        }
        Ok(Self(text))
    }
}

read_as_scalar!(EventPattern);

#[cfg(feature = "schema")]
impl schemars::JsonSchema for EventPattern {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EventPattern".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": r"^[a-z0-9._]*\*?$", "minLength": 1, "maxLength": 100 })
    }

    fn inline_schema() -> bool {
        true
    }
}

input! {
    /// Parameters of the event streams.
    StreamQuery {
        optional {
            /// Only these, e.g. `alarm.*,ticket.created`.
            events: CommaSeparated<EventPattern, 100>,
            /// Resume after this event; the header Last-Event-ID wins.
            last_event_id: Whole<0, { i64::MAX }>,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_has_the_test_event() {
        let names: Vec<_> = EVENTS.iter().map(|event| event.name).collect();
        assert!(names.is_sorted(), "{names:?}");
        assert!(names.contains(&TEST_EVENT));
    }

    #[test]
    fn a_pattern_covers_one_kind_of_events_or_all_that_begin_alike() {
        for (pattern, kind, covered) in [
            ("alarm.created", "alarm.created", true),
            ("alarm.created", "alarm.created_again", false),
            ("alarm.*", "alarm.created", true),
            ("alarm.*", "alarms.created", false),
            ("*", "ticket.created", true),
        ] {
            let read = EventPattern::read(&pattern.into()).unwrap();
            assert_eq!(read.covers(kind), covered, "{pattern} {kind}");
        }
        for bad in ["", "Alarm.*", "*.created", "alarm created", &"a".repeat(101)] {
            assert!(EventPattern::read(&bad.into()).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_event_is_read_by_its_name() {
        let data = serde_json::json!({ "test": true, "message": "m", "timestamp": "2026-01-01T00:00:00Z" });
        let event = serde_json::json!({ "event": TEST_EVENT, "data": data });
        let read: Event = serde_json::from_value(event.clone()).unwrap();
        assert!(matches!(read, Event::Test(_)));
        let unknown = serde_json::json!({ "event": "test.other", "data": event["data"] });
        assert!(serde_json::from_value::<Event>(unknown).is_err());
    }
}
