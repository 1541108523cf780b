//! The forest on ten tabular anomaly sets (ADBench's versions of ODDS sets): fit and score all rows, 100 trees of 256
//! rows, mean AUROC over ten seeds, beside scikit-learn's.

use super::{Section, ranking::auroc, reference::Reference, round};
use anyhow::{Context as _, Result};
use pm_model::{
    flat::FlatForest,
    stats,
    train::{Settings, fit},
};
use serde_json::json;
use std::{io::Read, path::Path};

/// Seeds 0 to 9.
pub const SEEDS: u64 = 10;
/// Largest difference allowed on one set, and of the means over all sets.
const ON_EACH: f64 = 0.03;
const ON_AVERAGE: f64 = 0.01;
const SETS: [&str; 10] = [
    "annthyroid",
    "breastw",
    "cardio",
    "http",
    "ionosphere",
    "mammography",
    "pima",
    "satellite",
    "shuttle",
    "smtp",
];

/// Rows with labels.
pub struct Table {
    /// One row after the other.
    pub rows: Vec<f32>,
    /// Numbers per row.
    pub columns: usize,
    /// Label of each row.
    pub anomaly: Vec<bool>,
}

impl Table {
    /// Mean AUROC of the forest over the seeds.
    pub fn mean_auroc(&self) -> Result<f64> {
        let of_seed = |seed| {
            let forest = fit(&self.rows, self.columns, Settings { seed, ..Settings::default() })?;
            let flat = FlatForest::new(&forest, self.columns)?;
            Some(auroc(&flat.score_rows(&self.rows), &self.anomaly))
        };
        let all = (0..SEEDS).map(of_seed).collect::<Option<Vec<_>>>().context("no forest")?;
        Ok(stats::mean(&all))
    }
}

/// Runs the sets.
pub fn run(data: &Path, reference: Option<&Reference>) -> Result<Section> {
    println!("\n{:<14} {:>7} {:>8} {:>8} {:>8}", "AUROC", "rows", "Burn", "sklearn", "differ");
    let folder = data.join("odds");
    if !folder.is_dir() {
        return Ok(Section::not_measured("no odds/ among the data"));
    }
    let theirs = reference.and_then(|r| r.ask("odds", data).ok()).unwrap_or_default();
    let mut section = Section { figures: json!({}), broken: Vec::new() };
    let (mut sets, mut differences) = (serde_json::Map::new(), Vec::new());
    for name in SETS {
        let Some(table) = read(&folder, name) else {
            sets.insert(name.into(), json!("not there"));
            section.require(false, format!("the data set {name} is not there"));
            continue;
        };
        let ours = table.mean_auroc()?;
        let theirs = theirs[name].as_f64();
        let difference = theirs.map(|t| ours - t);
        let show = |v: Option<f64>| v.map_or("-".into(), |v| format!("{v:.4}"));
        let (t, d) = (show(theirs), show(difference));
        println!("{name:<14} {:>7} {ours:>8.4} {t:>8} {d:>8}", table.anomaly.len());
        if let Some(d) = difference {
            section.require(
                d.abs() <= ON_EACH,
                format!("{name}: AUROC differs by {d:+.4}, not by {ON_EACH} at most"),
            );
            differences.push(d);
        }
        sets.insert(name.into(), json!({ "burn": round(ours), "scikit_learn": theirs.map(round) }));
    }
    let mean = stats::mean(&differences);
    let worst = differences.iter().fold(0.0f64, |a, d| a.max(d.abs()));
    println!("mean difference {mean:+.4} (at most {ON_AVERAGE}), largest {worst:.4} (at most {ON_EACH})");
    section.require(mean.abs() <= ON_AVERAGE, format!("mean AUROC differs by {mean:+.4}"));
    section.figures = json!({
        "protocol": "fit and score all rows, 100 trees, 256 rows per tree, mean AUROC over 10 seeds",
        "sets": sets,
        "mean_difference": round(mean),
        "largest_difference": round(worst),
    });
    Ok(section)
}

/// A set, or nothing when it is not there or not readable.
fn read(folder: &Path, name: &str) -> Option<Table> {
    let text = std::fs::read_to_string(folder.join(format!("{name}.csv"))).or_else(|_| {
        let mut text = String::new();
        let file = std::fs::File::open(folder.join(format!("{name}.csv.gz")))?;
        flate2::read::GzDecoder::new(file).read_to_string(&mut text).map(|_| text)
    });
    let mut table = Table { rows: Vec::new(), columns: 0, anomaly: Vec::new() };
    for line in text.ok()?.lines().skip(1).filter(|l| !l.is_empty()) {
        let (features, label) = line.rsplit_once(',')?;
        let before = table.rows.len();
        for cell in features.split(',') {
            table.rows.push(cell.parse().ok()?);
        }
        table.columns = table.rows.len() - before;
        table.anomaly.push(label.trim().parse::<f64>().ok()? > 0.5);
    }
    (!table.anomaly.is_empty()).then_some(table)
}
