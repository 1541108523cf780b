//! NAB machine_temperature_system_failure through the live scorer, as a sensor of a customer: no limits, the learning phase of
//! [`DAYS`] days, a reading every five minutes.
//!
//! Nothing was fitted to the labels. The record was looked at while the constants of the reference were chosen (how far
//! novelties of the learning phase widen its margin), so the figure is not that of a record never seen.

use super::{
    Section, picture,
    ranking::{auroc, average_precision},
    round,
};
use anyhow::{Context as _, Result};
use pm_api::{ReadingStatus, Timestamp, score::Limits};
use pm_model::{Model, scorer, state::State};
use serde_json::{Value, json};
use std::path::Path;

/// Readings that belong to the probation period of the benchmark.
pub const PROBATION: usize = 750;
/// Days of the learning phase: the default of the product.
const DAYS: i64 = 7;
const AT_LEAST_WINDOWS: usize = 3;
const MAX_OUTSIDE_PER_WEEK: f64 = 1.0;
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
    let mut state = State { learning_s: DAYS * 86_400, ..State::default() };
    let mut scores = Vec::with_capacity(series.values.len());
    let mut alarms: Vec<(usize, usize)> = Vec::new();
    let mut alarm = false;
    for (i, (time, value)) in series.times.iter().zip(&series.values).enumerate() {
        let at: Timestamp =
            format!("{}Z", time.replace(' ', "T")).parse().ok().context("a time of the series")?;
        scorer::advance(&mut state, Some(model), &Limits::default(), at.0, *value);
        scores.push(state.track.smoothed.unwrap_or(0.0));
        let now = state.track.class > ReadingStatus::Normal;
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
    let file = out.with_file_name("machine-temperature.svg");
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&file, picture::draw(&series, &scores, pm_model::track::WARNING_FROM, &alarms))?;
    println!("  drew {}", file.display());
    let mut section = Section {
        figures: json!({
            "protocol": "live scorer, no limits, learning phase of 7 days; AUROC and average precision of the smoothed score per reading over the label windows, after the first 750 readings",
            "auroc": round(area),
            "average_precision": round(precision),
            "alarms": alarms.len(),
            "windows_met": format!("{seen} of {}", series.windows.len()),
            "windows_in_which_an_alarm_began": begun,
            "alarms_outside_per_week": round(outside as f64 / weeks),
        }),
        broken: Vec::new(),
    };
    section.require(seen >= AT_LEAST_WINDOWS, format!("NAB: {seen} windows met"));
    section.require(outside as f64 / weeks <= MAX_OUTSIDE_PER_WEEK, format!("NAB: {outside} alarms outside"));
    Ok(section)
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
