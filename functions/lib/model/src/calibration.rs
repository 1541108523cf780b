//! From the forest's own score to the scale that people see, and how far that is to be trusted. Both are learned by
//! the trainer on signals that the forest was not grown from, and travel in the model's card.

use serde::{Deserialize, Serialize};

/// Piecewise linear maps through given points.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Calibration {
    /// Forest score → score, ascending in both.
    pub score: Vec<(f64, f64)>,
    /// Deviation ([`deviation`]) → score, ascending in both.
    pub deviation: Vec<(f64, f64)>,
    /// Smoothed score → share of judgements («anomaly» from 0.75 on) that were right at such scores.
    pub confidence: Vec<(f64, f64)>,
}

impl Calibration {
    /// The score, 0 to 1, of a forest score and a deviation: the higher of the two calibrated. In both the healthy
    /// median is at 0.1, the healthy 99 % quantile at 0.35, the 99.99 % quantile at 0.6.
    ///
    /// The forest knows unusual combinations; the deviation knows how far: a forest cannot tell far out from very far
    /// out, since its splits lie inside the range of what it learned from.
    #[must_use]
    pub fn score(&self, forest_score: f64, deviation: f64) -> f64 {
        let forest = interpolate(&self.score, forest_score);
        forest.max(interpolate(&self.deviation, deviation)).clamp(0.0, 1.0)
    }

    /// Confidence in a judgement, 0 to 1.
    #[must_use]
    pub fn confidence(&self, score: f64) -> f64 {
        interpolate(&self.confidence, score).clamp(0.0, 1.0)
    }

    /// Are there points, ascending and finite?
    #[must_use]
    pub fn is_valid(&self) -> bool {
        [&self.score, &self.deviation, &self.confidence].into_iter().all(|points| {
            points.len() >= 2
                && points.iter().all(|(x, y)| x.is_finite() && y.is_finite())
                && points.windows(2).all(|p| p[0].0 < p[1].0)
        })
    }
}

/// Mean size of the four largest relative features: how far out a window is.
#[must_use]
pub fn deviation(row: &[f32]) -> f64 {
    let mut top = [0.0f32; 4];
    for v in row {
        let mut v = v.abs();
        for t in &mut top {
            if v > *t {
                std::mem::swap(&mut v, t);
            }
        }
    }
    f64::from(top.iter().sum::<f32>()) / 4.0
}

fn interpolate(points: &[(f64, f64)], x: f64) -> f64 {
    let after = points.partition_point(|p| p.0 <= x);
    match (after.checked_sub(1).and_then(|i| points.get(i)), points.get(after)) {
        (None, None) => 0.0,
        (Some(p), None) | (None, Some(p)) => p.1,
        (Some(a), Some(b)) => a.1 + (b.1 - a.1) * (x - a.0) / (b.0 - a.0),
    }
}
