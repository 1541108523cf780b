//! What the sensor's own limits say, and what is left to judge by when no model can be used.

use crate::features::COUNT;
use pm_api::{ReadingStatus, score::Limits};

/// Score of a value at or beyond a warning limit: enough for class warning.
pub const WARNING: f64 = 0.8;
/// Score of a value at or beyond a critical limit.
pub const CRITICAL: f64 = 1.0;

/// Score by the limits: 0 inside, [`WARNING`], [`CRITICAL`].
#[must_use]
pub fn score(limits: &Limits, value: f64) -> f64 {
    match pm_domain::limits::classify(limits, value) {
        ReadingStatus::Normal => 0.0,
        ReadingStatus::Warning => WARNING,
        ReadingStatus::Critical => CRITICAL,
    }
}

/// Weight of the newest score in the smoothed one. The documented 0.2 for what the model says; a breach of a limit
/// counts more, so that three readings in a row beyond the critical limit reach class critical and one alone does
/// not.
#[must_use]
pub fn smoothing(rule_score: f64) -> f64 {
    if rule_score >= CRITICAL {
        0.6
    } else if rule_score >= WARNING {
        0.4
    } else {
        0.2
    }
}

/// Without a model and without limits: a level that left the range of the sensor's own healthy past by its whole
/// width is worth a warning.
#[must_use]
pub fn own_past(features: &[f64; COUNT]) -> f64 {
    const OPTIMAL_DEVIATION: usize = 15;
    (WARNING * features[OPTIMAL_DEVIATION]).min(WARNING)
}
