//! Figures of the system.

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// `GET /metrics/json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Metrics {
    /// Readings that arrived in the last hour.
    pub ingestion_rate_per_hour: i64,
    /// Mean time of the newest 1,000 scorings, milliseconds; 0 without any.
    pub prediction_latency_ms: f64,
    /// Alarms open or acknowledged.
    pub active_alarms: i64,
    /// MQTT messages waiting in the bridge.
    pub mqtt_queue_depth: i64,
    /// Now.
    pub timestamp: Timestamp,
}
