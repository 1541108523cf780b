//! Histories with their estimates, so that another build (another processor, WebAssembly) can be compared.

use super::data::Machine;
use anyhow::{Context as _, Result};
use pm_model::rul::model::{Cycles, RulModel};
use serde::Serialize;

#[derive(Debug, Serialize)]
struct Case {
    /// Names of the columns.
    channels: Vec<String>,
    /// Cycles, oldest first.
    history: Vec<Vec<f64>>,
    /// What must come out.
    cycles: Cycles,
}

/// The cases as JSON: young, middle-aged and worn machines, one with few cycles.
///
/// # Errors
/// When there are too few machines.
pub fn make(model: &RulModel, columns: &[String], machines: &[&Machine]) -> Result<String> {
    let mut cases = Vec::new();
    for (machine, left) in [(0, 150), (1, 60), (2, 5), (100, 90), (101, 20)] {
        let machine = machines.get(machine).context("too few machines")?;
        let seen = machine.cycles.len().saturating_sub(left);
        let from = seen.saturating_sub(model.card.input.context);
        let history = machine.cycles[from..seen].to_vec();
        let cycles = *model.estimate(&[&history]).first().context("no estimate")?;
        cases.push(Case { channels: columns.to_vec(), history, cycles });
    }
    Ok(serde_json::to_string(&cases)?)
}
