//! The scorer about itself, and the life of its models: registry, retraining, reports, drift.

use crate::input::{FieldFault, Flag, Text, Whole, input};
use crate::{MachineId, Metadata, ModelId, Timestamp};
use serde::{Deserialize, Serialize};

/// `GET /ai/status`. Figures that cannot be had are left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AiStatus {
    /// healthy, unhealthy when only rules can judge, or unreachable.
    pub status: String,
    /// Is a model loaded?
    pub model_loaded: bool,
    /// Its version; `rule-based` when none is loaded.
    pub model_version: String,
    /// Sensors that have a scoring state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buffers: Option<i64>,
    /// How much is scored, and how fast.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub performance: Option<ScorerPerformance>,
    /// What the scorer uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_metrics: Option<ScorerResources>,
}

/// How much is scored, and how fast. Response times are those of the last 1,000 predictions.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ScorerPerformance {
    /// Predictions of the days for which they are counted by the minute.
    pub predictions_total: i64,
    /// Over the last minute.
    pub predictions_per_second: f64,
    /// Mean, milliseconds.
    pub avg_response_time_ms: f64,
    /// Shortest, milliseconds.
    pub min_response_time_ms: f64,
    /// Longest, milliseconds.
    pub max_response_time_ms: f64,
}

/// What the scorer uses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ScorerResources {
    /// Memory of the instance that answered, MiB.
    pub memory_usage_mb: f64,
    /// Share of the last minute in which scores were computed, percent.
    pub cpu_percent: f64,
    /// Sensors that have a scoring state.
    pub active_buffers: i64,
    /// Readings in the windows of the sensors that the last 1,000 predictions are of.
    pub total_buffer_entries: i64,
    /// loaded or not_loaded.
    pub model_status: String,
}

/// `GET /health` of the component `score`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ScorerHealth {
    /// healthy, or unhealthy when only rules can judge.
    pub status: String,
    /// Is a model loaded?
    pub model_loaded: bool,
    /// Its version; `rule-based` when none is loaded.
    pub model_version: String,
    /// Memory of the instance that answers, bytes.
    pub memory_bytes: u64,
}

/// A registered version of a model: `GET /ai/models`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ModelVersion {
    /// Identifier.
    pub id: ModelId,
    /// Kind of model, e.g. `isolation-forest`.
    pub name: String,
    /// Version, unique within the name.
    pub version: String,
    /// For people.
    pub description: Option<String>,
    /// Where its files lie, for a version that came with the program.
    pub path: Option<String>,
    /// Whatever was given along.
    pub metadata: Option<Metadata>,
    /// When it was registered.
    pub created_at: Timestamp,
    /// registered, shadow (judges beside the active one without effect), active or retired.
    pub status: String,
    /// Class of the machines it is for; absent with `machine_id`: for all.
    pub machine_class: Option<String>,
    /// The one machine it is for.
    pub machine_id: Option<MachineId>,
    /// When it last became active.
    pub activated_at: Option<Timestamp>,
    /// Has it weights, here or with the program? Without, it cannot be activated.
    pub has_weights: bool,
    /// Did it pass its validation? Absent when it was never validated.
    pub passed: Option<bool>,
}

/// Answer of `POST /ai/models`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ModelRegistered {
    /// Identifier.
    pub id: ModelId,
    /// Kind of model.
    pub name: String,
    /// Version.
    pub version: String,
    /// For people.
    pub message: String,
}

/// Answer of `POST /ai/models/{version}/activate` and `/rollback`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ModelChanged {
    /// The version that judges from now on.
    pub version: String,
    /// activated or rolled_back.
    pub status: String,
    /// For people.
    pub message: String,
}

/// Answer of `POST /ai/retrain`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RetrainQueued {
    /// The job; its progress is at `GET /jobs/{job_id}`.
    pub job_id: String,
    /// queued.
    pub status: String,
    /// For people.
    pub message: String,
}

/// `result` of a retrain job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TrainingResult {
    /// The new version.
    pub version: String,
    /// May it be promoted?
    pub passed: bool,
    /// Why not.
    pub objections: Vec<String>,
    /// shadow (judges beside the active version) or registered.
    pub status: String,
}

