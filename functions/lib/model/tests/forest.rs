//! The forest against a plain recursive reading of the paper, and its stored form.

use burn::tensor::{Device, Tensor, TensorData};
use pm_model::{
    flat::FlatForest,
    forest::{Forest, average_path},
    train::{Settings, fit},
};

const COLUMNS: usize = 4;

/// Rows of a fixed, lumpy cloud with a few far-off ones.
fn rows(count: usize) -> Vec<f32> {
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 24) as f32
    };
    (0..count * COLUMNS).map(|i| next() + next() + if i / COLUMNS % 50 == 7 { 5.0 } else { 0.0 }).collect()
}

/// The path length of one row in one tree, walked recursively over the tensors' numbers: the oracle.
fn path(forest: &Forest, tree: usize, node: usize, level: usize, row: &[f32]) -> f64 {
    let shape = forest.shape();
    let parts = forest.to_arrays().expect("a forest");
    if level == shape.depth {
        return parts.path[tree * shape.leaves() + node - shape.splits()].into();
    }
    let at = tree * shape.splits() + node;
    let right = usize::from(row[usize::from(parts.feature[at])] > parts.threshold[at]);
    path(forest, tree, 2 * node + 1 + right, level + 1, row)
}

fn oracle(forest: &Forest, row: &[f32]) -> f64 {
    let shape = forest.shape();
    let mean = (0..shape.trees).map(|t| path(forest, t, 0, 0, row)).sum::<f64>() / shape.trees as f64;
    2f64.powf(-mean / average_path(shape.sample))
}

fn small() -> (Vec<f32>, Forest) {
    let rows = rows(300);
    let forest = fit(&rows, COLUMNS, Settings { trees: 12, sample: 64, seed: 3 }).expect("rows");
    (rows, forest)
}

#[test]
fn tensors_flat_lists_and_oracle_agree() {
    let (rows, forest) = small();
    let flat = FlatForest::new(&forest, COLUMNS).expect("a forest");
    let tensor = Tensor::<2>::from_data(TensorData::new(rows.clone(), [300, COLUMNS]), &Device::flex());
    let by_tensor: Vec<f32> = forest.score(tensor).into_data().try_into_vec().expect("floats");
    let by_rows = flat.score_rows(&rows);
    for (i, row) in rows.chunks_exact(COLUMNS).enumerate().step_by(11) {
        let truth = oracle(&forest, row);
        assert!((flat.score(row) - truth).abs() < 1e-5, "row {i}: {} {truth}", flat.score(row));
        assert!((by_rows[i] - truth).abs() < 1e-5, "row {i}: {} {truth}", by_rows[i]);
        assert!((f64::from(by_tensor[i]) - truth).abs() < 1e-5, "row {i}: {} {truth}", by_tensor[i]);
    }
}

#[test]
fn far_off_rows_stand_out() {
    let (rows, forest) = small();
    let flat = FlatForest::new(&forest, COLUMNS).expect("a forest");
    let scores = flat.score_rows(&rows);
    let (far, near): (Vec<_>, Vec<_>) = scores.iter().enumerate().partition(|(i, _)| i % 50 == 7);
    let lowest_far = far.iter().map(|s| *s.1).fold(1.0, f64::min);
    let mean_near = near.iter().map(|s| *s.1).sum::<f64>() / near.len() as f64;
    assert!(lowest_far > 0.6 && mean_near < 0.5, "{lowest_far} {mean_near}");
}

#[test]
fn contributions_add_up_to_the_shortened_path() {
    let (rows, forest) = small();
    let flat = FlatForest::new(&forest, COLUMNS).expect("a forest");
    let parts = forest.to_arrays().expect("a forest");
    let shape = forest.shape();
    let width = shape.splits() + shape.leaves();
    let roots =
        (0..shape.trees).map(|t| f64::from(parts.expected[t * width])).sum::<f64>() / shape.trees as f64;
    for row in rows.chunks_exact(COLUMNS).step_by(17) {
        let mean_path = -flat.score(row).log2() * average_path(shape.sample);
        let sum: f64 = flat.attribute(row).iter().sum();
        assert!((sum - (roots - mean_path)).abs() < 1e-4, "{sum} {}", roots - mean_path);
    }
}

#[test]
fn the_same_seed_grows_the_same_forest_and_a_record_brings_it_back() {
    let (rows, forest) = small();
    let again = fit(&rows, COLUMNS, Settings { trees: 12, sample: 64, seed: 3 }).expect("rows");
    let other = fit(&rows, COLUMNS, Settings { trees: 12, sample: 64, seed: 4 }).expect("rows");
    assert_eq!(forest.to_arrays(), again.to_arrays());
    assert_ne!(forest.to_arrays(), other.to_arrays());
    let bytes = forest.to_bytes().expect("bytes");
    let back = Forest::from_bytes(forest.shape(), bytes.clone()).expect("the record");
    assert_eq!(forest.to_arrays(), back.to_arrays());
    let mut wrong = forest.shape();
    wrong.trees = 11;
    assert!(Forest::from_bytes(wrong, bytes.clone()).is_err(), "another shape");
    assert!(Forest::from_bytes(forest.shape(), bytes[..100].to_vec()).is_err(), "cut short");
    assert!(Forest::from_bytes(forest.shape(), Vec::new()).is_err(), "nothing");
}

#[test]
fn what_cannot_be_learned_from_is_refused() {
    let settings = Settings::default();
    for (rows, columns) in [(vec![], 4), (vec![1.0; 4], 4), (vec![1.0; 8], 0), (vec![f32::NAN; 40], 4)] {
        assert!(fit(&rows, columns, settings).is_none(), "{rows:?} {columns}");
    }
    // Equal rows: one leaf per tree, and a score without surprise.
    let forest = fit(&[1.0; 400], 4, settings).expect("rows");
    let score = FlatForest::new(&forest, 4).expect("a forest").score(&[1.0; 4]);
    assert!((score - 0.5).abs() < 1e-6, "{score}");
}

#[test]
fn path_normalisation_matches_the_paper() {
    for (n, expected) in [(0, 0.0), (1, 0.0), (2, 1.0), (3, 1.207), (256, 10.244)] {
        assert!((average_path(n) - expected).abs() < 1e-3, "{n}: {}", average_path(n));
    }
}
