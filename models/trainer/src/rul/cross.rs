//! Cross-validation over machines: every machine is estimates by networks that have seen none of its cycles.

use super::{
    data::Machine,
    fit::{self, conditions, fit},
    recipe::Recipe,
};
use anyhow::Result;
use pm_model::rul::{model::Cycles, model::interval, network::Ensemble, window::window};
use rand::{SeedableRng, rngs::ChaCha8Rng, seq::SliceRandom};

/// The machines are split into this many.
const FOLDS: usize = 5;
/// The split does not depend on the networks' seeds.
const SPLIT_SEED: u64 = 20_080;
/// Engines are estimates after every how many-th cycle.
const EVERY: usize = 3;

/// What networks estimate for an machine that they do not know, after some of its cycles.
#[derive(Debug, Clone)]
pub struct FoldEstimate {
    /// Which machine.
    pub machine: usize,
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

/// Estimates every machine after every third cycle.
///
/// # Errors
/// When a fold is too small to learn from.
pub fn evaluate(recipe: &Recipe, machines: &[&Machine], seeds: &[u64]) -> Result<Vec<FoldEstimate>> {
    let mut order: Vec<usize> = (0..machines.len()).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(SPLIT_SEED));
    let mut estimates = Vec::new();
    for fold in 0..FOLDS {
        let (held_out, known): (Vec<_>, Vec<_>) =
            order.iter().enumerate().partition(|(i, _)| i % FOLDS == fold);
        let known: Vec<&Machine> = known.iter().map(|(_, e)| machines[**e]).collect();
        let conditions = conditions(recipe, &known)?;
        let rows = fit::rows(recipe, &conditions, &known);
        let networks = seeds.iter().map(|&seed| fit(recipe, &rows, seed)).collect::<Result<Vec<_>>>()?;
        let ensemble = Ensemble { networks };
        for (_, &machine) in held_out {
            let cycles = &machines[machine].cycles;
            let cuts: Vec<usize> = (recipe.input.least..cycles.len()).step_by(EVERY).collect();
            let windows: Vec<_> = cuts
                .iter()
                .map(|&seen| window(&conditions, &recipe.input, recipe.shape.taps, &cycles[..seen]))
                .collect();
            let outputs = ensemble.evaluate(recipe.shape, &windows);
            estimates.extend(cuts.iter().enumerate().map(|(i, &seen)| FoldEstimate {
                machine,
                left: machines[machine].left_after(seen),
                outputs: outputs.iter().map(|n| n[i].map(|share| f64::from(share) * recipe.cap)).collect(),
            }));
        }
    }
    Ok(estimates)
}

/// The estimates of each set, where the machines of all sets were evaluated one set after the other.
#[must_use]
pub fn by_set(sets: &[Vec<Machine>], estimates: &[FoldEstimate]) -> Vec<Vec<FoldEstimate>> {
    let mut first = 0;
    sets.iter()
        .map(|machines| {
            let range = first..first + machines.len();
            first = range.end;
            estimates.iter().filter(|e| range.contains(&e.machine)).cloned().collect()
        })
        .collect()
}

/// The estimates of each quarter of a machine's life, the youngest first.
#[must_use]
pub fn by_quarter(machines: &[&Machine], estimates: &[FoldEstimate]) -> [Vec<FoldEstimate>; 4] {
    let quarter = |e: &FoldEstimate| {
        let life = machines[e.machine].left_after(0);
        ((4.0 * (1.0 - e.left / life)) as usize).min(3)
    };
    std::array::from_fn(|at| estimates.iter().filter(|e| quarter(e) == at).cloned().collect())
}

/// Weights that let every machine count the same, however long it ran; they sum to 1.
#[must_use]
pub fn weights(estimates: &[FoldEstimate]) -> Vec<f64> {
    let count = |machine| estimates.iter().filter(|j| j.machine == machine).count() as f64;
    let machines = estimates.iter().map(|j| j.machine).max().map_or(0, |m| m + 1);
    let counts: Vec<f64> = (0..machines).map(count).collect();
    let there = counts.iter().filter(|c| **c > 0.0).count() as f64;
    estimates.iter().map(|j| 1.0 / counts[j.machine] / there).collect()
}

/// Cycles by which the outer quantiles have to be moved outwards so that each side is left by 5 % of the estimates
/// (conformalised quantile regression, Romano, Patterson, Candès 2019; machines drawn at random and weighted equally:
/// pooled distributions of Dunn, Wasserman, Ramdas 2022).
#[must_use]
pub fn margins(estimates: &[FoldEstimate], cap: f64) -> [f64; 2] {
    let weights = weights(estimates);
    let machines = estimates.iter().map(|j| j.machine).max().map_or(1, |m| m + 1) as f64;
    let side = |distance: &dyn Fn(&FoldEstimate) -> f64| {
        let mut distances: Vec<(f64, f64)> =
            estimates.iter().map(distance).zip(weights.iter().copied()).collect();
        distances.sort_by(|a, b| a.0.total_cmp(&b.0));
        let wanted = fit::QUANTILES[1] * (machines + 1.0) / machines;
        let mut sum = 0.0;
        let reached = distances.iter().find(|(_, w)| {
            sum += w;
            sum >= wanted
        });
        reached.or(distances.last()).map_or(0.0, |d| d.0)
    };
    [side(&|j| j.mean()[0] - j.left.min(cap)), side(&|j| j.left.min(cap) - j.mean()[2])]
}
