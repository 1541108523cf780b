//! Sensors and their trends.

use crate::input::{CommaSeparated, Faults, Number, Patch, Text, Whole, input};
use crate::list::MAX_SEARCH_CHARS;
use crate::word::{Interval, SignalKind};
use crate::{MachineId, Metadata, Quality, ReadingStatus, SensorId, SpanStatus, Timestamp, score::Limits};
use deserr::Deserr;
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
    /// At or above: warning. With a critical threshold below it and no low-side limits, both guard the low side.
    pub warning_threshold: Option<f64>,
    /// At or above: critical.
    pub critical_threshold: Option<f64>,
    /// At or below: warning.
    #[serde(default)]
    pub warning_low: Option<f64>,
    /// At or below: critical.
    #[serde(default)]
    pub critical_low: Option<f64>,
    /// The limits by which readings are judged: of the sensor's own thresholds or, without any, of its machine's.
    #[serde(default)]
    pub limits: Limits,
    /// Are they the machine's?
    #[serde(default)]
    pub limits_inherited: bool,
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

/// The type of a sensor of which none is known.
pub const UNKNOWN_SENSOR_TYPE: &str = "unknown";

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

/// Thresholds, in the sensor's unit; each may be absent. A machine has them by sensor type.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, Deserr)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct Thresholds {
    /// At or above (below, where `critical` lies below it and the low side has no limits): warning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[deserr(default)]
    pub warning: Option<f64>,
    /// At or above (below, likewise): critical.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[deserr(default)]
    pub critical: Option<f64>,
    /// At or below: warning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[deserr(default)]
    pub warning_low: Option<f64>,
    /// At or below: critical.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[deserr(default)]
    pub critical_low: Option<f64>,
    /// At or below: warning, where `warning_low` is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[deserr(default)]
    pub min: Option<f64>,
    /// At or above: warning, where neither `warning` nor `critical` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[deserr(default)]
    pub max: Option<f64>,
}

impl Thresholds {
    /// The names of the thresholds.
    pub const NAMES: [&'static str; 6] = ["warning", "critical", "warning_low", "critical_low", "min", "max"];

    /// Is none given?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// `GET /sensors/{id}/trend`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Trend {
    /// The sensor.
    pub sensor_id: SensorId,
    /// 1h, 6h, 24h, 7d, 30d or custom.
    pub interval: String,
    /// At most 1,000 points, oldest first. Longer series are bucketed; where nothing was measured there is no point.
    pub points: Vec<TrendPoint>,
    /// Readings that are not good, oldest first, at most the newest 1,000 of the range. They count for nothing else here.
    #[serde(default)]
    pub marked: Vec<MarkedPoint>,
    /// Over all good readings of the range.
    pub statistics: Option<TrendStatistics>,
    /// Begin of the range; with buckets, of the first bucket.
    #[serde(default)]
    pub start: Timestamp,
    /// End of the range; with buckets, of the last one.
    #[serde(default)]
    pub end: Timestamp,
    /// Seconds of a bucket; absent where the points are the readings themselves.
    #[serde(default)]
    pub bucket_seconds: Option<f64>,
    /// What the points were made of: `raw`, `1m` or `1h`.
    #[serde(default)]
    pub resolution: String,
}

/// `GET /sensors/{id}/status-timeline`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StatusTimeline {
    /// The sensor.
    pub sensor_id: SensorId,
    /// Begin of the range.
    pub start: Timestamp,
    /// End of the range.
    pub end: Timestamp,
    /// Silence longer than this is «no data», seconds.
    pub gap_seconds: f64,
    /// Without gaps from start to end; neighbours differ.
    pub spans: Vec<StatusSpan>,
}

/// A time in which a sensor's status stayed the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StatusSpan {
    /// Begin.
    pub start: Timestamp,
    /// End, the begin of the next.
    pub end: Timestamp,
    /// normal, warning, critical or no_data.
    pub status: SpanStatus,
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

/// A reading that is not good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MarkedPoint {
    /// When it was measured.
    pub timestamp: Timestamp,
    /// The value as it was sent, converted to the sensor's unit where that is possible.
    pub value: f64,
    /// Why it is not good.
    pub quality: Quality,
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
    /// Mean weighted by time: a value counts for as long as it holds, until the next one.
    pub avg: f64,
    /// Arithmetic mean of the readings, however long each holds.
    #[serde(default)]
    pub count_mean: f64,
    /// Figures of a signal that counts or switches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<Signal>,
}

