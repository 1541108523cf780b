//! The stored networks on the test machines, each judged once after its last cycle.

use super::{
    data::{Machine, Set, Source},
    measure::{Measures, measure},
};
use crate::bench::Section;
use anyhow::Result;
use pm_model::rul::model::{Card, Cycles, RulModel};
use serde_json::Value;
use std::path::Path;

/// The stored versions that are measured.
const STORED: [(&str, &str); 2] = [("rul-cmapss", "1.0.0"), ("rul-cmapss-conditions", "1.0.0")];

/// Share of machines that intervals of 90 % must hold.
const COVERAGE: std::ops::RangeInclusive<f64> = 0.88..=0.94;

/// Estimates for the test machines of one set.
#[derive(Debug, Clone)]
pub struct Estimates {
    /// The set.
    pub set: Set,
    /// Cycles that each machine had left.
    pub left: Vec<f64>,
    /// By the mean of the networks.
    pub ensemble: Vec<Cycles>,
    /// By each network alone.
    pub single: Vec<Vec<Cycles>>,
}

impl Estimates {
    /// Figures of the mean of the networks.
    #[must_use]
    pub fn measures(&self, cap: f64) -> Measures {
        self.measures_of(&self.ensemble, cap)
    }

    /// Figures of each network alone.
    #[must_use]
    pub fn single_measures(&self, cap: f64) -> Vec<Measures> {
        self.single.iter().map(|cycles| self.measures_of(cycles, cap)).collect()
    }

    fn measures_of(&self, cycles: &[Cycles], cap: f64) -> Measures {
        let count = self.left.len() as f64;
        let estimates: Vec<_> =
            cycles.iter().zip(&self.left).map(|(c, left)| (*c, *left, 1.0 / count)).collect();
        measure(&estimates, cap, count)
    }
}

/// Judges the test machines of every set.
///
/// # Errors
/// When the data cannot be read.
pub fn judge(model: &RulModel, source: &Source, data: &Path) -> Result<Vec<Estimates>> {
    source.sets.iter().map(|set| Ok(estimates(model, set, &source.test_machines(data, set)?))).collect()
}

fn estimates(model: &RulModel, set: &Set, machines: &[Machine]) -> Estimates {
    let histories: Vec<&[Vec<f64>]> = machines.iter().map(|e| e.cycles.as_slice()).collect();
    Estimates {
        set: set.clone(),
        left: machines.iter().map(|e| e.left).collect(),
        ensemble: model.estimate(&histories),
        single: model.singles().iter().map(|one| one.estimate(&histories)).collect(),
    }
}

/// Prints the figures of the stored networks and holds them against what must hold.
///
/// # Errors
/// When the data or the networks cannot be read.
pub fn run(data: &Path, models: &Path) -> Result<Section> {
    let mut section = Section { figures: Value::Null, broken: Vec::new() };
    let mut figures = serde_json::Map::new();
    for (name, version) in STORED {
        let source = Source::of(models, name)?;
        if !source.is_there(data) {
            return Ok(Section::not_measured(&format!("the data of {name} are not there")));
        }
        let model = RulModel::load(models, &format!("{name}/{version}"))?;
        let estimates = judge(&model, &source, data)?;
        print(&estimates, &model.card);
        for estimates in estimates {
            let Set { name, most_rmse_cycles, .. } = &estimates.set;
            let measures = estimates.measures(model.card.cap);
            section.require(
                measures.rmse_capped <= *most_rmse_cycles,
                format!("{name}: RMSE {:.2} cycles", measures.rmse_capped),
            );
            section.require(
                COVERAGE.contains(&measures.coverage),
                format!("{name}: intervals of 90 % hold {:.0} %", 100.0 * measures.coverage),
            );
            figures.insert(name.clone(), serde_json::to_value(measures)?);
        }
    }
    section.figures = Value::Object(figures);
    Ok(section)
}

/// The figures as a table.
pub fn print(all: &[Estimates], card: &Card) {
    let Card { name, version, cap, .. } = card;
    println!(
        "test machines after their last cycle, {name}/{version}; true values capped at {cap} / as they are; intervals of 90 %"
    );
    println!("{:24} {:>15} {:>21} {:>9} {:>7}", "", "RMSE, cycles", "NASA score", "coverage", "width");
    for estimates in all {
        line(
            &format!("{} mean of {}", estimates.set.name, estimates.single.len()),
            &estimates.measures(*cap),
        );
        for (i, single) in estimates.single_measures(*cap).iter().enumerate() {
            line(&format!("{} network {} alone", estimates.set.name, i + 1), single);
        }
    }
}

fn line(name: &str, m: &Measures) {
    println!(
        "{name:24} {:>6.2} / {:>6.2} {:>9.0} / {:>9.0} {:>8.0} % {:>6.1}",
        m.rmse_capped,
        m.rmse_uncapped,
        m.nasa_capped,
        m.nasa_uncapped,
        100.0 * m.coverage,
        m.width
    );
}
