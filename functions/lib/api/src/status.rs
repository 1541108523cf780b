//! Health and status of the system.

use crate::{
    Timestamp,
    input::{Text, Whole, input},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// `GET /` for a script.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SystemInformation {
    /// Name of the service.
    pub service: String,
    /// Its version.
    pub version: String,
    /// Always «running».
    pub status: String,
    /// For people.
    pub message: String,
    /// Now.
    pub timestamp: Timestamp,
    /// Paths by what they lead to.
    pub endpoints: BTreeMap<String, String>,
    /// How each part is, or where that is to be learned.
    pub services: BTreeMap<String, String>,
}

/// `GET /health`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Health {
    /// Always «ok».
    pub status: String,
    /// Name of the service.
    pub service: String,
    /// Its version.
    pub version: String,
    /// Now.
    pub timestamp: Timestamp,
    /// For people.
    pub message: String,
}

/// `GET /health/live`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Liveness {
    /// Always «alive».
    pub status: String,
    /// Name of the service.
    pub service: String,
    /// Now.
    pub timestamp: Timestamp,
    /// For people.
    pub message: String,
}

/// `GET /health/ready`: with 200 when it is ready, else with 503.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Readiness {
    /// ready or not_ready.
    pub status: String,
    /// Name of the service.
    pub service: String,
    /// connected or disconnected.
    pub database: String,
    /// Why it is not ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Now.
    pub timestamp: Timestamp,
    /// For people.
    pub message: String,
}

/// `GET /mqtt/status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MqttOverview {
    /// Is a bridge connected to the broker?
    pub connected: bool,
    /// For people.
    pub message: String,
    /// The broker.
    pub broker: Broker,
    /// The bridge as consumer.
    pub consumer: Consumer,
    /// Counters of the bridge, for those who may read dead letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bridge: Option<crate::tick::BridgeHealth>,
}

/// Where the broker is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Broker {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// What the bridge consumes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Consumer {
    /// Is it connected to the broker?
    pub connected: bool,
    /// Subscribed topic filters.
    pub topics: Vec<String>,
    /// Messages waiting in its memory.
    pub queue_size: u64,
}

/// An item of `GET /mqtt/dead-letters`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeadLetter {
    /// Number.
    pub id: i64,
    /// When the newest of them was received.
    pub received_at: Timestamp,
    /// MQTT topic it came on; `(http)` for readings by HTTP.
    pub topic: String,
    /// The newest payload as text; bytes that are no UTF-8 are replaced.
    pub payload: String,
    /// Why it could not be used.
    pub reason: String,
    /// How many values of this topic it stands for, with the same reason and within the same minute (a notice: day).
    #[serde(default)]
    pub count: i64,
    /// When its payload was read again and all its values were stored.
    #[serde(default)]
    pub replayed_at: Option<Timestamp>,
}

/// An item of `GET /mqtt/dead-letters/groups`: the dead letters of a topic with the same reason that were not replayed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeadLetterGroup {
    /// MQTT topic they came on; `(http)` for readings by HTTP.
    pub topic: String,
    /// Why they could not be used.
    pub reason: String,
    /// How many values or payloads.
    pub count: i64,
    /// When the oldest were received, to the minute.
    pub first_received_at: Timestamp,
    /// When the newest was received.
    pub received_at: Timestamp,
    /// Number of the newest.
    pub newest_id: i64,
    /// Its payload as text; bytes that are no UTF-8 are replaced.
    pub payload: String,
}

input! {
    /// Parameters of `DELETE /mqtt/dead-letters`.
    DeadLetterCause {
        required {
            /// Of this topic.
            topic: Text<1, 1000>,
            /// With this reason.
            reason: Text<1, 4000>,
        }
    }
    /// Body of `POST /mqtt/dead-letters/replay`.
    DeadLetterReplay {
        required {
            /// The dead letters of this topic.
            topic: Text<1, 1000>,
        }
        optional {
            /// Those with this reason only.
            reason: Text<1, 4000>,
            /// Those after this one: `next` of the answer before.
            after: Whole<0, MAX_ID>,
        }
    }
}

/// Greatest number of a row.
const MAX_ID: i64 = i64::MAX;

/// Answer of `POST /mqtt/dead-letters/replay`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReplayReport {
    /// Dead letters all of whose values are stored now; they are marked as replayed.
    pub replayed: u64,
    /// Dead letters that stay, because not all of their values can be stored.
    pub kept: u64,
    /// Readings that were stored.
    pub stored: u64,
    /// Why dead letters stay, each reason once, at most ten.
    pub reasons: Vec<String>,
    /// There are more: ask again with this as `after`.
    pub next: Option<i64>,
}

/// `GET /status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SystemStatus {
    /// Name of the product.
    pub service: String,
    /// Its version.
    pub version: String,
    /// Now, UTC.
    pub timestamp: String,
    /// The functions.
    pub backend: ServiceStatus,
    /// TimescaleDB.
    pub database: ServiceStatus,
    /// Broker and bridge.
    pub mqtt: MqttStatus,
    /// The scorer.
    pub ai_service: AiServiceStatus,
    /// The periodic tasks.
    pub tasks: ServiceStatus,
    /// Where to go on.
    pub endpoints: Value,
}

/// State of one part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ServiceStatus {
    /// `running`, `failing` or `unknown`; of the database `connected`, `read_only` or `disconnected`.
    pub status: String,
    /// For people.
    pub message: String,
}

/// State of broker and bridge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MqttStatus {
    /// connected, disconnected or unknown.
    pub status: String,
    /// For people.
    pub message: String,
    /// Is a bridge connected to the broker?
    pub connected: bool,
    /// Counters of the bridge, see [`crate::tick::BridgeHealth`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bridge: Option<crate::tick::BridgeHealth>,
}

/// State of the scorer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AiServiceStatus {
    /// running, unhealthy or unreachable.
    pub status: String,
    /// For people.
    pub message: String,
    /// What the scorer says of itself, see [`crate::ai::AiStatus`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<crate::ai::AiStatus>,
}
