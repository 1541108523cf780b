//! Bursts of machines with and without faults, for tests and for the simulated plant.
//!
//! Bearing: the model of J. Antoni and R. B. Randall («A stochastic model for simulation and diagnostics of rolling element
//! bearings with localized faults», Journal of Vibration and Acoustics 125 (2003)): impacts whose distances vary at random
//! by the slip, each ringing at a resonance, modulated by the load zone where the defect turns through it.

use crate::bearing::Bearing;
use std::f64::consts::TAU;

/// Uniform random numbers, the same for the same seed (SplitMix64).
pub struct Random(u64);

impl Random {
    /// A sequence.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Between 0 and 1.
    pub fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Normally distributed with mean 0 and variance 1 (Box and Muller).
    pub fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.uniform()).ln()).sqrt() * (TAU * self.uniform()).cos()
    }
}

/// What is damaged in a bearing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// The outer race.
    Outer,
    /// The inner race.
    Inner,
    /// One rolling element.
    RollingElement,
}

/// A machine that is simulated. Amplitudes in the unit of the result; noise has an RMS of `noise`.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Number of samples.
    pub samples: usize,
    /// Samples a second.
    pub rate_hz: f64,
    /// Revolutions a minute.
    pub rpm: f64,
    /// Standard deviation of noise.
    pub noise: f64,
    /// Amplitudes of the harmonics of the shaft: 1×, 2× … (imbalance 1×, misalignment 2×, looseness many).
    pub shaft: Vec<f64>,
    /// A defect and the amplitude of its impacts.
    pub defect: Option<(Bearing, Defect, f64)>,
    /// Teeth, amplitude of the mesh and of its modulation by the shaft, as a fraction.
    pub mesh: Option<(u32, f64, f64)>,
    /// Systematic slip as a fraction: how much slower or faster the rolling elements go than the geometry says.
    pub slip: f64,
    /// Random slip: standard deviation of the distance of two impacts as a fraction of it.
    pub jitter: f64,
    /// Change of the speed over the burst as a fraction.
    pub drift: f64,
}

impl Plan {
    /// A healthy machine with a little imbalance.
    #[must_use]
    pub fn healthy(samples: usize, rate_hz: f64, rpm: f64) -> Self {
        Self {
            samples,
            rate_hz,
            rpm,
            noise: 1.0,
            shaft: vec![0.5, 0.2],
            defect: None,
            mesh: None,
            slip: 0.005,
            jitter: 0.01,
            drift: 0.0,
        }
    }

    /// The burst.
    #[must_use]
    pub fn run(&self, seed: u64) -> Vec<f64> {
        let mut random = Random::new(seed);
        let turns = |t: f64| {
            let length = self.samples as f64 / self.rate_hz;
            self.rpm / 60.0 * (t + self.drift * t * t / (2.0 * length) - self.drift * t / 2.0)
        };
        let phases: Vec<f64> = self.shaft.iter().map(|_| TAU * random.uniform()).collect();
        let mut values: Vec<f64> = (0..self.samples)
            .map(|i| {
                let turn = turns(i as f64 / self.rate_hz);
                let harmonics = self.shaft.iter().zip(&phases).enumerate();
                let shaft: f64 =
                    harmonics.map(|(k, (a, p))| a * (TAU * (k + 1) as f64 * turn + p).cos()).sum();
                let mesh = self.mesh.map_or(0.0, |(teeth, a, depth)| {
                    a * (1.0 + depth * (TAU * turn).cos()) * (TAU * f64::from(teeth) * turn).cos()
                });
                shaft + mesh + self.noise * random.normal()
            })
            .collect();
        if let Some((bearing, defect, amplitude)) = self.defect {
            self.add_impacts(&mut values, &mut random, bearing, defect, amplitude);
        }
        values
    }

    fn add_impacts(
        &self,
        values: &mut [f64],
        random: &mut Random,
        bearing: Bearing,
        defect: Defect,
        amplitude: f64,
    ) {
        let orders = bearing.orders();
        let (rate_of_impacts, modulation) = match defect {
            Defect::Outer => (orders.outer, 0.0),
            Defect::Inner => (orders.inner, 1.0),
            Defect::RollingElement => (2.0 * orders.spin, orders.cage),
        };
        let shaft_hz = self.rpm / 60.0;
        let mean = 1.0 / (rate_of_impacts * (1.0 + self.slip) * shaft_hz);
        let ring_hz = 0.29 * self.rate_hz;
        let decay = 0.02 * ring_hz * TAU;
        let length = ((7.0 / decay) * self.rate_hz) as usize;
        let mut at = mean * random.uniform();
        let end = values.len() as f64 / self.rate_hz;
        while at < end {
            // The load zone: half of the turn, strongest in its middle.
            let load =
                if modulation == 0.0 { 1.0 } else { (TAU * modulation * shaft_hz * at).cos().max(0.0) };
            let strength = amplitude * load * (1.0 + 0.1 * random.normal());
            let first = (at * self.rate_hz).ceil() as usize;
            for (i, v) in values.iter_mut().enumerate().skip(first).take(length) {
                let t = i as f64 / self.rate_hz - at;
                *v += strength * (-decay * t).exp() * (TAU * ring_hz * t).sin();
            }
            at += (mean * (1.0 + self.jitter * random.normal())).max(0.1 * mean);
        }
    }
}
