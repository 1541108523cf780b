//! What kind of quantity a sensor reports, told from its readings.

use serde::{Deserialize, Serialize};

/// The kind of quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Nature {
    /// A measured quantity: level and scatter count.
    #[default]
    Continuous,
    /// Rises only, but for resets: what it gains counts.
    Counter,
    /// Two values: the share of time at the upper one counts.
    Binary,
}

/// Rises needed before a sensor is taken for a counter.
const RISES: u32 = 6;
/// A counter falls at most once in so many rises.
const RISES_PER_FALL: u32 = 20;

/// What tells the kinds apart.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Signs {
    rises: u32,
    falls: u32,
    last: Option<f64>,
    /// The first three different values.
    values: Vec<f64>,
}

impl Signs {
    /// Takes a reading.
    pub fn push(&mut self, value: f64) {
        if let Some(last) = self.last {
            self.rises = self.rises.saturating_add(u32::from(value > last));
            self.falls = self.falls.saturating_add(u32::from(value < last));
        }
        self.last = Some(value);
        if self.values.len() < 3 && !self.values.contains(&value) {
            self.values.push(value);
        }
    }

    /// The kind as far as it is known.
    #[must_use]
    pub fn nature(&self) -> Nature {
        if self.values.len() == 2 && self.falls > 0 {
            Nature::Binary
        } else if self.rises >= RISES && self.falls.saturating_mul(RISES_PER_FALL) <= self.rises {
            Nature::Counter
        } else {
            Nature::Continuous
        }
    }

    /// Is every number finite?
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.values.len() <= 3 && self.values.iter().chain(&self.last).all(|v| v.is_finite())
    }
}
