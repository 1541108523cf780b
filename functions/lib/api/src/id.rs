//! Identifiers: UUIDv7 (time-ordered), one newtype per resource so that they cannot be mixed up.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

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
    )*};
}

id! {
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
}
