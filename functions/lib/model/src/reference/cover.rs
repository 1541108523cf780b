//! The pairs of level and scatter that a sensor has shown while healthy, as a few balls that cover them, and how far a
//! new pair lies outside. (A novelty detector by nearest neighbours, as in Knorr & Ng 1998; the cover is thinned as by
//! Gonzalez 1985.)

use super::bucket::Point;
use crate::stats::median;
use serde::{Deserialize, Serialize};

/// Balls kept at most.
const BALLS: usize = 48;
/// Differences from bucket to bucket that the unit is told from.
const DIFFERENCES: usize = 36;
/// The unit of the logarithm of the scatter is at least this.
const MIN_SCATTER_UNIT: f64 = 0.12;

/// A cover with its units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cover {
    balls: Vec<Point>,
    /// Radius of a ball, in units.
    radius: f32,
    /// Ordinary change of the level from bucket to bucket.
    unit: f32,
    differences: Vec<f32>,
    last: Option<f32>,
    /// Mean scatter and readings of a bucket.
    scatter: f32,
    readings: f32,
    seen: u32,
}

impl Default for Cover {
    fn default() -> Self {
        Self {
            balls: Vec::new(),
            radius: 1.0,
            unit: 0.0,
            differences: Vec::new(),
            last: None,
            scatter: 0.0,
            readings: 0.0,
            seen: 0,
        }
    }
}

impl Cover {
    /// How far a pair lies outside of the cover, in units; 0 inside. `shifts` are offsets of the level that count as
    /// known.
    #[must_use]
    pub fn distance(&self, point: Point, shifts: &[f32]) -> f64 {
        let moved = shifts.iter().map(|s| Point { level: point.level - s, ..point });
        let nearest = std::iter::once(point)
            .chain(moved)
            .flat_map(|p| self.balls.iter().map(move |b| self.between(p, *b)))
            .fold(f64::INFINITY, f64::min);
        (nearest - f64::from(self.radius)).max(0.0)
    }

    /// Distance of two pairs, in units.
    #[must_use]
    pub fn between(&self, a: Point, b: Point) -> f64 {
        let (level, scatter) = self.apart(a, b);
        level.max(scatter)
    }

    /// Do two pairs differ in scatter rather than in level?
    #[must_use]
    pub fn differs_in_scatter(&self, a: Point, b: Point) -> bool {
        let (level, scatter) = self.apart(a, b);
        scatter > level
    }

    /// Distances in level and in the logarithm of the scatter, in units.
    fn apart(&self, a: Point, b: Point) -> (f64, f64) {
        let level = f64::from((a.level - b.level).abs()) / self.level_unit(f64::from(b.scatter));
        let floor = 0.1 * f64::from(self.scatter) + 1e-12;
        let log = |p: Point| (f64::from(p.scatter) + floor).ln();
        let unit = (1.1 / f64::from(self.readings.max(1.0)).sqrt()).max(MIN_SCATTER_UNIT);
        (level, (log(a) - log(b)).abs() / unit)
    }

    /// Ordinary change of a level from bucket to bucket where the readings scatter so.
    fn level_unit(&self, scatter: f64) -> f64 {
        let noise = 2.0 * scatter / f64::from(self.readings.max(1.0)).sqrt();
        let resolution = 0.002 * self.range().map_or(0.0, |(low, high)| f64::from(high - low));
        f64::from(self.unit).max(noise).max(resolution).max(1e-9)
    }

    /// Ordinary change of a level from bucket to bucket.
    #[must_use]
    pub fn unit(&self) -> f64 {
        self.level_unit(f64::from(self.scatter))
    }

    /// Ordinary scatter.
    #[must_use]
    pub fn scatter(&self) -> f64 {
        f64::from(self.scatter)
    }

    /// Lowest and highest level covered.
    #[must_use]
    pub fn range(&self) -> Option<(f32, f32)> {
        self.balls.iter().map(|b| (b.level, b.level)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// The ball nearest to a pair.
    #[must_use]
    pub fn nearest(&self, point: Point) -> Option<Point> {
        self.balls.iter().copied().min_by(|a, b| self.between(point, *a).total_cmp(&self.between(point, *b)))
    }

    /// Learns the ordinary sizes from a healthy pair.
    pub fn measure(&mut self, point: Point, readings: u32) {
        self.seen = self.seen.saturating_add(1);
        let rate = (1.0 / self.seen as f32).max(0.01);
        self.scatter += rate * (point.scatter - self.scatter);
        self.readings += rate * (readings as f32 - self.readings);
        if let Some(last) = self.last.replace(point.level) {
            if self.differences.len() == DIFFERENCES {
                let wide: Vec<f64> = self.differences.iter().map(|d| f64::from(*d)).collect();
                self.unit = self.unit.max(1.4 * median(&wide) as f32);
                self.differences.clear();
            }
            self.differences.push((point.level - last).abs());
        }
    }

    /// Takes a pair in.
    pub fn add(&mut self, point: Point) {
        if !self.balls.is_empty() && self.distance(point, &[]) == 0.0 {
            return;
        }
        self.balls.push(point);
        while self.balls.len() > BALLS {
            self.radius *= 1.3;
            let mut thin: Vec<Point> = Vec::with_capacity(BALLS);
            for ball in std::mem::take(&mut self.balls) {
                if thin.iter().all(|b| self.between(ball, *b) > f64::from(self.radius)) {
                    thin.push(ball);
                }
            }
            self.balls = thin;
        }
    }

    /// Takes another cover's balls in.
    pub fn join(&mut self, balls: &mut Vec<Point>) {
        for ball in balls.drain(..) {
            self.add(ball);
        }
    }

    /// Has it seen anything?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.balls.is_empty()
    }

    /// Does it hold together?
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.balls.len() <= BALLS
            && self.differences.len() <= DIFFERENCES
            && self.radius >= 1.0
            && [self.radius, self.unit, self.scatter, self.readings]
                .iter()
                .all(|v| v.is_finite() && *v >= 0.0)
            && self.balls.iter().all(|b| b.level.is_finite() && b.scatter.is_finite())
    }
}
