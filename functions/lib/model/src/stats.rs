//! Small statistics over a slice. All are 0 for an empty slice.

/// Arithmetic mean.
#[must_use]
pub fn mean(x: &[f64]) -> f64 {
    if x.is_empty() { 0.0 } else { x.iter().sum::<f64>() / x.len() as f64 }
}

/// Central moment of the given order about `mean`.
#[must_use]
pub fn moment(x: &[f64], mean: f64, order: i32) -> f64 {
    if x.is_empty() { 0.0 } else { x.iter().map(|v| (v - mean).powi(order)).sum::<f64>() / x.len() as f64 }
}

/// Quantile of ascending values with linear interpolation; `q` in 0..=1.
#[must_use]
pub fn quantile(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let at = q.clamp(0.0, 1.0) * last as f64;
    let low = at.floor() as usize;
    let high = (low + 1).min(last);
    sorted[low] + (sorted[high] - sorted[low]) * (at - low as f64)
}

/// The values in ascending order.
#[must_use]
pub fn sorted(x: &[f64]) -> Vec<f64> {
    let mut v = x.to_vec();
    v.sort_unstable_by(f64::total_cmp);
    v
}

/// Median.
#[must_use]
pub fn median(x: &[f64]) -> f64 {
    quantile(&sorted(x), 0.5)
}

/// Correlation of the series with itself `lag` steps earlier (Pearson); 0 where it is undefined.
#[must_use]
pub fn autocorrelation(x: &[f64], lag: usize) -> f64 {
    if x.len() < lag + 3 {
        return 0.0;
    }
    let (a, b) = (&x[..x.len() - lag], &x[lag..]);
    let (ma, mb) = (mean(a), mean(b));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (p, q) in a.iter().zip(b) {
        ab += (p - ma) * (q - mb);
        aa += (p - ma) * (p - ma);
        bb += (q - mb) * (q - mb);
    }
    let scale = (aa * bb).sqrt();
    if scale > 0.0 && scale.is_finite() { (ab / scale).clamp(-1.0, 1.0) } else { 0.0 }
}

/// Least-squares line `y = intercept + slope · x` over points; `None` when all x are equal.
#[must_use]
pub fn line(points: impl Iterator<Item = (f64, f64)> + Clone) -> Option<(f64, f64)> {
    let n = points.clone().count() as f64;
    let (sx, sy) = points.clone().fold((0.0, 0.0), |(a, b), (x, y)| (a + x, b + y));
    let (mx, my) = (sx / n, sy / n);
    let (sxx, sxy) =
        points.fold((0.0, 0.0), |(a, b), (x, y)| (a + (x - mx) * (x - mx), b + (x - mx) * (y - my)));
    (sxx > 0.0).then(|| (my - sxy / sxx * mx, sxy / sxx))
}

/// The number when it is finite, else 0.
#[must_use]
pub fn finite(v: f64) -> f64 {
    if v.is_finite() { v } else { 0.0 }
}
