//! The simulated plant through the live scorer, without limits: false alarms on healthy days, and whether the model alone sees
//! developing faults before the first reading beyond a *warning* limit.
//!
//! Requests are those of the product ([`pm_model::request`]): a minute of readings of all sensors of a machine, with the states of
//! the answer before. Limits are looked at beside it, as the product judges each reading by them. So there are three arms: model
//! only, limits only, and both, which is the earlier of the two.

use crate::bench::Section;
use pm_api::{
    MachineId, ReadingStatus, SensorId, Timestamp,
    score::{Limits, MachineItem, ScoreItem, ScoreRequest, ScoreResult},
};
use pm_bridge::simulator::{
    fault::{Fault, FaultKind},
    plant::{self, Machine},
    signal,
};
use pm_model::{Model, reference::LEARNING_S, request, stats};
use serde_json::json;

const START_US: i64 = 1_790_000_000_000_000;
/// What must hold: false alarms, and shares of the faults before the warning limit and with the right sensor, at the present
/// ramps and at slower ones.
const MAX_FALSE_PER_MONTH: f64 = 1.0;
const MIN_EARLY: ((f64, f64), (f64, f64)) = ((6.0 / 9.0, 8.0 / 9.0), (8.0 / 9.0, 8.0 / 9.0));
const MINUTE_US: i64 = 60_000_000;
const DAY_US: i64 = 1440 * MINUTE_US;
/// Seed of the simulated values; the scorer's constants were chosen with others.
pub const SEED: u64 = 101;
/// Faults: what, how many seconds until it is fully developed.
const FAULTS: [(&str, FaultKind, f64); 3] = [
    ("bearing wear", FaultKind::BearingWear, 4.0 * 3600.0),
    ("leak", FaultKind::Leak, 8.0 * 3600.0),
    ("overheating", FaultKind::Overheating, 3600.0),
];
/// How many times slower, and hours after learning at which each of the runs begins.
const RAMPS: [(f64, &[i64]); 2] = [(1.0, &[26, 33, 41, 48]), (12.0, &[25, 35, 45])];

/// A machine of the plant with what the scorer remembers of it.
#[derive(Clone)]
struct Watched<'a> {
    model: &'a Model,
    machine: &'a Machine,
    seed: u64,
    step_us: i64,
    states: Vec<Option<Vec<u8>>>,
    state: Option<Vec<u8>>,
}

/// A minute: what the scorer said of each sensor, and whether a reading was beyond a limit.
struct Minute {
    results: Vec<ScoreResult>,
    beyond: ReadingStatus,
}

impl<'a> Watched<'a> {
    fn new(model: &'a Model, machine: &'a Machine, seed: u64, step_us: i64) -> Self {
        Self { model, machine, seed, step_us, states: vec![None; machine.sensors.len()], state: None }
    }

    fn minute(&mut self, from_us: i64, faults: &[Fault]) -> Minute {
        let machine_id = MachineId(uuid::Uuid::from_u128(1));
        let mut beyond = ReadingStatus::Normal;
        let mut items = Vec::new();
        for (place, sensor) in self.machine.sensors.iter().enumerate() {
            let readings = (from_us..from_us + MINUTE_US).step_by(self.step_us as usize).map(|at| {
                let at = Timestamp(at);
                let value = signal::value(self.seed, &self.machine.id, &sensor.id, &sensor.kind, at, faults);
                beyond = beyond.max(signal::status(&sensor.kind, value));
                (at, value)
            });
            items.push(ScoreItem {
                sensor_id: SensorId(uuid::Uuid::from_u128(place as u128)),
                machine_id,
                name: sensor.id.clone(),
                sensor_type: sensor.kind.metric.to_owned(),
                unit: None,
                model: None,
                challenger: None,
                learning_s: LEARNING_S,
                false_alarms_per_month: 1.0 / self.machine.sensors.len() as f64,
                accepted: None,
                restarted: None,
                limits: Limits::default(),
                state: self.states[place].take(),
                readings: readings.collect(),
            });
        }
        let machines = vec![MachineItem { machine_id, state: self.state.take() }];
        let response = request::answer(&ScoreRequest { items, machines }, |_| (Some(self.model), None));
        self.states = response.items.iter().map(|r| Some(r.state.clone())).collect();
        self.state = response.machines.into_iter().next().map(|m| m.state);
        Minute { results: response.items, beyond }
    }
}

