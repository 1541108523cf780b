//! Webhooks, their deliveries, and the messages by which the components that manage them ask `notifier` to deliver.

use crate::{Metadata, Timestamp, WebhookId, id::DeliveryId};
use crate::{
    input::{Flag, Many, Patch, Refused, Scalar, Secret, Text, Whole, input, read_as_scalar},
    word::DeliveryStatus,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most retries that a webhook can have.
pub const MAX_RETRIES: i64 = 14;
/// Most headers of its own that a webhook can have.
pub const MAX_HEADERS: usize = 20;
/// Most events and groups of events that a webhook can list.
const MAX_SUBSCRIPTIONS: usize = 100;

/// A webhook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Webhook {
    /// Identifier.
    pub id: WebhookId,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// Name for people.
    pub name: String,
    /// Where events are posted to.
    pub url: String,
    /// What signs deliveries: shown when it is created or rotated, later `********`.
    pub secret: Option<String>,
    /// Events (`alarm.created`), groups of events (`alarm.*`) or all of them (`*`).
    pub events: Vec<String>,
    /// Are events delivered?
    pub is_active: bool,
    /// Headers that every delivery carries.
    pub headers: Option<BTreeMap<String, String>>,
    /// Seconds that the receiver has for its answer, as text: `"1"` to `"30"`.
    pub timeout_seconds: String,
    /// How often a failed delivery is tried again, as text: `"0"` to `"14"`.
    pub retry_count: String,
    /// Free object.
    pub metadata: Option<Metadata>,
    /// Why the system stopped delivering.
    pub disabled_reason: Option<String>,
    /// Until then, deliveries are signed with the former secret as well.
    pub previous_secret_expires_at: Option<Timestamp>,
}

/// Headers that every delivery to a webhook carries, at most [`MAX_HEADERS`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(inline, extend("maxProperties" = MAX_HEADERS)))]
#[serde(transparent)]
pub struct Headers(pub BTreeMap<String, String>);

impl Scalar for Headers {
    fn read(value: &serde_json::Value) -> Result<Self, Refused> {
        let headers = Self::deserialize(value)
            .map_err(|_| Refused::new("dict_type", "Input should be a valid dictionary of strings"))?;
        if headers.0.len() > MAX_HEADERS {
            return Err(Refused::new("too_long", format!("At most {MAX_HEADERS} headers are possible")));
        }
        Ok(headers)
    }
}

read_as_scalar!(Headers);

/// An event on its way to a webhook: what was sent, what came back, what is next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Delivery {
    /// Identifier.
    pub id: DeliveryId,
    /// The webhook.
    pub webhook_id: WebhookId,
    /// The event, which is the `webhook-id` that the receiver sees at every attempt.
    pub event_id: uuid::Uuid,
    /// E.g. `alarm.created`.
    pub event: String,
    /// pending, delivered or failed.
    pub status: String,
    /// Attempts so far.
    pub attempts: i32,
    /// When the event was queued for this webhook.
    pub created_at: Timestamp,
    /// When it was tried last.
    pub last_attempt_at: Option<Timestamp>,
    /// When it is tried next.
    pub next_attempt_at: Option<Timestamp>,
    /// Where it was sent.
    pub request_url: Option<String>,
    /// What is sent.
    pub request_body: String,
    /// Status code of the last answer.
    pub response_status: Option<i32>,
    /// Beginning of the last answer.
    pub response_body: Option<String>,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// Milliseconds that the last attempt took.
    pub duration_ms: Option<i32>,
}

/// The result of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TestResult {
    /// Did it arrive?
    pub ok: bool,
    /// For people, when it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// For people, when it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl TestResult {
    /// It arrived.
    #[must_use]
    pub fn arrived(message: &str) -> Self {
        Self { ok: true, message: Some(message.to_owned()), error: None }
    }

    /// It did not.
    #[must_use]
    pub fn failed(error: impl Into<String>) -> Self {
        Self { ok: false, message: None, error: Some(error.into()) }
    }
}

/// What `notifier` is asked to send (JSON, `POST /internal/deliver`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeliverRequest {
    /// What is due.
    Due,
    /// This delivery, if it is due.
    One(DeliveryId),
    /// A test notice to this notice channel.
    Channel(crate::NoticeChannelId),
    /// A test event to an address that is no webhook.
    Probe {
        /// The address.
        url: String,
        /// The name of the event.
        event: String,
    },
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeliverReport {
    /// Attempts that arrived.
    pub delivered: u32,
    /// Attempts that failed.
    pub failed: u32,
    /// Is more due now?
    pub more: bool,
    /// Why the last one failed.
    pub error: Option<String>,
}

input! {
    /// Body of `POST /webhooks`.
    NewWebhook {
        required {
            /// Name for people.
            name: Text<1, 128>,
            /// `http://` or `https://`; private addresses only where configuration allows them.
            url: Text<1, 2000>,
            /// Events (`alarm.created`), groups of events (`alarm.*`) or all of them (`*`).
            events: Many<Text<1, 64>, 1, MAX_SUBSCRIPTIONS>,
        }
        optional {
            /// What signs deliveries; made if left out.
            secret: Secret<0, 256>,
            /// Deliver events? True unless given.
            is_active: bool,
            /// Headers that every delivery carries.
            headers: Headers,
            /// Seconds for the answer, as number or text; 5 unless given.
            timeout_seconds: Whole<1, 30>,
            /// Retries, as number or text; 14 unless given, which take about three days.
            retry_count: Whole<0, MAX_RETRIES>,
            /// Free object; `metadata_json` is the same.
            metadata: Metadata,
        }
    }
    /// Body of `PATCH /webhooks/{id}`: what is left out stays as it is.
    WebhookChange {
        optional {
            /// Name for people.
            name: Text<1, 128>,
            /// `http://` or `https://`; private addresses only where configuration allows them.
            url: Text<1, 2000>,
            /// Events, groups of events, or `*`.
            events: Many<Text<1, 64>, 1, MAX_SUBSCRIPTIONS>,
            /// What signs deliveries. The former secret is valid for 24 hours more.
            secret: Secret<0, 256>,
            /// Deliver events?
            is_active: bool,
            /// Seconds for the answer, as number or text.
            timeout_seconds: Whole<1, 30>,
            /// Retries, as number or text.
            retry_count: Whole<0, MAX_RETRIES>,
        }
        patch {
            /// Headers that every delivery carries.
            headers: Headers,
            /// Replaces the free object; `metadata_json` is the same.
            metadata: Metadata,
        }
    }
    /// Filters of `GET /webhooks`.
    WebhookFilter {
        optional {
            /// Those that are, or are not, delivered to.
            is_active: Flag,
        }
    }
    /// Filters of `GET /webhooks/{id}/deliveries`.
    DeliveryFilter {
        optional {
            /// In this state.
            status: DeliveryStatus,
        }
    }
}
