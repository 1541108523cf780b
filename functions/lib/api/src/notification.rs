//! Mails that users choose, and tests of mail and webhooks.

use crate::Severity;
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

/// What to change (`PATCH /notifications/preferences`); what is left out stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PreferencesChange {
    /// Of alarms from limits, and of those that people raise?
    pub alarms: Option<bool>,
    /// Of anomalies that the model sees?
    pub predictions: Option<bool>,
    /// Of tickets that become one's own?
    pub ticket_assignments: Option<bool>,
    /// Of alarms and anomalies from this severity on.
    pub minimum_severity: Option<Severity>,
}

/// `POST /notifications/test-email`; the body may be left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TestEmailRequest {
    /// Where to; default: the configured recipient, else the caller's own address.
    pub to: Option<String>,
}

/// `POST /notifications/test-webhook`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TestAddressRequest {
    /// Where to.
    pub url: String,
    /// Name of the event; default `test.event`.
    pub event_type: Option<String>,
}
