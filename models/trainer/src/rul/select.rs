//! Compares recipes on engines that their networks have not seen. Reads training engines only.

use super::{
    cross::{self, FoldEstimate},
    data::{self, Engine, SETS},
    recipe::{CHOSEN, Recipe},
    train::figures_of,
};
use anyhow::{Result, ensure};
use pm_model::rul::{network::Shape, window::Input};
use std::{path::Path, time::Instant};

/// Prints one line per recipe: error of one network and of the mean of `seeds` networks on held-out engines.
///
/// # Errors
/// When the data are not there.
pub fn run(data: &Path, seeds: u64) -> Result<()> {
    ensure!(data::is_there(data), "there is no cmapss/train_FD001.txt.gz in {}", data.display());
    let sets: Vec<Vec<Engine>> =
        SETS.iter().map(|set| data::training_engines(data, set)).collect::<Result<_>>()?;
    let seeds: Vec<u64> = (1..=seeds).collect();
    println!("RMSE on held-out engines, capped at {}: one network, mean of {}", CHOSEN.cap, seeds.len());
    for (name, recipe) in grid() {
        let started = Instant::now();
        let mut line = format!("{name:28}");
        let both: Vec<&Engine> = sets.iter().flatten().collect();
        let estimates = cross::evaluate(&recipe, &both, &seeds)?;
        for (set, range) in SETS.iter().zip([0..sets[0].len(), sets[0].len()..both.len()]) {
            let own: Vec<FoldEstimate> =
                estimates.iter().filter(|j| range.contains(&j.engine)).cloned().collect();
            line += &format!(
                " {set} {:.2} {:.2}",
                one(&own, recipe.cap),
                figures_of(&own, [0.0; 2], recipe.cap).rmse_capped
            );
        }
        println!("{line}  {:.0} s", started.elapsed().as_secs_f64());
    }
    Ok(())
}

/// Root of the mean squared error of the networks alone.
fn one(estimates: &[FoldEstimate], cap: f64) -> f64 {
    let networks = estimates.first().map_or(0, |j| j.outputs.len());
    let squares = (0..networks).map(|k| {
        let alone: Vec<FoldEstimate> =
            estimates.iter().map(|j| FoldEstimate { outputs: vec![j.outputs[k]], ..j.clone() }).collect();
        figures_of(&alone, [0.0; 2], cap).rmse_capped.powi(2)
    });
    (squares.sum::<f64>() / networks as f64).sqrt()
}

/// The recipe that was chosen, and it with one thing changed at a time.
fn grid() -> Vec<(&'static str, Recipe)> {
    let c = CHOSEN;
    vec![
        ("chosen", c),
        ("5 cycles apart, 8 places", Recipe { shape: Shape { taps: 8, ..c.shape }, ..c }),
        ("5 cycles apart, 18 places", Recipe { shape: Shape { taps: 18, ..c.shape }, ..c }),
        (
            "10 cycles apart, 6 places",
            Recipe { shape: Shape { taps: 6, ..c.shape }, input: Input { spacing: 10, ..c.input }, ..c },
        ),
        ("narrow", Recipe { shape: Shape { hidden: 32, ..c.shape }, ..c }),
        ("wide", Recipe { shape: Shape { hidden: 128, ..c.shape }, ..c }),
        ("unsmoothed", Recipe { input: Input { smoothing: 1.0, ..c.input }, ..c }),
        ("smoother", Recipe { input: Input { smoothing: 0.1, ..c.input }, ..c }),
        ("dropout of a fifth", Recipe { dropout: 0.2, ..c }),
        ("half the epochs", Recipe { epochs: c.epochs / 2, ..c }),
        ("twice the epochs", Recipe { epochs: c.epochs * 2, ..c }),
        ("twice the batch", Recipe { batch: c.batch * 2, ..c }),
        ("a third of the rate", Recipe { rate: c.rate / 3.0, ..c }),
    ]
}
