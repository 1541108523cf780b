//! Stored readings.

use crate::{MachineId, Metadata, ReadingStatus, SensorId, Timestamp};
use serde::{Deserialize, Serialize};

/// A stored reading with what is known of its sensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
