//! The simulated plant as a test bench: false alarms on healthy days, and how early developing faults are seen.
//!
//! The limits are given to the scorer as they are in the product, and an alarm counts as early when the class left
//! normal before the value reached the critical limit.

use anyhow::Result;
use pm_api::{ReadingStatus, Timestamp, score::Limits};
use pm_bridge::simulator::{
    fault::{Fault, FaultKind},
    plant::{self, Sensor},
    signal,
};
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
        let before = state.track.class;
        if let Some(judged) = scorer::advance(state, Some(model), &limits, at, value)
            && before == ReadingStatus::Normal
            && state.track.class > before
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
    ] {
        for machine in machines.iter().filter(|m| culprit(m, kind).is_some()) {
            faults.push(fault(model, machine, name, kind, ramp_s, step_us));
        }
    }
    let timely = faults.iter().filter(|f| f.in_time()).count();
    let right = faults.iter().filter(|f| f.right_sensor_on_top).count();
    let of = faults.len();
    let per_machine_and_day = alarms as f64 / (machines.len() as f64 * days as f64);
    println!(
        "{per_machine_and_day:.3} false alarms per machine and day; of {of} faults {timely} in time, {right} with the right sensor on top"
    );
    Ok(json!({
        "healthy_days": days,
        "interval_s": step_us as f64 / 1e6,
        "readings": readings,
        "false_alarms": alarms,
        "false_alarms_per_machine_and_day": per_machine_and_day,
        "faults": faults,
        "faults_in_time": format!("{timely} of {of}"),
        "right_sensor_on_top": format!("{right} of {of}"),
    }))
}

/// The sensors that a technician should be led to: those that the fault drives beyond their critical limit, and for a
/// leak any that shows the missing medium.
fn culprit(machine: &plant::Machine, kind: FaultKind) -> Option<Vec<&str>> {
    let metrics: &[&str] = match kind {
        FaultKind::BearingWear => &["vibration"],
        FaultKind::Overheating => &["temperature"],
        _ => &["pressure", "flow_rate", "level"],
    };
    let found: Vec<_> =
        machine.sensors.iter().filter(|s| metrics.contains(&s.kind.metric)).map(|s| s.id.as_str()).collect();
    (!found.is_empty()).then_some(found)
}

/// How one fault was found.
#[derive(Debug, serde::Serialize)]
struct Found {
    fault: &'static str,
    machine: String,
    /// Minutes from the beginning of the fault to the machine's first alarm.
    first_alarm_min: Option<f64>,
    /// Minutes to the first reading at or beyond a critical limit.
    critical_limit_min: Option<f64>,
    /// Sensors by their score at the first alarm, highest first.
    attribution: Vec<(String, f64)>,
    right_sensor_on_top: bool,
}

impl Found {
    fn in_time(&self) -> bool {
        self.first_alarm_min.is_some_and(|at| self.critical_limit_min.is_none_or(|limit| at < limit))
    }
}

fn fault(
    model: &Model,
    machine: &plant::Machine,
    name: &'static str,
    kind: FaultKind,
    ramp_s: f64,
    step_us: i64,
) -> Found {
    let start = START_US + DAY_US / 2;
    let end = start + (ramp_s * 1e6) as i64 + 600_000_000;
    let faults = [Fault {
        kind,
        machine: Some(machine.id.clone()),
        sensor: None,
        start: Timestamp(start),
        ramp_s,
        end: None,
    }];
    let mut states: Vec<State> = machine
        .sensors
        .iter()
        .map(|sensor| {
            let mut state = State::default();
            follow(model, &machine.id, sensor, &mut state, (START_US, start), step_us, &[]);
            state
        })
        .collect();
    let mut found = Found {
        fault: name,
        machine: machine.id.clone(),
        first_alarm_min: None,
        critical_limit_min: None,
        attribution: Vec::new(),
        right_sensor_on_top: false,
    };
    let minutes = |at: i64| ((at - start) as f64 / 6e6).round() / 10.0;
    for at in (start..end).step_by(step_us as usize) {
        let mut alarm = false;
        for (sensor, state) in machine.sensors.iter().zip(&mut states) {
            let value = signal::value(SEED, &machine.id, &sensor.id, &sensor.kind, Timestamp(at), &faults);
            if signal::status(&sensor.kind, value) == ReadingStatus::Critical {
                found.critical_limit_min.get_or_insert(minutes(at));
            }
            scorer::advance(state, Some(model), &limits(sensor), at, value);
            alarm |= state.track.class > ReadingStatus::Normal;
        }
        if alarm && found.first_alarm_min.is_none() {
            found.first_alarm_min = Some(minutes(at));
            let score = |state: &State| (state.track.smoothed.unwrap_or(0.0) * 1e3).round() / 1e3;
            found.attribution =
                machine.sensors.iter().zip(&states).map(|(s, state)| (s.id.clone(), score(state))).collect();
            found.attribution.sort_by(|a, b| b.1.total_cmp(&a.1));
            found.right_sensor_on_top = culprit(machine, kind)
                .is_some_and(|c| found.attribution.first().is_some_and(|top| c.contains(&top.0.as_str())));
        }
        if found.first_alarm_min.is_some() && found.critical_limit_min.is_some() {
            break;
        }
    }
    found
}
