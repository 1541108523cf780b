//! AI4I 2020 (UCI 601, synthetic): an unsupervised score against the label «machine failure».
//!
//! The columns TWF to RNF define the label and are not read. The forest sees three quantities that a mechanical
//! engineer would derive from the five measurements: mechanical power (torque × angular speed), heat removal (process less
//! air temperature), overstrain (wear × torque). The data set's description names these very quantities as what makes its
//! machines fail; no label was used to choose them. The bare measurements are reported beside them.

use super::{Section, odds::Table, reference::Reference, round};
use anyhow::Result;
use serde_json::json;
use std::{f32::consts::TAU, path::Path};

const AT_LEAST: f64 = 0.85;

/// Runs both.
pub fn run(data: &Path, reference: Option<&Reference>) -> Result<Section> {
    println!("\nAI4I 2020, AUROC of the forest, mean over 10 seeds");
    let Some((measured, derived)) = read(&data.join("ai4i2020/ai4i2020.csv")) else {
        return Ok(Section::not_measured("no ai4i2020/ among the data"));
    };
    let theirs = reference.and_then(|r| r.ask("ai4i", data).ok()).unwrap_or_default();
    let (bare, physics) = (measured.mean_auroc()?, derived.mean_auroc()?);
    let (t_bare, t_physics) = (theirs["measured"].as_f64(), theirs["derived"].as_f64());
    let show = |v: Option<f64>| v.map_or("-".into(), |v| format!("{v:.4}"));
    println!(
        "  power, heat removal, overstrain  Burn {physics:.4}  sklearn {}  (at least {AT_LEAST})",
        show(t_physics)
    );
    println!("  the five measurements alone      Burn {bare:.4}  sklearn {}", show(t_bare));
    let mut section = Section {
        figures: json!({
            "protocol": "unsupervised, fit and score all rows; columns TWF to RNF not used; mean over 10 seeds",
            "auroc": round(physics),
            "auroc_scikit_learn": t_physics.map(round),
            "auroc_of_the_measurements_alone": round(bare),
            "auroc_of_the_measurements_alone_scikit_learn": t_bare.map(round),
        }),
        broken: Vec::new(),
    };
    section.require(physics >= AT_LEAST, format!("AI4I: AUROC {physics:.4} is below {AT_LEAST}"));
    Ok(section)
}

fn read(file: &Path) -> Option<(Table, Table)> {
    let table = |columns| Table { rows: Vec::new(), columns, anomaly: Vec::new() };
    let (mut measured, mut derived) = (table(5), table(3));
    for line in std::fs::read_to_string(file).ok()?.lines().skip(1).filter(|l| !l.is_empty()) {
        let cells: Vec<&str> = line.split(',').collect();
        let numbers: Vec<f32> = cells.get(3..8)?.iter().map(|c| c.parse().ok()).collect::<Option<_>>()?;
        let [air_k, process_k, speed_rpm, torque_nm, wear_min] = numbers.try_into().ok()?;
        let failed = *cells.get(8)? == "1";
        measured.rows.extend([air_k, process_k, speed_rpm, torque_nm, wear_min]);
        let power_w = torque_nm * speed_rpm * TAU / 60.0;
        derived.rows.extend([power_w, process_k - air_k, wear_min * torque_nm]);
        measured.anomaly.push(failed);
        derived.anomaly.push(failed);
    }
    (!measured.anomaly.is_empty()).then_some((measured, derived))
}
