//! Extrapolation of a sensor's level to its limit, with confidence limits.
//!
//! A curve is a level and a speed that grows or falls exponentially (a straight line is one without curvature), with a daily
//! cycle where a day was seen, and two disturbances: noise of the readings, and a wandering of the level itself (a local-level
//! model with drift; Durbin, Koopman: «Time Series Analysis by State Space Methods», 2012, ch. 2). Curves of several
//! curvatures are fitted by least squares to the newest 8, 16, 32 and all levels. Those that the levels do not speak against
//! (profile likelihood; Venzon, Moolgavkar 1988) count, because a line fitted to a curve is sure of the wrong time.
//!
//! Each curve has its confidence limits: the times at which the limit lies one quantile of the distance between curve
//! and future level above and below the curve (inverse prediction after Fieller; Draper, Smith: «Applied Regression
//! Analysis», 1998, ch. 3.2). What is told reaches from the earliest to the latest of all; where one of them never gets
//! there, there is no upper limit.

use super::curve::Curve;
use crate::history::History;
use pm_api::{
    RulMethod,
    remaining_life::{CONFIDENCE_LEVEL, RemainingLife},
    score::Limits,
};

/// An estimate of more than this many times the time seen is none.
pub(super) const FARTHEST: f64 = 10.0;
/// Hours of a year, the longest estimate.
const YEAR_H: f64 = 8766.0;
/// Curvatures that are tried: over the time seen, the speed grows by the exponential of it.
const CURVATURES: [f64; 12] = [0.0, -2.0, -1.0, -0.5, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0];
/// Few levels tell little of a curvature: then only those up to this size are tried.
const MAX_CURVATURE_OF_FEW: f64 = 1.0;
const FEW_LEVELS: usize = 16;
/// Curves taken from each but the clearest trend.
const FROM_OTHERS: usize = 2;
/// What twice the logarithm of a curvature's likelihood may lose against the best one's; chosen on simulated curves (lines,
/// with a daily cycle, exponential, quadratic, with a knee).
const LIKELIHOOD: f64 = 5.0;
const HOUR_US: f64 = 3.6e9;

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
    high.or(low)?;
    let curves = plausible(&history.levels(now_us), noise, now_us);
    let best = curves.first()?;
    let limit = if best.slope() > 0.0 { high } else { low }?;
    let hours = best.reaches(limit, 0.0)?;
    if hours > FARTHEST * best.span() || hours > YEAR_H {
        return None;
    }
    let earliest = curves.iter().filter_map(|c| c.reaches(limit, c.quantile())).fold(hours, f64::min);
    let latest = |most: f64, c: &Curve| Some(c.reaches(limit, -c.quantile())?.max(most));
    Some(life(hours, earliest, curves.iter().try_fold(hours, latest)))
}

fn life(hours: f64, lower_hours: f64, upper_hours: Option<f64>) -> RemainingLife {
    let method = RulMethod::Trend;
    RemainingLife { method, hours, lower_hours, upper_hours, confidence_level: CONFIDENCE_LEVEL, model: None }
}

/// The plausible curves, the best of the clearest trend first; none where there is no trend.
fn plausible(levels: &[(f64, f64)], noise: f64, now_us: i64) -> Vec<Curve> {
    let hour = (now_us as f64 / HOUR_US).rem_euclid(24.0);
    let n = levels.len();
    let mut lengths = vec![8, 16, 32, n];
    lengths.retain(|&k| (8..=n).contains(&k));
    lengths.dedup();
    let line = |k: usize| {
        let line = Curve::fit(&levels[n - k..], 0.0, hour)?;
        line.is_significant(noise).then_some((k, line.clearness()))
    };
    let mut trends: Vec<(usize, f64)> = lengths.into_iter().filter_map(line).collect();
    trends.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut curves = Vec::new();
    for (rank, (k, _)) in trends.into_iter().enumerate() {
        let curvatures = CURVATURES.iter().filter(|c| k >= FEW_LEVELS || c.abs() <= MAX_CURVATURE_OF_FEW);
        let mut tried: Vec<Curve> =
            curvatures.filter_map(|c| Curve::fit(&levels[n - k..], *c, hour)).collect();
        tried.sort_by(|a, b| a.misfit().total_cmp(&b.misfit()));
        let Some(best) = tried.first() else { continue };
        let most = best.misfit() * (LIKELIHOOD / best.free().max(1.0)).exp() * (1.0 + 1e-9);
        tried.retain(|c| c.misfit() <= most);
        if rank > 0 {
            // less clear trends only add what may come sooner or as straight as before
            tried.retain(|c| c.curvature() >= 0.0);
            tried.truncate(FROM_OTHERS);
        }
        curves.extend(tried);
    }
    curves
}
