//! Health and status of the system.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `GET /status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SystemStatus {
    /// Name of the product.
    pub service: String,
    /// Its version.
    pub version: String,
    /// Now, UTC.
    pub timestamp: String,
    /// The functions.
    pub backend: PartStatus,
    /// TimescaleDB.
    pub database: PartStatus,
    /// Broker and bridge.
    pub mqtt: MqttStatus,
    /// The scorer.
    pub ai_service: AiServiceStatus,
    /// Where to go on.
    pub endpoints: Value,
}

/// State of one part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartStatus {
    /// `running`, `connected`, `disconnected`, …
    pub status: String,
    /// For people.
    pub message: String,
}

/// State of broker and bridge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
pub struct AiServiceStatus {
    /// running, unhealthy or unreachable.
    pub status: String,
    /// For people.
    pub message: String,
    /// What the scorer says of itself, see [`crate::ai::AiStatus`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<crate::ai::AiStatus>,
}
