//! Mails that users choose, and tests of mail and webhooks.

use crate::{
    MachineId, Severity,
    input::{MailAddress, Many, Patch, Text, Whole, input},
    on_call::LAST_MINUTE,
};
use serde::{Deserialize, Serialize};

/// Which mails a user gets (`GET /notifications/preferences`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Preferences {
    /// Of alarms from limits, and of those that people raise? Default no.
    pub alarms: bool,
    /// Of anomalies that the model sees? Default no.
    pub predictions: bool,
    /// Of tickets that become one's own? Default yes.
    pub ticket_assignments: bool,
    /// Of alarms and anomalies from this severity on; default warning.
    pub minimum_severity: Severity,
    /// Of alarms and anomalies of these machines, and of those of `machine_classes`; both empty: of all.
    #[serde(default)]
    pub machine_ids: Vec<MachineId>,
    /// Classes of machines, likewise.
    #[serde(default)]
    pub machine_classes: Vec<String>,
    /// Of alarms and anomalies from this minute of the day on; absent: at any time.
    #[serde(default)]
    pub hours_from: Option<i64>,
    /// Until this minute of the day; earlier than `hours_from`: on the next day.
    #[serde(default)]
    pub hours_to: Option<i64>,
    /// Time zone whose clocks count, e.g. Europe/Berlin; absent: UTC.
    #[serde(default)]
    pub zone: Option<String>,
    /// The minute of the day at which a summary of the last day is mailed; absent: none is.
    #[serde(default)]
    pub summary_at: Option<i64>,
}

input! {
    /// Body of `PATCH /notifications/preferences`: what to change; what is left out stays.
    PreferencesChange {
        optional {
            /// Of alarms from limits, and of those that people raise?
            alarms: bool,
            /// Of anomalies that the model sees?
            predictions: bool,
            /// Of tickets that become one's own?
            ticket_assignments: bool,
            /// Of alarms and anomalies from this severity on.
            minimum_severity: Severity,
            /// Of alarms and anomalies of these machines, and of those of `machine_classes`; both empty: of all.
            machine_ids: Many<MachineId, 0, 500>,
            /// Classes of machines, likewise.
            machine_classes: Many<Text<1, 120>, 0, 100>,
        }
        patch {
            /// Of alarms and anomalies from this minute of the day on; null: at any time.
            hours_from: Whole<0, LAST_MINUTE>,
            /// Until this minute of the day; earlier than `hours_from`: on the next day.
            hours_to: Whole<0, LAST_MINUTE>,
            /// Time zone whose clocks count; null: UTC.
            zone: Text<1, 64>,
            /// The minute of the day at which a summary of the last day is mailed; null: none is.
            summary_at: Whole<0, LAST_MINUTE>,
        }
    }
    /// Body of `POST /notifications/test-email`; it may be left out.
    TestEmailRequest {
        optional {
            /// Where to; default: the configured recipient, else the caller's own address.
            to: MailAddress,
        }
    }
    /// Body of `POST /notifications/test-webhook`.
    TestAddressRequest {
        required {
            /// Where to.
            url: Text<1, 2000>,
        }
        optional {
            /// Name of the event; default `test.event`.
            event_type: Text<1, 64>,
        }
    }
}
