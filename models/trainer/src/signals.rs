//! Synthetic sensors: healthy signals of many kinds and scales.

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use std::f64::consts::TAU;

/// A healthy sensor, drawn from many kinds.
#[derive(Debug)]
pub struct Sensor {
    rng: ChaCha8Rng,
    /// Seconds between readings.
    pub interval_s: f64,
    level: f64,
    /// Standard deviation of the fast noise.
    pub noise: f64,
    memory: f64,
    daily: f64,
    phase: f64,
    cycle: f64,
    cycle_length: f64,
    wander: f64,
    /// Sizes of the operating points (0 first), in the sensor's unit.
    loads: Vec<f64>,
    load_stay: f64,
    resolution: f64,
    heavy: bool,
    jitter: f64,
    // moving parts
    at: u64,
    time_s: f64,
    fast: f64,
    slow: f64,
    load: usize,
    load_now: f64,
}

impl Sensor {
    /// Draws a sensor.
    #[must_use]
    pub fn draw(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let r = &mut rng;
        let interval_s = [0.5, 0.5, 0.5, 1.0, 1.0, 5.0, 10.0, 60.0, 300.0][r.random_range(0..9)];
        let noise = 10f64.powf(r.random_range(-2.0..2.0));
        let offset = 10f64.powf(r.random_range(0.0..3.0));
        let sign = if r.random_bool(0.9) { 1.0 } else { -1.0 };
        let memory = if r.random_bool(0.5) { 0.0 } else { r.random_range(0.2..0.98) };
        let daily = if r.random_bool(0.6) { noise * 10f64.powf(r.random_range(-0.5..1.5)) } else { 0.0 };
        let cycling = r.random_bool(0.3);
        let loads = if r.random_bool(0.4) {
            let steps = r.random_range(1..4);
            let mut loads = vec![0.0];
            loads.extend((0..steps).map(|_| noise * r.random_range(-15.0..15.0)));
            loads
        } else {
            vec![0.0]
        };
        let resolution = if r.random_bool(0.3) { noise * r.random_range(0.05..1.5) } else { 0.0 };
        Self {
            interval_s,
            level: sign * noise * offset,
            noise,
            memory,
            daily,
            phase: r.random_range(0.0..TAU),
            cycle: if cycling { noise * r.random_range(0.5..6.0) } else { 0.0 },
            cycle_length: r.random_range(6.0..400.0),
            wander: if r.random_bool(0.5) { noise * r.random_range(0.1..3.0) } else { 0.0 },
            loads,
            load_stay: 10f64.powf(r.random_range(1.7..2.7)),
            resolution,
            heavy: r.random_bool(0.3),
            jitter: if r.random_bool(0.3) { 0.2 } else { 0.0 },
            at: 0,
            time_s: 1_700_000_000.0,
            fast: 0.0,
            slow: 0.0,
            load: 0,
            load_now: 0.0,
            rng,
        }
    }

    fn normal(&mut self) -> f64 {
        let u: f64 = self.rng.random_range(f64::MIN_POSITIVE..1.0);
        (-2.0 * u.ln()).sqrt() * (TAU * self.rng.random_range(0.0..1.0)).cos()
    }

    /// The next reading: time in µs and value.
    pub fn next_reading(&mut self) -> (i64, f64) {
        let gap = self.interval_s * (1.0 + self.jitter * self.rng.random_range(-1.0..1.0));
        self.time_s += gap;
        self.at += 1;
        let mut shock = self.normal();
        if self.heavy && self.rng.random_bool(0.02) {
            shock *= 2.0;
        }
        self.fast = self.memory * self.fast + (1.0 - self.memory * self.memory).sqrt() * shock;
        // A level that wanders and returns, over about 500 readings.
        self.slow = 0.998 * self.slow + 0.0632 * self.normal();
        if self.loads.len() > 1 && self.rng.random_bool(1.0 / self.load_stay) {
            self.load = self.rng.random_range(0..self.loads.len());
        }
        self.load_now += 0.2 * (self.loads[self.load] - self.load_now);
        let value = self.level
            + self.noise * self.fast
            + self.daily * (TAU * self.time_s / 86_400.0 + self.phase).sin()
            + self.cycle * (TAU * self.at as f64 / self.cycle_length).sin()
            + self.wander * self.slow
            + self.load_now;
        let value =
            if self.resolution > 0.0 { (value / self.resolution).round() * self.resolution } else { value };
        ((self.time_s * 1e6) as i64, value)
    }
}
