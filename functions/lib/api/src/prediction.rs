//! Predictions: the stored judgements of the models.

use crate::{MachineId, Metadata, PredictionId, SensorId, Timestamp, remaining_life::RemainingLife};
use crate::{
    input::{Number, input},
    word::PredictionStatus,
};
use serde::{Deserialize, Serialize};

/// One scoring of one sensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Prediction {
    /// The sensor.
    pub sensor_id: SensorId,
    /// Its machine.
    pub machine_id: MachineId,
    /// Time of the newest reading that was scored.
    pub timestamp: Timestamp,
    /// Smoothed anomaly score, 0 (normal) to 1.
    pub score: f64,
    /// normal, warning, critical, or buffering while there are too few readings.
    pub status: String,
    /// NORMAL, WARNING, CRITICAL or BASELINE.
    pub anomaly_type: String,
    /// Version of the model; `rule-based` when rules judged.
    pub model_version: String,
    /// Health in percent (100 as new, 0 failed), rounded.
    pub remaining_useful_life: Option<f64>,
    /// Time to failure with its confidence limits, where an estimate is possible.
    #[serde(default)]
    pub remaining_life: Option<RemainingLife>,
    /// normal or anomaly.
    pub prediction: String,
    /// How sure the judgement is, 0 to 1.
    pub confidence: f64,
    /// Time that the scorer took, milliseconds.
    pub response_time_ms: f64,
    /// What drove the score.
    pub contributing_features: Metadata,
    /// The judgement as the scorer gave it.
    pub metadata: Metadata,
    /// Identifier.
    pub id: PredictionId,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// `GET /predictions/{id}/explain`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Explained {
    /// The prediction.
    pub prediction_id: PredictionId,
    /// Why.
    pub explanation: Explanation,
    /// The judgement as the scorer gave it.
    pub metadata: Metadata,
}

/// Why a prediction was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Explanation {
    /// normal, warning or critical.
    pub predicted_class: String,
    /// 0 to 1.
    pub confidence: f64,
    /// What drove the score.
    pub feature_importance: Metadata,
    /// Version of the model.
    pub model_version: String,
    /// For people.
    pub reasoning: String,
    /// What to do, if anything.
    pub recommended_action: Option<String>,
    /// The features with the largest share in the score, largest first; empty when a limit or too few readings decided.
    #[serde(default)]
    pub features: Vec<FeatureShare>,
    /// How much each sensor of the machine stood out at that moment, most first.
    #[serde(default)]
    pub sensors: Vec<SensorShare>,
    /// The machine as a whole at that moment; absent when it was judged later again, is new, or has a single sensor.
    #[serde(default)]
    pub machine: Option<MachineAssessment>,
}

/// A machine as a whole: do its sensors still move together as they used to (Hotelling's T² over level and scatter of each)?
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MachineAssessment {
    /// Smoothed score, 0 (as usual) to 1.
    pub score: f64,
    /// Part of each sensor in what is unusual, 0 to 1, largest first.
    pub shares: Vec<MachineShare>,
}

/// The part of a sensor in what is unusual about its machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MachineShare {
    /// The sensor.
    pub sensor_id: SensorId,
    /// Its part, 0 to 1.
    pub share: f64,
}

/// What drove a score: `contributing_features` of a prediction, and `feature_importance` of its explanation. While a
/// sensor has too few readings there is a [`Buffering`] instead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Contributing {
    /// Score by the sensor's limits: 0 inside, 0.8 at warning, 1 at critical.
    pub rule_score: f64,
    /// Calibrated score of the model, 0 to 1; 0 without a model.
    pub model_score: f64,
    /// Readings in the window.
    pub window_size: u64,
    /// Filled share of the window, 0 to 1.
    pub buffer_utilization: f64,
    /// The higher of rule and model score at the newest reading.
    pub raw_score: f64,
    /// The same, smoothed over the last readings.
    pub smoothed_score: f64,
    /// Class after hysteresis: normal, warning or critical.
    pub state_status: String,
    /// The features with the largest share, largest first, at most three.
    pub features: Vec<FeatureShare>,
    /// One sentence for a technician.
    pub reason: String,
    /// The sensor against its healthy reference; absent in predictions of before there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<ReferenceState>,
}

