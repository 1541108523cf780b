//! NAB machine_temperature_system_failure through the live scorer, as one of five sensors of a machine with the settings that the
//! product comes with: no limits, the learning phase of [`DAYS`] days, one false alarm of the machine a month; a reading every five
//! minutes.
//!
//! Nothing was fitted to the labels. The record was looked at while the constants of the reference were chosen (how far
//! novelties of the learning phase widen its margin), so the figure is not that of a record never seen.

use super::{
    Section,
    live::SENSORS_OF_A_MACHINE,
    picture,
    ranking::{auroc, average_precision},
    round,
};
use anyhow::{Context as _, Result};
use pm_api::{
    MachineId, ReadingStatus, SensorId, Timestamp,
    score::{Limits, ScoreItem},
};
use pm_model::{Model, scorer};
use serde_json::{Value, json};
use std::path::Path;

/// Readings that belong to the probation period of the benchmark.
pub const PROBATION: usize = 750;
/// Days of the learning phase: the default of the product.
const DAYS: i64 = 7;
const AT_LEAST_WINDOWS: usize = 3;
const MAX_OUTSIDE_PER_WEEK: f64 = 1.0;
const LEAST_AUROC: f64 = 0.90;
const MAX_CALIBRATION_ERROR: f64 = 0.08;
const KEY: &str = "realKnownCause/machine_temperature_system_failure.csv";

/// The series with its label windows.
pub struct Series {
    /// Time as text that sorts, `2013-12-02 21:15:00`.
    pub times: Vec<String>,
    /// °F.
    pub values: Vec<f64>,
    /// First and last reading of each window.
    pub windows: Vec<(usize, usize)>,
}

/// Runs it and draws the picture beside `out`.
pub fn run(data: &Path, model: &Model, out: &Path) -> Result<Section> {
    println!("\nNAB machine temperature, live scorer, learning for {DAYS} days");
    let Some(series) = read(&data.join("nab")) else {
        return Ok(Section::not_measured("no nab/ among the data"));
    };
    let inside: Vec<bool> =
        (0..series.values.len()).map(|i| series.windows.iter().any(|w| (w.0..=w.1).contains(&i))).collect();
    let mut state = None;
    let mut judgements = Vec::with_capacity(series.values.len());
    let mut scores = Vec::with_capacity(series.values.len());
    let mut alarms: Vec<(usize, usize)> = Vec::new();
    let mut alarm = false;
    for (i, (time, value)) in series.times.iter().zip(&series.values).enumerate() {
        let at: Timestamp =
            format!("{}Z", time.replace(' ', "T")).parse().ok().context("a time of the series")?;
        let judged = scorer::score_item(Some(model), &item(state, (at, *value)));
        scores.push(judged.score);
        let now = judged.class > ReadingStatus::Normal;
        if !judged.buffering && i >= PROBATION {
            judgements.push((judged.confidence, now == inside[i]));
        }
        state = Some(judged.state);
        match alarms.last_mut().filter(|_| alarm && now) {
            Some(last) => last.1 = i,
            None if now => alarms.push((i, i)),
            None => {}
        }
        alarm = now;
    }
    let (area, precision) = (
        auroc(&scores[PROBATION..], &inside[PROBATION..]),
        average_precision(&scores[PROBATION..], &inside[PROBATION..]),
    );
    let met = |d: &(usize, usize)| series.windows.iter().any(|w| d.0 <= w.1 && d.1 >= w.0);
    // an alarm that began long before a window says nothing of it
    let begins_in = |w: &(usize, usize)| alarms.iter().any(|d| (w.0..=w.1).contains(&d.0));
    let seen = series.windows.iter().filter(|w| alarms.iter().any(|d| d.0 <= w.1 && d.1 >= w.0)).count();
    let begun = series.windows.iter().filter(|w| begins_in(w)).count();
    let outside = alarms.iter().filter(|d| d.0 >= PROBATION && !met(d)).count();
    let weeks = (series.values.len() - PROBATION) as f64 / (7.0 * 288.0);
    println!(
        "  AUROC {area:.4}, average precision {precision:.4}; {} alarms: {seen} of {} windows met ({begun} by an alarm that began in them), {outside} alarms outside in {weeks:.1} weeks",
        alarms.len(),
        series.windows.len()
    );
    let calibration = expected_calibration_error(&judgements);
    println!("  confidence is off by {calibration:.3} on average (at most {MAX_CALIBRATION_ERROR})");
    let file = out.with_file_name("machine-temperature.svg");
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&file, picture::draw(&series, &scores, pm_model::track::WARNING_FROM, &alarms))?;
    println!("  drew {}", file.display());
    let mut section = Section {
        figures: json!({
            "protocol": "live scorer, no limits, learning phase of 7 days, a fifth of one false alarm a month; AUROC and average precision of the smoothed score per reading over the label windows, after the first 750 readings",
            "auroc": round(area),
            "average_precision": round(precision),
            "alarms": alarms.len(),
            "windows_met": format!("{seen} of {}", series.windows.len()),
            "windows_in_which_an_alarm_began": begun,
            "alarms_outside_per_week": round(outside as f64 / weeks),
            "expected_calibration_error": round(calibration),
        }),
        broken: Vec::new(),
    };
    section.require(area >= LEAST_AUROC, format!("NAB: AUROC {area:.3}"));
    section.require(
        calibration <= MAX_CALIBRATION_ERROR,
        format!("NAB: confidence is off by {calibration:.3} on average"),
    );
    section.require(seen >= AT_LEAST_WINDOWS, format!("NAB: {seen} windows met"));
    section.require(outside as f64 / weeks <= MAX_OUTSIDE_PER_WEEK, format!("NAB: {outside} alarms outside"));
    Ok(section)
}

