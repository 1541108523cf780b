//! Remaining useful life: how long until a machine or a sensor's level reaches the failure threshold.
//!
//! The terms are those of ISO 13381-1 (prognostics): the estimated time to failure with its confidence limits, and the
//! method it was found by. The messages to the scorer travel as postcard and are not part of the public API.

use crate::{MachineId, RulMethod, Timestamp};
use serde::{Deserialize, Serialize};

/// Confidence level of every interval here: nine of ten true values lie inside.
pub const CONFIDENCE_LEVEL: f64 = 0.9;

/// Newest cycles of a machine that a network may look at.
pub const MAX_CYCLES: i64 = 160;

/// A prognosis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RemainingLife {
    /// `trend`: extrapolation of the sensor's level to its limit; `network`: a network learned from machines that ran
    /// to failure, for the machine as a whole.
    pub method: RulMethod,
    /// Estimated time to failure, hours; 0 when the limit is reached.
    pub hours: f64,
    /// Lower confidence limit, hours.
    pub lower_hours: f64,
    /// Upper confidence limit, hours; absent when none can be stated.
    pub upper_hours: Option<f64>,
    /// Share of true values that the interval is made to hold, 0 to 1.
    pub confidence_level: f64,
    /// Name and version of the network (`rul-cmapss-fd001/1.0.0`); absent for a trend.
    pub model: Option<String>,
}

/// `ingest` → `score`: machines with a network of their own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RulRequest {
    /// One entry per machine.
    pub items: Vec<RulItem>,
}

/// One machine's newest operating cycles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RulItem {
    /// The machine.
    pub machine_id: MachineId,
    /// Name and version of the network, as the machine's metadata names it.
    pub model: String,
    /// Names of the columns of `cycles`, in the words of the network's card.
    pub channels: Vec<String>,
    /// Cycles, oldest first: time and one value per channel.
    pub cycles: Vec<(Timestamp, Vec<f64>)>,
    /// Hours that one operating cycle takes; absent: the mean distance of the cycles.
    pub hours_per_cycle: Option<f64>,
}

/// The prognoses, in the order of the items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RulResponse {
    /// One entry per item; the error says why there is none.
    pub items: Vec<Result<RemainingLife, String>>,
}
