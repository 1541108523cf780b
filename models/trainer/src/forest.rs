//! Trains the general forest on healthy synthetic sensors, calibrates it on others, and writes the model's folder.

use crate::signals::{Fault, Sensor};
use anyhow::{Context as _, Result};
use pm_api::{ReadingStatus, score::Limits};
use pm_model::{
    Model,
    calibration::{self, Calibration},
    features::{COUNT, NAMES},
    flat::FlatForest,
    forest::Forest,
    model::Card,
    scorer::{self, WARNING_FROM},
    state::State,
    stats,
    train::{self, Settings},
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

const NONE: Limits =
    Limits { warning_high: None, critical_high: None, warning_low: None, critical_low: None };
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
    let rows = healthy_rows(plan.seed, plan.sensors, plan.readings, 37, 0);
    let forest = train::fit(&rows, COUNT, settings).context("no rows to learn from")?;
    let held_out = healthy_rows(plan.seed + HELD_OUT, plan.sensors / 2, plan.readings, 7, SETTLED);
    let calibration = calibrate(&forest, &held_out)?;
    println!("{} rows learned, {} rows held out", rows.len() / COUNT, held_out.len() / COUNT);
    let mut model = Model::new(version.to_owned(), &forest, calibration).context("no model")?;
    let report = measure(&model, plan.seed + 2 * HELD_OUT, 200);
    model.calibration.confidence = report.confidence.clone();
    println!("{}", serde_json::to_string_pretty(&report.metrics)?);

    let folder = root.join(pm_model::model::NAME).join(version);
    std::fs::create_dir_all(&folder)?;
    let card = Card {
        version: version.to_owned(),
        shape: forest.shape(),
        features: NAMES.map(str::to_owned).to_vec(),
        calibration: model.calibration.clone(),
    };
    let mut card = serde_json::to_value(card)?;
    card["name"] = json!(pm_model::model::NAME);
    card["description"] = json!(
        "Isolation Forest over the 25 window features relative to each sensor's own healthy past; one model for all sensors"
    );
    card["data"] = json!(format!(
        "{} synthetic healthy sensors of {} readings (models/trainer/src/signals.rs), every 37th window; calibrated on {} others",
        plan.sensors,
        plan.readings,
        plan.sensors / 2
    ));
    card["seed"] = json!(plan.seed);
    card["command"] = json!(format!(
        "cargo run --release -p trainer -- forest --version {version} --seed {} --sensors {} --readings {}",
        plan.seed, plan.sensors, plan.readings
    ));
    card["metrics"] = report.metrics;
    std::fs::write(folder.join("card.json"), serde_json::to_string_pretty(&card)? + "\n")?;
    std::fs::write(folder.join(pm_model::model::RECORD), forest.to_bytes()?)?;
    std::fs::write(folder.join("golden.json"), crate::golden::make(&model)? + "\n")?;
    std::fs::write(root.join(pm_model::model::NAME).join("ACTIVE"), format!("{version}\n"))?;
    println!("wrote {}", folder.display());
    Ok(())
}

/// Relative features of every `step`th window of healthy sensors.
fn healthy_rows(seed: u64, sensors: u64, readings: usize, step: usize, from: usize) -> Vec<f32> {
    let mut rows = Vec::new();
    for i in 0..sensors {
        let mut sensor = Sensor::draw(seed + i);
        let mut state = State::default();
        for k in 0..readings {
            let (time, value) = sensor.next_reading();
            if let Some(judged) = scorer::advance(&mut state, None, &NONE, time, value)
                && k >= from
                && k % step == 0
            {
                rows.extend_from_slice(&judged.row);
            }
        }
    }
    rows
}

/// Places the knots: healthy median → 0.1, 99 % → 0.35, 99.99 % → 0.6, and a little beyond → 1.
fn calibrate(forest: &Forest, healthy: &[f32]) -> Result<Calibration> {
    let flat = FlatForest::new(forest, COUNT).context("not a forest over the features")?;
    let deviations: Vec<f64> = healthy.chunks_exact(COUNT).map(calibration::deviation).collect();
    Ok(Calibration {
        score: knots(&flat.score_rows(healthy)),
        deviation: knots(&deviations),
        confidence: vec![(0.0, 0.5), (1.0, 0.5)],
    })
}

