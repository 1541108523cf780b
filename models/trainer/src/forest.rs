//! Trains the general forest on healthy synthetic sensors, calibrates and examines it on others, and writes the model's
//! folder.

use crate::signals::Sensor;
use anyhow::{Context as _, Result};
use pm_model::{
    Model,
    features::COUNT,
    generated::{self, EXAMINED},
    retrain::{Candidate, Evaluation, Rows, SensorHistory, evaluate, replay},
    score::Score,
    train::Settings,
};
use serde_json::json;
use std::path::Path;

/// What to train.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Seed of everything.
    pub seed: u64,
    /// Sensors to learn from.
    pub sensors: u64,
    /// Readings of each.
    pub readings: usize,
}

/// Readings after which a sensor has seen its ordinary life; calibration begins there.
const SETTLED: usize = 4000;
/// Seeds of the held-out sensors are far from those learned from.
const HELD_OUT: u64 = 1 << 32;

/// Trains, calibrates, measures, writes `<root>/isolation-forest/<version>/`.
///
/// # Errors
/// When the folder cannot be written.
pub fn run(root: &Path, version: &str, plan: Plan) -> Result<()> {
    let settings = Settings { seed: plan.seed, ..Settings::default() };
    println!("replaying {} healthy sensors of {} readings", plan.sensors, plan.readings);
    let mut rows = Rows::default();
    healthy(plan.seed, plan, &mut |k, scored| {
        if k % 37 == 0 {
            rows.learn.extend_from_slice(&scored.row);
        }
    });
    healthy(plan.seed + HELD_OUT, plan, &mut |k, scored| {
        if k >= SETTLED && k % 7 == 0 {
            rows.held_out.extend_from_slice(&scored.row);
            rows.surprises.push(scored.surprise);
        }
    });
    println!("{} rows to learn from, {} held out", rows.learn.len() / COUNT, rows.surprises.len());
    let mut candidate = Candidate::learn(version, &rows, settings).context("no rows to learn from")?;
    let mut evaluation = measure(&candidate.model, plan.seed + 2 * HELD_OUT, 200);
    candidate.calibrate(&mut evaluation);
    evaluation.quality.generated =
        EXAMINED.into_iter().map(|signal| generated::examine(&candidate.model, signal, plan.seed)).collect();
    let metrics = metrics(&evaluation);
    println!("{}", serde_json::to_string_pretty(&metrics)?);

    let folder = root.join(pm_model::model::NAME).join(version);
    std::fs::create_dir_all(&folder)?;
    let mut card = serde_json::to_value(&candidate.card)?;
    card["name"] = json!(pm_model::model::NAME);
    card["description"] = json!(
        "Isolation Forest over the 25 window features relative to each sensor's own healthy past; one model for all sensors"
    );
    card["data"] = json!(format!(
        "{} synthetic healthy sensors of {} readings (models/trainer/src/signals.rs), every 37th window; calibrated on {} others; confidence by isotonic regression on half of 200 further sensors, checked on the other half",
        plan.sensors, plan.readings, plan.sensors
    ));
    card["seed"] = json!(plan.seed);
    card["command"] = json!(format!(
        "cargo run --release -p pm-trainer -- forest --version {version} --seed {} --sensors {} --readings {}",
        plan.seed, plan.sensors, plan.readings
    ));
    card["metrics"] = metrics;
    std::fs::write(folder.join("card.json"), serde_json::to_string_pretty(&card)? + "\n")?;
    std::fs::write(folder.join(pm_model::model::RECORD), &candidate.record)?;
    std::fs::write(folder.join("golden.json"), crate::golden::make(&candidate.model)? + "\n")?;
    std::fs::write(root.join(pm_model::model::NAME).join("ACTIVE"), format!("{version}\n"))?;
    println!("wrote {}", folder.display());
    Ok(())
}

/// Replays healthy sensors; `each` gets the number of a reading and its features.
fn healthy(seed: u64, plan: Plan, each: &mut dyn FnMut(usize, &Score)) {
    for i in 0..plan.sensors {
        let mut sensor = Sensor::draw(seed + i);
        let readings = (0..plan.readings).map(|_| sensor.next_reading()).collect();
        replay(&SensorHistory { readings, ..SensorHistory::default() }, each);
    }
}

/// Healthy false alarms, and detection of each kind of fault within 120 readings, on sensors never seen.
fn measure(model: &Model, seed: u64, sensors: u64) -> Evaluation {
    const READINGS: usize = 6120;
    let mut evaluation = Evaluation::default();
    for i in 0..sensors {
        let mut sensor = Sensor::draw(seed + i);
        let readings = (0..READINGS).map(|_| sensor.next_reading()).collect();
        evaluate(model, &SensorHistory { readings, ..SensorHistory::default() }, 0, &mut evaluation);
    }
    evaluation
}

/// The examination as the card shows it.
fn metrics(evaluation: &Evaluation) -> serde_json::Value {
    let quality = &evaluation.quality;
    let checked = &evaluation.moments[1];
    let weighted: f64 =
        quality.reliability.iter().map(|t| t.moments as f64 * (t.said - t.right).abs()).sum::<f64>();
    json!({
        "healthy_readings": quality.healthy_readings,
        "false_alarms": quality.false_alarms,
        "false_alarms_per_172800_readings":
            172_800.0 * quality.false_alarms as f64 / quality.healthy_readings.max(1) as f64,
        "faults_seen_within_120_readings": quality.faults,
        "generated_sensors": quality.generated,
        "confidence": {
            "mix": format!(
                "{:.0} % of the moments with a fault",
                100.0 * checked.iter().filter(|m| m.1).count() as f64 / checked.len().max(1) as f64
            ),
            "expected_calibration_error": weighted / checked.len().max(1) as f64,
            "by_tenth": quality.reliability,
        },
    })
}
