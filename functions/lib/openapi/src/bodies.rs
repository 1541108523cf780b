//! Bodies that handlers read field by field and that no type of pm-api stands for. Names and limits are those of the
//! handlers; an absent field is left as it is in a change.

use pm_api::{Criticality, MachineId, MachineStatus, Metadata};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! bodies {
    ($($(#[$meta:meta])* $name:ident { $($(#[$fmeta:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$meta])*
        #[derive(Debug, Serialize, Deserialize, JsonSchema)]
        pub struct $name { $($(#[$fmeta])* pub $field: $type,)* }
    )*};
}

bodies! {
    /// Body of `POST /machines`.
    NewMachine {
        /// Name; need not be unique.
        #[schemars(length(min = 1, max = 200))]
        name: String,
        /// Where it stands.
        #[schemars(length(max = 2000))]
        location: Option<String>,
        /// For people.
        #[schemars(length(max = 2000))]
        description: Option<String>,
        /// Operating state; online unless given.
        status: Option<MachineStatus>,
        /// How much depends on it; medium unless given.
        criticality: Option<Criticality>,
        /// Free object; `metadata_json` is the same.
        metadata: Option<Metadata>,
        /// Day of the last service.
        #[schemars(extend("format" = "date"))]
        last_service_date: Option<String>,
    }
    /// Body of `PATCH /machines/{id}`.
    MachineChange {
        /// Name.
        #[schemars(length(min = 1, max = 200))]
        name: Option<String>,
        /// Where it stands.
        #[schemars(length(max = 2000))]
        location: Option<String>,
        /// For people.
        #[schemars(length(max = 2000))]
        description: Option<String>,
        /// Operating state.
        status: Option<MachineStatus>,
        /// How much depends on it.
        criticality: Option<Criticality>,
        /// Replaces the free object; `metadata_json` is the same.
        metadata: Option<Metadata>,
        /// Day of the last service.
        #[schemars(extend("format" = "date"))]
        last_service_date: Option<String>,
    }
    /// Body of `POST /sensors`. Thresholds are in the sensor's unit.
    NewSensor {
        /// Its machine.
        machine_id: MachineId,
        /// Name, unique within the machine.
        #[schemars(length(min = 1, max = 200))]
        name: String,
        /// Kind of quantity, e.g. `temperature`.
        #[schemars(length(min = 1, max = 200))]
        sensor_type: String,
        /// Unit of the values, e.g. `°C`.
        #[schemars(length(max = 32))]
        unit: Option<String>,
        /// At or below: warning.
        min_threshold: Option<f64>,
        /// Upper end of the scale.
        max_threshold: Option<f64>,
        /// At or above: warning.
        warning_threshold: Option<f64>,
        /// At or above: critical.
        critical_threshold: Option<f64>,
        /// At or below: warning.
        warning_low: Option<f64>,
        /// At or below: critical.
        critical_low: Option<f64>,
        /// Free object; `metadata_json` is the same.
        metadata: Option<Metadata>,
    }
    /// Body of `PATCH /sensors/{id}`. Thresholds are in the sensor's unit.
    SensorChange {
        /// Name, unique within the machine.
        #[schemars(length(min = 1, max = 200))]
        name: Option<String>,
        /// Kind of quantity.
        #[schemars(length(min = 1, max = 200))]
        sensor_type: Option<String>,
        /// Unit of the values.
        #[schemars(length(max = 32))]
        unit: Option<String>,
        /// At or below: warning.
        min_threshold: Option<f64>,
        /// Upper end of the scale.
        max_threshold: Option<f64>,
        /// At or above: warning.
        warning_threshold: Option<f64>,
        /// At or above: critical.
        critical_threshold: Option<f64>,
        /// At or below: warning.
        warning_low: Option<f64>,
        /// At or below: critical.
        critical_low: Option<f64>,
        /// Replaces the free object; `metadata_json` is the same.
        metadata: Option<Metadata>,
    }
    /// Body of `POST /simulator/trigger-failure`.
    FailureTrigger {
        /// MQTT id of the machine; machine-1 unless given.
        #[schemars(length(max = 100))]
        machine_id: Option<String>,
        /// MQTT id of the sensor; pressure-head unless given.
        #[schemars(length(max = 100))]
        sensor_id: Option<String>,
        /// critical, warning or gradual_drift; critical unless given.
        anomaly_type: Option<String>,
        /// Length of the failure, seconds; 60 unless given.
        #[schemars(range(min = 2, max = 86400))]
        duration: Option<f64>,
        /// Factor of a critical failure; 2 unless given.
        value_multiplier: Option<f64>,
    }
    /// Form of an upload.
    Upload {
        /// The file; its part names it.
        #[schemars(extend("contentMediaType" = "application/octet-stream"))]
        file: String,
    }
}
