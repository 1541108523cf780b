//! Growing the forest: every tree from its own sample, every split at a random place of a random column.

use crate::forest::{Forest, ForestArrays, Shape, average_path};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

/// How to grow a forest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Settings {
    /// Number of trees (the papers: 100).
    pub trees: usize,
    /// Rows per tree, drawn without replacement (the papers: 256).
    pub sample: usize,
    /// Seed of every random choice.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { trees: 100, sample: 256, seed: 42 }
    }
}

/// Grows a forest on `rows` (one after the other, `columns` numbers each). `None` with fewer than two rows, without
/// columns or trees, or with a number that is not finite.
///
/// The height is limited to ⌈log₂ sample⌉ as in the papers. A column that is constant in a node is not drawn there
/// (as in scikit-learn); a node whose rows are all equal is a leaf.
#[must_use]
pub fn fit(rows: &[f32], columns: usize, settings: Settings) -> Option<Forest> {
    if columns == 0
        || columns > usize::from(u16::MAX)
        || settings.trees == 0
        || rows.iter().any(|v| !v.is_finite())
    {
        return None;
    }
    let count = rows.len() / columns;
    let sample = settings.sample.min(count);
    if sample < 2 {
        return None;
    }
    let depth = (sample as f64).log2().ceil() as usize;
    let shape = Shape { trees: settings.trees, depth, sample };
    let mut arrays =
        ForestArrays { feature: Vec::new(), threshold: Vec::new(), path: Vec::new(), expected: Vec::new() };
    for tree in 0..settings.trees {
        let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
        rng.set_stream(tree as u64);
        let mut picked = draw(&mut rng, count, sample);
        let mut tree = Tree::new(shape, rows, columns);
        tree.grow(&mut rng, &mut picked, 0, 0);
        arrays.feature.extend_from_slice(&tree.feature);
        arrays.threshold.extend_from_slice(&tree.threshold);
        arrays.path.extend_from_slice(&tree.expected[shape.splits()..]);
        arrays.expected.extend_from_slice(&tree.expected);
    }
    Some(Forest::from_arrays(shape, arrays))
}

/// `sample` of `count` row numbers without replacement (Floyd's method), in a random order.
fn draw(rng: &mut ChaCha8Rng, count: usize, sample: usize) -> Vec<u32> {
    let mut seen = std::collections::HashSet::with_capacity(sample);
    let mut picked = Vec::with_capacity(sample);
    for top in count - sample..count {
        let candidate = rng.random_range(0..=top);
        let row = if seen.insert(candidate) { candidate } else { top };
        seen.insert(row);
        picked.push(row as u32);
    }
    picked
}

struct Tree<'a> {
    shape: Shape,
    rows: &'a [f32],
    columns: usize,
    feature: Vec<u16>,
    threshold: Vec<f32>,
    /// Mean path length below every node; on the last level it is the path length itself.
    expected: Vec<f32>,
    order: Vec<u16>,
}

impl<'a> Tree<'a> {
    fn new(shape: Shape, rows: &'a [f32], columns: usize) -> Self {
        Self {
            shape,
            rows,
            columns,
            feature: vec![0; shape.splits()],
            threshold: vec![f32::INFINITY; shape.splits()],
            expected: vec![0.0; shape.splits() + shape.leaves()],
            order: (0..columns as u16).collect(),
        }
    }

    fn value(&self, row: u32, column: u16) -> f32 {
        self.rows[row as usize * self.columns + usize::from(column)]
    }

    /// Grows the subtree at `node` from the rows in `picked`; returns their mean path length.
    fn grow(&mut self, rng: &mut ChaCha8Rng, picked: &mut [u32], node: usize, level: usize) -> f32 {
        let split = if level < self.shape.depth && picked.len() > 1 { self.split(rng, picked) } else { None };
        let Some((column, threshold)) = split else {
            let path = (level as f64 + average_path(picked.len())) as f32;
            self.fill(node, level, path);
            return path;
        };
        let mut middle = 0;
        for i in 0..picked.len() {
            if self.value(picked[i], column) <= threshold {
                picked.swap(i, middle);
                middle += 1;
            }
        }
        let (left, right) = picked.split_at_mut(middle);
        let (n_left, n_right) = (left.len() as f32, right.len() as f32);
        self.feature[node] = column;
        self.threshold[node] = threshold;
        let below_left = self.grow(rng, left, 2 * node + 1, level + 1);
        let below_right = self.grow(rng, right, 2 * node + 2, level + 1);
        let mean = (below_left * n_left + below_right * n_right) / (n_left + n_right);
        self.expected[node] = mean;
        mean
    }

    /// Continues a leaf to the last level.
    fn fill(&mut self, node: usize, level: usize, path: f32) {
        self.expected[node] = path;
        if level < self.shape.depth {
            self.fill(2 * node + 1, level + 1, path);
            self.fill(2 * node + 2, level + 1, path);
        }
    }

    /// A random column that is not constant in `picked`, and a place strictly inside its range.
    fn split(&mut self, rng: &mut ChaCha8Rng, picked: &[u32]) -> Option<(u16, f32)> {
        let mut left = self.columns;
        while left > 0 {
            let i = rng.random_range(0..left);
            let column = self.order[i];
            let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
            for &row in picked {
                let v = self.value(row, column);
                low = low.min(v);
                high = high.max(v);
            }
            if low < high {
                let at = rng.random_range(low..high);
                // Rounding may put the place on the upper end, where nothing would go right.
                return Some((column, if at < high { at } else { low }));
            }
            left -= 1;
            self.order.swap(i, left);
        }
        None
    }
}