/// A sensor against its healthy reference, which is learned in its first days and then kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReferenceState {
    /// Days until the reference is learned; absent when it is. Until then nothing can be outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_days_left: Option<f64>,
    /// What is outside: level, level for the time of day, level for the other sensors (of the machine), scatter, gain (of a
    /// counter), share of time (of a contact) or outliers; absent inside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outside: Option<String>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// What it is now: level of the newest minutes, or what is outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<f64>,
    /// Outside: the nearest that is known from learning, or what the other sensors explain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<f64>,
    /// Lowest and highest level known from learning, at this time of day where that explains the level; absent for counters and
    /// contacts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual: Option<UsualLevels>,
}

/// Levels between which a healthy sensor stays, in its unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UsualLevels {
    /// Lowest.
    pub low: f64,
    /// Highest.
    pub high: f64,
}

/// `contributing_features` while a sensor has too few readings to be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Buffering {
    /// Readings so far.
    pub buffer_size: u64,
}

/// The share of one feature of the window in a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FeatureShare {
    /// Name of the feature, as in the model's card.
    pub name: String,
    /// The same in words.
    pub meaning: String,
    /// Its value now.
    pub value: f64,
    /// Lower end of what is usual for this sensor.
    pub normal_low: f64,
    /// Upper end of what is usual for this sensor.
    pub normal_high: f64,
    /// Steps by which it shortened the mean path in the forest; the larger, the more it made the window stand out.
    pub contribution: f64,
    /// Its part of all that made the window stand out, 0 to 1.
    #[serde(default)]
    pub share: f64,
}

/// How much one sensor of a machine stood out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SensorShare {
    /// The sensor.
    pub sensor_id: SensorId,
    /// Its name.
    pub name: String,
    /// Its smoothed anomaly score at the moment of the prediction, 0 to 1.
    pub score: f64,
    /// Its part of all that stood out on this machine, 0 to 1 (squares of the scores).
    pub share: f64,
}

/// A prediction as `GET /machines/{id}/predictions` shows it: with the names of the old table's columns as well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MachinePrediction {
    /// The prediction.
    #[serde(flatten)]
    pub prediction: Prediction,
    /// `remaining_useful_life` under its old name.
    pub rul: Option<f64>,
    /// `metadata` under its old name.
    pub metadata_json: Metadata,
    /// Kept for existing clients; always absent, a prediction belongs to a sensor and a time.
    pub sensor_data_id: Option<i64>,
}

impl From<Prediction> for MachinePrediction {
    fn from(prediction: Prediction) -> Self {
        let (rul, metadata_json) = (prediction.remaining_useful_life, prediction.metadata.clone());
        Self { prediction, rul, metadata_json, sensor_data_id: None }
    }
}

input! {
    /// Body of `POST /predictions`: a value that a sensor might report.
    NewPrediction {
        required {
            /// The sensor.
            sensor_id: SensorId,
            /// Its machine.
            machine_id: MachineId,
            /// When it would be measured; later than what the sensor was scored through.
            timestamp: Timestamp,
            /// The value in the sensor's unit.
            value: Number,
        }
    }
    /// Body of `POST /predictions/trigger`: score now what was reported.
    TriggerPredictions {
        required {
            /// The machine.
            machine_id: MachineId,
        }
        optional {
            /// Only this sensor of it.
            sensor_id: SensorId,
        }
    }
    /// Filters of `GET /predictions` and `GET /predictions/export.csv`.
    PredictionFilter {
        optional {
            /// Of this sensor.
            sensor_id: SensorId,
            /// Of this machine.
            machine_id: MachineId,
            /// Of this status.
            status: PredictionStatus,
            /// Not earlier than this.
            start_time: Timestamp,
            /// Not later than this.
            end_time: Timestamp,
        }
    }
}
