//! One curve through levels: its fit, and when it reaches a limit. See [`super::trend`]. Times are in hours from now.

use super::trend::FARTHEST;
use crate::stats::mean;
use std::f64::consts::TAU;

/// Quantile of the normal distribution that leaves 5 % above.
const Z: f64 = 1.644_853_6;
/// The wandering is known from a few dozen steps, so it is taken as this much stronger.
const WANDERING: f64 = 1.5;
const DAY_H: f64 = 24.0;
/// Level, curve, sine and cosine of the day.
const COLUMNS: usize = 4;

/// A curve through levels, and how far it can be trusted.
#[derive(Debug, Clone)]
pub(super) struct Curve {
    times: Vec<f64>,
    /// The same times, bent: the curve is a straight line over them.
    bent: Vec<f64>,
    curvature: f64,
    /// Level of the curve now, and its speed now, per hour.
    now: f64,
    slope: f64,
    /// Amplitude of the daily cycle.
    daily: f64,
    /// Time that it was fitted over.
    span: f64,
    /// Speed in its standard errors.
    clearness: f64,
    /// Independent residuals, after allowing for autocorrelation.
    free: f64,
    /// Sum of the squared residuals.
    misfit: f64,
    /// Sum of the squares of the bent times around their mean.
    width: f64,
    /// Variance of the noise of a level.
    noise: f64,
    /// Variance that the level gathers per hour by wandering.
    wandering: f64,
}

impl Curve {
    /// Fits a curve of a curvature to levels (hours from now, level); `hour` is the present hour of the day. `None` for
    /// fewer than eight levels, or all at one time.
    pub(super) fn fit(levels: &[(f64, f64)], curvature: f64, hour: f64) -> Option<Self> {
        let n = levels.len() as f64;
        let times: Vec<f64> = levels.iter().map(|l| l.0).collect();
        let span = times.last()? - times.first()?;
        if levels.len() < 8 || span <= 0.0 {
            return None;
        }
        let columns = if span >= DAY_H { COLUMNS } else { 2 };
        let row = |x: &f64| {
            let angle = TAU * (hour + x) / DAY_H;
            [1.0, bend(curvature, span, *x), angle.sin(), angle.cos()]
        };
        let rows: Vec<[f64; COLUMNS]> = times.iter().map(row).collect();
        // relative to the newest level, so that a large level costs no digits
        let newest = levels.last()?.1;
        let y: Vec<f64> = levels.iter().map(|l| l.1 - newest).collect();
        let b = least_squares(&rows, &y, columns)?;
        let fitted = |row: &[f64; COLUMNS]| row.iter().zip(&b).map(|(r, b)| r * b).sum::<f64>();
        let residuals: Vec<f64> = rows.iter().zip(&y).map(|(row, y)| y - fitted(row)).collect();
        let misfit: f64 = residuals.iter().map(|r| r * r).sum();
        let bent: Vec<f64> = rows.iter().map(|r| r[1]).collect();
        let middle = mean(&bent);
        let width: f64 = bent.iter().map(|x| (x - middle).powi(2)).sum();
        let lag: f64 = residuals.windows(2).map(|w| w[0] * w[1]).sum();
        let r = if misfit > 0.0 { (lag / misfit).clamp(0.0, 0.95) } else { 0.0 };
        let free = (n * (1.0 - r) / (1.0 + r) - columns as f64).max(0.5);
        let error = (misfit / free / width).sqrt();
        let clearness = if error > 0.0 { b[1].abs() / error } else { f64::MAX };
        let (noise, step) = disturbances(&residuals);
        let wandering = WANDERING * step * (n - 1.0) / span * n / (n - 2.0);
        let (now, slope, daily) = (b[0] + newest, b[1], b[2].hypot(b[3]));
        Some(Self {
            times,
            bent,
            curvature,
            now,
            slope,
            daily,
            span,
            clearness,
            free,
            misfit,
            width,
            noise,
            wandering,
        })
    }

    /// Is it a trend: a speed of more than eight standard errors that explains 70 % of the variance, seen for a minute or
    /// more, over more than three times `noise`?
    pub(super) fn is_significant(&self, noise: f64) -> bool {
        let explained = self.slope * self.slope * self.width;
        self.clearness > 8.0
            && explained > 0.7 * (explained + self.misfit)
            && self.span * 60.0 >= 1.0
            && (self.slope * self.span).abs() > 3.0 * noise
    }

