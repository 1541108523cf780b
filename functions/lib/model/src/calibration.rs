//! From the forest's own score to the scale that people see, and how far that is to be trusted. Both are learned on
//! signals that the forest was not grown from, and travel in the model's card.

use crate::stats;
use serde::{Deserialize, Serialize};

/// Piecewise linear maps through given points.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Calibration {
    /// Forest score → score, ascending in both.
    pub score: Vec<(f64, f64)>,
    /// Surprise ([`crate::baseline::Baseline::surprise`]) → score, ascending in both.
    pub surprise: Vec<(f64, f64)>,
    /// Smoothed score → share of moments at such scores that had a fault ([`isotonic`]), ascending in both.
    pub fault: Vec<(f64, f64)>,
}

impl Calibration {
    /// Places the knots of `score` and `surprise` on healthy values that were not learned from; `fault` is left at
    /// «unknown» (½).
    #[must_use]
    pub fn on_healthy(forest_scores: &[f64], surprises: &[f64]) -> Self {
        Self { score: knots(forest_scores), surprise: knots(surprises), fault: vec![(0.0, 0.5), (1.0, 0.5)] }
    }

    /// The score, 0 to 1, of a forest score and a surprise: the higher of the two calibrated. In both the healthy
    /// median is at 0.1, the healthy 99 % quantile at 0.35, the 99.99 % quantile at 0.6.
    ///
    /// The forest knows unusual combinations; the surprise knows how far: a forest cannot tell far out from very far
    /// out, since its splits lie inside the range of what it learned from.
    #[must_use]
    pub fn score(&self, forest_score: f64, surprise: f64) -> f64 {
        let forest = interpolate(&self.score, forest_score);
        forest.max(interpolate(&self.surprise, surprise)).clamp(0.0, 1.0)
    }

    /// The chance, 0 to 1, that a judgement at a smoothed score is right: that there is a fault when it says «anomalous»,
    /// that there is none when it does not. It holds for the mix of healthy and faulty moments it was learned from,
    /// which the card names; where faults are rarer, an alarm is less certain.
    #[must_use]
    pub fn confidence(&self, score: f64, anomalous: bool) -> f64 {
        let fault = interpolate(&self.fault, score).clamp(0.0, 1.0);
        if anomalous { fault } else { 1.0 - fault }
    }

    /// Are there points, ascending and finite?
    #[must_use]
    pub fn is_valid(&self) -> bool {
        [&self.score, &self.surprise, &self.fault].into_iter().all(|points| {
            points.len() >= 2
                && points.iter().all(|(x, y)| x.is_finite() && y.is_finite())
                && points.windows(2).all(|p| p[0].0 < p[1].0)
        })
    }
}

/// Healthy median → 0.1, 99 % → 0.35, 99.99 % → 0.6, and beyond that, in steps of the distance between the last two,
/// on to 1.
fn knots(healthy: &[f64]) -> Vec<(f64, f64)> {
    let scores = stats::sorted(healthy);
    let q = |p: f64| stats::quantile(&scores, p);
    let at = [q(0.0) - 1.0, q(0.01), q(0.5), q(0.99), q(0.9998)];
    let step = at[4] - at[3];
    let wanted = [
        (at[0], 0.0),
        (at[1], 0.02),
        (at[2], 0.1),
        (at[3], 0.35),
        (at[4], 0.6),
        (at[4] + 0.2 * step, 0.8),
        (at[4] + 0.8 * step, 1.0),
    ];
    let mut points: Vec<(f64, f64)> = Vec::with_capacity(wanted.len());
    for (x, y) in wanted {
        // Equal quantiles (few or equal values) are moved apart by a hair, so that the map stays one.
        let x = points.last().map_or(x, |last| x.max(last.0 + 1e-6));
        points.push((x, y));
    }
    points
}

/// Isotonic regression: the ascending step function closest to whether there was a fault at each score, by pooling
/// adjacent violators (Barlow et al. 1972; for calibration: Zadrozny & Elkan 2002). Each pool has 50 moments or more,
/// and its share is drawn towards ½ by one moment of either kind. The points are the pools' mean scores and shares.
#[must_use]
pub fn isotonic(moments: &[(f64, bool)]) -> Vec<(f64, f64)> {
    const POOL: f64 = 50.0;
    let mut moments = moments.to_vec();
    moments.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    // (sum of scores, faults, count)
    let mut pools: Vec<(f64, f64, f64)> = Vec::new();
    for (score, fault) in moments {
        match pools.last_mut().filter(|p| p.2 < POOL || p.0 / p.2 >= score) {
            Some(pool) => *pool = (pool.0 + score, pool.1 + f64::from(u8::from(fault)), pool.2 + 1.0),
            None => pools.push((score, f64::from(u8::from(fault)), 1.0)),
        }
        while let [.., a, b] = pools.as_slice()
            && b.2 >= POOL
            && a.1 / a.2 >= b.1 / b.2
        {
            let merged = (a.0 + b.0, a.1 + b.1, a.2 + b.2);
            pools.truncate(pools.len() - 2);
            pools.push(merged);
        }
    }
    if let [.., a, b] = pools.as_slice()
        && (b.2 < POOL || a.1 / a.2 >= b.1 / b.2)
    {
        let merged = (a.0 + b.0, a.1 + b.1, a.2 + b.2);
        pools.truncate(pools.len() - 2);
        pools.push(merged);
    }
    let mut points = vec![(-1e-9, 0.0)];
    points.extend(pools.iter().map(|(sum, faults, count)| (sum / count, (faults + 1.0) / (count + 2.0))));
    points[0].1 = points.get(1).map_or(0.5, |p| p.1);
    let mut highest = 0.0f64;
    points.iter_mut().for_each(|p| {
        highest = highest.max(p.1);
        p.1 = highest;
    });
    if points.len() < 2 {
        points.push((1.0, 0.5));
    }
    points
}

fn interpolate(points: &[(f64, f64)], x: f64) -> f64 {
    let after = points.partition_point(|p| p.0 <= x);
    match (after.checked_sub(1).and_then(|i| points.get(i)), points.get(after)) {
        (None, None) => 0.0,
        (Some(p), None) | (None, Some(p)) => p.1,
        (Some(a), Some(b)) => a.1 + (b.1 - a.1) * (x - a.0) / (b.0 - a.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn isotonic_regression_gives_back_the_chances() {
        // Faults grow likelier with the score: never below 0.3, always above 0.7, half and half between.
        let moments: Vec<(f64, bool)> = (0..6000)
            .map(|i| {
                let score = f64::from(i % 1000) / 1000.0;
                (score, score >= 0.7 || (score >= 0.3 && i % 2 == 0))
            })
            .collect();
        let calibration = Calibration { fault: isotonic(&moments), ..Calibration::default() };
        for (score, chance) in [(0.1, 0.0), (0.5, 0.5), (0.95, 1.0)] {
            let found = calibration.confidence(score, true);
            assert!((found - chance).abs() < 0.06, "{score}: {found}");
            assert!((calibration.confidence(score, false) + found - 1.0).abs() < 1e-12);
        }
        assert!(calibration.fault.windows(2).all(|p| p[0].0 < p[1].0 && p[0].1 <= p[1].1));
    }

    #[test]
    fn the_knots_ascend_whatever_the_values() {
        for values in [vec![], vec![0.5; 40], (0..5000).map(f64::from).collect()] {
            let calibration = Calibration::on_healthy(&values, &values);
            assert!(calibration.is_valid(), "{calibration:?}");
        }
        assert!(isotonic(&[]).len() >= 2);
    }
}
