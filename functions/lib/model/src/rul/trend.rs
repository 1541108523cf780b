//! Extrapolation of a sensor's level to its limit, with confidence limits.
//!
//! The level is taken as a straight line with two disturbances: noise of the readings, and a wandering of the level
//! itself (a local-level model with drift; Durbin, Koopman: «Time Series Analysis by State Space Methods», 2012, ch. 2).
//! The line is fitted by least squares; the variance of its distance to the future level follows from the weights of
//! the fit. The confidence limits are the times at which the limit lies one quantile of that distance above and below
//! the line (inverse prediction after Fieller; Draper, Smith: «Applied Regression Analysis», 1998, ch. 3.2).

use crate::{
    history::History,
    stats::{line, mean},
};
use pm_api::{
    RulMethod,
    remaining_life::{CONFIDENCE_LEVEL, RemainingLife},
    score::Limits,
};

/// Quantile of the normal distribution that leaves 5 % above.
const Z: f64 = 1.644_853_6;
/// The wandering is known from a few dozen steps and the best of four fits was chosen, so it is taken as this much
/// stronger: with it, intervals hold 86 to 97 % for noise, autocorrelated noise and wandering alike (see the tests).
const WANDERING: f64 = 1.5;
/// An estimate of more than this many times the time seen is none.
const FARTHEST: f64 = 10.0;
/// Hours of a year, the longest estimate.
const YEAR: f64 = 8766.0;

/// Hours until the level reaches the critical limit (without one: the warning limit) on the side that a significant
/// trend runs to; at most [`FARTHEST`] times the time the trend was seen for, and at most a year. 0 when the newest
/// `value` has reached it. `noise` is the usual spread of the sensor's readings.
#[must_use]
pub fn remaining_life(
    history: &History,
    limits: &Limits,
    value: f64,
    noise: f64,
    now_us: i64,
) -> Option<RemainingLife> {
    let high = limits.critical_high.or(limits.warning_high);
    let low = limits.critical_low.or(limits.warning_low);
    if high.is_some_and(|l| value >= l) || low.is_some_and(|l| value <= l) {
        return Some(life(0.0, 0.0, Some(0.0)));
    }
    let fit = best_fit(&history.levels(now_us), noise)?;
    let limit = if fit.slope > 0.0 { high } else { low }?;
    let hours = fit.reaches(limit, 0.0)?;
    if hours > FARTHEST * fit.span || hours > YEAR {
        return None;
    }
    let lower = fit.reaches(limit, fit.quantile()).unwrap_or(0.0);
    Some(life(hours, lower.min(hours), fit.reaches(limit, -fit.quantile())))
}

fn life(hours: f64, lower_hours: f64, upper_hours: Option<f64>) -> RemainingLife {
    let method = RulMethod::Trend;
    RemainingLife { method, hours, lower_hours, upper_hours, confidence_level: CONFIDENCE_LEVEL, model: None }
}

/// A line through levels, and how far it can be trusted. Times are in hours from now.
#[derive(Debug, Clone)]
struct Fit {
    times: Vec<f64>,
    /// Level of the line now.
    now: f64,
    slope: f64,
    /// Time that it was fitted over.
    span: f64,
    /// Slope in its standard errors.
    t: f64,
    /// Independent residuals, after allowing for autocorrelation.
    free: f64,
    /// Variance of the noise of a level.
    noise: f64,
    /// Variance that the level gathers per hour by wandering.
    wandering: f64,
}

/// Of the newest 8, 16, 32 and all levels the fit with the highest t value, if that is above 8, explains 70 % of the
/// variance, spans at least a minute and moved by more than three times `noise`.
fn best_fit(levels: &[(f64, f64)], noise: f64) -> Option<Fit> {
    let n = levels.len();
    let mut lengths = vec![8, 16, 32, n];
    lengths.retain(|&k| k <= n && k >= 8);
    let fits = lengths.into_iter().filter_map(|k| Fit::of(&levels[n - k..], noise));
    fits.max_by(|a, b| a.t.total_cmp(&b.t))
}

