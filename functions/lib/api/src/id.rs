//! Identifiers: UUIDv7 (time-ordered), one newtype per resource so that they cannot be mixed up.

use crate::input::{Refused, Scalar, read_as_scalar};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{fmt, str::FromStr};
use uuid::Uuid;

fn read_uuid(value: &Value) -> Result<Uuid, Refused> {
    let text = value.as_str().ok_or_else(|| Refused::new("uuid_type", "UUID input should be a string"))?;
    Uuid::parse_str(text)
        .map_err(|error| Refused::new("uuid_parsing", format!("Input should be a valid UUID, {error}")))
}

impl Scalar for Uuid {
    fn read(value: &Value) -> Result<Self, Refused> {
        read_uuid(value)
    }
}

read_as_scalar!(Uuid);

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(s).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl Scalar for $name {
            fn read(value: &Value) -> Result<Self, Refused> {
                read_uuid(value).map(Self)
            }
        }

        read_as_scalar!($name);
    )*};
}

id! {
    /// A stored burst of vibration samples.
    WaveformId,
    /// A machine.
    MachineId,
    /// A sensor; it belongs to one machine.
    SensorId,
    /// One scoring of one sensor.
    PredictionId,
    /// An alarm.
    AlarmId,
    /// A maintenance ticket.
    TicketId,
    /// A report.
    ReportId,
    /// A planned span of maintenance.
    MaintenanceWindowId,
    /// A schedule of reports.
    ReportScheduleId,
    /// A comment on an alarm or ticket.
    CommentId,
    /// A background job.
    JobId,
    /// A role, built-in or custom.
    RoleId,
    /// A stored setting.
    SettingId,
    /// A version of a model.
    ModelId,
    /// A file attached to an alarm or ticket.
    AttachmentId,
    /// A user account.
    UserId,
    /// A webhook.
    WebhookId,
    /// An event on its way to a webhook.
    DeliveryId,
    /// A mapping of payloads.
    MappingId,
    /// An alarm rule.
    AlarmRuleId,
    /// An import of history.
    ImportId,
    /// A back-test of alarm rules.
    BacktestId,
    /// An on-call schedule.
    OnCallScheduleId,
    /// An escalation chain.
    EscalationChainId,
    /// A service outside that notices of alarms go to.
    NoticeChannelId,
}
