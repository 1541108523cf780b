//! The score of one reading, before it is put into words.

use crate::features::COUNT;

/// What the rules, the forest and the reference make of a reading.
#[derive(Debug, Clone)]
pub struct Score {
    /// The features of the window, in the sensor's unit.
    pub features: [f64; COUNT],
    /// The same, relative to the sensor's past.
    pub row: [f32; COUNT],
    /// How surprising that is for this sensor.
    pub surprise: f64,
    /// By limits.
    pub rule_score: f64,
    /// By the forest, calibrated; 0 without a model.
    pub model_score: f64,
    /// By the sensor's healthy reference; 0 while it is learned.
    pub reference_score: f64,
    /// The highest of the three, the forest's less what is ordinary for this sensor ([`crate::ceiling`]).
    pub raw: f64,
}

/// Score of a sensor that has left its reference, or the other sensors of its machine: a warning, and not critical, since
/// how bad it is only limits can tell.
pub const OUTSIDE: f64 = 0.8;
/// The same, infinitely far outside.
pub const FARTHEST_OUTSIDE: f64 = 0.9;
/// Confidence where the reference or the other sensors decide: how often they are right was not measured on real machines.
pub const UNCALIBRATED: f64 = 0.5;
