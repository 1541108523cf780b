//! The simulated plant as a test bench: false alarms on healthy days, and how early developing faults are seen.
//!
//! The limits are given to the scorer as they are in the product, and an alarm counts as early when the class left
//! normal before the value reached the critical limit.

use anyhow::Result;
use ingest_bridge::simulator::{
    fault::{Fault, FaultKind},
    plant::{self, Sensor},
    signal,
};
use pm_api::{ReadingStatus, Timestamp, score::Limits};
use pm_model::{Model, features::NAMES, scorer, state::State};
use serde_json::json;

const START_US: i64 = 1_790_000_000_000_000;
const DAY_US: i64 = 86_400_000_000;
const SEED: u64 = 7;

/// What one sensor went through.
#[derive(Debug, Default)]
struct Course {
    alarms: Vec<(i64, String)>,
    readings: u64,
}

fn limits(sensor: &Sensor) -> Limits {
    let (warning, critical) = sensor.kind.limits;
    if sensor.kind.falls() {
        Limits { warning_low: Some(warning), critical_low: Some(critical), ..Limits::default() }
    } else {
        Limits { warning_high: Some(warning), critical_high: Some(critical), ..Limits::default() }
    }
}

fn follow(
    model: &Model,
    machine: &str,
    sensor: &Sensor,
    state: &mut State,
    span_us: (i64, i64),
    step_us: i64,
    faults: &[Fault],
) -> Course {
    let limits = limits(sensor);
    let mut course = Course::default();
    let mut at = span_us.0;
    while at < span_us.1 {
        let value = signal::value(SEED, machine, &sensor.id, &sensor.kind, Timestamp(at), faults);
        let before = state.class;
        if let Some(judged) = scorer::advance(state, Some(model), &limits, at, value)
            && before == ReadingStatus::Normal
            && state.class > before
        {
            let mut top: Vec<_> = judged.row.iter().copied().enumerate().collect();
            top.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
            let top: Vec<_> = top[..5].iter().map(|(i, z)| format!("{} {z:.1}", NAMES[*i])).collect();
            course.alarms.push((at, top.join(", ")));
        }
        course.readings += 1;
        at += step_us;
    }
    course
}

/// Healthy days of the whole plant, and the two developing faults.
///
/// # Errors
/// Never; the type is that of every benchmark.
pub fn run(model: &Model, days: i64, step_us: i64) -> Result<serde_json::Value> {
    let machines = plant::plant(4, 4);
    let end = START_US + days * DAY_US;
    let (mut alarms, mut readings) = (0, 0);
    for machine in &machines {
        let mut of_machine = 0;
        for sensor in &machine.sensors {
            let mut state = State::default();
            let course = follow(model, &machine.id, sensor, &mut state, (START_US, end), step_us, &[]);
            of_machine += course.alarms.len();
            readings += course.readings;
            for (at, why) in course.alarms.iter().take(4) {
                println!(
                    "  healthy {} {} at {:.2} h: {why}",
                    machine.id,
                    sensor.id,
                    (at - START_US) as f64 / 3.6e9
                );
            }
        }
        println!("{}: {of_machine} false alarms in {days} days", machine.id);
        alarms += of_machine;
    }
    let mut faults = Vec::new();
    for (name, kind, ramp_s) in [
        ("bearing wear, 4 h", FaultKind::BearingWear, 4.0 * 3600.0),
        ("slow leak, 8 h", FaultKind::Leak, 8.0 * 3600.0),
        ("overheating, 1 h", FaultKind::Overheating, 3600.0),
        ("stuck sensor", FaultKind::StuckSensor, 0.0),
    ] {
        for machine in &machines {
            faults.push(fault(model, machine, name, kind, ramp_s, step_us));
        }
    }
    Ok(json!({
        "healthy_days": days,
        "interval_s": step_us as f64 / 1e6,
        "readings": readings,
        "false_alarms": alarms,
        "false_alarms_per_machine_and_day": alarms as f64 / (machines.len() as f64 * days as f64),
        "faults": faults,
    }))
}

fn fault(
    model: &Model,
    machine: &plant::Machine,
    name: &str,
    kind: FaultKind,
    ramp_s: f64,
    step_us: i64,
) -> serde_json::Value {
    let start = START_US + DAY_US / 2;
    let end = start + (ramp_s * 1e6) as i64 + 600_000_000;
    let fault = Fault {
        kind,
        machine: Some(machine.id.clone()),
        sensor: None,
        start: Timestamp(start),
        ramp_s,
        end: None,
    };
    let mut found: Vec<(i64, &str)> = Vec::new();
    let mut critical: Option<i64> = None;
    for sensor in &machine.sensors {
        let mut state = State::default();
        follow(model, &machine.id, sensor, &mut state, (START_US, start), step_us, &[]);
        let course = follow(
            model,
            &machine.id,
            sensor,
            &mut state,
            (start, end),
            step_us,
            std::slice::from_ref(&fault),
        );
        if let Some((at, _)) = course.alarms.first() {
            found.push((*at, &sensor.id));
        }
        let reached = (start..end).step_by(step_us as usize).find(|&at| {
            let value = signal::value(
                SEED,
                &machine.id,
                &sensor.id,
                &sensor.kind,
                Timestamp(at),
                std::slice::from_ref(&fault),
            );
            signal::status(&sensor.kind, value) == ReadingStatus::Critical
        });
        critical = [critical, reached].into_iter().flatten().min();
    }
    found.sort_unstable();
    let minutes = |at: i64| ((at - start) as f64 / 6e6).round() / 10.0;
    json!({
        "fault": name,
        "machine": machine.id,
        "first_alarm_min": found.first().map(|f| minutes(f.0)),
        "first_sensor": found.first().map(|f| f.1),
        "sensors_alarmed": found.len(),
        "critical_limit_reached_min": critical.map(minutes),
    })
}