impl Fit {
    fn of(levels: &[(f64, f64)], noise: f64) -> Option<Self> {
        let (now, slope) = line(levels.iter().copied())?;
        let n = levels.len() as f64;
        let times: Vec<f64> = levels.iter().map(|l| l.0).collect();
        let residuals: Vec<f64> = levels.iter().map(|(x, y)| y - now - slope * x).collect();
        let rss: f64 = residuals.iter().map(|r| r * r).sum();
        let middle = mean(&times);
        let sxx: f64 = times.iter().map(|x| (x - middle).powi(2)).sum();
        let explained = slope * slope * sxx;
        let span = times.last()? - times.first()?;
        let lag: f64 = residuals.windows(2).map(|w| w[0] * w[1]).sum();
        let r = if rss > 0.0 { (lag / rss).clamp(0.0, 0.95) } else { 0.0 };
        let free = (n * (1.0 - r) / (1.0 + r) - 2.0).max(0.5);
        let error = (rss / free / sxx).sqrt();
        let t = if error > 0.0 { slope.abs() / error } else { f64::MAX };
        let significant = t > 8.0
            && explained > 0.7 * (explained + rss)
            && span * 60.0 >= 1.0
            && (slope * span).abs() > 3.0 * noise;
        let (noise, step) = disturbances(&residuals);
        let wandering = WANDERING * step * (n - 1.0) / span * n / (n - 2.0);
        significant.then_some(Self { times, now, slope, span, t, free, noise, wandering })
    }

    /// Student quantile for the confidence level, by the expansion of Cornish and Fisher (Abramowitz, Stegun 26.7.5).
    fn quantile(&self) -> f64 {
        let v = self.free.max(3.0);
        let z = Z;
        z + (z.powi(3) + z) / (4.0 * v) + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * v * v)
    }

    /// Standard deviation of the distance between line and level, `x` hours from now.
    fn deviation(&self, x: f64) -> f64 {
        let n = self.times.len() as f64;
        let middle = mean(&self.times);
        let sxx: f64 = self.times.iter().map(|t| (t - middle).powi(2)).sum();
        let weight = |t: f64| 1.0 / n + (x - middle) * (t - middle) / sxx;
        let noise: f64 = self.times.iter().map(|&t| weight(t).powi(2)).sum();
        // A step of the level is seen by the fit in all levels after it, and stays in the level for ever.
        let (mut seen, mut wandered) = (0.0, 0.0);
        for pair in self.times.windows(2).rev() {
            seen += weight(pair[1]);
            wandered += (1.0 - seen).powi(2) * (pair[1] - pair[0]);
        }
        let ahead = (x - self.times[self.times.len() - 1]).max(0.0);
        (self.noise * noise + self.wandering * (wandered + ahead)).sqrt()
    }

    /// Hours until the line, moved by `quantile` standard deviations towards the limit, reaches it; `None` when that
    /// is never (the limit lies behind, or is beyond any reach).
    fn reaches(&self, limit: f64, quantile: f64) -> Option<f64> {
        let side = self.slope.signum();
        let beyond = |x: f64| {
            let moved = if quantile == 0.0 { 0.0 } else { quantile * self.deviation(x) };
            side * (self.now + self.slope * x - limit) + moved
        };
        if beyond(0.0) >= 0.0 {
            return Some(0.0);
        }
        let (mut before, mut after) = (0.0, 100.0 * FARTHEST * self.span);
        if beyond(after) < 0.0 {
            return None;
        }
        for _ in 0..45 {
            let half = (before + after) / 2.0;
            if beyond(half) < 0.0 { before = half } else { after = half }
        }
        Some(after)
    }
}

/// Variances of the noise of a level and of the wandering per step, by moments of the residuals' differences over one
/// step and over a quarter of the levels. Where they disagree, the stronger wandering counts.
fn disturbances(residuals: &[f64]) -> (f64, f64) {
    let differences = |k: usize| residuals.windows(k + 1).map(move |w| w[k] - w[0]);
    let square = |k: usize| mean(&differences(k).map(|d| d * d).collect::<Vec<_>>());
    let one: Vec<f64> = differences(1).collect();
    let far = (residuals.len() / 4).max(2);
    let (near_square, far_square) = (square(1), square(far));
    let opposed: f64 = one.windows(2).map(|w| w[0] * w[1]).sum::<f64>() / one.len() as f64;
    let by_distance = (far_square - near_square) / (far - 1) as f64;
    let by_neighbours = near_square - 2.0 * (-opposed).max(0.0);
    let step = by_distance.max(by_neighbours).max(0.0);
    (((near_square - step) / 2.0).max(0.0), step)
}
