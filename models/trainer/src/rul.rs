//! Networks for remaining useful life, on machines that ran to failure.
//!
//! | Command | Reads | Does |
//! |---|---|---|
//! | `trainer rul select --model NAME [--data DIR] [--seeds N]` | training machines only | compares recipes by cross-validation over machines |
//! | `trainer rul train --model NAME [--data DIR] [--version V]` | training machines, then once the test machines | trains, calibrates, measures, writes |
//! | `trainer rul bench [--data DIR]` | test machines | measures the stored networks |
//!
//! `models/NAME/source.json` says which files are read and what their columns mean ([`data::Source`]).
//!
//! `select` and `train` need the feature `train` (`cargo run --release -p pm-trainer --features train -- rul …`): programs and
//! tests are built without automatic differentiation.
//!
//! Recipe, calibration and everything else that could be tuned is fixed before a test machine is read: `select` and the
//! training take [`data::Machine`]s of the training files only.

mod bench;
#[cfg(feature = "train")]
mod cross;
mod data;
#[cfg(feature = "train")]
mod fit;
#[cfg(feature = "train")]
mod golden;
mod measure;
#[cfg(feature = "train")]
mod picture;
#[cfg(feature = "train")]
mod recipe;
#[cfg(feature = "train")]
mod select;
#[cfg(feature = "train")]
mod train;

use anyhow::{Result, bail, ensure};
use std::path::Path;

pub use bench::run as bench;

/// Runs one of the commands above.
///
/// # Errors
/// When the data are not there, or a file cannot be written.
pub fn run(
    command: &str,
    data: &Path,
    models: &Path,
    (name, version): (&str, &str),
    seeds: u64,
) -> Result<()> {
    match command {
        #[cfg(feature = "train")]
        "select" => select::run(data, &data::Source::of(models, name)?, seeds),
        #[cfg(feature = "train")]
        "train" => train::run(data, models, (name, version)),
        #[cfg(not(feature = "train"))]
        "select" | "train" => {
            bail!(
                "trainer rul {command} of {name}/{version} with {seeds} seeds: build the trainer with --features train"
            )
        }
        "bench" => {
            let broken = bench(data, models)?.broken;
            ensure!(broken.is_empty(), "does not hold: {}", broken.join("; "));
            Ok(())
        }
        _ => bail!("usage: trainer rul select | train | bench, see the head of models/trainer/src/rul.rs"),
    }
}
