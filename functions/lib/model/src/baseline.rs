//! What is normal for one sensor: for every feature a slowly learned middle and spread of its own healthy past.
//!
//! The forest sees features relative to this, so one forest serves a pressure of 120 psi and a vibration of 2 mm/s,
//! and a noisy sensor is not worse than a quiet one. Learning is exponentially weighted over about
//! [`MEMORY_READINGS`] readings, robust (a value counts at most four spreads; deviations as large as the sensor has often had,
//! such as starts and changes of load, count as ordinary), and nearly stops while the sensor looks
//! anomalous, so that a fault does not become the new normal within minutes; a lasting new operating point does
//! within hours.

use crate::features::COUNT;
use serde::{Deserialize, Serialize};

/// Readings that the memory spans.
pub const MEMORY_READINGS: f64 = 2400.0;
/// Readings after which the spread is known to within a factor of two; before, it is taken as wider.
const WARM_UP_READINGS: f64 = 240.0;
/// A relative feature is cut off here.
pub const MAX_ABS_FEATURE: f64 = 12.0;

/// How a feature is made comparable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// In the sensor's unit; the spread is at least this many thousandths of the usual noise.
    Unit(u32),
    /// A spread in the sensor's unit: its logarithm relative to the usual noise counts.
    Spread,
    /// Without unit; the spread is at least this many thousandths.
    Plain(u32),
    /// Without unit and heavy-tailed: sign · ln(1 + |x|); the spread is at least this many thousandths.
    Log(u32),
    /// Without unit and never negative: its logarithm counts, so that twice as rough is as far as half as rough.
    Ratio,
    /// Already relative to the healthy past: divided by this many thousandths.
    Fixed(u32),
}

const KINDS: [Kind; COUNT] = [
    Kind::Unit(100),
    Kind::Spread,
    Kind::Unit(200),
    Kind::Unit(200),
    Kind::Unit(100),
    Kind::Plain(150),
    Kind::Log(150),
    Kind::Spread,
    Kind::Unit(4),
    Kind::Unit(200),
    Kind::Unit(100),
    Kind::Plain(1),
    Kind::Ratio,
    Kind::Plain(300),
    Kind::Plain(1),
    Kind::Fixed(200),
    Kind::Plain(100),
    Kind::Plain(100),
    Kind::Plain(100),
    Kind::Plain(100),
    Kind::Plain(100),
    Kind::Plain(50),
    Kind::Log(100),
    Kind::Log(200),
    Kind::Fixed(1500),
];

/// Learned middle and spread per feature.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Baseline {
    /// Readings learned from, weighted.
    seen: f64,
    /// Usual std within a window.
    noise: f64,
    middle: [f64; COUNT],
    spread: [f32; COUNT],
    /// Largest deviation that belongs to its ordinary life (a start, a change of load), slowly forgotten.
    reach: [f32; COUNT],
    /// How far out its windows usually are ([`deviation`]): mean and variance.
    usual: (f64, f64),
    excursion: Excursion,
}

/// Suspect readings without a break: how many, the sum of their deviations, and of the squares.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Excursion {
    readings: u32,
    sum: f64,
    squares: f64,
}

/// An excursion of at most so many readings that ended by itself was a change of load or a start, and belongs to what
/// is usual; a longer one does not.
const EXCURSION_READINGS: u32 = 150;
/// The spread of a sensor's deviations counts as at least this.
const MIN_SPREAD: f64 = 0.35;

/// Deviations within the reach count at most this many spreads.
const ORDINARY: f64 = 3.0;
/// Share by which the reach grows towards a larger deviation with each reading, and shrinks otherwise.
const REACH_UP: f64 = 0.05;
const REACH_DOWN: f64 = 1e-5;

impl Baseline {
    /// Usual std within a window, with a floor of 1e-4 of the level, so that a sensor that is constant but for its
    /// resolution does not make every change look enormous.
    #[must_use]
    pub fn noise(&self) -> f64 {
        self.noise.max(1e-4 * self.middle[0].abs()).max(1e-12)
    }

