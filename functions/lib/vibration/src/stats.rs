//! Medians, over all values and sliding.

/// The median; 0 of nothing.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        n if n.is_multiple_of(2) => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
        n => sorted[n / 2],
    }
}

/// Median and the standard deviation that the median of absolute deviations gives for a normal distribution.
#[must_use]
pub fn robust(values: &[f64]) -> (f64, f64) {
    let middle = median(values);
    let deviations: Vec<f64> = values.iter().map(|v| (v - middle).abs()).collect();
    (middle, 1.4826 * median(&deviations))
}

/// For each value the median of the `2 half + 1` values around it. At the ends the window keeps its size and stops moving.
#[must_use]
pub fn sliding_median(values: &[f64], half: usize) -> Vec<f64> {
    let n = values.len();
    let size = (2 * half + 1).min(n);
    if n == 0 {
        return Vec::new();
    }
    let mut window = values[..size].to_vec();
    window.sort_by(f64::total_cmp);
    let mut out = Vec::with_capacity(n);
    let mut start = 0;
    for i in 0..n {
        let wanted = i.saturating_sub(half).min(n - size);
        while start < wanted {
            let old = window.partition_point(|v| v.total_cmp(&values[start]).is_lt());
            window.remove(old);
            let new = values[start + size];
            window.insert(window.partition_point(|v| v.total_cmp(&new).is_lt()), new);
            start += 1;
        }
        out.push(window[size / 2]);
    }
    out
}

/// Decibel of a ratio of powers.
#[must_use]
pub fn power_db(ratio: f64) -> f64 {
    10.0 * ratio.max(1e-12).log10()
}