/// How one fault was found.
#[derive(Debug, serde::Serialize)]
struct Found {
    fault: &'static str,
    times_slower: f64,
    machine: String,
    /// Minutes from the beginning of the fault to the model's first alarm, without limits.
    model_min: Option<f64>,
    /// Minutes to the first reading beyond a warning and a critical limit.
    warning_limit_min: Option<f64>,
    critical_limit_min: Option<f64>,
    /// The sensor that stood out most at the first alarm, and what was said of it.
    sensor: Option<String>,
    reason: Option<String>,
    right_sensor: bool,
}

impl Found {
    fn before(&self, limit: Option<f64>) -> bool {
        self.model_min.is_some_and(|at| limit.is_none_or(|limit| at < limit))
    }
}

/// Healthy days of the whole plant after learning, and the developing faults.
pub fn run(model: &Model, days: i64, step_us: i64, seed: u64) -> Section {
    println!("\nsimulated plant through the live scorer, without limits");
    let machines = plant::plant(4, 4);
    let learned = START_US + LEARNING_S * 1_000_000;
    let (mut alarms, mut found) = (0, Vec::new());
    for machine in &machines {
        let mut watched = Watched::new(model, machine, seed, step_us);
        let mut snapshots: Vec<(i64, Watched)> = Vec::new();
        let begins: Vec<i64> = RAMPS.iter().flat_map(|r| r.1).map(|h| learned + h * 60 * MINUTE_US).collect();
        let mut before = vec![ReadingStatus::Normal; machine.sensors.len()];
        for at in (START_US..learned + days * DAY_US).step_by(MINUTE_US as usize) {
            if begins.contains(&at) {
                snapshots.push((at, watched.clone()));
            }
            let minute = watched.minute(at, &[]);
            for (place, result) in minute.results.iter().enumerate() {
                if at >= learned
                    && result.class > ReadingStatus::Normal
                    && before[place] == ReadingStatus::Normal
                {
                    alarms += 1;
                    let hours = (at - learned) as f64 / 3.6e9;
                    println!(
                        "  false alarm of {} {}, {hours:.1} h after learning: {}",
                        machine.id,
                        machine.sensors[place].id,
                        reason(result)
                    );
                }
                before[place] = result.class;
            }
        }
        for (name, kind, ramp_s) in FAULTS {
            let Some(culprits) = culprits(machine, kind) else { continue };
            for (times, begins) in RAMPS {
                for begin in begins.iter().map(|h| learned + h * 60 * MINUTE_US) {
                    let Some((_, watched)) = snapshots.iter().find(|s| s.0 == begin) else { continue };
                    let fault = Fault {
                        kind,
                        machine: Some(machine.id.clone()),
                        sensor: None,
                        start: Timestamp(begin),
                        ramp_s: times * ramp_s,
                        end: None,
                    };
                    found.push(follow(watched.clone(), name, times, fault, &culprits));
                }
            }
        }
    }
    report(&found, alarms, machines.len(), days, step_us, seed)
}

fn follow(
    mut watched: Watched,
    name: &'static str,
    times_slower: f64,
    fault: Fault,
    culprits: &[&str],
) -> Found {
    let begin = fault.start.0;
    let end = begin + (fault.ramp_s * 1e6) as i64 + 10 * MINUTE_US;
    let machine = watched.machine;
    let faults = [fault];
    let mut found = Found {
        fault: name,
        times_slower,
        machine: machine.id.clone(),
        model_min: None,
        warning_limit_min: None,
        critical_limit_min: None,
        sensor: None,
        reason: None,
        right_sensor: false,
    };
    for at in (begin..end).step_by(MINUTE_US as usize) {
        let minute = watched.minute(at, &faults);
        // the scorer speaks at the end of the minute
        let now = (at + MINUTE_US - begin) as f64 / MINUTE_US as f64;
        if minute.beyond >= ReadingStatus::Warning {
            found.warning_limit_min.get_or_insert(now);
        }
        if minute.beyond >= ReadingStatus::Critical {
            found.critical_limit_min.get_or_insert(now);
        }
        let top = minute.results.iter().enumerate().filter(|(_, r)| r.class > ReadingStatus::Normal);
        if let Some((place, result)) = top.max_by(|a, b| a.1.score.total_cmp(&b.1.score))
            && found.model_min.is_none()
        {
            found.model_min = Some(now);
            let id = machine.sensors[place].id.as_str();
            found.right_sensor = culprits.contains(&id);
            found.sensor = Some(id.to_owned());
            found.reason = Some(reason(result));
        }
        if found.model_min.is_some() && found.critical_limit_min.is_some() {
            break;
        }
    }
    found
}

