//! Compares recipes on machines that their networks have not seen. Reads training machines only.

use super::{
    cross::{self, FoldEstimate},
    data::{Machine, Source},
    recipe::Recipe,
    train::figures_of,
};
use anyhow::{Result, ensure};
use pm_model::rul::{network::Shape, window::Input};
use std::{path::Path, time::Instant};

/// Prints one line per recipe: error of one network and of the mean of `seeds` networks on held-out machines.
///
/// # Errors
/// When the data are not there.
pub fn run(data: &Path, source: &Source, seeds: u64) -> Result<()> {
    ensure!(source.is_there(data), "the data of this model are not in {}", data.display());
    let sets = source
        .sets
        .iter()
        .map(|set| source.training_machines(data, set))
        .collect::<Result<Vec<Vec<Machine>>>>()?;
    let seeds: Vec<u64> = (1..=seeds).collect();
    println!(
        "RMSE on held-out machines, capped at {}: one network, mean of {}",
        source.recipe.cap,
        seeds.len()
    );
    for (name, recipe) in grid(source.recipe) {
        let started = Instant::now();
        let mut line = format!("{name:28}");
        let all: Vec<&Machine> = sets.iter().flatten().collect();
        let estimates = cross::evaluate(&recipe, &all, &seeds)?;
        for (set, own) in source.sets.iter().zip(cross::by_set(&sets, &estimates)) {
            line += &format!(
                " {} {:.2} {:.2}",
                set.name,
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
fn grid(c: Recipe) -> Vec<(&'static str, Recipe)> {
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
