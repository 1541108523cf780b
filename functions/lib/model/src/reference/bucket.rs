//! Readings of ten minutes in two numbers that do not care for single outliers: level and scatter.
//!
//! A bucket has [`SLOTS`] slots of equal length. The level is the median of the slots' means, so that a change of load
//! inside the bucket leaves it at one of the two levels. The scatter is the trimmed mean of the slots' mean
//! absolute differences from reading to reading (after von Neumann 1941), which a slow movement does not enlarge. Before, a median of
//! three takes single outliers out (Tukey 1977) and they are counted.

use super::nature::Nature;
use serde::{Deserialize, Serialize};

const SLOTS: usize = 20;
/// A bucket with fewer readings stays open beyond its end.
const MIN_READINGS: u32 = 5;
/// A reading that is this many usual differences from both neighbours is an outlier.
const OUTLIER: f64 = 12.0;

/// Level and scatter of a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Point {
    /// Level, less the reference's origin.
    pub level: f32,
    /// Scatter, in the sensor's unit.
    pub scatter: f32,
}

/// A bucket that is over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Closed {
    /// Number of the bucket since 1970.
    pub index: i64,
    /// What it showed.
    pub point: Point,
    /// Single outliers.
    pub outliers: u32,
    /// Readings.
    pub readings: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Slot {
    number: u8,
    readings: u32,
    mean: f32,
    difference: f32,
}

/// The bucket that is being filled.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Bucket {
    index: i64,
    readings: u32,
    changes: u32,
    outliers: u32,
    rise: f32,
    slots: Vec<Slot>,
    /// The two newest readings, oldest first, and the newest filtered one.
    before: Vec<f64>,
    filtered: Option<f64>,
}

impl Bucket {
    /// Takes a reading; gives the bucket that ended with it. `origin` is taken off the levels.
    pub fn push(
        &mut self,
        (time_us, length_us): (i64, i64),
        value: f64,
        origin: f64,
        usual_scatter: f64,
        nature: Nature,
    ) -> Option<Closed> {
        let index = time_us.div_euclid(length_us);
        let mut closed = None;
        if index != self.index {
            if self.readings >= MIN_READINGS {
                closed = Some(self.close(nature));
            }
            // An open bucket waits for its readings for two lengths; after that they are too old to be joined.
            if closed.is_some() || index > self.index + 2 {
                *self = Self {
                    index,
                    before: std::mem::take(&mut self.before),
                    filtered: self.filtered,
                    ..Self::default()
                };
            }
        }
        let slot = if index == self.index {
            (time_us.rem_euclid(length_us) * SLOTS as i64 / length_us) as u8
        } else {
            SLOTS as u8
        };
        self.take(slot, value, origin, usual_scatter);
        closed
    }

    fn take(&mut self, number: u8, value: f64, origin: f64, usual_scatter: f64) {
        self.readings += 1;
        if let Some(&last) = self.before.last() {
            self.changes += u32::from(value != last);
            self.rise += (value - last).max(0.0) as f32;
        }
        let filtered = match self.before[..] {
            [a, b] => {
                let middle = a.max(b).min(a.min(b).max(value));
                self.outliers +=
                    u32::from((b - middle).abs() > OUTLIER * usual_scatter && usual_scatter > 0.0);
                middle
            }
            _ => value,
        };
        if self.before.len() == 2 {
            self.before.remove(0);
        }
        self.before.push(value);
        let difference = self.filtered.map_or(0.0, |f| (filtered - f).abs()) as f32;
        self.filtered = Some(filtered);
        let level = (filtered - origin) as f32;
        match self.slots.last_mut().filter(|s| s.number == number) {
            Some(slot) => {
                slot.readings += 1;
                let share = 1.0 / slot.readings as f32;
                slot.mean += share * (level - slot.mean);
                slot.difference += share * (difference - slot.difference);
            }
            None => self.slots.push(Slot { number, readings: 1, mean: level, difference }),
        }
    }

    fn close(&self, nature: Nature) -> Closed {
        // the lower of the two in the middle: a bucket half at one load and half at another shows one of them
        let sorted = |pick: fn(&Slot) -> f32| {
            let mut values: Vec<f32> = self.slots.iter().map(pick).collect();
            values.sort_unstable_by(f32::total_cmp);
            values
        };
        let level = |values: Vec<f32>| values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(0.0);
        // without the quarter that changes of load enlarge
        let scatter = |mut values: Vec<f32>| {
            values.truncate((3 * values.len()).div_ceil(4));
            values.iter().sum::<f32>() / values.len().max(1) as f32
        };
        let point = match nature {
            Nature::Continuous => {
                Point { level: level(sorted(|s| s.mean)), scatter: scatter(sorted(|s| s.difference)) }
            }
            Nature::Counter => Point { level: self.rise, scatter: 0.0 },
            Nature::Binary => {
                let sum: f32 = self.slots.iter().map(|s| s.mean * s.readings as f32).sum();
                Point { level: sum / self.readings as f32, scatter: 0.0 }
            }
        };
        Closed { index: self.index, point, outliers: self.outliers, readings: self.readings }
    }

    /// Is every number finite?
    pub fn is_valid(&self) -> bool {
        self.slots.len() <= SLOTS + 1
            && self.before.len() <= 2
            && self.before.iter().chain(&self.filtered).all(|v| v.is_finite())
            && self.rise.is_finite()
            && self.slots.iter().all(|s| s.mean.is_finite() && s.difference.is_finite() && s.readings > 0)
    }
}
