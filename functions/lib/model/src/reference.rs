//! A sensor's healthy reference in hours and days: learned for a while, then frozen.
//!
//! Buckets of ten minutes (longer where readings are rare) and stretches of six of them are pairs of level and scatter.
//! While learning, the pairs seen make a cover ([`cover`]); afterwards a pair outside of it counts, and a sum over time
//! (CUSUM) decides. Where a daily cycle explains the level, the level is also held against the same hour of the
//! days learned from ([`hours`]). Counters are judged by what they gain and contacts by their share of time ([`nature`]).
//!
//! Invariant: after learning nothing that lasts is learned. The reference grows by what a person calls normal, and by what came
//! and went on several days.

pub mod bucket;
pub mod cover;
pub mod hours;
pub mod nature;
pub mod view;

use bucket::{Bucket, Closed, Point};
use hours::Hours;
use nature::{Nature, Signs};
use serde::{Deserialize, Serialize};
use view::View;
pub(crate) use view::next_sum;

const MINUTE_US: i64 = 60_000_000;
const HOUR_US: i64 = 60 * MINUTE_US;
const DAY_US: i64 = 24 * HOUR_US;
/// Bucket lengths; six of each divide the day.
const LENGTHS_US: [i64; 4] = [10 * MINUTE_US, 20 * MINUTE_US, HOUR_US, 4 * HOUR_US];
/// Buckets in a stretch, and those that must be there.
const STRETCH: i64 = 6;
const MIN_STRETCH_BUCKETS: usize = 3;
/// Readings that a bucket should have.
const READINGS: i64 = 10;
/// Readings that the interval is told from.
const FIRST: u32 = 30;
/// Offsets of the level that people called normal.
const SHIFTS: usize = 4;

/// How long learning takes unless a setting says otherwise, s.
pub const LEARNING_S: i64 = 7 * 86_400;
/// A stretch of six buckets is known more precisely than one of them, so less of a distance is ordinary.
const STRETCH_MARGIN: f64 = 2.5;
/// Stretches in a row with too many outliers.
const OUTLIER_STRETCHES: u8 = 2;

/// How a reference is kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Keeping {
    /// How long it is learned, µs.
    pub learn_us: i64,
    /// Factor on every distance that is ordinary after learning ([`crate::sensitivity`]); 1 unless people ask for more or less.
    pub widening: f64,
}

/// What has left the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detector {
    /// Level or scatter of a bucket.
    Bucket,
    /// Level or scatter of a stretch.
    Stretch,
    /// The level for the time of day.
    TimeOfDay,
    /// Single outliers.
    Outliers,
}

/// What a sensor shows now beside what is known from learning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Compared {
    /// Now.
    pub now: f64,
    /// The nearest that is known.
    pub known: f64,
}

/// What is outside of the reference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Finding {
    /// The level, in the sensor's unit.
    Level(Compared),
    /// The level, beside what is known for this time of day.
    LevelForTimeOfDay(Compared),
    /// How many times as much the readings scatter as known at such a level.
    Scatter(f64),
    /// What a counter gains in a bucket.
    Gain(Compared),
    /// Share of time at the upper of two values.
    Share(Compared),
    /// There are more single outliers than while learning.
    Outliers,
}

/// The healthy reference of a sensor.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Reference {
    started_us: Option<i64>,
    newest_us: i64,
    readings: u32,
    frozen: bool,
    length_us: i64,
    origin: f64,
    signs: Signs,
    nature: Nature,
    bucket: Bucket,
    /// Buckets of the present stretch.
    buckets: Vec<Summary>,
    stretch: i64,
    short: View,
    long: View,
    hours: Hours,
    /// Most outliers of a stretch while learning, and how many stretches in a row had more since.
    outliers: u32,
    outlier_stretches: u8,
    shifts: Vec<f32>,
    /// Since when it is outside, and the newest pair.
    since_us: Option<i64>,
    newest: Option<Point>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Summary {
    point: Point,
    readings: u32,
    outliers: u32,
}

impl Reference {
    /// Takes a reading; `healthy`: it may be learned from.
    pub fn push(&mut self, time_us: i64, value: f64, keeping: Keeping, healthy: bool) {
        let Keeping { learn_us, widening } = keeping;
        let started = *self.started_us.get_or_insert(time_us);
        self.newest_us = time_us;
        self.readings = self.readings.saturating_add(1);
        if !self.frozen {
            self.signs.push(value);
            if self.readings == 1 {
                self.origin = value;
                self.length_us = LENGTHS_US[0];
            }
            let nature = self.signs.nature();
            let length_us = if self.readings == FIRST {
                fitting((time_us - started) / i64::from(FIRST - 1))
            } else {
                self.length_us
            };
            if nature != self.nature || length_us != self.length_us {
                self.nature = nature;
                self.length_us = length_us;
                self.forget();
            }
        }
        let usual = self.short.cover().scatter();
        let closed = self.bucket.push((time_us, self.length_us), value, self.origin, usual, self.nature);
        if let Some(closed) = closed {
            self.close(closed, widening, healthy);
        }
        if !self.frozen && time_us - started >= learn_us && !self.short.cover().is_empty() {
            self.freeze();
        }
    }

