//! Trains the models and measures them. Everything is decided by the seed and the arguments.
//!
//! `trainer forest [--version V] [--seed N] [--sensors N] [--readings N] [--models DIR]` writes a new version.
//!
//! Deliberately absent: anything that a component needs at run time (that is in pm-model).

mod forest;
mod golden;
mod probe;
mod signals;

use anyhow::{Context as _, Result, bail};
use std::path::PathBuf;

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let command = words.next().unwrap_or_default();
    let options: Vec<String> = words.collect();
    let option = |name: &str, default: &str| {
        let at = options.iter().position(|o| o == name);
        at.and_then(|i| options.get(i + 1)).map_or(default, String::as_str).to_owned()
    };
    match command.as_str() {
        "forest" => {
            let number = |name: &str, default: &str| -> Result<u64> {
                option(name, default).parse().with_context(|| format!("{name} wants a whole number"))
            };
            let plan = forest::Plan {
                seed: number("--seed", "42")?,
                sensors: number("--sensors", "400")?,
                readings: number("--readings", "5000")? as usize,
            };
            forest::run(&PathBuf::from(option("--models", "models")), &option("--version", "1.0.0"), plan)
        }
        "probe" => {
            probe::run(&PathBuf::from(option("--models", "models")));
            Ok(())
        }
        _ => bail!(
            "usage: trainer forest [--version V] [--seed N] [--sensors N] [--readings N] [--models DIR]"
        ),
    }
}
