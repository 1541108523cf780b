//! Mails that users choose, and tests of mail and webhooks.

use crate::{
    Severity,
    input::{MailAddress, Text, input},
};
use serde::{Deserialize, Serialize};

/// Which mails a user gets (`GET /notifications/preferences`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
