//! What each sensor of a machine should show by what the others show.
//!
//! Buckets of some minutes hold the mean level of every sensor, with sine and cosine of the time of day. While learning, their
//! covariances are gathered; each sensor is then regressed on all others (ridge regression, Hoerl & Kennard 1970, read off the
//! inverse of the shrunk correlation matrix, Whittaker 1990). The residuals of days that a regression has not seen give the extremes
//! that are ordinary. After learning, a sum of excesses over them (CUSUM, Page 1954) says which sensor has left the others.
//!
//! Invariant: after learning nothing that lasts is learned.

use crate::{
    gaussian::inverse,
    reference::{Keeping, next_sum},
};
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

const MINUTE_US: i64 = 60_000_000;
const DAY_US: i64 = 1440 * MINUTE_US;
/// Length of a bucket.
const BUCKET_US: i64 = 5 * MINUTE_US;
/// Sine and cosine of the time of day.
const CLOCK: usize = 2;
/// Added to the diagonal of the correlations.
const RIDGE: f64 = 0.02;
/// Residuals may go beyond those of learning by this factor.
const MARGIN: f64 = 1.8;
/// A residual below this share of the sensor's own spread says nothing.
const MIN_RESIDUAL_SHARE: f64 = 0.3;
/// Days before residuals can be looked at, and buckets before a regression.
const FIRST_DAYS: i64 = 2;
const MIN_BUCKETS: f64 = 200.0;
const ALARM: f32 = 1.5;

/// The relations between the sensors of one machine.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Relations {
    started_us: Option<i64>,
    day: i64,
    index: i64,
    frozen: bool,
    /// Sums and counts of the present bucket.
    sums: Vec<f64>,
    counts: Vec<u32>,
    seen: f64,
    mean: Vec<f64>,
    covariance: Vec<f32>,
    /// Per sensor the weights of all columns in its residual, in spreads.
    weights: Vec<f32>,
    /// Largest residuals of days not learned from, in spreads.
    extremes: Vec<f32>,
    residuals: Vec<f32>,
    /// Levels of the newest bucket after learning.
    levels: Vec<Option<f64>>,
    excesses: Vec<f32>,
    /// What people called normal, taken off the residuals.
    offsets: Vec<f32>,
    since_us: Vec<Option<i64>>,
}

/// A sensor that has left the others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Apart {
    /// Place of the sensor.
    pub place: usize,
    /// Level less what the others explain, in the sensor's unit.
    pub by: f64,
    /// Since when (µs).
    pub since_us: i64,
}

impl Relations {
    /// Nothing known of so many sensors.
    #[must_use]
    pub fn of(sensors: usize) -> Self {
        let columns = sensors + CLOCK;
        Self {
            sums: vec![0.0; sensors],
            counts: vec![0; sensors],
            mean: vec![0.0; columns],
            covariance: vec![0.0; columns * columns],
            extremes: vec![0.0; sensors],
            residuals: vec![0.0; sensors],
            levels: vec![None; sensors],
            excesses: vec![0.0; sensors],
            offsets: vec![0.0; sensors],
            since_us: vec![None; sensors],
            ..Self::default()
        }
    }

    /// Takes levels: place of the sensor, time in µs, value.
    pub fn push(&mut self, levels: &[(usize, i64, f64)], keeping: Keeping) {
        let Some(newest) = levels.iter().map(|l| l.1).max() else { return };
        let started = *self.started_us.get_or_insert(newest);
        let index = newest.div_euclid(BUCKET_US);
        if index > self.index {
            if self.counts.iter().all(|c| *c > 0) {
                self.close(keeping.widening);
            }
            self.index = index;
            self.sums.fill(0.0);
            self.counts.fill(0);
            if !self.frozen && newest - started >= keeping.learn_us && self.seen >= MIN_BUCKETS {
                self.regress();
                self.frozen = true;
            }
        }
        for &(place, _, value) in levels {
            if let (Some(sum), Some(count)) = (self.sums.get_mut(place), self.counts.get_mut(place)) {
                *sum += value;
                *count += 1;
            }
        }
    }

    fn close(&mut self, widening: f64) {
        let at_us = self.index * BUCKET_US;
        let angle = TAU * at_us.rem_euclid(DAY_US) as f64 / DAY_US as f64;
        let mut row: Vec<f64> = self.sums.iter().zip(&self.counts).map(|(s, c)| s / f64::from(*c)).collect();
        row.extend([angle.sin(), angle.cos()]);
        let day = at_us.div_euclid(DAY_US);
        if !self.frozen {
            if day != self.day && self.seen >= MIN_BUCKETS {
                self.regress();
            }
            // the first regressions know too little: their residuals do not count
            let days = self.started_us.map_or(0, |s| day - s.div_euclid(DAY_US));
            if days <= FIRST_DAYS {
                self.extremes.fill(0.0);
            }
        }
        self.day = day;
        self.look(&row, at_us, widening);
        if !self.frozen {
            self.learn(&row);
        }
    }

    fn learn(&mut self, row: &[f64]) {
        self.seen += 1.0;
        let rate = 1.0 / self.seen;
        let off: Vec<f64> = row.iter().zip(&self.mean).map(|(v, m)| v - m).collect();
        self.mean.iter_mut().zip(&off).for_each(|(m, d)| *m += rate * d);
        for (line, a) in self.covariance.chunks_exact_mut(off.len()).zip(&off) {
            line.iter_mut()
                .zip(&off)
                .for_each(|(c, b)| *c += (rate * (a * b * (1.0 - rate) - f64::from(*c))) as f32);
        }
    }

