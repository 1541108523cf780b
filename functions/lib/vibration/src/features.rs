//! Numbers that describe a burst.

use crate::{
    diagnosis::{Diagnosis, Part},
    fft::Fft,
    spectrum::{Spectrum, Window},
    waveform::{Quantity, Waveform},
};

/// What the values of a burst say without a transform. The mean is taken off first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Features {
    /// Root of the mean square.
    pub rms: f64,
    /// Greatest deviation from the mean.
    pub peak: f64,
    /// `peak / rms`; 1.41 for a sine.
    pub crest_factor: f64,
    /// Fourth moment over the square of the second; 1.5 for a sine, 3 for noise, more when there are impacts.
    pub kurtosis: f64,
}

impl Features {
    /// Of values; all 0 where they do not vary.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let n = values.len().max(1) as f64;
        let mean = values.iter().sum::<f64>() / n;
        let (mut second, mut fourth, mut peak) = (0.0, 0.0, 0.0_f64);
        for v in values {
            let square = (v - mean).powi(2);
            second += square;
            fourth += square * square;
            peak = peak.max(square);
        }
        let (second, fourth, peak) = (second / n, fourth / n, peak.sqrt());
        if second == 0.0 {
            return Self { rms: 0.0, peak: 0.0, crest_factor: 0.0, kurtosis: 0.0 };
        }
        let rms = second.sqrt();
        Self { rms, peak, crest_factor: peak / rms, kurtosis: fourth / (second * second) }
    }
}

/// The band of velocity that the standards of machine vibration use (ISO 20816), Hz.
pub const VELOCITY_BAND_HZ: (f64, f64) = (10.0, 1000.0);

/// A feature with a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// What it is.
    pub name: String,
    /// Its value.
    pub value: f64,
    /// Its unit, if it has one of its own.
    pub unit: Option<&'static str>,
    /// Is it in the unit of the waveform?
    pub in_unit_of_waveform: bool,
}

/// The features that are followed over time: of the values, the velocity where unit and rate allow it, and how strongly each
/// part of the known bearings shows.
#[must_use]
pub fn measured(fft: &mut Fft, wave: &Waveform, diagnosis: &Diagnosis) -> Vec<Measured> {
    let f = Features::of(&wave.samples);
    let own =
        |name: &str, value| Measured { name: name.to_owned(), value, unit: None, in_unit_of_waveform: true };
    let number = |name: String, value| Measured { name, value, unit: None, in_unit_of_waveform: false };
    let mut all = vec![
        own("RMS", f.rms),
        own("peak", f.peak),
        number("crest factor".to_owned(), f.crest_factor),
        number("kurtosis".to_owned(), f.kurtosis),
    ];
    if let Some(value) = velocity_rms_mm_s(fft, wave) {
        let name = "velocity RMS 10–1000 Hz".to_owned();
        all.push(Measured { name, value, unit: Some("mm/s"), in_unit_of_waveform: false });
    }
    for finding in diagnosis.findings.iter().filter(|f| f.probability.is_some()) {
        let part = match finding.part {
            Part::OuterRace => "outer race",
            Part::InnerRace => "inner race",
            Part::RollingElement => "rolling element",
            _ => continue,
        };
        all.push(number(format!("{} {part}", finding.element), finding.strength));
    }
    all
}

/// The RMS of velocity from 10 to 1000 Hz, mm/s; nothing where the unit is not known or is no acceleration or velocity, or
/// where the burst does not reach from 10 to 1000 Hz.
#[must_use]
pub fn velocity_rms_mm_s(fft: &mut Fft, wave: &Waveform) -> Option<f64> {
    let unit = wave.unit?;
    let (from, to) = VELOCITY_BAND_HZ;
    if wave.rate_hz < 2.0 * to || wave.duration_s() < 4.0 / from {
        return None;
    }
    let spectrum = Spectrum::averaged(fft, &wave.samples, wave.rate_hz, wave.samples.len(), Window::Hann);
    let spectrum = match unit.quantity {
        Quantity::Acceleration => spectrum.integrated(from),
        Quantity::Velocity => spectrum,
        Quantity::Displacement => return None,
    };
    Some(1000.0 * unit.si * spectrum.rms_between(from, to))
}
