//! Inputs with their scores, so that another build of the scorer (another processor, WebAssembly) can be compared.

use crate::signals::Sensor;
use anyhow::Result;
use pm_api::{
    MachineId, SensorId, Timestamp,
    score::{Limits, ScoreItem},
};
use pm_model::{Model, inject::Fault, reference::LEARNING_S, retrain::SensorHistory, score_item};
use serde::{Deserialize, Serialize};

/// One sensor with its readings and what must come out at the last of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// Limits of the sensor.
    pub limits: Limits,
    /// Readings, oldest first: time in µs and value.
    pub readings: Vec<(i64, f64)>,
    /// Smoothed score.
    pub score: f64,
    /// Class.
    pub class: String,
    /// Calibrated score of the forest.
    pub model_score: f64,
}

/// The cases as JSON: a healthy sensor, one per fault, and a breach of a limit.
///
/// # Errors
/// When a case cannot be written as JSON.
pub fn make(model: &Model) -> Result<String> {
    let mut cases = vec![case(model, "healthy", None, Limits::default())?];
    for fault in Fault::ALL {
        cases.push(case(model, fault.name(), Some(fault), Limits::default())?);
    }
    let breached = Limits { critical_high: Some(-1e9), ..Limits::default() };
    cases.push(case(model, "critical limit", None, breached)?);
    Ok(serde_json::to_string(&cases)?)
}

fn case(model: &Model, name: &str, fault: Option<Fault>, limits: Limits) -> Result<Case> {
    let mut sensor = Sensor::draw(7_000_003);
    // Six digits, so that the text is short and reads back the same everywhere.
    let six = |value: f64| (value * 1e6).round() / 1e6;
    let mut history = SensorHistory { limits, readings: (0..400).map(|_| sensor.next_reading()).collect() };
    let (amplitude, held) = (history.amplitude(), history.readings[339].1);
    for (k, reading) in history.readings.iter_mut().enumerate() {
        let value = match fault {
            Some(fault) if k >= 340 => fault.apply(reading.1, (k - 340) as u64, held, amplitude),
            _ => reading.1,
        };
        reading.1 = six(value);
    }
    let readings = history.readings;
    let result = score_item(
        Some(model),
        &ScoreItem {
            sensor_id: SensorId::from(uuid::Uuid::nil()),
            machine_id: MachineId::from(uuid::Uuid::nil()),
            name: "Synthetic".into(),
            sensor_type: "synthetic".into(),
            unit: None,
            model: None,
            challenger: None,
            learning_s: LEARNING_S,
            false_alarms_per_month: pm_model::sensitivity::BASE_PER_MONTH,
            accepted: None,
            restarted: None,
            limits,
            state: None,
            readings: readings.iter().map(|&(t, v)| (Timestamp(t), v)).collect(),
        },
    );
    let contributing: serde_json::Value = serde_json::from_str(&result.contributing_features)?;
    Ok(Case {
        name: name.to_owned(),
        limits,
        readings,
        score: result.score,
        class: result.class.as_str().to_owned(),
        model_score: contributing["model_score"].as_f64().unwrap_or(f64::NAN),
    })
}
