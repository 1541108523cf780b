//! Training one network with Burn's automatic differentiation. One thread, one seed: the same weights every time.

use super::{data::Machine, recipe::Recipe};
use anyhow::{Context as _, Error, Result};
use burn::{
    module::Module as _,
    optim::{AdamWConfig, GradientsParams},
    tensor::{Device, Distribution, Tensor, TensorData, activation::relu},
};
use pm_model::rul::{
    condition::{self, Condition},
    network::Network,
    window::window,
};
use rand::{SeedableRng, rngs::ChaCha8Rng, seq::SliceRandom};

/// Quantiles of the outer heads.
pub const QUANTILES: [f64; 2] = [0.05, 0.95];
/// Weight of the quantiles in the loss, beside the squared error of the expected value.
const OUTER: f64 = 0.3;

/// Windows and the shares of the cap that they have left.
#[derive(Debug, Default)]
pub struct Rows {
    windows: Vec<Vec<f32>>,
    left: Vec<f32>,
}

/// The operating conditions of `machines`.
///
/// # Errors
/// When their settings do not tell conditions apart.
pub fn conditions(recipe: &Recipe, machines: &[&Machine]) -> Result<Vec<Condition>> {
    let cycles: Vec<&[f64]> = machines.iter().flat_map(|m| m.cycles.iter().map(Vec::as_slice)).collect();
    condition::learn(&cycles, recipe.shape.channels + 1).map_err(Error::msg)
}

/// The windows that `machines` give, every `step`th cycle.
#[must_use]
pub fn rows(recipe: &Recipe, conditions: &[Condition], machines: &[&Machine]) -> Rows {
    let mut rows = Rows::default();
    for machine in machines {
        for seen in (recipe.input.least..=machine.cycles.len()).step_by(recipe.step) {
            let history = &machine.cycles[..seen];
            rows.windows.push(window(conditions, &recipe.input, recipe.shape.taps, history));
            rows.left.push((machine.left_after(seen).min(recipe.cap) / recipe.cap) as f32);
        }
    }
    rows
}

/// Trains a network on rows.
///
/// # Errors
/// When there are fewer rows than fill a batch.
pub fn fit(recipe: &Recipe, rows: &Rows, seed: u64) -> Result<Network> {
    let device = Device::flex().autodiff();
    device.seed(seed);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut network = Network::new(recipe.shape, &device);
    let mut optimizer = AdamWConfig::new().with_weight_decay(recipe.decay).with_epsilon(1e-8).init();
    let mut order: Vec<usize> = (0..rows.windows.len()).collect();
    let steps = order.len() / recipe.batch * recipe.epochs;
    let mut step = 0;
    order.get(recipe.batch - 1).context("too few rows for a batch")?;
    for _ in 0..recipe.epochs {
        order.shuffle(&mut rng);
        for batch in order.chunks_exact(recipe.batch) {
            let (windows, left) = tensors(recipe, rows, batch, &device);
            let outputs = network.forward_with(windows, |hidden| drop_out(hidden, recipe.dropout));
            let gradients = GradientsParams::from_grads(loss(outputs, left).backward(), &network);
            network = optimizer.step(rate(recipe.rate, step, steps), network, gradients);
            step += 1;
        }
    }
    Ok(network.valid())
}

fn tensors(recipe: &Recipe, rows: &Rows, batch: &[usize], device: &Device) -> (Tensor<2>, Tensor<2>) {
    let windows: Vec<f32> = batch.iter().flat_map(|&i| rows.windows[i].iter().copied()).collect();
    let left: Vec<f32> = batch.iter().map(|&i| rows.left[i]).collect();
    (
        Tensor::from_data(TensorData::new(windows, [batch.len(), recipe.shape.inputs()]), device),
        Tensor::from_data(TensorData::new(left, [batch.len(), 1]), device),
    )
}

/// Sets a share of the numbers to 0 and enlarges the others (Srivastava and others 2014).
fn drop_out(hidden: Tensor<2>, share: f64) -> Tensor<2> {
    if share == 0.0 {
        return hidden;
    }
    let kept = hidden.random_like(Distribution::Bernoulli(1.0 - share));
    hidden * kept / (1.0 - share)
}

/// Squared error of the expected value, quantile loss of the outer heads.
fn loss(outputs: Tensor<2>, left: Tensor<2>) -> Tensor<1> {
    let error = |head: usize| left.clone() - outputs.clone().slice([0..outputs.dims()[0], head..head + 1]);
    let quantile = |head: usize, q: f64| {
        let e = error(head);
        (e.clone() * q + relu(-e)).mean()
    };
    let middle = error(1);
    (middle.clone() * middle).mean() + (quantile(0, QUANTILES[0]) + quantile(2, QUANTILES[1])) * OUTER
}

/// Rises over the first tenth of the steps, then falls as a cosine.
fn rate(highest: f64, step: usize, steps: usize) -> f64 {
    let at = (step as f64 + 0.5) / steps as f64;
    if at < 0.1 {
        highest * at / 0.1
    } else {
        highest * 0.5 * (1.0 + (std::f64::consts::PI * (at - 0.1) / 0.9).cos())
    }
}
