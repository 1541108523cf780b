//! Predictions: the stored judgements of the models.

use crate::{MachineId, Metadata, PredictionId, SensorId, Timestamp};
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
}