fn knots(healthy: &[f64]) -> Vec<(f64, f64)> {
    let scores = stats::sorted(healthy);
    let q = |p: f64| stats::quantile(&scores, p);
    let (half, most, nearly) = (q(0.5), q(0.99), q(0.9999));
    let step = nearly - most;
    vec![
        (0.0, 0.0),
        (q(0.01), 0.02),
        (half, 0.1),
        (most, 0.35),
        (nearly, 0.6),
        (nearly + 0.2 * step, 0.8),
        (nearly + 0.8 * step, 1.0),
    ]
}

struct Report {
    metrics: serde_json::Value,
    confidence: Vec<(f64, f64)>,
}

/// Healthy false alarms, and detection of each kind of fault within 120 readings, on sensors never seen.
fn measure(model: &Model, seed: u64, sensors: u64) -> Report {
    const WARM: usize = 6000;
    const AFTER: u64 = 120;
    let mut bins = [[0.0f64; 2]; 10];
    let mut note = |score: f64, faulty: bool| {
        let right = (score >= WARNING_FROM) == faulty;
        bins[((score * 10.0) as usize).min(9)][usize::from(right)] += 1.0;
    };
    let (mut healthy_readings, mut false_alarms, mut alarmed_sensors) = (0u64, 0u64, 0u64);
    let mut found = [(0u64, 0u64); Fault::ALL.len()];
    for i in 0..sensors {
        let mut sensor = Sensor::draw(seed + i);
        let mut state = State::default();
        let mut alarms = 0;
        let mut last = 0.0;
        for k in 0..WARM {
            let (time, value) = sensor.next_reading();
            last = value;
            let before = state.class;
            scorer::advance(&mut state, Some(model), &NONE, time, value);
            alarms += u64::from(before == ReadingStatus::Normal && state.class > before);
            healthy_readings += 1;
            if k % 100 == 99 {
                note(state.smoothed.unwrap_or(0.0), false);
            }
        }
        false_alarms += alarms;
        alarmed_sensors += u64::from(alarms > 0);
        if state.class != ReadingStatus::Normal {
            continue;
        }
        for (kind, fault) in Fault::ALL.into_iter().enumerate() {
            let (mut sensor, mut state) = (sensor.fork(kind as u64), state.clone());
            let mut delay = None;
            for since in 0..AFTER {
                let (time, value) = sensor.next_reading();
                let value = fault.apply(&sensor, value, since, last);
                scorer::advance(&mut state, Some(model), &NONE, time, value);
                if since >= 30 && since % 30 == 0 {
                    note(state.smoothed.unwrap_or(0.0), true);
                }
                if state.class > ReadingStatus::Normal && delay.is_none() {
                    delay = Some(since);
                }
            }
            found[kind].1 += 1;
            found[kind].0 += u64::from(delay.is_some());
        }
    }
    let detection: serde_json::Map<_, _> = Fault::ALL
        .iter()
        .zip(found)
        .map(|(f, (hit, of))| {
            (f.name().to_owned(), json!({ "detected": hit, "of": of, "within_readings": AFTER }))
        })
        .collect();
    let confidence = bins
        .iter()
        .enumerate()
        .map(|(i, [wrong, right])| (i as f64 / 10.0 + 0.05, (right + 1.0) / (right + wrong + 2.0)))
        .collect();
    Report {
        metrics: json!({
            "healthy_readings": healthy_readings,
            "false_alarms": false_alarms,
            "sensors_with_false_alarm": alarmed_sensors,
            "false_alarms_per_172800_readings": 172_800.0 * false_alarms as f64 / healthy_readings as f64,
            "detection": detection,
        }),
        confidence,
    }
}
