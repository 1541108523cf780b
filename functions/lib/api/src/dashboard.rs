//! Counts for the overview.

use crate::input::{Whole, input};
use serde::{Deserialize, Serialize};

/// Longest period for which predictions are counted, hours.
pub const MAX_PREDICTION_STATS_HOURS: i64 = 168;

/// `GET /dashboard/overview`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Overview {
    /// Machines.
    pub machines: MachineCount,
    /// Sensors.
    pub sensors: Total,
    /// Alarms open or acknowledged.
    pub alarms: Active,
    /// Predictions.
    pub predictions: Last24h,
}

/// Machines in all and online.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MachineCount {
    /// In all.
    pub total: i64,
    /// With status online.
    pub online: i64,
}

/// A number of things.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Total {
    /// In all.
    pub total: i64,
}

/// A number of active things.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Active {
    /// Open or acknowledged.
    pub active: i64,
}

/// A number of things in the last day.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Last24h {
    /// In the last 24 hours.
    pub last_24h: i64,
}

/// `GET /dashboard/machines/stats`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MachineStats {
    /// Machines by operating state.
    pub by_status: MachinesByStatus,
    /// Machines by criticality.
    pub by_criticality: MachinesByCriticality,
}

/// Machines by operating state.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MachinesByStatus {
    /// Running.
    pub online: i64,
    /// Not running.
    pub offline: i64,
    /// Under maintenance.
    pub maintenance: i64,
    /// Running with reduced function.
    pub degraded: i64,
}

/// Machines by criticality.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MachinesByCriticality {
    /// Low.
    pub low: i64,
    /// Medium.
    pub medium: i64,
    /// High.
    pub high: i64,
    /// Critical.
    pub critical: i64,
}

/// `GET /dashboard/predictions/stats`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PredictionStats {
    /// In all, buffering ones too.
    pub total: i64,
    /// By judged class.
    pub by_status: PredictionsByStatus,
    /// Length of the period, hours.
    pub period_hours: i64,
}

/// Predictions by class.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PredictionsByStatus {
    /// Normal.
    pub normal: i64,
    /// Warning.
    pub warning: i64,
    /// Critical.
    pub critical: i64,
}

input! {
    /// Parameters of `GET /dashboard/predictions/stats`.
    PredictionStatsQuery {
        optional {
            /// Length of the period in hours; 24 unless given.
            hours: Whole<1, MAX_PREDICTION_STATS_HOURS>,
        }
    }
}
