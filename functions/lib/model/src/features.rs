//! The 25 features of a window, under the documented names and in the documented order.
//!
//! Where the documented definition was a constant 0, or a band fixed to one kind of sensor, a real definition takes
//! its place (marked «ours»). All are in the sensor's unit or without unit; [`crate::baseline`] makes them
//! comparable between sensors.

use crate::stats::{autocorrelation, finite, line, mean, moment, quantile, sorted};

/// Number of features.
pub const COUNT: usize = 25;

/// Names, in order.
pub const NAMES: [&str; COUNT] = [
    "mean",
    "std",
    "min",
    "max",
    "median",
    "skewness",
    "kurtosis",
    "iqr",
    "trend_slope",
    "trend_intercept",
    "ma_convergence",
    "ma_ratio",
    "volatility",
    "z_score",
    "rate_of_change",
    "optimal_deviation",
    "autocorr",
    "pattern_instability",
    "cross_corr_1",
    "cross_corr_2",
    "cross_corr_3",
    "reserved_1",
    "reserved_2",
    "reserved_3",
    "reserved_4",
];

/// What is known about the sensor beyond the window.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Context {
    /// Usual spread of the values within a window; 0 while unknown.
    pub noise: f64,
    /// Range of the healthy past.
    pub band: Option<(f64, f64)>,
    /// Middle and spread of the healthy past.
    pub past: Option<(f64, f64)>,
}

/// The features of the values of a window, oldest first. All finite; all 0 with fewer than five values.
///
/// | Feature | Definition |
/// |---|---|
/// | mean, std, min, max, median | of the window (std: population) |
/// | skewness, kurtosis | third and fourth standardised moment, kurtosis less 3 (ours) |
/// | iqr | 75 % − 25 % quantile |
/// | `trend_slope`, `trend_intercept` | least squares over the sample number, from ten values |
/// | `ma_convergence`, `ma_ratio` | mean of the last 5 − and ÷ mean of the last 10 |
/// | volatility | std of (x₍ᵢ₊₁₎ − xᵢ) / (xᵢ + 1e-8) |
/// | `z_score` | at most 10: \|last − mean\| / std |
/// | `rate_of_change` | at most 5: \|last − previous\| / \|previous\| |
/// | `optimal_deviation` | distance of the window's mean to the band of the healthy past, in widths of the band (ours) |
/// | autocorr | correlation at lag 1 |
/// | `pattern_instability` | 1 − \|autocorr\|; 1 where undefined |
/// | `cross_corr_1..3` | correlation of the window with itself 2, 5 and 10 steps earlier (ours) |
/// | `reserved_1` | share of the window that repeats one value without a break (ours: a stuck sensor) |
/// | `reserved_2` | largest distance to the median, in usual spreads (ours: a spike) |
/// | `reserved_3` | median of the newer half − median of the older half, in usual spreads (ours: a shift) |
/// | `reserved_4` | mean − middle of the healthy past, in spreads of that past (ours: drift) |
#[must_use]
pub fn extract(x: &[f64], context: &Context) -> [f64; COUNT] {
    let mut f = [0.0; COUNT];
    let n = x.len();
    if n < 5 {
        return f;
    }
    let ordered = sorted(x);
    let mean_all = mean(x);
    let std = moment(x, mean_all, 2).sqrt();
    let (last, previous) = (x[n - 1], x[n - 2]);
    f[0] = mean_all;
    f[1] = std;
    f[2] = ordered[0];
    f[3] = ordered[n - 1];
    f[4] = quantile(&ordered, 0.5);
    // Below this the values are equal but for rounding.
    let resolution = 1e-12 * (ordered[0].abs() + ordered[n - 1].abs());
    if std > resolution {
        f[5] = moment(x, mean_all, 3) / std.powi(3);
        f[6] = moment(x, mean_all, 4) / std.powi(4) - 3.0;
        f[13] = ((last - mean_all).abs() / (std + 1e-8)).min(10.0);
        f[16] = autocorrelation(x, 1);
        f[18] = autocorrelation(x, 2);
        f[19] = autocorrelation(x, 5);
        f[20] = autocorrelation(x, 10);
    }
    f[7] = quantile(&ordered, 0.75) - quantile(&ordered, 0.25);
    if n >= 10 {
        let points = x.iter().enumerate().map(|(i, &v)| (i as f64, v));
        (f[9], f[8]) = line(points).unwrap_or((mean_all, 0.0));
    }
    let (last5, last10) = (mean(&x[n - 5..]), mean(&x[n.saturating_sub(10)..]));
    f[10] = last5 - last10;
    f[11] = if last10 == 0.0 { 1.0 } else { (last5 / last10).clamp(-10.0, 10.0) };
    let changes: Vec<f64> = x.windows(2).map(|w| ((w[1] - w[0]) / (w[0] + 1e-8)).clamp(-1e3, 1e3)).collect();
    f[12] = moment(&changes, mean(&changes), 2).sqrt();
    f[14] = ((last - previous).abs() / (previous.abs() + 1e-8)).min(5.0);
    if let Some((low, high)) = context.band {
        let width = (high - low).max(context.noise).max(f64::MIN_POSITIVE);
        f[15] = ((low - mean_all).max(mean_all - high).max(0.0) / width).min(10.0);
    }
    f[17] = 1.0 - f[16].abs();
    f[21] = longest_run(x) as f64 / n as f64;
    if context.noise > 0.0 {
        f[22] = ((ordered[n - 1] - f[4]).max(f[4] - ordered[0]) / context.noise).min(1e3);
        let half = n / 2;
        let shift = crate::stats::median(&x[half..]) - crate::stats::median(&x[..half]);
        f[23] = (shift / context.noise).clamp(-1e3, 1e3);
    }
    if let Some((middle, spread)) = context.past {
        f[24] = ((mean_all - middle) / spread.max(context.noise).max(f64::MIN_POSITIVE)).clamp(-100.0, 100.0);
    }
    f.map(finite)
}

fn longest_run(x: &[f64]) -> usize {
    let (mut longest, mut run) = (1, 1);
    for w in x.windows(2) {
        run = if w[0] == w[1] { run + 1 } else { 1 };
        longest = longest.max(run);
    }
    longest
}
