//! The newest readings of one sensor.

use serde::{Deserialize, Serialize};

/// Readings kept.
pub const WINDOW: usize = 60;
/// Fewer than this: the sensor is still buffering.
pub const MIN_SAMPLES: usize = 12;
/// A pause of more than this many usual intervals (and of more than [`PAUSE_US`]) empties the window.
const PAUSE_INTERVALS: i64 = 20;
/// No measurement is larger; a number beyond it is passed over.
const LARGEST: f64 = 1e30;
const PAUSE_US: i64 = 60_000_000;

/// Up to [`WINDOW`] readings, oldest first, times strictly ascending.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Window {
    times: Vec<i64>,
    values: Vec<f64>,
}

/// Times as steps: a third of the size.
#[derive(Serialize, Deserialize)]
struct Stored {
    first: i64,
    steps: Vec<i64>,
    values: Vec<f64>,
}

impl From<Window> for Stored {
    fn from(w: Window) -> Self {
        let steps = w.times.windows(2).map(|t| t[1] - t[0]).collect();
        Self { first: w.times.first().copied().unwrap_or(0), steps, values: w.values }
    }
}

impl From<Stored> for Window {
    fn from(s: Stored) -> Self {
        let mut times: Vec<i64> = s.values.first().map(|_| s.first).into_iter().collect();
        for step in s.steps {
            times.push(times.last().copied().unwrap_or(0).saturating_add(step));
        }
        Self { times, values: s.values }
    }
}

/// Can a sensor have measured this?
#[must_use]
pub fn is_measurement(value: f64) -> bool {
    value.is_finite() && value.abs() <= LARGEST
}

impl Window {
    /// Appends a reading (time in µs). False, and nothing happens, when the value is no measurement or the reading is
    /// not newer than the newest: late readings do not change the judgement of the present.
    ///
    /// After a long pause the window starts afresh: the machine was off, and a window across the pause would compare
    /// two different runs.
    pub fn push(&mut self, time_us: i64, value: f64) -> bool {
        if !is_measurement(value) || self.newest().is_some_and(|t| time_us <= t) {
            return false;
        }
        if let (Some(last), Some(usual)) = (self.newest(), self.interval_us()) {
            let pause = time_us.saturating_sub(last);
            if pause > PAUSE_US && pause > usual.saturating_mul(PAUSE_INTERVALS) {
                self.times.clear();
                self.values.clear();
            }
        }
        if self.times.len() == WINDOW {
            self.times.remove(0);
            self.values.remove(0);
        }
        self.times.push(time_us);
        self.values.push(value);
        true
    }

    /// Time of the newest reading, in µs.
    #[must_use]
    pub fn newest(&self) -> Option<i64> {
        self.times.last().copied()
    }

    /// Mean interval between readings in µs, with at least three readings.
    #[must_use]
    pub fn interval_us(&self) -> Option<i64> {
        let n = self.times.len();
        (n >= 3).then(|| (self.times[n - 1] - self.times[0]) / (n as i64 - 1))
    }

    /// The values, oldest first.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Filled share, 0 to 1.
    #[must_use]
    pub fn fullness(&self) -> f64 {
        self.values.len() as f64 / WINDOW as f64
    }

    /// Are there enough readings for a judgement?
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.values.len() >= MIN_SAMPLES
    }

    /// Do the stored parts belong together? (False for a damaged state.)
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.times.len() == self.values.len()
            && self.times.len() <= WINDOW
            && self.times.windows(2).all(|t| t[0] < t[1])
            && self.values.iter().all(|v| v.is_finite())
    }
}