/// Answer of `POST /internal/models/work`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WorkDone {
    /// The job that was worked on.
    pub job_id: Option<String>,
    /// Was drift measured?
    pub drift_measured: bool,
}

/// A line of `GET /ai/logs`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AiLogLine {
    /// When.
    pub timestamp: Timestamp,
    /// create, activate, rollback, retrain, …
    pub action: String,
    /// For people.
    pub details: Option<String>,
    /// What changed.
    pub metadata: Option<Metadata>,
}

/// How well a model did in an examination. Counts.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Quality {
    /// Readings that were taken for healthy.
    pub healthy_readings: u64,
    /// Times that the class left normal among them.
    pub false_alarms: u64,
    /// Faults laid over held-out readings, by kind.
    pub faults: Vec<FaultsSeen>,
    /// Closed alarms that people called a true fault, and whose readings are still there.
    pub confirmed: u64,
    /// Of these: the model finds them unusual.
    pub confirmed_seen: u64,
    /// Closed alarms that people called a false alarm, and whose readings are still there.
    pub dismissed: u64,
    /// Of these: the model stays calm.
    pub dismissed_calm: u64,
    /// What confidence said and how often it was right, by tenth of confidence, at moments it was not learned from.
    pub reliability: Vec<ReliabilityTenth>,
    /// Generated sensors with the whole scorer around the model: learning phase, healthy days, slow faults.
    #[serde(default)]
    pub generated: Vec<GeneratedSignal>,
}

/// How a model did on a generated sensor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GeneratedSignal {
    /// Kind of signal.
    pub signal: String,
    /// Healthy days after the learning phase.
    pub healthy_days: u64,
    /// Alarms in them; one that stands counts again every day.
    pub false_alarms: u64,
    /// Drift, growing scatter and wear that were seen in time.
    pub slow_faults_seen: u64,
    /// Of how many.
    pub slow_faults: u64,
}

/// Faults of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FaultsSeen {
    /// Kind of fault.
    pub fault: String,
    /// How many were seen within 120 readings.
    pub seen: u64,
    /// Of how many.
    pub of: u64,
}

/// One tenth of the range of confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReliabilityTenth {
    /// Judgements with such a confidence.
    pub moments: u64,
    /// Their mean confidence.
    pub said: f64,
    /// Share of them that were right.
    pub right: f64,
}

/// What a retrained version was learned from and how it did: `GET /ai/models/{version}/report`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ValidationReport {
    /// Sensors learned from.
    pub sensors: u64,
    /// Windows learned from.
    pub rows_learned: u64,
    /// Windows held out.
    pub rows_held_out: u64,
    /// Time of the oldest reading.
    pub from: Timestamp,
    /// Time of the newest reading.
    pub to: Timestamp,
    /// Seed.
    pub seed: u64,
    /// Version that was active.
    pub active_version: String,
    /// How the active model did.
    pub active: Quality,
    /// How the new version did, on the same readings.
    pub candidate: Quality,
    /// May it be promoted?
    pub passed: bool,
    /// Why not.
    pub objections: Vec<String>,
}

/// Answer of `GET /ai/models/{version}/report`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ModelReport {
    /// The version.
    pub version: String,
    /// Its status.
    pub status: String,
    /// Examination after training; absent for versions that were not trained here.
    pub validation: Option<ValidationReport>,
    /// What it said beside the active model, per day, newest first.
    pub shadow: Vec<ShadowDay>,
}

/// A day on which a version judged beside the active one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ShadowDay {
    /// UTC date, `2026-11-23`.
    pub day: String,
    /// Scorings by both.
    pub scored: i64,
    /// Anomalous to the active model.
    pub active_anomalous: i64,
    /// Anomalous to this version.
    pub challenger_anomalous: i64,
    /// Anomalous to both.
    pub both_anomalous: i64,
    /// Mean distance of the two scores.
    pub mean_difference: f64,
}

