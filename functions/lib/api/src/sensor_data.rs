//! Stored readings.

use crate::{MachineId, Metadata, ReadingStatus, SensorId, Timestamp};
use serde::{Deserialize, Serialize};

/// A stored reading with what is known of its sensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SensorData {
    /// The sensor.
    pub sensor_id: SensorId,
    /// Its machine.
    pub machine_id: MachineId,
    /// When it was measured.
    pub timestamp: Timestamp,
    /// The value in the sensor's unit.
    pub value: f64,
    /// Judged by the thresholds.
    pub status: ReadingStatus,
    /// The payload's metadata with `sensor_name`, `sensor_type`, `sensor_unit` and the sensor's own metadata.
    pub metadata: Metadata,
    /// Row number.
    pub id: i64,
}

/// Answer of `POST /simulator/trigger-failure`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FailureTriggered {
    /// Always true.
    pub ok: bool,
    /// For people.
    pub message: String,
    /// The machine, by its MQTT id.
    pub machine_id: String,
    /// The sensor, by its MQTT id.
    pub sensor_id: String,
    /// Readings made.
    pub readings_sent: i64,
    /// Readings stored.
    pub stored: u64,
}
