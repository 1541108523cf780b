//! Stored readings.

use crate::{MachineId, Metadata, Quality, ReadingStatus, SensorId, Timestamp, ingest::MAX_BATCH_READINGS};
use crate::{
    input::{Between, Flag, Many, Number, Text, Whole, input},
    word::{CsvDecimal, CsvDelimiter, Resolution, SimulatedFailure, WritePrecision},
};
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
    /// Judged by the thresholds; normal where the quality is not good.
    pub status: ReadingStatus,
    /// How far it can be trusted.
    #[serde(default)]
    pub quality: Quality,
    /// When it was received.
    #[serde(default)]
    pub received_at: Timestamp,
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

/// A reading as `GET /machines/{id}/sensor-data` shows it: with its number as a text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MachineReading {
    /// Row number.
    pub id: String,
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
    /// How far it can be trusted.
    #[serde(default)]
    pub quality: Quality,
    /// As in [`SensorData`].
    pub metadata: Metadata,
}

impl From<SensorData> for MachineReading {
    fn from(data: SensorData) -> Self {
        let SensorData { sensor_id, machine_id, timestamp, value, status, quality, metadata, id, .. } = data;
        Self { id: id.to_string(), sensor_id, machine_id, timestamp, value, status, quality, metadata }
    }
}

/// `POST /simulator/generate-test-data`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TestData {
    /// Always true.
    pub ok: bool,
    /// For people.
    pub message: String,
    /// Readings stored.
    pub records_created: u64,
}

/// `POST /system/reset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ResetReport {
    /// Always true.
    pub ok: bool,
    /// Tickets deleted.
    pub tickets_deleted: i64,
    /// Alarms deleted.
    pub alarms_deleted: i64,
}

/// Answer 400 of `POST /v2/write` and `POST /write`, in the form of InfluxDB: what was not stored. Everything else was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WriteProblem {
    /// Always `invalid`.
    pub code: String,
    /// What was not stored and why, line by line.
    pub message: String,
    /// The same, where version 1 of InfluxDB has it.
    pub error: String,
    /// The first line that was not read, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

input! {
    /// Parameters of `POST /v2/write` and `POST /write`. Others that InfluxDB knows, such as `org` and `rp`, change nothing.
    WriteQuery {
        optional {
            /// Bucket (version 2): the mapping with the topic filter `(http)/<bucket>` counts, if there is one.
            bucket: Text<1, 200>,
            /// Database (version 1), with the same meaning.
            db: Text<1, 200>,
            /// What the timestamps count; nanoseconds unless given.
            precision: WritePrecision,
        }
    }
    /// Filters of `GET /sensor-data` and `GET /sensor-data/logs`.
    ReadingFilter {
        optional {
            /// Of this sensor.
            sensor_id: SensorId,
            /// Of this machine.
            machine_id: MachineId,
            /// Not earlier than this.
            start_date: Timestamp,
            /// Not later than this.
            end_date: Timestamp,
        }
    }
    /// Parameters of `GET /sensor-data/export.csv`.
    ReadingExport {
        optional {
            /// Of this sensor.
            sensor_id: SensorId,
            /// Of this machine.
            machine_id: MachineId,
            /// Not earlier than this.
            start_date: Timestamp,
            /// Not later than this.
            end_date: Timestamp,
            /// Readings or roll-ups; auto (unless given): the finest that is kept.
            resolution: Resolution,
            /// What stands between cells: comma (unless given), semicolon or tab, by name or as it is.
            delimiter: CsvDelimiter,
            /// Decimal sign: point (unless given) or comma.
            decimal: CsvDecimal,
            /// Begin with a byte order mark?
            bom: Flag,
            /// Time zone of the times, e.g. Europe/Berlin; UTC unless given.
            zone: Text<1, 64>,
        }
    }
    /// A reading to store.
    NewReading {
        required {
            /// The sensor.
            sensor_id: SensorId,
            /// When it was measured, at most ten minutes from now.
            timestamp: Timestamp,
            /// The value.
            value: Number,
        }
        optional {
            /// Its machine.
            machine_id: MachineId,
            /// Used where no thresholds count for the sensor.
            status: ReadingStatus,
            /// How far it can be trusted; good unless given.
            quality: Quality,
            /// Unit of the value; the sensor's unless given. Values in other units are converted.
            unit: Text<0, 32>,
            /// Is it of the past, so that it must not raise an alarm?
            historical: Flag,
            /// Free object.
            metadata: Metadata,
        }
    }
    /// Body of `POST /sensor-data/batch`.
    NewReadings {
        required {
            /// 1 to 10,000 readings.
            readings: Many<NewReading, 1, MAX_BATCH_READINGS>,
        }
    }
    /// Parameters of `POST /simulator/generate-test-data`.
    TestDataQuery {
        optional {
            /// Batches of ten readings; 10 unless given.
            count: Whole<1, 1000>,
        }
    }
    /// Body of `POST /simulator/trigger-failure`.
    FailureTrigger {
        optional {
            /// MQTT id of the machine; machine-1 unless given.
            machine_id: Text<0, 100>,
            /// MQTT id of the sensor; pressure-head unless given.
            sensor_id: Text<0, 100>,
            /// Course of the failure; critical unless given.
            anomaly_type: SimulatedFailure,
            /// Length of the failure in seconds; 60 unless given.
            duration: Between<2, 86_400>,
            /// Factor of a critical failure; 2 unless given.
            value_multiplier: Number,
        }
    }
}
