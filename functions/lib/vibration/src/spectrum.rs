//! The averaged amplitude spectrum.

use crate::{
    fft::Fft,
    stats::{power_db, sliding_median},
};
use std::f64::consts::TAU;

/// A window, periodic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// None: for a whole number of periods.
    Rectangular,
    /// Hann: the usual choice.
    Hann,
    /// Flat top: amplitudes exact to 0.01 dB between bins, at the cost of resolution.
    FlatTop,
}

impl Window {
    /// Its values.
    #[must_use]
    pub fn values(self, n: usize) -> Vec<f64> {
        let terms: &[f64] = match self {
            Self::Rectangular => &[1.0],
            Self::Hann => &[0.5, 0.5],
            // D'Antona and Ferrero 2006; the coefficients of MATLAB and SciPy.
            Self::FlatTop => &[0.215_578_95, 0.416_631_58, 0.277_263_158, 0.083_578_947, 0.006_947_368],
        };
        (0..n)
            .map(|i| {
                let x = TAU * i as f64 / n as f64;
                terms
                    .iter()
                    .enumerate()
                    .map(|(k, a)| a * (k as f64 * x).cos() * if k % 2 == 0 { 1.0 } else { -1.0 })
                    .sum()
            })
            .collect()
    }
}

/// An amplitude spectrum.
#[derive(Clone, Debug, PartialEq)]
pub struct Spectrum {
    /// Distance of two bins, Hz.
    pub df_hz: f64,
    /// Peak amplitude at each bin from 0 Hz: a sine of amplitude 1 on a bin gives 1.
    pub amplitude: Vec<f64>,
    /// Equivalent noise bandwidth of the window in bins: what energies are divided by.
    pub noise_bins: f64,
    /// Number of segments averaged.
    pub averages: usize,
}

/// A line that stands above its surroundings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peak {
    /// Frequency, interpolated between bins, Hz.
    pub hz: f64,
    /// Amplitude of the highest bin.
    pub amplitude: f64,
    /// How far above the median of its surroundings, dB.
    pub above_noise_db: f64,
}

impl Spectrum {
    /// Averages the powers of segments of `segment` values that overlap by half (Welch 1967). The mean of each segment is
    /// taken off.
    #[must_use]
    pub fn averaged(fft: &mut Fft, values: &[f64], rate_hz: f64, segment: usize, window: Window) -> Self {
        let n = segment.clamp(2, values.len().max(2));
        let weights = window.values(n);
        let sum: f64 = weights.iter().sum();
        let squares: f64 = weights.iter().map(|w| w * w).sum();
        let mut power = vec![0.0; n / 2 + 1];
        let mut averages = 0;
        let mut start = 0;
        while start + n <= values.len() {
            let part = &values[start..start + n];
            let mean = part.iter().sum::<f64>() / n as f64;
            let weighted: Vec<f64> = part.iter().zip(&weights).map(|(v, w)| (v - mean) * w).collect();
            for (p, bin) in power.iter_mut().zip(fft.forward(&weighted)) {
                *p += bin.norm_sqr();
            }
            averages += 1;
            start += n / 2;
        }
        let scale = 2.0 / sum;
        let count = averages.max(1) as f64;
        let amplitude = power.iter().map(|p| scale * (p / count).sqrt()).collect();
        Self { df_hz: rate_hz / n as f64, amplitude, noise_bins: n as f64 * squares / (sum * sum), averages }
    }

    /// The RMS of what lies between two frequencies, corrected for the window.
    #[must_use]
    pub fn rms_between(&self, from_hz: f64, to_hz: f64) -> f64 {
        let first = (from_hz / self.df_hz).ceil().max(1.0) as usize;
        let last = ((to_hz / self.df_hz).floor() as usize).min(self.amplitude.len().saturating_sub(1));
        let squares: f64 =
            self.amplitude.get(first..=last).unwrap_or_default().iter().map(|a| a * a / 2.0).sum();
        (squares / self.noise_bins).sqrt()
    }

    /// The spectrum of the integral over time, with 0 below `from_hz`.
    #[must_use]
    pub fn integrated(&self, from_hz: f64) -> Self {
        let amplitude = self.amplitude.iter().enumerate().map(|(k, a)| {
            let hz = k as f64 * self.df_hz;
            if hz < from_hz || k == 0 { 0.0 } else { a / (TAU * hz) }
        });
        Self { amplitude: amplitude.collect(), ..self.clone() }
    }

    /// Highest amplitude within `tolerance_hz` of a frequency and where it is, or nothing beyond the spectrum.
    #[must_use]
    pub fn line(&self, hz: f64, tolerance_hz: f64) -> Option<(f64, f64)> {
        let first = ((hz - tolerance_hz) / self.df_hz).round().max(1.0) as usize;
        let last = ((hz + tolerance_hz) / self.df_hz).round() as usize;
        let bins = self.amplitude.get(first..=last.max(first))?;
        let at = bins.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map(|(i, _)| first + i)?;
        Some((at as f64 * self.df_hz, self.amplitude[at]))
    }

    /// Amplitude of the noise around each bin: the median over `width_hz`.
    #[must_use]
    pub fn noise(&self, width_hz: f64) -> Vec<f64> {
        sliding_median(&self.amplitude, (width_hz / self.df_hz / 2.0).ceil().max(2.0) as usize)
    }

    /// The highest lines, at most `count`, each at least `above_db` above the noise around it.
    #[must_use]
    pub fn peaks(&self, count: usize, above_db: f64, width_hz: f64) -> Vec<Peak> {
        let noise = self.noise(width_hz);
        let a = &self.amplitude;
        let mut found: Vec<Peak> = (2..a.len().saturating_sub(1))
            .filter(|&k| a[k] > a[k - 1] && a[k] >= a[k + 1])
            .map(|k| {
                let (l, m, r) = (a[k - 1], a[k], a[k + 1]);
                let bend = l - 2.0 * m + r;
                let shift = if bend == 0.0 { 0.0 } else { 0.5 * (l - r) / bend };
                let ratio = m / noise[k].max(f64::MIN_POSITIVE);
                Peak {
                    hz: (k as f64 + shift) * self.df_hz,
                    amplitude: m,
                    above_noise_db: power_db(ratio * ratio),
                }
            })
            .filter(|p| p.above_noise_db >= above_db)
            .collect();
        found.sort_by(|a, b| b.amplitude.total_cmp(&a.amplitude));
        found.truncate(count);
        found
    }

    /// At most `points` points for a picture, each the highest of its bins, so that no line is lost: (Hz, amplitude).
    #[must_use]
    pub fn reduced(&self, points: usize) -> Vec<(f64, f64)> {
        let step = self.amplitude.len().div_ceil(points.max(1)).max(1);
        self.amplitude
            .chunks(step)
            .enumerate()
            .filter_map(|(i, bins)| {
                let (at, a) = bins.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
                Some(((i * step + at) as f64 * self.df_hz, *a))
            })
            .collect()
    }

    /// Frequencies as orders of a shaft: the distance of two bins.
    #[must_use]
    pub fn df_orders(&self, shaft_hz: f64) -> f64 {
        self.df_hz / shaft_hz
    }
}
