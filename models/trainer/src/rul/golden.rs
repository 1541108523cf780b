//! Histories with their estimates, so that another build (another processor, WebAssembly) can be compared.

use super::data::{self, Engine};
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

/// The cases as JSON: young, middle-aged and worn engines, one with few cycles.
///
/// # Errors
/// When there are too few engines.
pub fn make(model: &RulModel, engines: &[&Engine]) -> Result<String> {
    let mut cases = Vec::new();
    for (engine, left) in [(0, 150), (1, 60), (2, 5), (100, 90), (101, 20)] {
        let engine = engines.get(engine).context("too few engines")?;
        let seen = engine.cycles.len().saturating_sub(left);
        let from = seen.saturating_sub(model.card.input.context);
        let history = engine.cycles[from..seen].to_vec();
        let cycles = *model.estimate(&[&history]).first().context("no estimate")?;
        cases.push(Case { channels: data::names(), history, cycles });
    }
    Ok(serde_json::to_string(&cases)?)
}
