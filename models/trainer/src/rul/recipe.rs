//! How a network is trained. [`CHOSEN`] is what `trainer rul select` showed to be best on the training engines.

use pm_model::rul::{network::Shape, window::Input};

/// Everything that decides a training but data and seed.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Recipe {
    /// Size of the network.
    pub shape: Shape,
    /// How cycles become windows.
    pub input: Input,
    /// Remaining cycles are learned up to this (piecewise-linear target; Heimes 2008).
    pub cap: f64,
    /// Passes over the windows.
    pub epochs: usize,
    /// Windows per step.
    pub batch: usize,
    /// Highest learning rate; it rises over the first tenth and then falls as a cosine.
    pub rate: f64,
    /// Share of the hidden numbers that is dropped.
    pub dropout: f64,
    /// Weight decay.
    pub decay: f32,
    /// Every how many-th cycle of an engine is learned from.
    pub step: usize,
}

/// The recipe of the stored networks.
pub const CHOSEN: Recipe = Recipe {
    shape: Shape { taps: 12, channels: 14, hidden: 64 },
    input: Input { smoothing: 0.2, spacing: 5, context: 100, least: 30 },
    cap: 125.0,
    epochs: 20,
    batch: 128,
    rate: 3e-3,
    dropout: 0.0,
    decay: 1e-4,
    step: 2,
};

/// Seeds of the networks that are averaged.
pub const SEEDS: [u64; 5] = [1, 2, 3, 4, 5];
