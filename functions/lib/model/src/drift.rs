//! Has what the sensors show moved away from what the model learned from? Population stability index per feature
//! (Lewis 1994; usual reading: below 0.1 stable, above 0.25 moved), over tenths of the training rows.

use crate::features::COUNT;
use serde::{Deserialize, Serialize};

/// From here on a feature has moved.
pub const DRIFT_PSI: f64 = 0.25;
/// Fewer rows say nothing.
pub const MIN_DRIFT_ROWS: usize = 200;

/// Where the tenths of each feature lay in training.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Reference {
    /// Nine inner edges per feature, ascending; none when there was nothing to learn from.
    pub edges: Vec<Vec<f32>>,
    /// Share of the training rows in each of the ten bins of each feature.
    pub shares: Vec<Vec<f32>>,
}

impl Reference {
    /// Of the training rows (25 numbers each, one row after the other).
    #[must_use]
    pub fn of(rows: &[f32]) -> Self {
        if rows.len() < COUNT {
            return Self::default();
        }
        let column = |i: usize| {
            let mut values: Vec<f32> = rows.iter().skip(i).step_by(COUNT).copied().collect();
            values.sort_unstable_by(f32::total_cmp);
            values
        };
        let edges: Vec<Vec<f32>> = (0..COUNT)
            .map(|i| {
                let values = column(i);
                let at = |tenth: usize| values[(values.len() * tenth / 10).min(values.len() - 1)];
                (1..10).map(|tenth| (at(tenth) * 1e4).round() / 1e4).collect()
            })
            .collect();
        let shares = shares(&edges, rows);
        Self { edges, shares }
    }

    /// The index per feature for rows of now; empty when there are too few of them, or the model has no reference.
    #[must_use]
    pub fn psi(&self, rows: &[f32]) -> Vec<f64> {
        if self.edges.len() != COUNT || self.shares.len() != COUNT || rows.len() < MIN_DRIFT_ROWS * COUNT {
            return Vec::new();
        }
        let now = shares(&self.edges, rows);
        let index = |(then, now): (&Vec<f32>, &Vec<f32>)| -> f64 {
            then.iter()
                .zip(now)
                .map(|(&a, &b)| {
                    // An empty bin counts as one in a thousand, so that the logarithm stays finite.
                    let (a, b) = (f64::from(a).max(1e-3), f64::from(b).max(1e-3));
                    (b - a) * (b / a).ln()
                })
                .sum()
        };
        self.shares.iter().zip(&now).map(index).collect()
    }
}

fn shares(edges: &[Vec<f32>], rows: &[f32]) -> Vec<Vec<f32>> {
    let count = (rows.len() / COUNT) as f32;
    let mut bins = vec![vec![0.0f32; 10]; COUNT];
    for row in rows.chunks_exact(COUNT) {
        for ((value, edges), bins) in row.iter().zip(edges).zip(&mut bins) {
            bins[edges.partition_point(|edge| edge < value).min(9)] += 1.0 / count;
        }
    }
    bins.iter_mut().flatten().for_each(|share| *share = (*share * 1e5).round() / 1e5);
    bins
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: usize, shift: f32) -> Vec<f32> {
        (0..count * COUNT)
            .map(|i| ((i * 7919) % 1009) as f32 / 100.0 - 5.0 + if i % COUNT == 3 { shift } else { 0.0 })
            .collect()
    }

    #[test]
    fn the_same_is_stable_and_a_shift_shows_in_its_feature() {
        let reference = Reference::of(&rows(5000, 0.0));
        let same = reference.psi(&rows(700, 0.0));
        assert!(same.iter().all(|p| *p < 0.1), "{same:?}");
        let moved = reference.psi(&rows(700, 4.0));
        assert!(moved[3] > DRIFT_PSI, "{moved:?}");
        assert!(moved.iter().enumerate().all(|(i, p)| i == 3 || *p < 0.1), "{moved:?}");
        assert!(reference.psi(&rows(10, 0.0)).is_empty(), "too few rows");
        assert!(Reference::default().psi(&rows(700, 0.0)).is_empty(), "no reference");
    }
}