    /// What was learned belongs to another kind of signal: begin again, with the time already spent.
    fn forget(&mut self) {
        self.short = View::default();
        self.long = View::default();
        self.hours = Hours::default();
        self.bucket = Bucket::default();
        self.buckets.clear();
        self.outliers = 0;
    }

    fn freeze(&mut self) {
        self.frozen = true;
        self.short.freeze();
        self.long.freeze();
        self.hours.freeze((DAY_US / (STRETCH * self.length_us)) as usize);
    }

    fn close(&mut self, closed: Closed, widening: f64, healthy: bool) {
        let Closed { index, point, outliers, readings } = closed;
        let day = (index * self.length_us).div_euclid(DAY_US) as i32;
        let stretch = index.div_euclid(STRETCH);
        if stretch != self.stretch {
            let buckets = std::mem::take(&mut self.buckets);
            if buckets.len() >= MIN_STRETCH_BUCKETS {
                self.close_stretch(&buckets, (self.stretch, day), widening, healthy);
            }
            self.stretch = stretch;
        }
        self.buckets.push(Summary { point, readings, outliers });
        self.newest = Some(point);
        if self.frozen {
            self.short.judge(point, day, (view::MARGIN, widening), &self.shifts);
            self.note();
        } else if healthy {
            self.short.learn(point, readings, day);
        }
    }

    fn close_stretch(
        &mut self,
        buckets: &[Summary],
        (stretch, day): (i64, i32),
        widening: f64,
        healthy: bool,
    ) {
        // the lower of the two in the middle, so that two loads in a stretch do not become a third
        let mut levels: Vec<f32> = buckets.iter().map(|p| p.point.level).collect();
        levels.sort_unstable_by(f32::total_cmp);
        let scatter = buckets.iter().map(|p| p.point.scatter).sum::<f32>() / buckets.len() as f32;
        let point = Point { level: levels[(levels.len() - 1) / 2], scatter };
        let outliers: u32 = buckets.iter().map(|p| p.outliers).sum();
        let readings = buckets.iter().map(|p| p.readings).sum();
        if self.frozen {
            self.long.judge(point, day, (STRETCH_MARGIN, widening), &self.shifts);
            let many = outliers > 2 * self.outliers + 2;
            self.outlier_stretches = if many {
                (self.outlier_stretches + 1).min(OUTLIER_STRETCHES + 1)
            } else {
                self.outlier_stretches.saturating_sub(1)
            };
            let unit = self.long.cover().unit().min(self.short.cover().unit());
            self.hours.judge(stretch, point.level, (unit, widening), &self.shifts);
        } else if healthy {
            self.outliers = self.outliers.max(outliers);
            self.long.learn(point, readings, day);
            self.hours.learn(stretch, point.level);
        }
    }

    fn note(&mut self) {
        if self.outside().is_some() {
            self.since_us.get_or_insert(self.newest_us);
        } else {
            self.since_us = None;
        }
    }

    /// What has left the reference.
    #[must_use]
    pub fn outside(&self) -> Option<Detector> {
        if self.short.alarm() {
            Some(Detector::Bucket)
        } else if self.long.alarm() {
            Some(Detector::Stretch)
        } else if self.hours.alarm() {
            Some(Detector::TimeOfDay)
        } else {
            (self.outlier_stretches >= OUTLIER_STRETCHES).then_some(Detector::Outliers)
        }
    }

    /// How far the nearest alarm has come, 0 to 1 (from 1 on it is raised).
    #[must_use]
    pub fn nearness(&self) -> f64 {
        if self.outside().is_some() {
            return 1.0;
        }
        self.short.nearness().max(self.long.nearness()).max(self.hours.nearness()).min(1.0)
    }

    /// Largest excess of the newest buckets; 1 is the edge of what is ordinary.
    #[must_use]
    pub fn excess(&self) -> f64 {
        self.short.latest().max(self.long.latest()).max(self.hours.latest())
    }

    /// Since when (µs) it is outside.
    #[must_use]
    pub fn since_us(&self) -> Option<i64> {
        self.since_us
    }