    /// Has it learned anything?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.seen == 0.0
    }

    /// Readings learned from, weighted by how normal they were.
    #[must_use]
    pub fn seen(&self) -> f64 {
        self.seen
    }

    /// The features relative to the sensor's own past, within ±[`MAX_ABS_FEATURE`]; 0 is «as usual». `fullness` is the filled share
    /// of the window: the features of few readings scatter more, by one over its root.
    #[must_use]
    pub fn relative(&self, features: &[f64; COUNT], fullness: f64) -> [f32; COUNT] {
        let mut row = [0.0; COUNT];
        if self.is_empty() {
            return row;
        }
        let widen = (1.0 + WARM_UP_READINGS / self.seen) / fullness.clamp(0.05, 1.0).sqrt();
        for (i, out) in row.iter_mut().enumerate() {
            let deviation = self.shape(i, features[i]) - self.middle_of(i);
            let spread = self.spread_of(i) * widen;
            let spreads = deviation.abs() / spread;
            let beyond = ((deviation.abs() - f64::from(self.reach[i])) / spread).max(0.0);
            let counted = spreads.min(ORDINARY.max(beyond + ORDINARY.min(spreads)));
            *out = counted.min(MAX_ABS_FEATURE).copysign(deviation) as f32;
        }
        row
    }

    /// How much further out a window is than this sensor's windows usually are, in spreads of what is usual: a sensor
    /// whose load often jumps has to go further before it surprises than one that never moves.
    #[must_use]
    pub fn surprise(&self, row: &[f32; COUNT]) -> f64 {
        if self.is_empty() {
            return 0.0;
        }
        let (mean, variance) = self.usual;
        let spread = (variance + MIN_SPREAD * MIN_SPREAD).sqrt();
        (deviation(row) - mean) / spread
    }

    /// Learns how far out this window is; `suspect` windows only once it has turned out that nothing came of them.
    pub fn learn_deviation(&mut self, row: &[f32; COUNT], suspect: bool) {
        let d = deviation(row);
        if suspect {
            let e = &mut self.excursion;
            e.readings = e.readings.saturating_add(1);
            e.sum += d;
            e.squares += d * d;
            return;
        }
        let mut e = std::mem::take(&mut self.excursion);
        if e.readings > EXCURSION_READINGS {
            e = Excursion::default();
        }
        let n = f64::from(e.readings) + 1.0;
        let (sum, squares) = (e.sum + d, e.squares + d * d);
        let rate = (n / self.seen.max(10.0)).min(0.5);
        let (mean, variance) = self.usual;
        let around = (squares - 2.0 * mean * sum) / n + mean * mean;
        self.usual = (mean + rate * (sum / n - mean), (variance + rate * (around - variance)).max(0.0));
    }

    /// Learns from the features of one reading. `weight`: 1 for a normal reading, less for a suspect one.
    pub fn learn(&mut self, features: &[f64; COUNT], weight: f64) {
        if self.is_empty() {
            self.noise = features[1];
            self.seen = 1.0;
            for (i, &value) in features.iter().enumerate() {
                self.middle[i] = self.shape(i, value);
            }
            return;
        }
        self.seen = (self.seen + weight).min(MEMORY_READINGS);
        let rate = weight / self.seen.max(2.0);
        let old_noise = self.noise();
        let settled = self.seen > 60.0;
        let top = if settled { 4.0 * old_noise } else { f64::INFINITY };
        self.noise += rate * (features[1].min(top) - self.noise);
        // Spreads are logarithms relative to the noise: when that moves, their middles move with it.
        let moved = (self.noise() / old_noise).ln();
        for (i, &value) in features.iter().enumerate() {
            if KINDS[i] == Kind::Spread {
                self.middle[i] -= moved;
            }
            self.stretch(i, (self.shape(i, value) - self.middle_of(i)).abs(), weight);
            let reach = if settled { 4.0 * self.spread_of(i) } else { f64::INFINITY };
            let deviation = (self.shape(i, value) - self.middle[i]).clamp(-reach, reach);
            self.middle[i] += rate * deviation;
            // 1.25: a mean absolute deviation as a standard deviation.
            let spread = f64::from(self.spread[i]);
            self.spread[i] = (spread + rate * (1.25 * deviation.abs() - spread)) as f32;
        }
    }

    fn stretch(&mut self, i: usize, deviation: f64, weight: f64) {
        let reach = f64::from(self.reach[i]);
        let share = if deviation > reach { REACH_UP } else { REACH_DOWN };
        self.reach[i] = (reach + weight * share * (deviation - reach)) as f32;
    }

    /// The usual range of a feature, as a person would say it: middle ± 3 spreads, in the feature's own unit.
    #[must_use]
    pub fn usual_range(&self, feature: usize) -> (f64, f64) {
        let (middle, reach) = (self.middle_of(feature), 3.0 * self.spread_of(feature));
        let back = |v: f64| match KINDS[feature] {
            Kind::Unit(_) | Kind::Plain(_) | Kind::Fixed(_) => v,
            Kind::Spread => ((v.exp() * 1.05 - 0.05) * self.noise()).max(0.0),
            Kind::Log(_) => v.signum() * v.abs().exp_m1(),
            Kind::Ratio => v.exp(),
        };
        (back(middle - reach), back(middle + reach))
    }

    /// Is every number finite? (False for a damaged state.)
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.seen.is_finite()
            && self.noise.is_finite()
            && self.noise >= 0.0
            && self.middle.iter().all(|v| v.is_finite())
            && self.usual.0.is_finite()
            && self.usual.1.is_finite()
            && self.usual.1 >= 0.0
            && self.excursion.sum.is_finite()
            && self.excursion.squares.is_finite()
            && self.spread.iter().chain(&self.reach).all(|v| v.is_finite() && *v >= 0.0)
    }

    fn shape(&self, i: usize, value: f64) -> f64 {
        match KINDS[i] {
            Kind::Unit(_) | Kind::Plain(_) | Kind::Fixed(_) => value,
            Kind::Spread => ((value / self.noise()).min(1e6) + 0.05).ln() - 1.05f64.ln(),
            Kind::Log(_) => value.signum() * value.abs().ln_1p(),
            Kind::Ratio => value.abs().clamp(1e-9, 1e6).ln(),
        }
    }

    fn middle_of(&self, i: usize) -> f64 {
        if matches!(KINDS[i], Kind::Fixed(_)) { 0.0 } else { self.middle[i] }
    }

    fn spread_of(&self, i: usize) -> f64 {
        let learned = f64::from(self.spread[i]);
        match KINDS[i] {
            Kind::Unit(floor) => learned.max(f64::from(floor) * 1e-3 * self.noise()),
            Kind::Spread | Kind::Ratio => learned.max(0.1),
            Kind::Plain(floor) | Kind::Log(floor) => learned.max(f64::from(floor) * 1e-3),
            Kind::Fixed(scale) => f64::from(scale) * 1e-3,
        }
    }
}

/// Mean size of the four largest relative features: how far out a window is.
#[must_use]
pub fn deviation(row: &[f32]) -> f64 {
    let mut top = [0.0f32; 4];
    for v in row {
        let mut v = v.abs();
        for t in &mut top {
            if v > *t {
                std::mem::swap(&mut v, t);
            }
        }
    }
    f64::from(top.iter().sum::<f32>()) / 4.0
}
