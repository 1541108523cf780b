//! Machines.

use crate::input::{Day, Patch, Text, input};
use crate::list::MAX_SEARCH_CHARS;
use crate::{
    Criticality, MachineId, MachineStatus, Metadata, SensorId, Timestamp, remaining_life::RemainingLife,
    sensor::Thresholds,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A machine, as the API shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Machine {
    /// Name; need not be unique.
    pub name: String,
    /// Where it stands.
    pub location: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Class of equipment, e.g. `centrifugal pump` (ISO 14224).
    pub machine_class: Option<String>,
    /// Operating state.
    pub status: MachineStatus,
    /// How much depends on it.
    pub criticality: Criticality,
    /// Free object.
    pub metadata: Option<Metadata>,
    /// Day of the last service, `YYYY-MM-DD`.
    pub last_service_date: Option<String>,
    /// Identifier.
    pub id: MachineId,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Thresholds by sensor type, e.g. `temperature`, for the sensors of a machine that have none of their own.
pub type ThresholdsByType = BTreeMap<String, Thresholds>;

/// `GET` and `PATCH /machines/{id}/thresholds`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MachineThresholds {
    /// The machine.
    pub machine_id: MachineId,
    /// Its thresholds by sensor type.
    pub thresholds: ThresholdsByType,
}

/// What the deletion of a machine or a sensor takes along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeletionPreview {
    /// Sensors (of a sensor: itself).
    pub sensors: i64,
    /// Readings, also those of which only roll-ups are left.
    pub readings: i64,
    /// Predictions, counted up to 100,000 a sensor.
    pub predictions: i64,
    /// Alarms.
    pub alarms: i64,
    /// Tickets (of a sensor: none, they belong to the machine).
    pub tickets: i64,
    /// Comments on these alarms and tickets.
    pub comments: i64,
    /// Attachments of these alarms and tickets.
    pub attachments: i64,
}

/// `GET /machines/{id}/summary`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MachineSummary {
    /// The machine in short.
    pub machine: SummaryMachine,
    /// Its newest reading.
    #[serde(rename = "lastReading")]
    pub last_reading: Option<SummaryReading>,
    /// Its newest prediction.
    #[serde(rename = "lastPrediction")]
    pub last_prediction: Option<SummaryPrediction>,
    /// Time to failure of the machine: by its network where it has one, else the shortest of its sensors' newest trends.
    #[serde(rename = "remainingLife", default)]
    pub remaining_life: Option<RemainingLife>,
    /// Alarms open or acknowledged.
    #[serde(rename = "activeAlarms")]
    pub active_alarms: i64,
    /// Share of the last 24 h in which readings arrived, percent.
    #[serde(rename = "uptimePercent")]
    pub uptime_percent: f64,
}

/// The machine part of a summary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SummaryMachine {
    /// Identifier.
    pub id: MachineId,
    /// Name.
    pub name: String,
    /// Operating state.
    pub status: MachineStatus,
    /// How much depends on it.
    pub criticality: Criticality,
    /// Free object kept for existing clients.
    pub ai: Metadata,
}

/// The newest reading of a machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SummaryReading {
    /// When it was measured.
    pub timestamp: Timestamp,
    /// The value in the sensor's unit.
    pub value: f64,
    /// The sensor.
    pub sensor_id: SensorId,
}

/// The newest prediction of a machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SummaryPrediction {
    /// Time of the reading that was scored.
    pub timestamp: Timestamp,
    /// normal, warning, critical or buffering.
    pub status: String,
    /// 0 to 1.
    pub confidence: Option<f64>,
    /// Version of the model.
    pub model_version: Option<String>,
}

input! {
    /// Filters of `GET /machines`.
    MachineFilter {
        optional {
            /// In this state.
            status: MachineStatus,
            /// Of this criticality.
            criticality: Criticality,
            /// With this text in name, location or description.
            q: Text<0, MAX_SEARCH_CHARS>,
        }
    }
    /// Filters of the readings of a machine.
    MachineReadingFilter {
        optional {
            /// Of this sensor.
            sensor_id: SensorId,
            /// Not earlier than this.
            start: Timestamp,
            /// Not later than this.
            end: Timestamp,
        }
    }
    /// Filters of what a machine measured, or was predicted, over a range.
    MachineHistoryFilter {
        optional {
            /// Of this sensor.
            sensor_id: SensorId,
            /// Not earlier than this.
            start_time: Timestamp,
            /// Not later than this.
            end_time: Timestamp,
        }
    }
    /// Body of `POST /machines`.
    NewMachine {
        required {
            /// Name; need not be unique.
            name: Text<1, 200>,
        }
        optional {
            /// Where it stands.
            location: Text<0, 2000>,
            /// For people.
            description: Text<0, 2000>,
            /// Class of equipment, e.g. `centrifugal pump` (ISO 14224).
            machine_class: Text<1, 120>,
            /// Operating state; online unless given.
            status: MachineStatus,
            /// How much depends on it; medium unless given.
            criticality: Criticality,
            /// Free object; `metadata_json` is the same.
            metadata: Metadata,
            /// Day of the last service.
            last_service_date: Day,
        }
    }
    /// Body of `PATCH /machines/{id}`: what is left out stays as it is.
    MachineChange {
        optional {
            /// Name.
            name: Text<1, 200>,
            /// Operating state.
            status: MachineStatus,
            /// How much depends on it.
            criticality: Criticality,
        }
        patch {
            /// Where it stands.
            location: Text<0, 2000>,
            /// For people.
            description: Text<0, 2000>,
            /// Class of equipment, e.g. `centrifugal pump` (ISO 14224).
            machine_class: Text<1, 120>,
            /// Replaces the free object; `metadata_json` is the same.
            metadata: Metadata,
            /// Day of the last service.
            last_service_date: Day,
        }
    }
}
