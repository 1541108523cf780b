//! The level against the same hour of the days learned from: what a daily cycle explains is taken out.

use super::view::{ALARM, next_sum};
use serde::{Deserialize, Serialize};

/// Hours kept: a week.
const HOURS: usize = 168;

/// Levels by the hour (or a longer stretch that divides the day).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Hours {
    /// Number of the first stretch since 1970, and the levels from there on; NaN where there is none.
    first: i64,
    levels: Vec<f32>,
    /// Per stretch of the day: how far the level was from the nearest of other days.
    ordinary: Vec<f32>,
    sum: f32,
    alarm: bool,
    latest: f32,
}

/// Times the farthest that was seen in learning.
const MARGIN: f64 = 1.5;
/// What is left by the time of day is a smaller share of the range than this where it explains the level.
const EXPLAINED: f32 = 0.35;
/// Days that must have been seen.
const DAYS: usize = 4;

impl Hours {
    /// Learns a level.
    pub fn learn(&mut self, index: i64, level: f32) {
        if self.levels.is_empty() {
            self.first = index;
        }
        let at = index - self.first;
        if (0..HOURS as i64).contains(&at) {
            self.levels.resize((at as usize).max(self.levels.len()), f32::NAN);
            self.levels.push(level);
        }
    }

    /// Learning is over. `stretches` of the day.
    pub fn freeze(&mut self, stretches: usize) {
        if self.levels.len() < DAYS * stretches {
            return;
        }
        let mut ordinary = vec![f32::NAN; stretches];
        for (at, level) in self.levels.iter().enumerate().filter(|(_, l)| l.is_finite()) {
            let index = self.first + at as i64;
            if let Some(far) = self.far(index, *level, stretches, &[], Some(at / stretches)) {
                let of = &mut ordinary[index.rem_euclid(stretches as i64) as usize];
                *of = of.max(far as f32);
            }
        }
        let farthest = ordinary.iter().copied().fold(f32::NAN, f32::max);
        // the neighbours' too: a shift begins a little earlier or later
        self.ordinary = (0..stretches)
            .map(|k| {
                [stretches - 1, 0, 1]
                    .iter()
                    .map(|n| ordinary[(k + n) % stretches])
                    .fold(0.75 * farthest, f32::max)
            })
            .collect();
    }

    /// Distance to the nearest level of the same time of other days.
    fn far(
        &self,
        index: i64,
        level: f32,
        stretches: usize,
        shifts: &[f32],
        except: Option<usize>,
    ) -> Option<f64> {
        let mut nearest: Option<f64> = None;
        for (at, known) in self.levels.iter().enumerate() {
            let apart = (index - self.first - at as i64).rem_euclid(stretches as i64);
            if apart != 0 || !known.is_finite() || except == Some(at / stretches) {
                continue;
            }
            for shift in shifts.iter().chain(&[0.0]) {
                let far = f64::from((level - shift - known).abs());
                nearest = Some(nearest.map_or(far, |n| n.min(far)));
            }
        }
        nearest
    }

    /// Judges a level; `unit` is the least distance that counts, `widening` the factor on all that is ordinary.
    pub fn judge(
        &mut self,
        index: i64,
        level: f32,
        (unit, widening): (f64, f64),
        shifts: &[f32],
    ) -> Option<f64> {
        let stretches = self.ordinary.len();
        let ordinary = *self.ordinary.get(index.rem_euclid(stretches.max(1) as i64) as usize)?;
        let far = self.far(index, level, stretches, shifts, None)?;
        let excess = far / (widening * (MARGIN * f64::from(ordinary) + 2.0 * unit));
        if !excess.is_finite() {
            return None;
        }
        self.latest = excess.min(100.0) as f32;
        self.sum = next_sum(self.sum, excess);
        if f64::from(self.sum) >= ALARM {
            self.alarm = true;
        } else if self.sum == 0.0 {
            self.alarm = false;
        }
        Some(excess)
    }

    /// Does the time of day explain most of the level?
    #[must_use]
    pub fn explains(&self) -> bool {
        let farthest = self.ordinary.iter().copied().fold(f32::NAN, f32::max);
        let levels = || self.levels.iter().copied().filter(|l| l.is_finite());
        farthest < EXPLAINED * (levels().fold(f32::MIN, f32::max) - levels().fold(f32::MAX, f32::min))
    }

    /// The levels known for the time of day of a stretch.
    fn same(&self, index: i64) -> impl Iterator<Item = f32> {
        let stretches = self.ordinary.len() as i64;
        let same = self.levels.iter().enumerate().filter(move |(at, l)| {
            stretches > 0 && l.is_finite() && (index - self.first - *at as i64).rem_euclid(stretches) == 0
        });
        same.map(|(_, l)| *l)
    }

    /// What the time of day explains: the middle of the levels known for it.
    #[must_use]
    pub fn expected(&self, index: i64) -> Option<f64> {
        let same: Vec<f64> = self.same(index).map(f64::from).collect();
        (!same.is_empty()).then(|| crate::stats::median(&same))
    }

    /// Lowest and highest level known for the time of day.
    #[must_use]
    pub fn range(&self, index: i64) -> Option<(f32, f32)> {
        self.same(index).map(|l| (l, l)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// A person said that it is normal.
    pub fn accept(&mut self) {
        self.sum = 0.0;
        self.latest = 0.0;
        self.alarm = false;
    }

    /// Has the sensor left its reference?
    #[must_use]
    pub fn alarm(&self) -> bool {
        self.alarm
    }

    /// Excess of the newest level; 1 is the edge of what is ordinary.
    #[must_use]
    pub fn latest(&self) -> f64 {
        f64::from(self.latest)
    }

    /// How far the alarm has come, 0 to 1 (at 1 it is raised).
    #[must_use]
    pub fn nearness(&self) -> f64 {
        f64::from(self.sum) / ALARM
    }

    /// Does it hold together?
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.levels.len() <= HOURS
            && self.ordinary.len() <= HOURS
            && self.sum.is_finite()
            && self.latest.is_finite()
    }
}
