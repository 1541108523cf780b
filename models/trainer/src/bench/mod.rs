//! The models on public data and how fast they are, with scikit-learn doing the same in the same run.
//!
//! What must hold is written beside each figure. A figure that does not hold makes the run fail, and so does one that could
//! not be measured: a data set that is not there, scikit-learn where it cannot be had, the component where it is not built.

mod ai4i;
mod component;
pub mod live;
mod nab;
mod odds;
mod picture;
mod ranking;
mod reference;
mod speed;
pub mod vibration;

use anyhow::{Result, ensure};
use pm_model::Model;
use serde_json::{Map, Value, json};
use std::path::Path;

/// Healthy days of the simulated plant, and µs between two readings.
const PLANT_DAYS: i64 = 14;
const PLANT_STEP_US: i64 = 10_000_000;

/// What a section of the bench found.
pub struct Section {
    /// Its figures.
    pub figures: Value,
    /// What had to hold and did not.
    pub broken: Vec<String>,
}

impl Section {
    /// What could not be measured does not hold.
    pub fn not_measured(why: &str) -> Self {
        println!("  not measured: {why}");
        Self { figures: json!({ "not_measured": why }), broken: vec![format!("not measured: {why}")] }
    }

    /// Notes what must hold and does not.
    pub fn require(&mut self, holds: bool, what: String) {
        if !holds {
            println!("  does not hold: {what}");
            self.broken.push(what);
        }
    }
}

/// Runs everything and writes the result as JSON.
///
/// # Errors
/// When the result cannot be written, or something that must hold does not.
pub fn run(data: &Path, models: &Path, out: &Path) -> Result<()> {
    let model = Model::load(models)?;
    let mut broken = Vec::new();
    let reference = reference::Reference::find()
        .inspect_err(|e| {
            println!("not compared with scikit-learn: {e:#}");
            broken.push(format!("not compared with scikit-learn: {e:#}"));
        })
        .ok();
    let mut report = Map::new();
    let mut rows: Vec<(String, Vec<String>)> = Vec::new();
    let mut take = |name: &str, section: Section| {
        rows.push((name.to_owned(), section.broken.clone()));
        broken.extend(section.broken);
        report.insert(name.to_owned(), section.figures);
    };
    take("live_scorer", live::run(&model, live::SEED, true));
    take("plant", crate::plant::run(&model, PLANT_DAYS, PLANT_STEP_US, crate::plant::SEED));
    take("odds", odds::run(data, reference.as_ref())?);
    take("ai4i2020", ai4i::run(data, reference.as_ref())?);
    take("nab_machine_temperature", nab::run(data, &model, out)?);
    take("cmapss_remaining_life", crate::rul::bench(data, models)?);
    take("vibration", vibration::run(data)?);
    take("speed", speed::run(models, reference.as_ref())?);
    if let Some(reference) = &reference {
        report.insert("scikit_learn".to_owned(), json!(reference.version));
    }
    if let Some(folder) = out.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(out, serde_json::to_string_pretty(&report)? + "\n")?;
    println!("wrote {}", out.display());
    println!("\n{:<26} holds", "section");
    for (name, broken) in &rows {
        let text = if broken.is_empty() { "yes".to_owned() } else { format!("no: {}", broken.join("; ")) };
        println!("{name:<26} {text}");
    }
    ensure!(broken.is_empty(), "{}", broken.join("; "));
    println!("every figure is within its limit");
    Ok(())
}

/// Four digits are enough.
fn round(v: f64) -> f64 {
    (v * 1e4).round() / 1e4
}
