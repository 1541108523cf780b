//! How high the forest's score goes in a sensor's ordinary life: what it must exceed to be an alarm.
//!
//! A sensor whose load often jumps looks unusual to the forest at every jump. Excursions of the smoothed score that end by
//! themselves are ordinary: while the reference is learned, the highest of them is the ceiling (the conformal idea of Vovk,
//! Gammerman & Shafer 2005: a score is unusual if it exceeds those of the healthy past). Later the ceiling rises by
//! excursions on several days, and by one that lasts while the sensor is inside its reference, which knows slow things better.

use crate::track::WARNING_FROM;
use serde::{Deserialize, Serialize};

/// Scores from here on are an excursion.
const EXCURSION: f64 = 0.5;
const HOUR_US: i64 = 3_600_000_000;
/// While learning, an excursion of this length is taken for a state of the sensor.
const STATE_US: i64 = 12 * HOUR_US;
/// After learning, a sensor inside its reference for this long has no fault that the forest alone could see.
const OVERRULED_US: i64 = 2 * HOUR_US;
/// What came and went within this time may be learned on several days.
const MAX_EXCURSION_US: i64 = 12 * HOUR_US;
/// A score must exceed the ceiling by this to be as unusual as a warning.
const MARGIN: f64 = 0.1;
const SMOOTHING: f64 = 0.2;
const DAY_US: i64 = 86_400_000_000;
/// Days with an excursion after learning until such excursions are ordinary.
const DAYS: u8 = 3;

/// The ceiling of one sensor.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Ceiling {
    highest: f32,
    smoothed: f32,
    /// The present excursion: its highest score, and its beginning (µs).
    peak: f32,
    since_us: i64,
    /// The reference was left during it.
    outside: bool,
    /// Highest score of the excursions after learning, the number of their days, and the last of these.
    later: f32,
    days: u8,
    day: i32,
}

impl Ceiling {
    /// What is left of a score after taking off what is ordinary. A sensor without excursions keeps its scores.
    #[must_use]
    pub fn lower(&self, score: f64) -> f64 {
        (score - (f64::from(self.highest) + MARGIN - WARNING_FROM).max(0.0)).max(0.0)
    }

    /// Takes the forest's score of a reading. `inside`: the sensor is inside its reference.
    pub fn push(&mut self, time_us: i64, score: f64, learning: bool, inside: bool) {
        self.smoothed += SMOOTHING as f32 * (score as f32 - self.smoothed);
        if f64::from(self.smoothed) >= EXCURSION {
            if self.peak == 0.0 {
                self.since_us = time_us;
            }
            self.peak = self.peak.max(self.smoothed);
            if !learning && !inside {
                self.since_us = time_us;
                self.outside = true;
            }
            let lasts_us = time_us.saturating_sub(self.since_us);
            if lasts_us > if learning { STATE_US } else { OVERRULED_US } {
                self.highest = self.highest.max(self.peak);
            }
        } else if self.peak > 0.0 {
            let peak = std::mem::take(&mut self.peak);
            if !std::mem::take(&mut self.outside) && time_us.saturating_sub(self.since_us) <= MAX_EXCURSION_US
            {
                self.end(time_us, peak, learning);
            }
        }
    }

    fn end(&mut self, time_us: i64, peak: f32, learning: bool) {
        if learning {
            self.highest = self.highest.max(peak);
            return;
        }
        let day = time_us.div_euclid(DAY_US) as i32;
        self.later = self.later.max(peak);
        if day != self.day {
            self.day = day;
            self.days = self.days.saturating_add(1);
        }
        if self.days >= DAYS {
            self.highest = self.highest.max(std::mem::take(&mut self.later));
            self.days = 0;
        }
    }

    /// A person called the present state normal.
    pub fn accept(&mut self) {
        self.highest = self.highest.max(self.peak).max(std::mem::take(&mut self.later));
        self.peak = 0.0;
    }

    /// Is every number a score? (False for a damaged state.)
    #[must_use]
    pub fn is_valid(&self) -> bool {
        [self.highest, self.smoothed, self.peak, self.later].iter().all(|s| (0.0..=1.0).contains(s))
    }
}

#[cfg(test)]
mod tests {
    use super::Ceiling;

    /// Feeds a minute of a score, one reading a second, then a minute of calm.
    fn excursion(ceiling: &mut Ceiling, at_s: i64, score: f64, learning: bool) {
        for s in 0..120 {
            ceiling.push((at_s + s) * 1_000_000, if s < 60 { score } else { 0.1 }, learning, true);
        }
    }

    #[test]
    fn a_sensor_without_excursions_keeps_its_scores() {
        let mut ceiling = Ceiling::default();
        excursion(&mut ceiling, 0, 0.45, true);
        assert_eq!(ceiling.lower(0.8), 0.8);
    }

    #[test]
    fn what_came_and_went_while_learning_is_no_warning_later() {
        let mut ceiling = Ceiling::default();
        excursion(&mut ceiling, 0, 0.9, true);
        assert!(ceiling.lower(0.9) < 0.75);
        assert!(ceiling.lower(1.0) >= 0.749, "{}", ceiling.lower(1.0));
    }

    #[test]
    fn after_learning_it_takes_three_days() {
        let mut ceiling = Ceiling::default();
        for (day, expected) in [(1, 0.9), (1, 0.9), (2, 0.9), (3, 0.65)] {
            excursion(&mut ceiling, day * 86_400, 0.9, false);
            let left = ceiling.lower(0.9);
            assert!((left - expected).abs() < 0.001, "day {day}: {left}");
        }
    }

    /// A score for some hours, a reading a minute.
    fn hours(ceiling: &mut Ceiling, hours: (i64, i64), learning: bool, inside: bool) {
        for minute in 60 * hours.0..60 * hours.1 {
            ceiling.push(minute * 60_000_000, 0.95, learning, inside);
        }
    }

    #[test]
    fn what_lasts_while_learning_is_a_state_of_the_sensor() {
        let mut ceiling = Ceiling::default();
        hours(&mut ceiling, (0, 12), true, true);
        assert_eq!(ceiling.lower(0.95), 0.95);
        hours(&mut ceiling, (12, 13), true, true);
        assert!(ceiling.lower(0.95) < 0.75);
    }

    #[test]
    fn after_learning_the_reference_overrules_the_forest_where_it_knows_better() {
        let (mut inside, mut outside) = (Ceiling::default(), Ceiling::default());
        hours(&mut inside, (0, 3), false, true);
        hours(&mut outside, (0, 100), false, false);
        assert!(inside.lower(0.95) < 0.75);
        assert_eq!(outside.lower(0.95), 0.95);
        excursion(&mut outside, 100 * 3600, 0.1, false);
        assert_eq!(outside.lower(0.95), 0.95, "a fault that ended teaches nothing");
    }
}
