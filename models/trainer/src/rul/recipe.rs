//! How a network is trained. The recipe of a model stands in its `source.json`, as `trainer rul select` showed it to be best on the
//! training machines (`selection.txt`).

use pm_model::rul::{network::Shape, window::Input};

/// Everything that decides a training but data and seed.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
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
    /// Every how many-th cycle of a machine is learned from.
    pub step: usize,
}

/// Seeds of the networks that are averaged.
pub const SEEDS: [u64; 5] = [1, 2, 3, 4, 5];
