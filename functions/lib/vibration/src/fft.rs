//! Fourier transforms, planned once for each length.

use realfft::{RealFftPlanner, num_complex::Complex};

/// A complex number.
pub type C64 = Complex<f64>;

/// Planner of transforms. Keep one: a plan is made at the first transform of its length.
pub struct Fft {
    real: RealFftPlanner<f64>,
    complex: rustfft::FftPlanner<f64>,
}

impl Default for Fft {
    fn default() -> Self {
        Self { real: RealFftPlanner::new(), complex: rustfft::FftPlanner::new() }
    }
}

impl Fft {
    /// The one-sided spectrum of real values, `n/2 + 1` bins, not scaled.
    pub fn forward(&mut self, values: &[f64]) -> Vec<C64> {
        let plan = self.real.plan_fft_forward(values.len());
        let mut input = values.to_vec();
        let mut bins = plan.make_output_vec();
        // The lengths are those of the plan, the only error there is.
        let _ = plan.process(&mut input, &mut bins);
        bins
    }

    /// The real values of a one-sided spectrum, the inverse of [`Self::forward`].
    pub fn inverse(&mut self, bins: &mut [C64], n: usize) -> Vec<f64> {
        let plan = self.real.plan_fft_inverse(n);
        // The imaginary parts of the first and, for an even length, of the last bin are 0 in the spectrum of real values.
        bins[0].im = 0.0;
        if n.is_multiple_of(2) {
            bins[n / 2].im = 0.0;
        }
        let mut values = plan.make_output_vec();
        let _ = plan.process(bins, &mut values);
        values.iter_mut().for_each(|v| *v /= n as f64);
        values
    }

    /// The analytic signal of the bins `from..to` of a one-sided spectrum of `n` values, shifted down so that bin `from`
    /// is at 0 Hz, with `points` points over the same time. Its modulus is the envelope of the band.
    ///
    /// `points` must be at least `to - from`. The squared modulus has twice the bandwidth, so that it takes `2 (to - from)`
    /// points to hold it without aliases.
    pub fn analytic(&mut self, bins: &[C64], from: usize, to: usize, n: usize, points: usize) -> Vec<C64> {
        let mut band = vec![C64::new(0.0, 0.0); points];
        for (to, bin) in band.iter_mut().zip(&bins[from..to.min(bins.len())]) {
            *to = bin * (2.0 / n as f64);
        }
        self.complex.plan_fft_inverse(points).process(&mut band);
        band
    }
}
