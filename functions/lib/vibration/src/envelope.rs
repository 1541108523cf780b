//! Envelopes: how the strength of a vibration goes up and down. A damaged bearing knocks at its fault frequency and rings at
//! the resonances of its housing; the envelope of a resonance shows the knocking.

use crate::{
    condition::detrend,
    fft::Fft,
    kurtogram::Band,
    spectrum::{Spectrum, Window},
    stats::sliding_median,
};

/// The envelope of a band: the modulus of the analytic signal, one value for each sample.
#[must_use]
pub fn envelope(fft: &mut Fft, values: &[f64], rate_hz: f64, band: Band) -> Vec<f64> {
    let n = values.len();
    let mut values = values.to_vec();
    detrend(&mut values);
    let bins = fft.forward(&values);
    let bin = |hz: f64| ((hz * n as f64 / rate_hz).round() as usize).clamp(1, n.div_ceil(2));
    let (from, to) = (bin(band.from_hz), bin(band.to_hz));
    fft.analytic(&bins, from, to.max(from), n, n).iter().map(|z| z.norm()).collect()
}

/// The amplitude spectrum of the envelope of a band, one segment with a Hann window.
#[must_use]
pub fn envelope_spectrum(fft: &mut Fft, values: &[f64], rate_hz: f64, band: Band) -> Spectrum {
    let envelope = envelope(fft, values, rate_hz, band);
    Spectrum::averaged(fft, &envelope, rate_hz, envelope.len(), Window::Hann)
}

/// How far each line of the whitened squared envelope stands above its surroundings.
#[derive(Clone, Debug, PartialEq)]
pub struct WhitenedEnvelope {
    /// Distance of two bins, in orders of the shaft.
    pub df_orders: f64,
    /// Power over the median power around it, from 0 Hz; 1 is noise.
    pub ratio: Vec<f64>,
    /// Segments averaged.
    pub averages: usize,
}

/// Revolutions that a segment has at least, where the burst is long enough. Slip smears what is resolved finer.
const REVOLUTIONS: f64 = 128.0;
/// Highest order that is kept.
const MAX_ORDER: f64 = 60.0;
/// Half the width over which the noise around a line is taken, in orders. Other than an integer, so that a shaft with
/// strong harmonics does not raise it.
const NOISE_HALF_WIDTH: f64 = 0.68;
/// The spectrum is divided into this many bands of equal width.
const BANDS: usize = 4;

impl WhitenedEnvelope {
    /// Of a burst.
    ///
    /// Every line of the spectrum is set to the same modulus and keeps its phase (cepstrum pre-whitening: P. Borghesani et
    /// al., «Application of cepstrum pre-whitening for the diagnosis of bearing faults under variable speed conditions»,
    /// Mechanical Systems and Signal Processing 36 (2013); recommended for this use by W. A. Smith and R. B. Randall, «Rolling
    /// element bearing diagnostics using the Case Western Reserve University data», same journal 64–65 (2015)). So neither
    /// the steady lines of shafts and gears nor the strongest resonance outweigh the rest. The squared envelopes of four
    /// bands are transformed, each is divided by its own noise, and the four are averaged: what knocks in any of them
    /// stays, what is noise evens out.
    #[must_use]
    pub fn of(fft: &mut Fft, values: &[f64], rate_hz: f64, shaft_hz: f64) -> Self {
        let wanted = (REVOLUTIONS * rate_hz / shaft_hz).ceil() as usize;
        let longest = (values.len() / 2 + 1).next_power_of_two();
        let n = wanted.next_power_of_two().min(longest).max(64);
        let points = n / BANDS;
        let window = Window::Hann.values(points);
        let mut power = vec![vec![0.0; points / 2 + 1]; BANDS];
        let mut averages = 0;
        let mut start = 0;
        while start + n <= values.len() {
            let mut part = values[start..start + n].to_vec();
            detrend(&mut part);
            let mut bins = fft.forward(&part);
            for bin in &mut bins {
                let modulus = bin.norm();
                *bin = if modulus > 0.0 { *bin / modulus } else { *bin };
            }
            for (band, power) in power.iter_mut().enumerate() {
                let (from, to) = ((n / 2 * band / BANDS).max(1), n / 2 * (band + 1) / BANDS);
                let squares: Vec<f64> = fft
                    .analytic(&bins, from, to, n, points)
                    .iter()
                    .map(realfft::num_complex::Complex::norm_sqr)
                    .collect();
                let mean = squares.iter().sum::<f64>() / points as f64;
                let weighted: Vec<f64> =
                    squares.iter().zip(&window).map(|(s, w)| (s / mean - 1.0) * w).collect();
                for (p, bin) in power.iter_mut().zip(fft.forward(&weighted)) {
                    *p += bin.norm_sqr();
                }
            }
            averages += 1;
            start += n / 2;
        }
        let df_orders = rate_hz / n as f64 / shaft_hz;
        let kept = ((MAX_ORDER / df_orders) as usize).min(points / 2 + 1);
        let half = (NOISE_HALF_WIDTH / df_orders).ceil().max(3.0) as usize;
        let mut ratio = vec![0.0; kept];
        for power in &power {
            let noise = sliding_median(&power[..kept], half);
            for ((r, p), n) in ratio.iter_mut().zip(power).zip(noise) {
                *r += p / n.max(f64::MIN_POSITIVE) / BANDS as f64;
            }
        }
        Self { df_orders, ratio, averages }
    }
}
