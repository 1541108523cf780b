//! False alarms of healthy sensors against those that people put up with: where the table of [`pm_model::sensitivity`] comes from,
//! and whether it holds on other sensors.

use super::{
    super::{Section, round},
    DAY_S, HEALTHY_DAYS, SENSORS_OF_A_MACHINE, spread,
};
use pm_api::{ReadingStatus, score::Limits};
use pm_model::{
    Model,
    generated::signal::{Kind, START_S, Signal},
    reference::LEARNING_S,
    scorer, sensitivity,
    state::State,
};
use serde_json::{Value, json};

/// Seconds between readings, and sensors of each kind that report so.
const SENSORS: [(f64, u64); 3] = [(10.0, 1), (60.0, 8), (300.0, 8)];
/// Factors of which the table is made.
const WIDENINGS: [f64; 9] = [0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0, 1.25, 1.6];
/// Settings that are examined: false alarms per machine and month, and sensors of a machine.
const BUDGETS: [f64; 3] = [1.0, 3.0, 6.0];
/// What is counted may be so many times what was promised, or the same part of it.
const FACTOR: f64 = 1.5;
const MONTH_DAYS: f64 = 30.0;

/// Counts the false alarms per sensor and month with each factor; all of them follow the same sensors.
fn counted(model: &Model, widenings: &[f64], seed: u64) -> Vec<f64> {
    let mut runs = Vec::new();
    for (kind, _) in Kind::ALL {
        for (interval_s, sensors) in SENSORS {
            runs.extend((0..sensors).map(|k| (kind, interval_s, seed + k)));
        }
    }
    let onsets = spread(&runs, |&(kind, interval_s, seed)| {
        let mut signal = Signal::draw(kind, interval_s, seed);
        let mut learned = State::default();
        let mut states: Vec<State> = Vec::new();
        let mut onsets = vec![0u32; widenings.len()];
        let from_s = START_S + LEARNING_S as f64;
        loop {
            let (at_s, value) = signal.next_reading();
            let at_us = (at_s * 1e6) as i64;
            if at_s > from_s + HEALTHY_DAYS * DAY_S {
                return onsets;
            }
            if at_s <= from_s {
                scorer::advance(&mut learned, Some(model), &Limits::default(), at_us, value);
                continue;
            }
            if states.is_empty() {
                states = widenings.iter().map(|w| State { widening: *w, ..learned.clone() }).collect();
            }
            for (state, onsets) in states.iter_mut().zip(&mut onsets) {
                let before = state.track.class;
                scorer::advance(state, Some(model), &Limits::default(), at_us, value);
                *onsets += u32::from(before == ReadingStatus::Normal && state.track.class > before);
            }
        }
    });
    let months = runs.len() as f64 * HEALTHY_DAYS / MONTH_DAYS;
    (0..widenings.len()).map(|at| onsets.iter().map(|o| f64::from(o[at])).sum::<f64>() / months).collect()
}

/// Prints the table.
pub fn table(model: &Model, seed: u64) {
    println!("factor on what is ordinary: false alarms per sensor and month (first seed {seed})");
    for (widening, counted) in WIDENINGS.iter().zip(counted(model, &WIDENINGS, seed)) {
        println!("  {widening:.2}: {counted:.3}");
    }
}

/// Promised against counted at three settings.
pub fn examine(model: &Model, seed: u64, section: &mut Section) -> Value {
    println!("\nfalse alarms per machine of {SENSORS_OF_A_MACHINE} sensors and month: setting, counted");
    let widenings = BUDGETS.map(|budget| sensitivity::widening(budget / SENSORS_OF_A_MACHINE));
    let counted = counted(model, &widenings, seed);
    let mut rows = serde_json::Map::new();
    for (budget, counted) in BUDGETS.into_iter().zip(counted) {
        let counted = counted * SENSORS_OF_A_MACHINE;
        println!("  {budget}: {counted:.2}");
        section.require(
            counted <= FACTOR * budget && budget <= FACTOR * counted,
            format!("a setting of {budget} false alarms per machine and month gives {counted:.2}"),
        );
        rows.insert(format!("{budget}"), json!(round(counted)));
    }
    Value::Object(rows)
}
