//! Forest and T² together, over columns of any meaning.
//!
//! Each is brought to mean 0 and spread 1 on the rows learned from, and the two are added (T² by its logarithm, since it
//! grows with the square). They err in different places: the forest cannot tell far out from very far out, T² takes
//! every cloud for an ellipse. On the public series (models/README.md) the sum ranks better than either.

use crate::{
    flat::FlatForest,
    gaussian::Gaussian,
    stats,
    train::{Settings, fit},
};

/// A trained pair.
#[derive(Debug, Clone)]
pub struct Detector {
    forest: FlatForest,
    gaussian: Gaussian,
    of_forest: (f64, f64),
    of_t2: (f64, f64),
}

/// The scores of one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// The forest's own score, 0 to 1.
    pub forest: f64,
    /// Logarithm of T².
    pub log_t2: f64,
    /// Both standardised, added; ordinary rows lie around 0.
    pub sum: f64,
}

impl Detector {
    /// Learns from healthy rows. `None` where [`fit`] or [`Gaussian::fit`] refuse.
    #[must_use]
    pub fn fit(rows: &[f64], columns: usize, shrink: f64, settings: Settings) -> Option<Self> {
        let gaussian = Gaussian::fit(rows, columns, shrink)?;
        let narrow: Vec<f32> = rows.iter().map(|&v| v as f32).collect();
        let forest = FlatForest::new(&fit(&narrow, columns, settings)?, columns)?;
        let of_forest = moments(&forest.score_rows(&narrow));
        let of_t2 = moments(&rows.chunks_exact(columns).map(|r| log(gaussian.t2(r))).collect::<Vec<_>>());
        Some(Self { forest, gaussian, of_forest, of_t2 })
    }

    /// Scores one row.
    #[must_use]
    pub fn score(&self, row: &[f64]) -> Verdict {
        let narrow: Vec<f32> = row.iter().map(|&v| v as f32).collect();
        let (forest, log_t2) = (self.forest.score(&narrow), log(self.gaussian.t2(row)));
        let standard = |v: f64, (mean, spread): (f64, f64)| (v - mean) / spread;
        Verdict { forest, log_t2, sum: standard(forest, self.of_forest) + standard(log_t2, self.of_t2) }
    }
}

fn log(t2: f64) -> f64 {
    t2.max(1e-6).ln()
}

fn moments(values: &[f64]) -> (f64, f64) {
    let mean = stats::mean(values);
    (mean, stats::moment(values, mean, 2).sqrt().max(1e-9))
}
