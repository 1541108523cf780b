//! The stored networks on the test engines, each judged once after its last cycle.

use super::{
    data::{self, Engine, SETS},
    measure::{Measures, measure},
};
use crate::bench::Section;
use anyhow::{Context as _, Result};
use pm_model::rul::model::{Cycles, RulModel};
use serde_json::Value;
use std::path::Path;

/// The stored version that is measured.
pub const STORED: &str = "rul-cmapss/1.0.0";

/// Most error of a set, true values capped as the network's are.
const MOST_RMSE_CYCLES: [(&str, f64); 2] = [("FD001", 11.0), ("FD003", 9.5)];
/// Share of engines that intervals of 90 % must hold.
const COVERAGE: std::ops::RangeInclusive<f64> = 0.88..=0.94;

/// Estimates for the test engines of one set.
#[derive(Debug, Clone)]
pub struct Estimates {
    /// Name of the set.
    pub set: &'static str,
    /// Cycles that each engine had left.
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

/// Judges the test engines of every set.
///
/// # Errors
/// When the data cannot be read.
pub fn judge(model: &RulModel, data: &Path) -> Result<Vec<Estimates>> {
    SETS.iter().map(|set| Ok(estimates(model, set, &data::test_engines(data, set)?))).collect()
}

fn estimates(model: &RulModel, set: &'static str, engines: &[Engine]) -> Estimates {
    let histories: Vec<&[Vec<f64>]> = engines.iter().map(|e| e.cycles.as_slice()).collect();
    Estimates {
        set,
        left: engines.iter().map(|e| e.left).collect(),
        ensemble: model.estimate(&histories),
        single: model.singles().iter().map(|one| one.estimate(&histories)).collect(),
    }
}

/// Prints the figures of the stored networks and holds them against what must hold.
///
/// # Errors
/// When the data or the networks cannot be read.
pub fn run(data: &Path, models: &Path) -> Result<Section> {
    if !data::is_there(data) {
        return Ok(Section::not_measured("no cmapss/ among the data"));
    }
    let model = RulModel::load(models, STORED)?;
    let estimates = judge(&model, data)?;
    print(&estimates, model.card.cap);
    let mut section = Section { figures: Value::Null, broken: Vec::new() };
    let mut figures = serde_json::Map::new();
    for (set, most_rmse) in MOST_RMSE_CYCLES {
        let of = estimates.iter().find(|e| e.set == set);
        let measures = of.with_context(|| format!("no estimates of {set}"))?.measures(model.card.cap);
        section.require(
            measures.rmse_capped <= most_rmse,
            format!("{set}: RMSE {:.2} cycles", measures.rmse_capped),
        );
        section.require(
            COVERAGE.contains(&measures.coverage),
            format!("{set}: intervals of 90 % hold {:.0} %", 100.0 * measures.coverage),
        );
        figures.insert(set.to_owned(), serde_json::to_value(measures)?);
    }
    section.figures = Value::Object(figures);
    Ok(section)
}

/// The figures as a table.
pub fn print(all: &[Estimates], cap: f64) {
    println!(
        "C-MAPSS, test engines after their last cycle, {STORED}; true values capped at {cap} / as they are; intervals of 90 %"
    );
    println!("{:24} {:>15} {:>21} {:>9} {:>7}", "", "RMSE, cycles", "NASA score", "coverage", "width");
    for estimates in all {
        line(&format!("{} mean of {}", estimates.set, estimates.single.len()), &estimates.measures(cap));
        for (i, single) in estimates.single_measures(cap).iter().enumerate() {
            line(&format!("{} network {} alone", estimates.set, i + 1), single);
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
