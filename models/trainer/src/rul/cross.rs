//! Cross-validation over engines: every engine is estimates by networks that have seen none of its cycles.

use super::{
    data::Engine,
    fit::{self, channels, fit},
    recipe::Recipe,
};
use anyhow::Result;
use pm_model::rul::{model::Cycles, model::interval, network::Ensemble, window::window};
use rand::{SeedableRng, rngs::ChaCha8Rng, seq::SliceRandom};

/// The engines are split into this many.
const FOLDS: usize = 5;
/// The split does not depend on the networks' seeds.
const SPLIT_SEED: u64 = 20_080;
/// Engines are estimates after every how many-th cycle.
const EVERY: usize = 3;

/// What networks estimate for an engine that they do not know, after some of its cycles.
#[derive(Debug, Clone)]
pub struct FoldEstimate {
    /// Which engine.
    pub engine: usize,
    /// Cycles that it has left.
    pub left: f64,
    /// Lower quantile, expected value, upper quantile of each network, in cycles.
    pub outputs: Vec<[f64; 3]>,
}

impl FoldEstimate {
    /// Mean of the networks.
    #[must_use]
    pub fn mean(&self) -> [f64; 3] {
        std::array::from_fn(|k| self.outputs.iter().map(|s| s[k]).sum::<f64>() / self.outputs.len() as f64)
    }

    /// Estimate with the given margins.
    #[must_use]
    pub fn cycles(&self, margins: [f64; 2], cap: f64) -> Cycles {
        interval(self.mean(), margins, cap)
    }
}

/// Estimates every engine after every third cycle.
///
/// # Errors
/// When a fold is too small to learn from.
pub fn evaluate(recipe: &Recipe, engines: &[&Engine], seeds: &[u64]) -> Result<Vec<FoldEstimate>> {
    let mut order: Vec<usize> = (0..engines.len()).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(SPLIT_SEED));
    let mut estimates = Vec::new();
    for fold in 0..FOLDS {
        let (held_out, known): (Vec<_>, Vec<_>) =
            order.iter().enumerate().partition(|(i, _)| i % FOLDS == fold);
        let known: Vec<&Engine> = known.iter().map(|(_, e)| engines[**e]).collect();
        let channels = channels(&known);
        let rows = fit::rows(recipe, &channels, &known);
        let networks = seeds.iter().map(|&seed| fit(recipe, &rows, seed)).collect::<Result<Vec<_>>>()?;
        let ensemble = Ensemble { networks };
        for (_, &engine) in held_out {
            let cycles = &engines[engine].cycles;
            let cuts: Vec<usize> = (recipe.input.least..cycles.len()).step_by(EVERY).collect();
            let windows: Vec<_> = cuts
                .iter()
                .map(|&seen| window(&channels, &recipe.input, recipe.shape.taps, &cycles[..seen]))
                .collect();
            let outputs = ensemble.evaluate(recipe.shape, &windows);
            estimates.extend(cuts.iter().enumerate().map(|(i, &seen)| FoldEstimate {
                engine,
                left: engines[engine].left_after(seen),
                outputs: outputs.iter().map(|n| n[i].map(|share| f64::from(share) * recipe.cap)).collect(),
            }));
        }
    }
    Ok(estimates)
}

/// Weights that let every engine count the same, however long it ran; they sum to 1.
#[must_use]
pub fn weights(estimates: &[FoldEstimate]) -> Vec<f64> {
    let count = |engine| estimates.iter().filter(|j| j.engine == engine).count() as f64;
    let engines = estimates.iter().map(|j| j.engine).max().map_or(0, |m| m + 1);
    let counts: Vec<f64> = (0..engines).map(count).collect();
    let there = counts.iter().filter(|c| **c > 0.0).count() as f64;
    estimates.iter().map(|j| 1.0 / counts[j.engine] / there).collect()
}

/// Cycles by which the outer quantiles have to be moved outwards so that each side is left by 5 % of the estimates
/// (conformalised quantile regression, Romano, Patterson, Candès 2019; engines drawn at random and weighted equally:
/// pooled distributions of Dunn, Wasserman, Ramdas 2022).
#[must_use]
pub fn margins(estimates: &[FoldEstimate], cap: f64) -> [f64; 2] {
    let weights = weights(estimates);
    let engines = estimates.iter().map(|j| j.engine).max().map_or(1, |m| m + 1) as f64;
    let side = |distance: &dyn Fn(&FoldEstimate) -> f64| {
        let mut distances: Vec<(f64, f64)> =
            estimates.iter().map(distance).zip(weights.iter().copied()).collect();
        distances.sort_by(|a, b| a.0.total_cmp(&b.0));
        let wanted = fit::QUANTILES[1] * (engines + 1.0) / engines;
        let mut sum = 0.0;
        let reached = distances.iter().find(|(_, w)| {
            sum += w;
            sum >= wanted
        });
        reached.or(distances.last()).map_or(0.0, |d| d.0)
    };
    [side(&|j| j.mean()[0] - j.left.min(cap)), side(&|j| j.left.min(cap) - j.mean()[2])]
}