    fn spread(&self, column: usize) -> f64 {
        let columns = self.mean.len();
        f64::from(self.covariance[column * columns + column])
            .max(0.0)
            .sqrt()
            .max(1e-9 * self.mean[column].abs())
            .max(1e-12)
    }

    /// Reads the weights off the inverse of the correlations.
    fn regress(&mut self) {
        let columns = self.mean.len();
        let spreads: Vec<f64> = (0..columns).map(|c| self.spread(c)).collect();
        let mut correlations: Vec<f64> = (0..columns * columns)
            .map(|k| f64::from(self.covariance[k]) / (spreads[k / columns] * spreads[k % columns]))
            .collect();
        (0..columns).for_each(|c| correlations[c * columns + c] = 1.0 + RIDGE);
        let Some(inverse) = inverse(correlations, columns) else { return };
        self.weights = (0..self.sums.len())
            .flat_map(|i| {
                let line = &inverse[i * columns..(i + 1) * columns];
                line.iter().map(move |v| (v / line[i]) as f32)
            })
            .collect();
    }

    fn look(&mut self, row: &[f64], at_us: i64, widening: f64) {
        let columns = row.len();
        if self.weights.is_empty() {
            return;
        }
        let standard: Vec<f64> =
            row.iter().enumerate().map(|(c, v)| (v - self.mean[c]) / self.spread(c)).collect();
        for (place, level) in row.iter().enumerate().take(self.sums.len()) {
            let weights = &self.weights[place * columns..(place + 1) * columns];
            let raw: f64 = weights.iter().zip(&standard).map(|(w, z)| f64::from(*w) * z).sum();
            let residual = raw - f64::from(self.offsets[place]);
            self.residuals[place] = residual as f32;
            if !self.frozen {
                self.extremes[place] = self.extremes[place].max(residual.abs() as f32);
                continue;
            }
            self.levels[place] = Some(*level);
            let ordinary = widening * (MARGIN * f64::from(self.extremes[place])).max(MIN_RESIDUAL_SHARE);
            self.excesses[place] = next_sum(self.excesses[place], residual.abs() / ordinary);
            if self.excesses[place] >= ALARM {
                self.since_us[place].get_or_insert(at_us);
            } else if self.excesses[place] == 0.0 {
                self.since_us[place] = None;
            }
        }
    }

    /// The sensors that have left the others, farthest first.
    #[must_use]
    pub fn apart(&self) -> Vec<Apart> {
        let far = |place: usize| {
            f64::from(self.residuals[place]).abs()
                / (MARGIN * f64::from(self.extremes[place])).max(MIN_RESIDUAL_SHARE)
        };
        let mut apart: Vec<Apart> = self
            .since_us
            .iter()
            .enumerate()
            .filter_map(|(place, since)| {
                let by = f64::from(self.residuals[place]) * self.spread(place);
                Some(Apart { place, by, since_us: (*since)? })
            })
            .collect();
        apart.sort_by(|a, b| far(b.place).total_cmp(&far(a.place)));
        apart
    }

    /// The level of each sensor that the others explain; `None` while that is learned.
    pub fn explained(&self) -> impl Iterator<Item = Option<f64>> {
        let explained = |(place, level): (usize, &Option<f64>)| {
            Some((*level)? - f64::from(self.residuals[place]) * self.spread(place))
        };
        self.levels.iter().enumerate().map(explained)
    }

    /// The other sensors that the level of one follows most closely, at most two, the closest first. Each of them explains at least
    /// half as much as the closest.
    #[must_use]
    pub fn follows(&self, place: usize) -> Vec<usize> {
        let columns = self.mean.len();
        let Some(line) = self.weights.get(place * columns..(place + 1) * columns) else { return Vec::new() };
        let mut others: Vec<(usize, f32)> =
            line[..self.sums.len()].iter().map(|w| w.abs()).enumerate().collect();
        others.retain(|o| o.0 != place);
        others.sort_by(|a, b| b.1.total_cmp(&a.1));
        let least = others.first().map_or(0.0, |o| 0.5 * o.1);
        others.into_iter().take(2).filter(|o| o.1 >= least).map(|o| o.0).collect()
    }

    /// A person said at a time (µs) that what a sensor showed up to then is normal. Its residual and those of the others, which
    /// it is in, count as known from now on.
    pub fn accept(&mut self, place: usize, at_us: i64) {
        if self.since_us.get(place).copied().flatten().is_some_and(|since| since <= at_us) {
            self.offsets.iter_mut().zip(&self.residuals).for_each(|(offset, residual)| *offset += residual);
            self.residuals.fill(0.0);
            self.excesses.fill(0.0);
            self.since_us.fill(None);
        }
    }

    /// Does it hold together? (False for a damaged state.)
    #[must_use]
    pub fn is_valid(&self, sensors: usize) -> bool {
        let columns = sensors + CLOCK;
        let finite = |v: &[f32]| v.iter().all(|v| v.is_finite());
        self.sums.len() == sensors
            && self.counts.len() == sensors
            && self.mean.len() == columns
            && self.covariance.len() == columns * columns
            && (self.weights.is_empty() || self.weights.len() == sensors * columns)
            && [self.extremes.len(), self.residuals.len(), self.excesses.len()] == [sensors; 3]
            && [self.offsets.len(), self.since_us.len(), self.levels.len()] == [sensors; 3]
            && self.mean.iter().chain(&self.sums).chain(self.levels.iter().flatten()).all(|v| v.is_finite())
            && [
                &self.covariance,
                &self.weights,
                &self.extremes,
                &self.residuals,
                &self.excesses,
                &self.offsets,
            ]
            .iter()
            .all(|v| finite(v))
    }
}
