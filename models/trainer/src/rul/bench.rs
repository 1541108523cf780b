//! The stored networks on the test engines, each judged once after its last cycle.

use super::{
    data::{self, Engine, SETS},
    measure::{Measures, measure},
};
use anyhow::{Result, ensure};
use pm_model::rul::model::{Cycles, RulModel};
use std::path::Path;

/// The stored version that is measured.
pub const STORED: &str = "rul-cmapss/1.0.0";

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

/// Prints the figures of the stored networks.
///
/// # Errors
/// When the data or the networks cannot be read.
pub fn run(data: &Path, models: &Path) -> Result<()> {
    ensure!(data::is_there(data), "C-MAPSS: there is no cmapss/train_FD001.txt.gz in {}", data.display());
    let model = RulModel::load(models, STORED)?;
    print(&judge(&model, data)?, model.card.cap);
    Ok(())
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
