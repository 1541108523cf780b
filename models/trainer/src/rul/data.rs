//! Reading C-MAPSS: text with unit, cycle, 3 settings, 21 sensors; one file of engines that ran to failure, one of
//! engines that were stopped before, one with the cycles that those had left.

use anyhow::{Context as _, Result, ensure};
use flate2::read::GzDecoder;
use std::{fs::File, io::Read as _, path::Path};

/// The sets: both at sea level; FD001 fails by its high-pressure compressor, FD003 by that or by the fan.
pub const SETS: [&str; 2] = ["FD001", "FD003"];

/// The sensors that change over an engine's life (numbers as in the data's documentation); the other seven are constant.
pub const SENSORS: [usize; 14] = [2, 3, 4, 7, 8, 9, 11, 12, 13, 14, 15, 17, 20, 21];

/// Names of what a row holds, in order.
#[cfg(feature = "train")]
#[must_use]
pub fn names() -> Vec<String> {
    SENSORS.iter().map(|s| format!("s{s}")).chain(["cycle".to_owned()]).collect()
}

/// One engine.
#[derive(Debug, Clone)]
pub struct Engine {
    /// One row per cycle, oldest first: a value per sensor, and the number of the cycle.
    pub cycles: Vec<Vec<f64>>,
    /// Cycles that it had left after the last of these.
    pub left: f64,
}

#[cfg(feature = "train")]
impl Engine {
    /// Cycles left after the first `seen`.
    #[must_use]
    pub fn left_after(&self, seen: usize) -> f64 {
        (self.cycles.len() - seen) as f64 + self.left
    }
}

/// Is the data there?
#[must_use]
pub fn is_there(data: &Path) -> bool {
    SETS.iter().all(|set| data.join(format!("cmapss/train_{set}.txt.gz")).is_file())
}

/// The engines of a set that ran to failure. Nothing of the test files is read.
///
/// # Errors
/// When the file is not there or not what it should be.
#[cfg(feature = "train")]
pub fn training_engines(data: &Path, set: &str) -> Result<Vec<Engine>> {
    engines(data, &format!("train_{set}.txt.gz"))
}

/// The engines of a set that were stopped before, with the cycles that they had left.
///
/// # Errors
/// When a file is not there or not what it should be.
pub fn test_engines(data: &Path, set: &str) -> Result<Vec<Engine>> {
    let mut engines = engines(data, &format!("test_{set}.txt.gz"))?;
    let path = data.join("cmapss").join(format!("RUL_{set}.txt"));
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let left = text.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    ensure!(left.len() == engines.len(), "{set} has {} engines and {} ends", engines.len(), left.len());
    for (engine, left) in engines.iter_mut().zip(left) {
        engine.left = left;
    }
    Ok(engines)
}

fn engines(data: &Path, file: &str) -> Result<Vec<Engine>> {
    let path = data.join("cmapss").join(file);
    let mut text = String::new();
    let packed = File::open(&path).with_context(|| path.display().to_string())?;
    GzDecoder::new(packed).read_to_string(&mut text)?;
    let mut engines: Vec<Engine> = Vec::new();
    let mut unit = None;
    for line in text.lines().filter(|l| !l.trim().is_empty()) {
        let row = line.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
        ensure!(row.len() == 26, "{file}: a row has {} columns instead of 26", row.len());
        if unit != Some(row[0] as i64) {
            unit = Some(row[0] as i64);
            engines.push(Engine { cycles: Vec::new(), left: 0.0 });
        }
        let cycle = SENSORS.iter().map(|s| row[4 + s]).chain([row[1]]).collect();
        engines.last_mut().context("a row before any engine")?.cycles.push(cycle);
    }
    Ok(engines)
}
