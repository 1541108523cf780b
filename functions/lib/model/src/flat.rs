//! The same forest as flat lists, for a single row: the tensors' data without the cost of a tensor operation per
//! step. It gives the scores of [`crate::forest::Forest::score`] and can also say which column made a row stand out.

use crate::forest::{Forest, ForestArrays, Shape, average_path};

/// A split: 8 bytes, so that a tree of depth 8 fits into 2 kB.
#[derive(Debug, Clone, Copy)]
struct Split {
    threshold: f32,
    feature: u32,
}

/// A forest ready to score single rows.
#[derive(Debug, Clone)]
pub struct FlatForest {
    shape: Shape,
    columns: usize,
    splits: Vec<Split>,
    path: Vec<f32>,
    expected: Vec<f32>,
    norm: f64,
}

impl FlatForest {
    /// Takes the numbers out of the tensors. `None` when the tensors do not belong together, or look at a column
    /// beyond `columns`.
    #[must_use]
    pub fn new(forest: &Forest, columns: usize) -> Option<Self> {
        let shape = forest.shape();
        let ForestArrays { feature, threshold, path, expected } = forest.to_arrays()?;
        let fits = feature.len() == shape.trees * shape.splits()
            && threshold.len() == feature.len()
            && path.len() == shape.trees * shape.leaves()
            && expected.len() == feature.len() + path.len()
            && shape.trees > 0
            && shape.sample > 1
            && feature.iter().all(|&f| usize::from(f) < columns)
            && path.iter().chain(&expected).all(|v| v.is_finite())
            && threshold.iter().all(|v| !v.is_nan());
        let splits =
            feature.iter().zip(threshold).map(|(&f, threshold)| Split { threshold, feature: f.into() });
        fits.then(|| Self {
            shape,
            columns,
            splits: splits.collect(),
            path,
            expected,
            norm: average_path(shape.sample),
        })
    }

    /// Size of the forest.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Anomaly score of a row, 0 to 1: 2^(−mean path length / c(sample)). A row that is too short scores 0.
    #[must_use]
    pub fn score(&self, row: &[f32]) -> f64 {
        self.score_of_path(self.mean_path(row))
    }

    /// Scores of many rows, one after the other in `rows`: tree by tree, so that a tree stays in the cache.
    #[must_use]
    pub fn score_rows(&self, rows: &[f32]) -> Vec<f64> {
        let count = rows.len() / self.columns;
        let mut sums = vec![0.0f32; count];
        let (splits, leaves) = (self.shape.splits(), self.shape.leaves());
        for block in 0..count.div_ceil(BLOCK) {
            let start = block * BLOCK;
            let end = (start + BLOCK).min(count);
            let rows = &rows[start * self.columns..end * self.columns];
            for (tree, path) in self.splits.chunks_exact(splits).zip(self.path.chunks_exact(leaves)) {
                for (row, sum) in rows.chunks_exact(self.columns).zip(&mut sums[start..end]) {
                    *sum += path[self.leaf(tree, row)];
                }
            }
        }
        sums.iter().map(|&sum| self.score_of_path(f64::from(sum) / self.shape.trees as f64)).collect()
    }

    fn mean_path(&self, row: &[f32]) -> f64 {
        let Some(row) = row.get(..self.columns) else { return f64::INFINITY };
        let (splits, leaves) = (self.shape.splits(), self.shape.leaves());
        let trees = self.splits.chunks_exact(splits).zip(self.path.chunks_exact(leaves));
        let sum: f32 = trees.map(|(tree, path)| path[self.leaf(tree, row)]).sum();
        f64::from(sum) / self.shape.trees as f64
    }

    #[inline]
    fn leaf(&self, tree: &[Split], row: &[f32]) -> usize {
        let mut node = 0;
        for _ in 0..self.shape.depth {
            let split = tree[node];
            node = 2 * node + 1 + usize::from(row[split.feature as usize] > split.threshold);
        }
        node - tree.len()
    }

    fn score_of_path(&self, mean_path: f64) -> f64 {
        (-mean_path / self.norm).exp2()
    }

    /// How much each column shortened the path of this row, in steps per tree; positive: it made the row stand out.
    ///
    /// Path-length attribution: at each split the change of the mean path length of the training rows below is
    /// credited to the column of the split, so that the contributions add up exactly to the mean path length at the
    /// roots minus the path length of the row (the decomposition of Palczewska et al. 2013 for tree ensembles).
    #[must_use]
    pub fn attribute(&self, row: &[f32]) -> Vec<f64> {
        let mut credit = vec![0.0; self.columns];
        let Some(row) = row.get(..self.columns) else { return credit };
        let (splits, leaves) = (self.shape.splits(), self.shape.leaves());
        let trees = self
            .splits
            .chunks_exact(splits)
            .zip(self.path.chunks_exact(leaves))
            .zip(self.expected.chunks_exact(splits + leaves));
        for ((tree, path), expected) in trees {
            let mut node = 0;
            let mut before = expected[0];
            for step in 1..=self.shape.depth {
                let split = tree[node];
                node = 2 * node + 1 + usize::from(row[split.feature as usize] > split.threshold);
                let after = if step == self.shape.depth { path[node - splits] } else { expected[node] };
                credit[split.feature as usize] += f64::from(before - after);
                before = after;
            }
        }
        credit.iter_mut().for_each(|c| *c /= self.shape.trees as f64);
        credit
    }
}

/// Rows that walk a tree before the next tree is taken: 25 columns × 4 bytes × 128 = 12.5 kB.
const BLOCK: usize = 128;