/// False alarms of the models, promised and counted: `GET /ai/false-alarms`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FalseAlarms {
    /// So many are put up with, per machine and month of 30 days: setting `model.false_alarms_per_machine_month`, or that of the
    /// machine's class when one machine was asked for.
    pub promised: i64,
    /// The same as counted over the last 30 days from verdicts `false_alarm`; absent while there is less than a day to count over.
    pub counted: Option<f64>,
    /// Alarms of the models in that time.
    pub alarms: i64,
    /// Of these: called false.
    pub false_alarms: i64,
    /// Of these: without a verdict so far; any of them may be false.
    pub without_verdict: i64,
    /// Days that the machines have been here in that time, added up.
    pub machine_days: f64,
    /// The same for each class that has machines; the machines without a class come last.
    pub by_class: Vec<ClassFalseAlarms>,
}

/// False alarms of the models on the machines of one class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClassFalseAlarms {
    /// The class; absent for machines without one.
    pub machine_class: Option<String>,
    /// Setting `model.false_alarms_by_class`, or `model.false_alarms_per_machine_month` where that does not name the class.
    pub promised: i64,
    /// Counted per machine and month from verdicts `false_alarm`; absent while there is less than a day to count over.
    pub counted: Option<f64>,
    /// Alarms of the models.
    pub alarms: i64,
    /// Of these: called false.
    pub false_alarms: i64,
    /// Of these: without a verdict so far.
    pub without_verdict: i64,
    /// Days that the machines of the class have been here, added up.
    pub machine_days: f64,
}

/// How far the sensors' features have moved from those the active model learned from: `GET /ai/drift`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DriftReport {
    /// When it was measured.
    pub created_at: Timestamp,
    /// The active version.
    pub model_version: String,
    /// Sensors looked at.
    pub sensors: i32,
    /// Windows looked at.
    pub rows_used: i32,
    /// The largest index of a feature.
    pub worst: f64,
    /// stable (below 0.1), moving, or moved (from 0.25 on).
    pub verdict: String,
    /// By feature, worst first.
    pub features: Vec<FeatureDrift>,
}

/// Drift of one feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FeatureDrift {
    /// Name of the feature.
    pub feature: String,
    /// Population stability index: below 0.1 stable, from 0.25 on moved.
    pub psi: f64,
}

input! {
    /// Body of `POST /ai/models`; its fields may stand in the query instead, as in the documented form.
    NewModel {
        required {
            /// Kind of model.
            name: Text<1, 120>,
            /// Version.
            version: Text<1, 120>,
        }
        optional {
            /// For people.
            description: Text<0, 2000>,
            /// Where its files lie.
            path: Text<0, 2000>,
        }
    }
    /// Parameters of `POST /ai/models`, where there is no body.
    NewModelQuery {
        optional {
            /// Kind of model; here or in the body.
            name: Text<1, 120>,
            /// Version; here or in the body.
            version: Text<1, 120>,
            /// For people.
            description: Text<0, 2000>,
            /// Where its files lie.
            path: Text<0, 2000>,
        }
    }
    /// Body of `POST /ai/retrain`, and what a job of this type works with.
    RetrainRequest check one_scope {
        optional {
            /// Only for machines of this class, from their readings.
            machine_class: Text<0, 120>,
            /// Only for this machine, from its readings.
            machine_id: MachineId,
            /// Seed of every random choice; 42 unless given.
            seed: Whole<0, MAX_SEED>,
        }
    }
    /// Parameters of `GET /ai/false-alarms`.
    FalseAlarmsQuery {
        optional {
            /// Only of this machine.
            machine_id: MachineId,
        }
    }
    /// Parameters of `POST /ai/models/{version}/activate`.
    ActivateQuery {
        optional {
            /// Even if it has not passed its validation.
            force: Flag,
        }
    }
}

/// Whole numbers up to this are exact in JSON.
const MAX_SEED: i64 = 9_000_000_000_000_000;

fn one_scope(request: &RetrainRequest) -> Result<(), FieldFault> {
    match (&request.machine_class, request.machine_id) {
        (Some(class), Some(_)) => {
            Err(FieldFault::new("machine_class", "Give a class or a machine, not both", class.0.clone()))
        }
        _ => Ok(()),
    }
}