fn reason(result: &ScoreResult) -> String {
    let all: serde_json::Value = serde_json::from_str(&result.contributing_features).unwrap_or_default();
    all["reason"].as_str().unwrap_or_default().to_owned()
}

fn report(found: &[Found], alarms: usize, machines: usize, days: i64, step_us: i64, seed: u64) -> Section {
    let month = alarms as f64 / (machines as f64 * days as f64) * 30.0;
    println!("{alarms} false alarms in {days} days of {machines} machines: {month:.2} per machine and month");
    let mut section = Section { figures: json!({}), broken: Vec::new() };
    section.require(
        month <= MAX_FALSE_PER_MONTH,
        format!("plant: {month:.2} false alarms per machine and month"),
    );
    let mut arms = serde_json::Map::new();
    for (times, _) in RAMPS {
        let here: Vec<&Found> = found.iter().filter(|f| f.times_slower == times).collect();
        for (name, _, _) in FAULTS {
            let of: Vec<&&Found> = here.iter().filter(|f| f.fault == name).collect();
            let middle = |pick: fn(&Found) -> Option<f64>| {
                let values: Vec<f64> = of.iter().filter_map(|f| pick(f)).collect();
                if values.is_empty() { f64::NAN } else { stats::median(&values) }
            };
            println!(
                "  {name}, ramp ×{times}: model alone before the warning limit in {} of {}, right sensor in {}; median minutes: model {:.0}, warning limit {:.0}, critical limit {:.0}",
                of.iter().filter(|f| f.before(f.warning_limit_min)).count(),
                of.len(),
                of.iter().filter(|f| f.right_sensor).count(),
                middle(|f| f.model_min),
                middle(|f| f.warning_limit_min),
                middle(|f| f.critical_limit_min),
            );
        }
        let count = |pick: &dyn Fn(&Found) -> bool| here.iter().filter(|f| pick(f)).count();
        let (of, early) = (here.len(), count(&|f| f.before(f.warning_limit_min)));
        let (least, right) = if times > 1.0 { MIN_EARLY.1 } else { MIN_EARLY.0 };
        let share = |n: usize| n as f64 / of.max(1) as f64;
        section.require(
            share(early) >= least,
            format!("plant, ramp ×{times}: {early} of {of} before the warning limit"),
        );
        section.require(
            share(count(&|f| f.right_sensor)) >= right,
            format!("plant, ramp ×{times}: wrong sensors named"),
        );
        let limits = count(&|f| f.warning_limit_min.is_some());
        arms.insert(
            format!("ramp x{times}"),
            json!({
                "runs": of,
                "model_only_before_the_warning_limit": early,
                "model_only_before_the_critical_limit": count(&|f| f.before(f.critical_limit_min)),
                "limits_only_seen": limits,
                "both_earlier_than_limits_only": early,
                "right_sensor": count(&|f| f.right_sensor),
            }),
        );
    }
    section.figures = json!({
        "protocol": "live scorer without limits, a reading per sensor and step; learning 7 days; lead over the first reading beyond the warning limit",
        "healthy_days": days,
        "interval_s": step_us as f64 / 1e6,
        "seed": seed,
        "false_alarms": alarms,
        "false_alarms_per_machine_and_month": month,
        "arms": arms,
        "faults": found,
    });
    section
}

/// The sensors that a technician should be led to: those that the fault drives beyond their critical limit, and for a
/// leak any that shows the missing medium.
fn culprits(machine: &Machine, kind: FaultKind) -> Option<Vec<&str>> {
    let metrics: &[&str] = match kind {
        FaultKind::BearingWear => &["vibration"],
        FaultKind::Overheating => &["temperature"],
        _ => &["pressure", "flow_rate", "level"],
    };
    let found: Vec<_> =
        machine.sensors.iter().filter(|s| metrics.contains(&s.kind.metric)).map(|s| s.id.as_str()).collect();
    (!found.is_empty()).then_some(found)
}
