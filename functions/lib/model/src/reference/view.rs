//! One look at a sensor: buckets of one length against their cover, summed up over time.

use super::{bucket::Point, cover::Cover};
use serde::{Deserialize, Serialize};

/// Units outside of the cover that are still ordinary: extremes go on to grow after learning.
pub const MARGIN: f64 = 3.0;
/// The margin that a sensor's own novelties may stretch it to.
const WIDEST_MARGIN: f64 = 20.0;
/// With so many buckets learned from, the margin is twice as wide as with very many.
const FEW: f64 = 30.0;
/// A sum of excesses (CUSUM, Page 1954) from which on the sensor has left its reference, and where it stops to grow.
pub(super) const ALARM: f64 = 1.5;
const MAX_SUM: f64 = 3.0;
const MIN_STEP: f64 = 0.3;
/// Pairs of an excursion that are kept.
const MAX_POINTS: usize = 16;

/// A pair that was seen outside, on how many days, and on which of them last.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Candidate {
    point: Point,
    days: u8,
    day: i32,
}

/// Days on which a new pair must have come and gone before it is known.
const DAYS_TO_LEARN: u8 = 3;

/// The sum after a bucket. A bucket inside takes at least [`MIN_STEP`] away, so that an alarm ends with its cause.
pub(crate) fn next_sum(sum: f32, excess: f64) -> f32 {
    let step = if excess < 1.0 { (excess - 1.0).min(-MIN_STEP) } else { excess.min(2.0) - 1.0 };
    (f64::from(sum) + step).clamp(0.0, MAX_SUM) as f32
}

/// A cover with its alarm.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct View {
    cover: Cover,
    /// What the present day of learning showed.
    today: Vec<Point>,
    day: i32,
    days: u16,
    learned: u32,
    before: f32,
    worst: f32,
    sum: f32,
    alarm: bool,
    latest: f32,
    /// The present excursion, and those that ended.
    excursion: Vec<Point>,
    candidates: Vec<Candidate>,
}

impl View {
    /// Learns from a healthy bucket.
    pub fn learn(&mut self, point: Point, readings: u32, day: i32) {
        if day != self.day {
            self.cover.join(&mut self.today);
            self.day = day;
            self.days = self.days.saturating_add(1);
        }
        if !self.cover.is_empty() && self.days > 3 {
            let outside = self.cover.distance(point, &[]) as f32;
            self.worst = self.worst.max(outside.min(self.before));
            self.before = outside;
        }
        self.cover.measure(point, readings);
        self.learned = self.learned.saturating_add(1);
        if self.today.len() < 3 * MAX_POINTS && self.cover.distance(point, &[]) > 0.0 {
            self.today.push(point);
        } else if self.today.len() == 3 * MAX_POINTS {
            self.cover.join(&mut self.today);
        }
    }

    /// Learning is over.
    pub fn freeze(&mut self) {
        self.cover.join(&mut self.today);
        self.today = Vec::new();
    }

    /// Excess of a bucket: 1 is the edge of what is ordinary.
    fn excess(&self, point: Point, (least, widening): (f64, f64), shifts: &[f32]) -> f64 {
        // extremes of few buckets say less about those to come
        let least = least * (1.0 + FEW / f64::from(self.learned.max(1)));
        let margin = (2.0 * f64::from(self.worst)).clamp(least, WIDEST_MARGIN.max(least));
        self.cover.distance(point, shifts) / (widening * margin)
    }

    /// Judges a bucket after learning; gives its excess. `margin`: units that are ordinary at least, and the factor on all that
    /// is.
    pub fn judge(&mut self, point: Point, day: i32, margin: (f64, f64), shifts: &[f32]) -> f64 {
        let excess = self.excess(point, margin, shifts);
        self.latest = excess.min(100.0) as f32;
        self.sum = next_sum(self.sum, excess);
        if excess > 1.0 {
            if self.excursion.len() < MAX_POINTS && self.excursion.iter().all(|p| *p != point) {
                self.excursion.push(point);
            }
        } else if self.sum == 0.0 {
            self.end(day);
        }
        if f64::from(self.sum) >= ALARM {
            self.alarm = true;
        } else if self.sum == 0.0 {
            self.alarm = false;
        }
        excess
    }

    /// An excursion ended by itself: what came and went on several days belongs to the sensor's ordinary life.
    fn end(&mut self, day: i32) {
        for point in std::mem::take(&mut self.excursion) {
            let cover = &self.cover;
            let near = self.candidates.iter_mut().find(|c| cover.between(c.point, point) < 2.0 * MARGIN);
            match near {
                Some(c) if c.day != day => (c.days, c.day) = (c.days + 1, day),
                Some(_) => {}
                None => {
                    if self.candidates.len() == MAX_POINTS {
                        self.candidates.remove(0);
                    }
                    self.candidates.push(Candidate { point, days: 1, day });
                }
            }
            if self.candidates.iter().any(|c| c.days >= DAYS_TO_LEARN) {
                self.cover.add(point);
                self.candidates
                    .iter()
                    .filter(|c| c.days >= DAYS_TO_LEARN)
                    .for_each(|c| self.cover.add(c.point));
                self.candidates.retain(|c| c.days < DAYS_TO_LEARN);
            }
        }
    }

    /// A person said that what was seen up to `day` is normal.
    pub fn accept(&mut self, day: i32) {
        for point in std::mem::take(&mut self.excursion) {
            self.cover.add(point);
        }
        for candidate in self.candidates.extract_if(.., |c| c.day <= day) {
            self.cover.add(candidate.point);
        }
        self.sum = 0.0;
        self.latest = 0.0;
        self.alarm = false;
    }

    /// Has the sensor left its reference?
    #[must_use]
    pub fn alarm(&self) -> bool {
        self.alarm
    }

    /// How far the alarm has come, 0 to 1 (at 1 it is raised).
    #[must_use]
    pub fn nearness(&self) -> f64 {
        f64::from(self.sum) / ALARM
    }

    /// Excess of the newest bucket; 1 is the edge of what is ordinary.
    #[must_use]
    pub fn latest(&self) -> f64 {
        f64::from(self.latest)
    }

    /// The cover.
    #[must_use]
    pub fn cover(&self) -> &Cover {
        &self.cover
    }

    /// Does it hold together?
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.cover.is_valid()
            && self.today.len() <= 3 * MAX_POINTS
            && self.excursion.len() <= MAX_POINTS
            && self.candidates.len() <= MAX_POINTS
            && [self.before, self.worst, self.sum, self.latest].iter().all(|v| v.is_finite())
    }
}
