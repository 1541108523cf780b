//! Sensors and their trends.

use crate::{MachineId, Metadata, ReadingStatus, SensorId, Timestamp};
use serde::{Deserialize, Serialize};

/// A sensor, as the API shows it. Thresholds are in the sensor's unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sensor {
    /// Its machine.
    pub machine_id: MachineId,
    /// Name, unique within the machine.
    pub name: String,
    /// Kind of quantity, e.g. `temperature`.
    pub sensor_type: String,
    /// Unit of the values, e.g. `°C`.
    pub unit: Option<String>,
    /// At or below: warning.
    pub min_threshold: Option<f64>,
    /// Upper end of the scale shown; above it: warning, where no warning threshold is given.
    pub max_threshold: Option<f64>,
    /// At or above: warning. With a critical threshold below it, both are low-side limits.
    pub warning_threshold: Option<f64>,
    /// At or above: critical.
    pub critical_threshold: Option<f64>,
    /// Free object.
    pub metadata: Option<Metadata>,
    /// Identifier.
    pub id: SensorId,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Newest reading, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest: Option<LatestReading>,
}

/// The newest reading of a sensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LatestReading {
    /// When it was measured.
    pub timestamp: Timestamp,
    /// The value in the sensor's unit.
    pub value: f64,
    /// Judged by the thresholds.
    pub status: ReadingStatus,
}

/// `GET /sensors/{id}/trend`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Trend {
    /// The sensor.
    pub sensor_id: SensorId,
    /// 1h, 6h, 24h, 7d or 30d.
    pub interval: String,
    /// At most 1,000 points, oldest first. Longer series are bucketed.
    pub points: Vec<TrendPoint>,
    /// Over all readings of the interval.
    pub statistics: Option<TrendStatistics>,
}

/// A reading, or a bucket of readings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TrendPoint {
    /// Time of the reading, or start of the bucket.
    pub timestamp: Timestamp,
    /// Value, or mean of the bucket.
    pub value: f64,
    /// Gravest status in the bucket.
    pub status: ReadingStatus,
    /// Smallest value in the bucket.
    pub min: f64,
    /// Largest value in the bucket.
    pub max: f64,
}

/// Statistics of a trend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TrendStatistics {
    /// Number of readings.
    pub count: i64,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Arithmetic mean.
    pub avg: f64,
}
