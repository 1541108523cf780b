//! Sensors that only count up: how fast they count is scored, not how far they have come.
//!
//! A counter is recognised by a row of readings without a fall of which many rose. Measurements scatter, so they never
//! show such a row. A fall to less than half is a restart: the counter goes on from the lower value, and the reading has no
//! rate.

use crate::window::is_measurement;
use serde::{Deserialize, Serialize};

/// Readings in a row without a fall by which a counter is recognised.
const RECOGNISED_AFTER: u32 = 60;
/// One of this many of them must have risen at least.
const RISES_ONE_IN: u32 = 4;

/// What is known of a sensor as a counter.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Counter {
    /// Time (µs) and value of the newest reading.
    last: Option<(i64, f64)>,
    /// Readings in a row without a fall.
    in_a_row: u32,
    /// Those of them that rose.
    rises: u32,
    /// Restarts since it was recognised.
    resets: u32,
    recognised: bool,
}

/// What a reading means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Counted {
    /// The sensor is no counter: the value itself.
    Value(f64),
    /// It counts: by so much a second since the last reading.
    Rate(f64),
    /// Nothing can be said of it: the counter has restarted, or the reading is not newer than the last one, or it is no
    /// measurement.
    Nothing,
}

impl Counter {
    /// Is the sensor a counter?
    #[must_use]
    pub fn is_recognised(&self) -> bool {
        self.recognised
    }

    /// How often it restarted at a lower value since it was recognised.
    #[must_use]
    pub fn resets(&self) -> u32 {
        self.resets
    }

    /// Takes the next reading.
    pub fn take(&mut self, time_us: i64, value: f64) -> Counted {
        if !is_measurement(value) {
            return Counted::Nothing;
        }
        let Some((last_us, last)) = self.last else {
            self.last = Some((time_us, value));
            return Counted::Value(value);
        };
        if time_us <= last_us {
            return if self.recognised { Counted::Nothing } else { Counted::Value(value) };
        }
        self.last = Some((time_us, value));
        if value < last {
            if self.recognised && value >= 0.0 && value < last / 2.0 {
                self.resets = self.resets.saturating_add(1);
                return Counted::Nothing;
            }
            *self = Self { last: self.last, ..Self::default() };
            return Counted::Value(value);
        }
        self.in_a_row = self.in_a_row.saturating_add(1);
        self.rises = self.rises.saturating_add(u32::from(value > last));
        self.recognised |=
            value > 0.0 && self.in_a_row >= RECOGNISED_AFTER && self.rises >= self.in_a_row / RISES_ONE_IN;
        if self.recognised {
            let seconds = (time_us - last_us) as f64 / 1e6;
            Counted::Rate((value - last) / seconds)
        } else {
            Counted::Value(value)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_counter_gives_rates_and_its_restart_is_no_value() {
        let mut counter = Counter::default();
        let mut given = Vec::new();
        for n in 0..200_i64 {
            let value = if n < 100 { 439_000.0 + n as f64 * 5.0 } else { 718.0 + (n - 100) as f64 * 5.0 };
            given.push(counter.take(n * 2_000_000, value));
        }
        assert_eq!(given[10], Counted::Value(439_050.0));
        assert_eq!(
            (given[99], given[100], given[101]),
            (Counted::Rate(2.5), Counted::Nothing, Counted::Rate(2.5))
        );
        assert!(counter.is_recognised() && counter.resets() == 1);
    }

    #[test]
    fn what_falls_is_no_counter_any_more() {
        let mut counter = Counter::default();
        (0..100_i64).for_each(|n| _ = counter.take(n * 1_000_000, n as f64));
        assert!(counter.is_recognised());
        assert_eq!(counter.take(100_000_000, 98.0), Counted::Value(98.0));
        assert!(!counter.is_recognised());
    }

    proptest! {
        #[test]
        fn measurements_are_no_counters(level in -1e3..1e3_f64, noise in prop::collection::vec(-1.0..1.0_f64, 100..300)) {
            let mut counter = Counter::default();
            for (n, noise) in (0..).zip(noise) {
                counter.take(n * 1_000_000, level + noise);
                prop_assert!(!counter.is_recognised());
            }
        }
    }
}
