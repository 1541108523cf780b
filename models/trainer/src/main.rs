//! Trains the models and measures them. Everything is decided by the seed and the arguments.
//!
//! | Command | Does |
//! |---|---|
//! | `pm-trainer forest [--version V] [--seed N] [--sensors N] [--readings N] [--models DIR]` | trains and writes a version |
//! | `pm-trainer bench [--data DIR] [--out FILE]` | the models on public data and their speed, scikit-learn beside them |
//! | `pm-trainer live [--seed N] [--fine]` | generated healthy sensors and faults through the live scorer alone |
//! | `pm-trainer sensitivity [--seed N]` | false alarms of generated healthy sensors by the factor on what is ordinary |
//! | `pm-trainer plant [--days N] [--step-ms N] [--seed N] [--models DIR] [--out FILE]` | healthy days and faults of the simulated plant |
//! | `pm-trainer vibration [--data DIR]` | the diagnosis of bearings on public records alone |
//! | `pm-trainer rul select\|train\|bench [--data DIR] [--models DIR] …` | remaining useful life, see [`rul`] |
//!
//! Deliberately absent: anything that a component needs at run time (that is in pm-model).

mod bench;
mod forest;
mod golden;
mod plant;
mod rul;
mod signals;

use anyhow::{Context as _, Result, bail, ensure};
use std::path::PathBuf;

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let command = words.next().unwrap_or_default();
    let options: Vec<String> = words.collect();
    let option = |name: &str, default: &str| {
        let at = options.iter().position(|o| o == name);
        at.and_then(|i| options.get(i + 1)).map_or(default, String::as_str).to_owned()
    };
    let number = |name: &str, default: &str| -> Result<u64> {
        option(name, default).parse().with_context(|| format!("{name} wants a whole number"))
    };
    let data = || {
        let given = option("--data", &std::env::var("PM_DATA").unwrap_or_default());
        ensure!(
            !given.is_empty(),
            "say with --data or PM_DATA where the folders odds, ai4i2020, nab, cmapss and cwru lie"
        );
        Ok(PathBuf::from(given))
    };
    let models = PathBuf::from(option("--models", "models"));
    match command.as_str() {
        "forest" => {
            let plan = forest::Plan {
                seed: number("--seed", "42")?,
                sensors: number("--sensors", "400")?,
                readings: number("--readings", "7000")? as usize,
            };
            forest::run(&models, &option("--version", "1.0.0"), plan)
        }
        "bench" => {
            let data = data()?;
            bench::run(&data, &models, &PathBuf::from(option("--out", "models/bench/bench.json")))
        }
        "live" => {
            let model = pm_model::Model::load(&models)?;
            let fine = options.iter().any(|o| o == "--fine");
            let section = bench::live::run(&model, number("--seed", &bench::live::SEED.to_string())?, fine);
            ensure!(section.broken.is_empty(), "does not hold: {}", section.broken.join("; "));
            Ok(())
        }
        "sensitivity" => {
            let model = pm_model::Model::load(&models)?;
            bench::live::budget::table(&model, number("--seed", "31000")?);
            Ok(())
        }
        "plant" => {
            let model = pm_model::Model::load(&models)?;
            let step_us = 1000 * number("--step-ms", "10000")? as i64;
            let seed = number("--seed", &plant::SEED.to_string())?;
            let report = plant::run(&model, number("--days", "14")? as i64, step_us, seed).figures;
            let out = PathBuf::from(option("--out", "models/bench/plant.json"));
            if let Some(folder) = out.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::write(&out, serde_json::to_string_pretty(&report)? + "\n")?;
            println!("wrote {}", out.display());
            Ok(())
        }
        "vibration" => {
            let section = bench::vibration::run(&data()?)?;
            ensure!(section.broken.is_empty(), "does not hold: {}", section.broken.join("; "));
            Ok(())
        }
        "rul" => {
            let data = data()?;
            let seeds = number("--seeds", "2")?;
            rul::run(
                options.first().map_or("", String::as_str),
                &data,
                &models,
                (&option("--model", "rul-cmapss"), &option("--version", "1.0.0")),
                seeds,
            )
        }
        _ => bail!(
            "usage: pm-trainer forest | bench | live | sensitivity | plant | vibration | rul, see the head of models/trainer/src/main.rs"
        ),
    }
}
