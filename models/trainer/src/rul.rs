//! Networks for remaining useful life, on engines that ran to failure (NASA C-MAPSS; Saxena, Goebel, Simon, Eklund:
//! «Damage Propagation Modeling for Aircraft Engine Run-to-Failure Simulation», PHM 2008).
//!
//! | Command | Reads | Does |
//! |---|---|---|
//! | `trainer rul select [--data DIR] [--seeds N]` | training engines only | compares recipes by cross-validation over engines |
//! | `trainer rul train [--data DIR] [--version V]` | training engines, then once the test engines | trains, calibrates, measures, writes |
//! | `trainer rul bench [--data DIR]` | test engines | measures the stored networks |
//!
//! `select` and `train` need the feature `train` (`cargo run --release -p pm-trainer --features train -- rul …`): programs and
//! tests are built without automatic differentiation.
//!
//! Recipe, calibration and everything else that could be tuned is fixed before a test engine is read: `select` and the
//! training take [`data::Engine`]s of the training files only.

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
pub fn run(command: &str, data: &Path, models: &Path, version: &str, seeds: u64) -> Result<()> {
    match command {
        #[cfg(feature = "train")]
        "select" => select::run(data, seeds),
        #[cfg(feature = "train")]
        "train" => train::run(data, models, version),
        #[cfg(not(feature = "train"))]
        "select" | "train" => {
            bail!(
                "trainer rul {command} {version} with {seeds} seeds: build the trainer with --features train"
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
