//! Machines that ran to failure, from tables of text: a row is one cycle of one machine, values apart by white space or commas. A
//! description (`source.json` beside a model) says which files they are and what their columns mean.

use anyhow::{Context as _, Result, ensure};
use flate2::read::GzDecoder;
use serde::Deserialize;
use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

/// Where the data of a model come from.
#[derive(Debug, Clone, Deserialize)]
pub struct Source {
    /// What they are, for people.
    #[cfg_attr(not(feature = "train"), expect(dead_code, reason = "only training writes a card"))]
    pub about: String,
    folder: PathBuf,
    columns: String,
    unit: String,
    time: String,
    channels: Vec<String>,
    settings: Vec<String>,
    /// Its sets.
    pub sets: Vec<Set>,
    /// How a network is trained on them.
    #[cfg(feature = "train")]
    pub recipe: super::recipe::Recipe,
}

/// One set: machines that ran to failure, and others that were stopped before.
#[derive(Debug, Clone, Deserialize)]
pub struct Set {
    /// Name.
    pub name: String,
    training: PathBuf,
    test: PathBuf,
    left: PathBuf,
    /// The most error that a network may have on the machines that were stopped, cycles (true values capped as the network's).
    pub most_rmse_cycles: f64,
}

/// One machine.
#[derive(Debug, Clone)]
pub struct Machine {
    /// One row per cycle, oldest first: a value per channel, the number of the cycle, a value per setting.
    pub cycles: Vec<Vec<f64>>,
    /// Cycles that it had left after the last of these.
    pub left: f64,
}

#[cfg(feature = "train")]
impl Machine {
    /// Cycles left after the first `seen`.
    #[must_use]
    pub fn left_after(&self, seen: usize) -> f64 {
        (self.cycles.len() - seen) as f64 + self.left
    }
}

impl Source {
    /// Reads the description of a model's data.
    ///
    /// # Errors
    /// When it is not there or not what it should be.
    pub fn of(models: &Path, name: &str) -> Result<Self> {
        let path = models.join(name).join("source.json");
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        serde_json::from_str(&text).with_context(|| path.display().to_string())
    }

    /// Are the data there?
    #[must_use]
    pub fn is_there(&self, data: &Path) -> bool {
        self.sets.iter().all(|set| data.join(&self.folder).join(&set.training).is_file())
    }

    /// Names of the channels; the last is the operating time.
    #[cfg(feature = "train")]
    #[must_use]
    pub fn channels(&self) -> Vec<String> {
        self.channels.iter().chain([&self.time]).cloned().collect()
    }

    /// Names of the settings.
    #[cfg(feature = "train")]
    #[must_use]
    pub fn settings(&self) -> Vec<String> {
        self.settings.clone()
    }

    /// The machines of a set that ran to failure. Nothing of the test files is read.
    ///
    /// # Errors
    /// When the file is not there or not what it should be.
    #[cfg(feature = "train")]
    pub fn training_machines(&self, data: &Path, set: &Set) -> Result<Vec<Machine>> {
        self.machines(&data.join(&self.folder).join(&set.training))
    }

    /// The machines of a set that were stopped before, with the cycles that they had left.
    ///
    /// # Errors
    /// When a file is not there or not what it should be.
    pub fn test_machines(&self, data: &Path, set: &Set) -> Result<Vec<Machine>> {
        let folder = data.join(&self.folder);
        let mut machines = self.machines(&folder.join(&set.test))?;
        let text = read(&folder.join(&set.left))?;
        let left = text.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
        ensure!(
            left.len() == machines.len(),
            "{} has {} machines and {} ends",
            set.name,
            machines.len(),
            left.len()
        );
        for (unit, left) in machines.iter_mut().zip(left) {
            unit.left = left;
        }
        Ok(machines)
    }

    fn machines(&self, path: &Path) -> Result<Vec<Machine>> {
        let names: Vec<&str> = self.columns.split_whitespace().collect();
        let place = |name: &String| {
            names.iter().position(|n| n == name).with_context(|| format!("no column is called {name}"))
        };
        let (unit, time) = (place(&self.unit)?, place(&self.time)?);
        let channels = self.channels.iter().map(place).collect::<Result<Vec<_>>>()?;
        let settings = self.settings.iter().map(place).collect::<Result<Vec<_>>>()?;
        let mut machines: Vec<Machine> = Vec::new();
        let mut present = None;
        for line in read(path)?.lines().filter(|l| !l.trim().is_empty()) {
            let values = line.split(|c: char| c == ',' || c.is_whitespace()).filter(|v| !v.is_empty());
            let row = values.map(str::parse).collect::<Result<Vec<f64>, _>>()?;
            ensure!(
                row.len() == names.len(),
                "{}: a row has {} columns instead of {}",
                path.display(),
                row.len(),
                names.len()
            );
            if present != Some(row[unit]) {
                present = Some(row[unit]);
                machines.push(Machine { cycles: Vec::new(), left: 0.0 });
            }
            let cycle = channels.iter().chain([&time]).chain(&settings).map(|&at| row[at]).collect();
            machines.last_mut().context("a row before any machine")?.cycles.push(cycle);
        }
        Ok(machines)
    }
}

fn read(path: &Path) -> Result<String> {
    let context = || path.display().to_string();
    let mut text = String::new();
    let mut file = File::open(path).with_context(context)?;
    if path.extension().is_some_and(|e| e == "gz") {
        GzDecoder::new(file).read_to_string(&mut text).with_context(context)?;
    } else {
        file.read_to_string(&mut text).with_context(context)?;
    }
    Ok(text)
}