/// Figures of a signal that counts or switches.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Signal {
    /// Which of them it is.
    pub kind: SignalKind,
    /// Of a counter: how far it went up, restarts left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub increase: Option<f64>,
    /// Of a counter: how fast it went up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_per_s: Option<f64>,
    /// Of a counter: how often it restarted at a lower value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resets: Option<i64>,
    /// Of a switch: the share of the time in which it was 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duty: Option<f64>,
    /// Of a switch: how often it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<i64>,
    /// Of a switch: mean time between two changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_dwell_s: Option<f64>,
}

impl Signal {
    /// A signal of this kind without figures.
    #[must_use]
    pub fn of(kind: SignalKind) -> Self {
        Self {
            kind,
            increase: None,
            rate_per_s: None,
            resets: None,
            duty: None,
            changes: None,
            mean_dwell_s: None,
        }
    }
}

input! {
    /// Filters of `GET /sensors`.
    SensorFilter {
        optional {
            /// These alone, as far as they exist.
            ids: CommaSeparated<SensorId, 200>,
            /// Of this machine.
            machine_id: MachineId,
            /// Of this type.
            sensor_type: Text<0, 200>,
            /// With this text in name, type or the machine's name.
            q: Text<0, MAX_SEARCH_CHARS>,
            /// Whose newest reading is of this status.
            status: ReadingStatus,
        }
    }
    /// Parameters of `GET /sensors/{id}/trend`.
    TrendQuery {
        optional {
            /// How far back (24h), where start is not given.
            interval: Interval,
            /// Begin of the range.
            start: Timestamp,
            /// Its end, now unless given; at most ten years later.
            end: Timestamp,
            /// At most this many points; 1,000 unless given.
            points: Whole<2, 1000>,
        }
    }
    /// Parameters of `GET /sensors/{id}/status-timeline`.
    TimelineQuery {
        optional {
            /// How far back (24h), where start is not given.
            interval: Interval,
            /// Begin of the range.
            start: Timestamp,
            /// Its end, now unless given; at most ten years later.
            end: Timestamp,
            /// Silence longer than this, in seconds, is no data; 300 unless given.
            gap_seconds: Whole<1, 86_400>,
        }
    }
    /// Parameters of `GET /history/sensors/{id}`.
    SensorHistoryFilter {
        optional {
            /// Not earlier than this.
            start_time: Timestamp,
            /// Not later than this.
            end_time: Timestamp,
        }
    }
    /// Body of `POST /sensors`. Thresholds are in the sensor's unit.
    NewSensor {
        required {
            /// Its machine.
            machine_id: MachineId,
            /// Name, unique within the machine.
            name: Text<1, 200>,
        }
        optional {
            /// Kind of quantity, e.g. `temperature`; `unknown` unless given.
            sensor_type: Text<0, 200>,
            /// Unit of the values, e.g. `°C`.
            unit: Text<0, 32>,
            /// At or below: warning.
            min_threshold: Number,
            /// Upper end of the scale.
            max_threshold: Number,
            /// At or above: warning.
            warning_threshold: Number,
            /// At or above: critical.
            critical_threshold: Number,
            /// At or below: warning.
            warning_low: Number,
            /// At or below: critical.
            critical_low: Number,
            /// Free object; `metadata_json` is the same.
            metadata: Metadata,
        }
    }
    /// Body of `PATCH /sensors/{id}`: what is left out stays as it is. Thresholds are in the sensor's unit.
    SensorChange {
        optional {
            /// Name, unique within the machine.
            name: Text<1, 200>,
            /// Kind of quantity.
            sensor_type: Text<1, 200>,
        }
        patch {
            /// Unit of the values, e.g. `°C`.
            unit: Text<0, 32>,
            /// At or below: warning.
            min_threshold: Number,
            /// Upper end of the scale.
            max_threshold: Number,
            /// At or above: warning.
            warning_threshold: Number,
            /// At or above: critical.
            critical_threshold: Number,
            /// At or below: warning.
            warning_low: Number,
            /// At or below: critical.
            critical_low: Number,
            /// Replaces the free object; `metadata_json` is the same.
            metadata: Metadata,
        }
    }
}

impl NewSensor {
    /// Its type: the given one, or [`UNKNOWN_SENSOR_TYPE`].
    #[must_use]
    pub fn sensor_type(&self) -> &str {
        let given = self.sensor_type.as_deref().map(str::trim).filter(|kind| !kind.is_empty());
        given.unwrap_or(UNKNOWN_SENSOR_TYPE)
    }
}
