//! Healthy signals of every ordinary kind, as functions of time.
//!
//! σ is the short-term scatter of the readings. It is drawn per sensor, as are level, sizes and phases, so that nothing
//! depends on one scale.

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use std::f64::consts::TAU;

const HOUR_S: f64 = 3600.0;
const DAY_S: f64 = 86_400.0;
/// Monday, 00:00 UTC.
pub const START_S: f64 = 1_789_948_800.0;

/// What a healthy sensor shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// White noise.
    White,
    /// Daily cycle.
    Daily,
    /// Weekly cycle.
    Weekly,
    /// Wandering level.
    Wander,
    /// Off at night.
    OffAtNight,
    /// Two shifts.
    TwoShifts,
    /// Load steps, 12 h.
    LoadSteps12h,
    /// Load steps, 2 h.
    LoadSteps2h,
    /// Load steps, 30 min.
    LoadSteps30min,
    /// Batches.
    Batch,
    /// Duty cycle.
    DutyCycle,
    /// Sawtooth.
    Sawtooth,
    /// Run-hours counter.
    RunHours,
    /// Run-hours counter with reset.
    RunHoursWithReset,
    /// Energy counter.
    EnergyCounter,
    /// Contact.
    Contact,
    /// Pump on/off.
    BinaryPump,
    /// Single outliers.
    Outliers,
    /// Heavy tails.
    HeavyTails,
    /// Gaps.
    Gaps,
    /// Uneven intervals.
    Jitter,
    /// Report by exception.
    ByException,
    /// Set point.
    SetPoint,
}

impl Kind {
    /// Every kind with its name.
    pub const ALL: [(Self, &'static str); 23] = [
        (Self::White, "white noise"),
        (Self::Daily, "daily cycle"),
        (Self::Weekly, "weekly cycle"),
        (Self::Wander, "wandering level"),
        (Self::OffAtNight, "off at night"),
        (Self::TwoShifts, "two shifts"),
        (Self::LoadSteps12h, "load steps, 12 h"),
        (Self::LoadSteps2h, "load steps, 2 h"),
        (Self::LoadSteps30min, "load steps, 30 min"),
        (Self::Batch, "batches"),
        (Self::DutyCycle, "duty cycle"),
        (Self::Sawtooth, "sawtooth"),
        (Self::RunHours, "run-hours counter"),
        (Self::RunHoursWithReset, "run-hours counter with reset"),
        (Self::EnergyCounter, "energy counter"),
        (Self::Contact, "contact"),
        (Self::BinaryPump, "pump on/off"),
        (Self::Outliers, "single outliers"),
        (Self::HeavyTails, "heavy tails"),
        (Self::Gaps, "gaps"),
        (Self::Jitter, "uneven intervals"),
        (Self::ByException, "report by exception"),
        (Self::SetPoint, "set point"),
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }
}

/// A healthy sensor of one kind.
#[derive(Debug)]
pub struct Signal {
    kind: Kind,
    rng: ChaCha8Rng,
    /// Scatter of the readings, in the sensor's unit.
    pub sigma: f64,
    level: f64,
    size: f64,
    phase: f64,
    loads: [f64; 4],
    /// Time of the last reading, s.
    at_s: f64,
    interval_s: f64,
    // what changes as time goes on
    state: usize,
    until_s: f64,
    sum: f64,
    slow: f64,
    reported: f64,
}

impl Signal {
    /// Draws a sensor that reports every `interval_s` seconds.
    #[must_use]
    pub fn draw(kind: Kind, interval_s: f64, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ ((kind as u64) << 40));
        let sigma = 10f64.powf(rng.random_range(-1.5..1.5));
        let level = sigma * 10f64.powf(rng.random_range(1.3..2.5));
        let loads = [0.0, 1.0, 2.0, 3.0].map(|k: f64| sigma * (8.0 * k - 12.0 + rng.random_range(-2.0..2.0)));
        Self {
            kind,
            sigma,
            level,
            size: rng.random_range(4.0..10.0),
            phase: rng.random_range(0.0..TAU),
            loads,
            at_s: START_S,
            interval_s,
            state: 0,
            until_s: START_S,
            sum: 0.0,
            slow: 0.0,
            reported: f64::NAN,
            rng,
        }
    }

    /// The next reading: seconds and value.
    pub fn next_reading(&mut self) -> (f64, f64) {
        loop {
            let jitter = if self.kind == Kind::Jitter { self.rng.random_range(-0.6..0.6) } else { 0.0 };
            self.at_s += self.interval_s * (1.0 + jitter);
            if self.kind == Kind::Gaps && self.rng.random_bool((self.interval_s / (6.0 * HOUR_S)).min(0.1)) {
                self.at_s += 10f64.powf(self.rng.random_range(2.0..4.0));
            }
            let value = self.value();
            if self.kind == Kind::ByException {
                // a change of 1.5 σ, or an hour
                let due = self.until_s <= self.at_s || self.reported.is_nan();
                if !due && (value - self.reported).abs() < 1.5 * self.sigma {
                    continue;
                }
                self.reported = value;
                self.until_s = self.at_s + HOUR_S;
            }
            return (self.at_s, value);
        }
    }

    fn normal(&mut self) -> f64 {
        super::normal(&mut self.rng)
    }

