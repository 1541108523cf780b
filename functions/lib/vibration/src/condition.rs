//! A signal made ready: trend removed, slow motion filtered out, integrated.

use crate::fft::{C64, Fft};
use std::f64::consts::TAU;

/// Subtracts the straight line that fits best.
pub fn detrend(values: &mut [f64]) {
    let n = values.len() as f64;
    if values.len() < 2 {
        return;
    }
    let middle = (n - 1.0) / 2.0;
    let mean = values.iter().sum::<f64>() / n;
    let (mut xy, mut xx) = (0.0, 0.0);
    for (i, v) in values.iter().enumerate() {
        let x = i as f64 - middle;
        xy += x * (v - mean);
        xx += x * x;
    }
    let slope = xy / xx;
    for (i, v) in values.iter_mut().enumerate() {
        *v -= mean + slope * (i as f64 - middle);
    }
}

/// Gain of the high pass at a frequency: 0 below half of the cut, 1 above the cut, a raised cosine between. It has no
/// phase.
fn gain(hz: f64, cut_hz: f64) -> f64 {
    let x = (2.0 * hz / cut_hz - 1.0).clamp(0.0, 1.0);
    0.5 - 0.5 * (x * TAU / 2.0).cos()
}

/// Removes what is slower than `cut_hz`, without a shift of phase.
#[must_use]
pub fn high_pass(fft: &mut Fft, values: &[f64], rate_hz: f64, cut_hz: f64) -> Vec<f64> {
    shape(fft, values, rate_hz, |hz| C64::new(gain(hz, cut_hz), 0.0))
}

/// Integrates once over time above `cut_hz`: acceleration to velocity, velocity to displacement. Below, where an integral
/// of noise grows without bound, the result is 0.
///
/// A burst is no whole number of periods: the first and the last twentieth are faded out, or the jump between them would
/// grow in the integral. They are not exact; take the RMS of a velocity from
/// [`crate::spectrum::Spectrum::integrated`], which has no ends.
#[must_use]
pub fn integrate(fft: &mut Fft, values: &[f64], rate_hz: f64, cut_hz: f64) -> Vec<f64> {
    let mut values = values.to_vec();
    detrend(&mut values);
    let n = values.len();
    let end = n / 20;
    for i in 0..end {
        let fade = 0.5 - 0.5 * (TAU / 2.0 * i as f64 / end as f64).cos();
        values[i] *= fade;
        values[n - 1 - i] *= fade;
    }
    shape(fft, &values, rate_hz, |hz| {
        if hz == 0.0 { C64::new(0.0, 0.0) } else { C64::new(0.0, -gain(hz, cut_hz) / (TAU * hz)) }
    })
}

fn shape(fft: &mut Fft, values: &[f64], rate_hz: f64, response: impl Fn(f64) -> C64) -> Vec<f64> {
    let n = values.len();
    let df = rate_hz / n as f64;
    let mut bins = fft.forward(values);
    for (k, bin) in bins.iter_mut().enumerate() {
        *bin *= response(k as f64 * df);
    }
    fft.inverse(&mut bins, n)
}
