//! A burst of samples, with what must be known to read it.

use thiserror::Error;

/// Fewest and most samples of a burst.
pub const SAMPLES: std::ops::RangeInclusive<usize> = 256..=4_194_304;
/// Lowest and highest sampling rate, Hz.
pub const RATE_HZ: std::ops::RangeInclusive<f64> = 1.0..=1_000_000.0;
/// Lowest and highest speed of a shaft, revolutions a minute.
pub const RPM: std::ops::RangeInclusive<f64> = 1.0..=600_000.0;
/// Standard gravity, m/s².
pub const STANDARD_GRAVITY: f64 = 9.806_65;

/// What a vibration sensor measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Acceleration; SI unit m/s².
    Acceleration,
    /// Velocity; SI unit m/s.
    Velocity,
    /// Displacement; SI unit m.
    Displacement,
}

/// A unit of vibration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    /// What is measured.
    pub quantity: Quantity,
    /// One of this unit in SI units.
    pub si: f64,
}

impl Unit {
    /// The unit of a name as people write it, or nothing: an unknown unit is not guessed.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        use Quantity::{Acceleration, Displacement, Velocity};
        let (quantity, si) = match name.trim() {
            "m/s²" | "m/s2" | "m/s^2" => (Acceleration, 1.0),
            "g" | "gn" => (Acceleration, STANDARD_GRAVITY),
            "mg" => (Acceleration, STANDARD_GRAVITY / 1000.0),
            "mm/s²" | "mm/s2" | "mm/s^2" => (Acceleration, 1e-3),
            "m/s" => (Velocity, 1.0),
            "mm/s" => (Velocity, 1e-3),
            "in/s" | "ips" => (Velocity, 0.0254),
            "m" => (Displacement, 1.0),
            "mm" => (Displacement, 1e-3),
            "µm" | "μm" | "um" => (Displacement, 1e-6),
            "mil" => (Displacement, 25.4e-6),
            _ => return None,
        };
        Some(Self { quantity, si })
    }
}

/// Why a burst cannot be analysed. Each message begins with the field that is wrong.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Fault {
    /// Too few or too many samples.
    #[error("samples: {0} samples; a burst has {min} to {max}", min = SAMPLES.start(), max = SAMPLES.end())]
    Length(usize),
    /// A sample is not a finite number.
    #[error("samples[{0}]: not a finite number")]
    Sample(usize),
    /// All samples are equal: a broken cable, not a vibration.
    #[error("samples: all samples are equal")]
    Constant,
    /// The rate is out of range.
    #[error("rate_hz: must be between {min} and {max}", min = RATE_HZ.start(), max = RATE_HZ.end())]
    Rate,
    /// The speed is out of range.
    #[error("rpm: must be between {min} and {max}", min = RPM.start(), max = RPM.end())]
    Rpm,
    /// The calibration is not usable.
    #[error("scale: must be a finite number other than 0, and offset a finite number")]
    Scale,
}

/// One burst.
#[derive(Clone, Debug, PartialEq)]
pub struct Waveform {
    /// Values in `unit`, equally spaced in time.
    pub samples: Vec<f64>,
    /// Samples a second.
    pub rate_hz: f64,
    /// The unit, where it is known.
    pub unit: Option<Unit>,
    /// Speed of the shaft during the burst, revolutions a minute, where it is known.
    pub rpm: Option<f64>,
}

impl Waveform {
    /// A checked burst.
    ///
    /// # Errors
    /// When it cannot be analysed.
    pub fn new(samples: Vec<f64>, rate_hz: f64, unit: Option<Unit>, rpm: Option<f64>) -> Result<Self, Fault> {
        if !SAMPLES.contains(&samples.len()) {
            return Err(Fault::Length(samples.len()));
        }
        if let Some(i) = samples.iter().position(|v| !v.is_finite()) {
            return Err(Fault::Sample(i));
        }
        if samples.iter().all(|v| *v == samples[0]) {
            return Err(Fault::Constant);
        }
        if !RATE_HZ.contains(&rate_hz) {
            return Err(Fault::Rate);
        }
        if rpm.is_some_and(|r| !RPM.contains(&r)) {
            return Err(Fault::Rpm);
        }
        Ok(Self { samples, rate_hz, unit, rpm })
    }

    /// Values of a converter's counts: `count × scale + offset`.
    ///
    /// # Errors
    /// When the calibration is not usable.
    pub fn calibrated(counts: &[f64], scale: f64, offset: f64) -> Result<Vec<f64>, Fault> {
        if !scale.is_finite() || scale == 0.0 || !offset.is_finite() {
            return Err(Fault::Scale);
        }
        Ok(counts.iter().map(|c| c * scale + offset).collect())
    }

    /// Length of the burst, s.
    #[must_use]
    pub fn duration_s(&self) -> f64 {
        self.samples.len() as f64 / self.rate_hz
    }

    /// Revolutions a second, where the speed is known.
    #[must_use]
    pub fn shaft_hz(&self) -> Option<f64> {
        self.rpm.map(|rpm| rpm / 60.0)
    }
}