    /// Another state of `states`, for a time that is exponentially distributed around `mean_s` but not below a fifth of it.
    fn switch(&mut self, states: usize, mean_s: f64) {
        if self.at_s >= self.until_s {
            // set points are run through in turn, so that a week shows them all
            let step = if self.kind == Kind::SetPoint { 1 } else { self.rng.random_range(1..states) };
            self.state = (self.state + step) % states;
            let u: f64 = self.rng.random_range(f64::MIN_POSITIVE..1.0);
            self.until_s = self.at_s + mean_s * (0.2 - 0.8 * u.ln());
        }
    }

    /// On and off in turn for times around the given ones.
    fn alternate(&mut self, on_s: f64, off_s: f64, vary: f64) {
        while self.at_s >= self.until_s {
            self.state = 1 - self.state.min(1);
            let mean = if self.state == 1 { on_s } else { off_s };
            self.until_s += mean * (1.0 + self.rng.random_range(-vary..vary));
        }
    }

    fn value(&mut self) -> f64 {
        let (s, noise) = (self.sigma, self.sigma * self.normal());
        let t = self.at_s - START_S;
        let (day, hour) = ((t / DAY_S).floor(), (t / HOUR_S).rem_euclid(24.0));
        let weekday = day.rem_euclid(7.0);
        // begins and ends of the day's work differ by some minutes
        let minutes = |k: u64| unit(day as u64 * 7 + k) * 0.15;
        let on = |from: f64, to: f64, k: u64| hour >= from + minutes(k) && hour < to + minutes(k + 1);
        match self.kind {
            Kind::White | Kind::Gaps | Kind::Jitter => self.level + noise,
            Kind::Daily => self.level + s * self.size * (TAU * t / DAY_S + self.phase).sin() + noise,
            Kind::Weekly => self.level + s * self.size * (TAU * t / (7.0 * DAY_S) + self.phase).sin() + noise,
            Kind::ByException => {
                self.level + s * self.size * (TAU * t / DAY_S + self.phase).sin() + 0.3 * noise
            }
            Kind::Wander => {
                let keep = (-self.interval_s / (2.0 * HOUR_S)).exp();
                self.slow = keep * self.slow + (1.0 - keep * keep).sqrt() * self.normal();
                self.level + noise + 2.0 * s * self.slow
            }
            Kind::OffAtNight => {
                if on(6.0, 20.0, 0) {
                    self.level + noise
                } else {
                    0.0
                }
            }
            Kind::TwoShifts => {
                let work = weekday < 5.0;
                let load = if work && on(6.0, 14.0, 0) {
                    1.0
                } else if work && on(14.0, 22.0, 1) {
                    0.6
                } else {
                    0.0
                };
                self.level + 2.0 * s * self.size * load + noise
            }
            Kind::LoadSteps12h | Kind::LoadSteps2h | Kind::LoadSteps30min => {
                let mean_h = match self.kind {
                    Kind::LoadSteps12h => 12.0,
                    Kind::LoadSteps2h => 2.0,
                    _ => 0.5,
                };
                self.switch(4, mean_h * HOUR_S);
                self.level + self.loads[self.state] + noise
            }
            Kind::Batch => {
                // 90 minutes: 20 up, 50 at temperature, 20 down, then a pause of varied length
                while t >= self.sum {
                    self.until_s = self.sum;
                    self.sum += 5400.0 + self.rng.random_range(0.0..1800.0);
                }
                let m = (t - self.until_s) / 60.0;
                let shape = if m < 20.0 {
                    m / 20.0
                } else if m < 70.0 {
                    1.0
                } else {
                    (1.0 - (m - 70.0) / 20.0).max(0.0)
                };
                self.level + 5.0 * s * self.size * shape + noise
            }
            Kind::DutyCycle => {
                self.alternate(600.0, 1200.0, 0.3);
                self.level + 2.0 * s * self.size * self.state as f64 + noise
            }
            Kind::Sawtooth => {
                let part = (t / (3.0 * HOUR_S) + self.phase).fract();
                self.level + 4.0 * s * self.size * part + noise
            }
            Kind::RunHours | Kind::RunHoursWithReset => {
                if on(6.0, 22.0, 0) {
                    self.sum += self.interval_s / HOUR_S;
                }
                if self.kind == Kind::RunHoursWithReset && self.sum >= 100.0 {
                    self.sum = 0.0;
                }
                let base = if self.kind == Kind::RunHours { 12_345.0 } else { 0.0 };
                base + self.sum.floor()
            }
            Kind::EnergyCounter => {
                let load = if on(6.0, 22.0, 0) { 1.0 } else { 0.2 };
                self.sum += self.interval_s * load * (1.0 + 0.1 * self.normal()).max(0.0) / 60.0;
                (10.0 * self.sum).floor() / 10.0
            }
            Kind::Contact => {
                self.switch(2, 1200.0);
                self.state as f64
            }
            Kind::BinaryPump => {
                let busy = if on(6.0, 22.0, 0) { 1.0 } else { 3.0 };
                self.alternate(300.0, 600.0 * busy, 0.4);
                self.state as f64
            }
            Kind::Outliers => {
                let far = self.rng.random_bool(5e-4);
                self.level + noise + if far { 20.0 * s } else { 0.0 }
            }
            Kind::HeavyTails => {
                // Student's t with three degrees of freedom
                let chi: f64 = (0..3).map(|_| self.normal().powi(2)).sum();
                self.level + noise / (chi / 3.0).sqrt()
            }
            Kind::SetPoint => {
                self.switch(4, 20.0 * HOUR_S);
                50.0 + 5.0 * self.state as f64
            }
        }
    }
}

/// A number from −1 to 1 that belongs to `n` (SplitMix64).
fn unit(n: u64) -> f64 {
    let z = n.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}
