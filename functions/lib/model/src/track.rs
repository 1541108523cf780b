//! From scores to a class: smoothing, then classes with hysteresis and a hold time.

use crate::rules;
use pm_api::ReadingStatus;
use serde::{Deserialize, Serialize};

/// A smoothed score from here on is class warning.
pub const WARNING_FROM: f64 = 0.75;
/// Below this a warning is over.
pub const WARNING_UNTIL: f64 = 0.60;
const CRITICAL_FROM: f64 = 0.92;
const CRITICAL_UNTIL: f64 = 0.80;
/// A class is left for a lower one only after this long.
const HOLD_US: i64 = 30_000_000;

/// The smoothed score of one sensor under one model, and its class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Track {
    /// Smoothed score; absent while buffering.
    pub smoothed: Option<f64>,
    /// Class after hysteresis.
    pub class: ReadingStatus,
    /// Reading time (µs) at which that class began.
    class_since_us: i64,
}

impl Default for Track {
    fn default() -> Self {
        Self { smoothed: None, class: ReadingStatus::Normal, class_since_us: i64::MIN }
    }
}

impl Track {
    /// Too few readings: nothing is claimed.
    pub fn rest(&mut self) {
        self.smoothed = None;
        self.class = ReadingStatus::Normal;
    }

    /// Takes the score of a reading; gives the smoothed one.
    pub fn follow(&mut self, time_us: i64, raw: f64, rule_score: f64) -> f64 {
        let smoothed = match self.smoothed {
            None => raw,
            Some(before) => before + rules::smoothing(rule_score) * (raw - before),
        };
        self.smoothed = Some(smoothed.clamp(0.0, 1.0));
        let class = next_class(self.class, smoothed, time_us.saturating_sub(self.class_since_us));
        if class != self.class {
            self.class = class;
            self.class_since_us = time_us;
        }
        smoothed
    }

    /// Is the score a score? (False for a damaged state.)
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.smoothed.is_none_or(|s| (0.0..=1.0).contains(&s))
    }
}

/// The documented hysteresis.
fn next_class(class: ReadingStatus, score: f64, since_us: i64) -> ReadingStatus {
    use ReadingStatus::{Critical, Normal, Warning};
    let by_score = match class {
        _ if score >= CRITICAL_FROM => Critical,
        Critical if score >= CRITICAL_UNTIL => Critical,
        _ if score >= WARNING_FROM => Warning,
        Warning if score >= WARNING_UNTIL => Warning,
        _ => Normal,
    };
    if by_score < class && since_us < HOLD_US { class } else { by_score }
}