/// A reading of a sensor without limits.
fn item(state: Option<Vec<u8>>, reading: (Timestamp, f64)) -> ScoreItem {
    ScoreItem {
        sensor_id: SensorId::from(uuid::Uuid::nil()),
        machine_id: MachineId::from(uuid::Uuid::nil()),
        name: "machine temperature".into(),
        sensor_type: "temperature".into(),
        unit: None,
        limits: Limits::default(),
        state,
        readings: vec![reading],
        accepted: None,
        restarted: None,
        learning_s: DAYS * 86_400,
        false_alarms_per_month: 1.0 / SENSORS_OF_A_MACHINE,
        model: None,
        challenger: None,
    }
}

/// How far the confidence is from the share of right judgements, over tenths of the confidence, weighted by their judgements (Naeini,
/// Cooper & Hauskrecht 2015).
fn expected_calibration_error(judgements: &[(f64, bool)]) -> f64 {
    let tenth = |confidence: f64| ((confidence * 10.0) as usize).min(9);
    (0..10)
        .map(|at| {
            let here = judgements.iter().filter(|j| tenth(j.0) == at);
            here.map(|(said, right)| said - f64::from(u8::from(*right))).sum::<f64>().abs()
        })
        .sum::<f64>()
        / judgements.len().max(1) as f64
}

fn read(folder: &Path) -> Option<Series> {
    let text = std::fs::read_to_string(folder.join("machine_temperature_system_failure.csv")).ok()?;
    let (mut times, mut values) = (Vec::new(), Vec::new());
    for line in text.lines().skip(1).filter(|l| !l.is_empty()) {
        let (time, value) = line.split_once(',')?;
        times.push(time.to_owned());
        values.push(value.trim().parse().ok()?);
    }
    let labels = std::fs::read_to_string(folder.join("labels/combined_windows.json")).ok()?;
    let labels: Value = serde_json::from_str(&labels).ok()?;
    let at = |text: &Value| {
        let text = text.as_str()?.get(..19)?.to_owned();
        Some(times.partition_point(|t: &String| *t < text))
    };
    let windows =
        labels[KEY].as_array()?.iter().map(|w| Some((at(&w[0])?, at(&w[1])?))).collect::<Option<_>>()?;
    Some(Series { times, values, windows })
}
