//! The running speed from the spectrum, where no tachometer gives it.

use crate::{
    comb::Comb,
    fft::Fft,
    spectrum::{Spectrum, Window},
    stats::robust,
};

/// A speed that was read off a spectrum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Revolutions a minute.
    pub rpm: f64,
    /// By how many standard deviations its harmonics exceed those of other speeds.
    pub strength: f64,
}

/// Harmonics of the shaft that are looked at.
const HARMONICS: usize = 4;
/// Least strength of an estimate.
const LEAST: f64 = 5.0;
/// How much the strongest must exceed every other that is no fraction or multiple of it.
const LEAD: f64 = 1.0;

/// The speed between two bounds whose harmonics stand out most, or nothing where none does clearly. Give the bounds as
/// narrow as the machine allows: a machine that has strong lines at twice its speed looks like one that turns twice as
/// fast.
#[must_use]
pub fn estimate(
    fft: &mut Fft,
    values: &[f64],
    rate_hz: f64,
    rpm: std::ops::RangeInclusive<f64>,
) -> Option<Estimate> {
    let (low, high) = (rpm.start() / 60.0, rpm.end() / 60.0);
    let spectrum = Spectrum::averaged(fft, values, rate_hz, values.len(), Window::Hann);
    let df = spectrum.df_hz;
    let kept = ((high * 1.1 * HARMONICS as f64 / df) as usize).min(spectrum.amplitude.len());
    let noise = spectrum.noise(low.max(20.0 * df) * 1.36);
    let power = |k: usize| (spectrum.amplitude[k] / noise[k].max(f64::MIN_POSITIVE)).powi(2);
    let ratio: Vec<f64> = (0..kept).map(power).collect();
    let comb = Comb::new(df, &ratio);
    let step = 1.0 + (df / high / HARMONICS as f64).max(1e-4);
    let mut candidates = Vec::new();
    let mut hz = low;
    while hz <= high {
        candidates.push((hz, comb.fit(hz, hz * (step - 1.0) / 2.0, HARMONICS).score));
        hz *= step;
    }
    let scores: Vec<f64> = candidates.iter().map(|c| c.1).collect();
    let (middle, spread) = robust(&scores);
    let strength = |score: f64| (score - middle) / spread.max(0.05);
    let &(best, score) = candidates.iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let related = |hz: f64| {
        let (ratio, inverse) = (hz / best, best / hz);
        (ratio - ratio.round()).abs() < 0.03 || (inverse - inverse.round()).abs() < 0.03
    };
    let rival = candidates.iter().filter(|c| !related(c.0)).map(|c| c.1).fold(0.0, f64::max);
    let clear = strength(score) >= LEAST && strength(score) - strength(rival) >= LEAD;
    clear.then(|| {
        // The highest harmonic gives the speed most exactly.
        let fit = comb.fit(best, best * (step - 1.0), HARMONICS);
        Estimate { rpm: 60.0 * fit.order, strength: strength(score) }
    })
}