    /// Is learning over?
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.frozen
    }

    /// Time from the first reading to the newest, µs.
    #[must_use]
    pub fn age_us(&self) -> i64 {
        self.started_us.map_or(0, |start| self.newest_us.saturating_sub(start))
    }

    /// Days until learning is over; `None` when it is.
    #[must_use]
    pub fn learning_days_left(&self, learn_us: i64) -> Option<f64> {
        (!self.frozen).then(|| learn_us.saturating_sub(self.age_us()).max(0) as f64 / DAY_US as f64)
    }

    /// Level of the newest bucket and the levels known from learning, lowest and highest: for the time of day where that explains
    /// the level. `None` while learning, and for counters and contacts.
    #[must_use]
    pub fn levels(&self) -> Option<(f64, (f64, f64))> {
        if !self.frozen || self.nature != Nature::Continuous {
            return None;
        }
        let of_day = self.hours.explains().then(|| self.hours.range(self.stretch)).flatten();
        let (low, high) = of_day.or_else(|| self.short.cover().range())?;
        // what people called normal since lies beside it
        let (down, up) = self.shifts.iter().fold((0.0f32, 0.0f32), |(a, b), s| (a.min(*s), b.max(*s)));
        let absolute = |level: f32| self.origin + f64::from(level);
        Some((absolute(self.newest?.level), (absolute(low + down), absolute(high + up))))
    }

    /// What is outside and by how much.
    #[must_use]
    pub fn finding(&self) -> Option<Finding> {
        let outside = self.outside()?;
        let absolute = |level: f32| self.origin + f64::from(level);
        let (view, now) = match outside {
            Detector::Outliers => return Some(Finding::Outliers),
            Detector::TimeOfDay => {
                let known = self.hours.expected(self.stretch)?;
                return Some(Finding::LevelForTimeOfDay(Compared {
                    now: absolute(self.newest?.level),
                    known: self.origin + known,
                }));
            }
            Detector::Bucket => (&self.short, self.newest?),
            Detector::Stretch => (&self.long, self.newest?),
        };
        let known = view.cover().nearest(now)?;
        Some(match self.nature {
            Nature::Counter => {
                Finding::Gain(Compared { now: f64::from(now.level), known: f64::from(known.level) })
            }
            Nature::Binary => {
                Finding::Share(Compared { now: f64::from(now.level), known: f64::from(known.level) })
            }
            Nature::Continuous if view.cover().differs_in_scatter(now, known) => {
                Finding::Scatter(f64::from(now.scatter) / f64::from(known.scatter).max(1e-12))
            }
            Nature::Continuous => {
                Finding::Level(Compared { now: absolute(now.level), known: absolute(known.level) })
            }
        })
    }

    /// A person said at a time (µs) that what was seen up to then is normal: it belongs to the reference from now on.
    /// What began after that time is left alone.
    pub fn accept(&mut self, at_us: i64) {
        if !self.frozen || self.since_us.is_some_and(|since| since > at_us) {
            return;
        }
        if let (Some(now), Some(_)) = (self.newest, self.since_us)
            && let Some(known) = self.known_level(now)
            && self.shifts.len() < SHIFTS
        {
            self.shifts.push(now.level - known);
        }
        let day = at_us.div_euclid(DAY_US) as i32;
        self.short.accept(day);
        self.long.accept(day);
        self.hours.accept();
        self.outlier_stretches = 0;
        self.since_us = None;
    }

    /// The level that should be: for the time of day where that explains it, else the nearest one known.
    fn known_level(&self, now: Point) -> Option<f32> {
        let for_time_of_day = || self.hours.expected(self.stretch).map(|level| level as f32);
        let nearest = || self.short.cover().nearest(now).map(|point| point.level);
        if self.hours.explains() { for_time_of_day() } else { nearest() }
    }

    /// Does it hold together? (False for a damaged state.)
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.origin.is_finite()
            && (self.length_us == 0 || LENGTHS_US.contains(&self.length_us))
            && self.signs.is_valid()
            && self.bucket.is_valid()
            && self.short.is_valid()
            && self.long.is_valid()
            && self.hours.is_valid()
            && self.shifts.len() <= SHIFTS
            && self.buckets.len() <= STRETCH as usize
    }
}

/// The shortest bucket length that holds enough readings of such an interval.
fn fitting(interval_us: i64) -> i64 {
    let fits = |l: &&i64| **l >= READINGS * interval_us;
    LENGTHS_US.iter().find(fits).or(LENGTHS_US.last()).copied().unwrap_or(HOUR_US)
}