    pub(super) fn curvature(&self) -> f64 {
        self.curvature
    }

    pub(super) fn slope(&self) -> f64 {
        self.slope
    }

    pub(super) fn span(&self) -> f64 {
        self.span
    }

    pub(super) fn clearness(&self) -> f64 {
        self.clearness
    }

    pub(super) fn misfit(&self) -> f64 {
        self.misfit
    }

    pub(super) fn free(&self) -> f64 {
        self.free
    }

    /// Student quantile for the confidence level, by the expansion of Cornish and Fisher (Abramowitz, Stegun 26.7.5).
    pub(super) fn quantile(&self) -> f64 {
        let v = self.free.max(3.0);
        let z = Z;
        z + (z.powi(3) + z) / (4.0 * v) + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * v * v)
    }

    /// Standard deviation of the distance between curve and level, `x` hours from now.
    fn deviation(&self, x: f64) -> f64 {
        let n = self.times.len() as f64;
        let middle = mean(&self.bent);
        let from_middle = bend(self.curvature, self.span, x) - middle;
        let weight = |t: f64| 1.0 / n + from_middle * (t - middle) / self.width;
        let noise: f64 = self.bent.iter().map(|&t| weight(t).powi(2)).sum();
        // A step of the level is seen by the fit in all levels after it, and stays in the level for ever.
        let (mut seen, mut wandered) = (0.0, 0.0);
        for (pair, bent) in self.times.windows(2).zip(&self.bent[1..]).rev() {
            seen += weight(*bent);
            wandered += (1.0 - seen).powi(2) * (pair[1] - pair[0]);
        }
        let ahead = (x - self.times[self.times.len() - 1]).max(0.0);
        (self.noise * noise + self.wandering * (wandered + ahead)).sqrt()
    }

    /// Hours until the curve, moved by `quantile` standard deviations towards the limit, reaches it; `None` when that
    /// is never (the limit lies behind, or is beyond any reach). The daily cycle counts with its whole amplitude at the
    /// confidence limits and with half of it between them.
    pub(super) fn reaches(&self, limit: f64, quantile: f64) -> Option<f64> {
        let side = self.slope.signum();
        let cycle = self.daily * if quantile == 0.0 { 0.5 } else { quantile.signum() };
        let beyond = |x: f64| {
            let moved = if quantile == 0.0 { 0.0 } else { quantile * self.deviation(x) };
            side * (self.now + self.slope * bend(self.curvature, self.span, x) - limit) + moved + cycle
        };
        if beyond(0.0) >= 0.0 {
            return Some(0.0);
        }
        let (mut before, mut after) = (0.0, 100.0 * FARTHEST * self.span);
        if self.curvature > 0.0 {
            // beyond that, the exponential is no number
            after = after.min(300.0 * self.span / self.curvature);
        }
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

/// The way that a curve of speed 1 now and a curvature goes in `x` hours.
fn bend(curvature: f64, span: f64, x: f64) -> f64 {
    if curvature == 0.0 { x } else { (curvature * x / span).exp_m1() * span / curvature }
}

/// Coefficients of the first `columns` by the normal equations, those of the others 0; `None` where they are not determined.
fn least_squares(rows: &[[f64; COLUMNS]], y: &[f64], columns: usize) -> Option<[f64; COLUMNS]> {
    let mut a = [[0.0; COLUMNS + 1]; COLUMNS];
    for (row, y) in rows.iter().zip(y) {
        for (i, line) in a.iter_mut().enumerate().take(columns) {
            line.iter_mut().zip(row).take(columns).for_each(|(a, r)| *a += row[i] * r);
            line[COLUMNS] += row[i] * y;
        }
    }
    for i in 0..columns {
        let pivot = (i..columns).max_by(|&p, &q| a[p][i].abs().total_cmp(&a[q][i].abs()))?;
        if a[pivot][i].abs() < 1e-9 {
            return None;
        }
        a.swap(i, pivot);
        let line = a[i];
        for (r, other) in a.iter_mut().enumerate().take(columns) {
            if r != i {
                let factor = other[i] / line[i];
                other.iter_mut().zip(&line).skip(i).for_each(|(o, l)| *o -= factor * l);
            }
        }
    }
    let mut b = [0.0; COLUMNS];
    (0..columns).for_each(|i| b[i] = a[i][COLUMNS] / a[i][i]);
    Some(b)
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
