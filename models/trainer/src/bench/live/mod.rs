//! Generated sensors through the live scorer: how quiet it is on healthy ones, and what it sees of slow faults.
//!
//! [`pm_model::scorer::advance`] is the one path of a reading; `one_at_a_time_equals_all_at_once` in pm-model's tests holds that
//! batches and stored states change nothing. No sensor has a limit here, so whatever is seen is seen by the model.
//!
//! The seeds of the reported figures ([`SEED`]) are not those that anything was chosen with; `--seed` gives others.

pub mod budget;

use super::{Section, round};
use pm_api::{ReadingStatus, score::Limits};
use pm_model::{
    Model,
    generated::{
        fault::Fault,
        normal,
        signal::{Kind, START_S, Signal},
    },
    reference::LEARNING_S,
    scorer, sensitivity,
    state::State,
    stats,
};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use serde_json::{Value, json};
use std::{sync::Mutex, thread};

/// First seed of the reported figures.
pub const SEED: u64 = 770_000;
const DAY_S: f64 = 86_400.0;
const HOUR_S: f64 = 3600.0;
/// Healthy days after learning.
const HEALTHY_DAYS: f64 = 14.0;
/// Seconds between readings, and sensors of each kind that report so.
const HEALTHY: [(f64, u64); 4] = [(1.0, 1), (10.0, 2), (60.0, 4), (300.0, 4)];
const FAULTY: [(f64, u64); 2] = [(10.0, 4), (60.0, 6)];
/// Signals that faults are laid over, and the share of faults that must be seen on them.
const CARRIERS: [(Kind, &str, f64); 4] = [
    (Kind::White, "white noise", 0.9),
    (Kind::Daily, "daily cycle", 0.9),
    (Kind::TwoShifts, "two shifts", 0.75),
    (Kind::LoadSteps2h, "load steps, 2 h", 0.75),
];
/// Days after which a lasting fault must still be in alarm, seconds between readings there.
const LASTING_DAYS: f64 = 30.0;
const LASTING_INTERVAL_S: f64 = 60.0;
/// A limit that would see the fault lies this many σ above everything that the healthy sensor showed.
const LIMIT_SIGMA: f64 = 5.0;
const MAX_ONSETS_PER_WEEK: f64 = 0.05;
const MAX_ONSETS_OF_A_KIND: f64 = 0.5;
const MAX_SHARE_IN_ALARM: f64 = 0.002;

/// Sensors of a machine, which share the false alarms that are put up with: [`PER_MACHINE_AND_MONTH`].
pub const SENSORS_OF_A_MACHINE: f64 = 5.0;
/// The setting of the product.
const PER_MACHINE_AND_MONTH: f64 = 1.0;

/// A sensor of which nothing is known, with the sensitivity that follows from the setting.
fn unknown() -> State {
    State {
        widening: sensitivity::widening(PER_MACHINE_AND_MONTH / SENSORS_OF_A_MACHINE),
        ..State::default()
    }
}

/// Runs everything. `seed` is the first of the seeds; `fine` takes in readings of every second.
pub fn run(model: &Model, seed: u64, fine: bool) -> Section {
    let mut section = Section { figures: Value::Null, broken: Vec::new() };
    let healthy = healthy(model, seed, fine, &mut section);
    let faults = faults(model, seed, &mut section);
    let budgets = budget::examine(model, seed + 10_000, &mut section);
    let bytes = state_bytes(model, seed);
    println!("  the state of a sensor after learning has {bytes} bytes at most");
    section.require(bytes <= 8192, format!("a sensor's state has {bytes} bytes"));
    section.figures = json!({
        "protocol": format!(
            "generated sensors through the live scorer, without limits; learning {} days, then {HEALTHY_DAYS} healthy days or a fault; first seed {seed}",
            LEARNING_S / 86_400
        ),
        "healthy": healthy,
        "faults": faults,
        "false_alarms_per_machine_and_month_by_setting": budgets,
        "state_bytes": bytes,
    });
    section
}

/// Does the work for each item on all processors; results in the order of the items.
fn spread<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = Mutex::new(0);
    let done: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::new());
    let lock = |m: &Mutex<usize>| {
        let mut next = m.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *next += 1;
        *next - 1
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((at, item)) = Some(lock(&next)).and_then(|at| Some((at, items.get(at)?))) {
                    let result = work(item);
                    done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((at, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_by_key(|d| d.0);
    done.into_iter().map(|d| d.1).collect()
}

/// Kind with its name, seconds between readings, seed.
type HealthyRun = (Kind, &'static str, f64, u64);

/// Alarms of a healthy sensor after learning, and the share of time in alarm.
#[derive(Debug, Default, Clone, Copy)]
struct Quiet {
    onsets: f64,
    in_alarm_s: f64,
    seconds: f64,
}

fn follow_healthy(model: &Model, kind: Kind, interval_s: f64, seed: u64) -> Quiet {
    let mut signal = Signal::draw(kind, interval_s, seed);
    let mut state = unknown();
    let mut quiet = Quiet::default();
    let learned = START_S + LEARNING_S as f64;
    let (mut before_s, mut alarm) = (learned, false);
    loop {
        let (at_s, value) = signal.next_reading();
        if at_s > learned + HEALTHY_DAYS * DAY_S {
            return quiet;
        }
        scorer::advance(&mut state, Some(model), &Limits::default(), (at_s * 1e6) as i64, value);
        let now = state.track.class > ReadingStatus::Normal;
        if at_s > learned {
            quiet.onsets += f64::from(u8::from(now && !alarm));
            quiet.in_alarm_s += if alarm { at_s - before_s } else { 0.0 };
            quiet.seconds += at_s - before_s;
            before_s = at_s;
        }
        alarm = now;
    }
}

fn healthy(model: &Model, seed: u64, fine: bool, section: &mut Section) -> Value {
    let mut runs: Vec<HealthyRun> = Vec::new();
    for (kind, name) in Kind::ALL {
        for (interval_s, sensors) in HEALTHY.into_iter().filter(|h| fine || h.0 > 1.0) {
            runs.extend((0..sensors).map(|k| (kind, name, interval_s, seed + k)));
        }
    }
    let found = spread(&runs, |&(kind, _, interval_s, seed)| follow_healthy(model, kind, interval_s, seed));
    println!(
        "\nhealthy sensors, {HEALTHY_DAYS} days after learning: alarms a week (share of the time in alarm)"
    );
    let intervals: Vec<f64> = HEALTHY.iter().map(|h| h.0).filter(|i| fine || *i > 1.0).collect();
    println!(
        "  {:<32}{}",
        "",
        intervals.iter().map(|i| format!("{:>16}", format!("{i} s"))).collect::<String>()
    );
    let sum = |pick: &dyn Fn(&HealthyRun) -> bool| {
        let mut all = Quiet::default();
        for (_, q) in runs.iter().zip(&found).filter(|(r, _)| pick(r)) {
            all.onsets += q.onsets;
            all.in_alarm_s += q.in_alarm_s;
            all.seconds += q.seconds;
        }
        let weeks = all.seconds / (7.0 * DAY_S);
        (all.onsets / weeks.max(1e-9), all.in_alarm_s / all.seconds.max(1.0))
    };
    let mut rows = serde_json::Map::new();
    for (kind, name) in Kind::ALL {
        let cells: Vec<(f64, f64)> =
            intervals.iter().map(|i| sum(&|r| r.0 == kind && (r.2 - i).abs() < 0.1)).collect();
        let text: String =
            cells.iter().map(|(n, s)| format!("{:>16}", format!("{n:.2} ({:.2} %)", 100.0 * s))).collect();
        println!("  {name:<32}{text}");
        let (onsets, share) = sum(&|r| r.0 == kind);
        section
            .require(onsets <= MAX_ONSETS_OF_A_KIND, format!("healthy «{name}»: {onsets:.2} alarms a week"));
        rows.insert(name.to_owned(), json!({
            "alarms_per_week": round(onsets),
            "share_in_alarm": round(share),
            "alarms_per_week_by_interval_s":
                intervals.iter().zip(&cells).map(|(i, c)| (i.to_string(), json!(round(c.0)))).collect::<serde_json::Map<_, _>>(),
        }));
    }
    let (onsets, share) = sum(&|_| true);
    println!("  all: {onsets:.3} alarms a week and sensor, in alarm {:.2} % of the time", 100.0 * share);
    section.require(onsets <= MAX_ONSETS_PER_WEEK, format!("healthy sensors: {onsets:.3} alarms a week"));
    section.require(
        share <= MAX_SHARE_IN_ALARM,
        format!("healthy sensors in alarm {:.2} % of the time", 100.0 * share),
    );
    json!({ "kinds": rows, "alarms_per_sensor_and_week": round(onsets), "share_in_alarm": round(share) })
}

/// What was seen of one fault on one sensor.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    /// Hours until the alarm, if it came in time.
    after_h: Option<f64>,
    /// Hours from the beginning to the first reading beyond the limit, if there was one.
    limit_h: Option<f64>,
    /// In alarm at the end of the lasting days; absent where these were not run.
    lasts: Option<bool>,
}

/// All faults on one sensor, each from the same learned state.
fn follow_faulty(model: &Model, kind: Kind, interval_s: f64, seed: u64) -> Vec<Seen> {
    let mut signal = Signal::draw(kind, interval_s, seed);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut state = unknown();
    let begin_s = START_S + LEARNING_S as f64 + DAY_S * (2.0 + rng.random_range(0.0..2.0));
    let (mut held, mut highest) = (0.0, f64::NEG_INFINITY);
    let mut rest = Vec::new();
    let lasting = interval_s == LASTING_INTERVAL_S;
    let end_s = begin_s + if lasting { LASTING_DAYS * DAY_S } else { 10.0 * DAY_S };
    loop {
        let (at_s, value) = signal.next_reading();
        if at_s > end_s {
            break;
        }
        if at_s < begin_s {
            scorer::advance(&mut state, Some(model), &Limits::default(), (at_s * 1e6) as i64, value);
            (held, highest) = (value, highest.max(value));
        } else {
            rest.push((at_s, value));
        }
    }
    let limit = highest + LIMIT_SIGMA * signal.sigma;
    Fault::ALL
        .iter()
        .map(|&(fault, _)| {
            let (mut state, mut seen) = (state.clone(), Seen::default());
            let mut noise = ChaCha8Rng::seed_from_u64(seed ^ 0xfa17);
            let mut before = state.track.class > ReadingStatus::Normal;
            for (count, &(at_s, value)) in rest.iter().enumerate() {
                let hours = (at_s - begin_s) / HOUR_S;
                if hours > fault.within_h() && !lasting {
                    break;
                }
                let value = fault.apply(value, hours, held, count as u64, normal(&mut noise), signal.sigma);
                if value > limit {
                    seen.limit_h.get_or_insert(hours);
                }
                scorer::advance(&mut state, Some(model), &Limits::default(), (at_s * 1e6) as i64, value);
                let now = state.track.class > ReadingStatus::Normal;
                if now && !before && hours <= fault.within_h() {
                    seen.after_h.get_or_insert(hours);
                }
                before = now;
                if seen.after_h.is_some() && seen.limit_h.is_some() && !lasting {
                    break;
                }
            }
            seen.lasts = lasting.then_some(before);
            seen
        })
        .collect()
}

fn faults(model: &Model, seed: u64, section: &mut Section) -> Value {
    let mut rows = serde_json::Map::new();
    for (interval_s, sensors) in FAULTY {
        println!(
            "\nfaults at a reading every {interval_s} s: seen, median hours until then, median hours before a limit, still in alarm after {LASTING_DAYS} days"
        );
        println!("  {:<24}{}", "", CARRIERS.iter().map(|c| format!("{:<28}", c.1)).collect::<String>());
        let runs: Vec<_> =
            CARRIERS.iter().flat_map(|c| (0..sensors).map(|k| (c.0, seed + 100 + k))).collect();
        let found = spread(&runs, |&(kind, seed)| follow_faulty(model, kind, interval_s, seed));
        for (at, (fault, name)) in Fault::ALL.into_iter().enumerate() {
            let mut line = String::new();
            let mut of_fault = serde_json::Map::new();
            for (kind, carrier, _) in CARRIERS {
                let here: Vec<Seen> =
                    runs.iter().zip(&found).filter(|(r, _)| r.0 == kind).map(|(_, f)| f[at]).collect();
                let cell = sum_up(&here);
                line += &format!("{:<28}", cell.text());
                of_fault.insert(carrier.to_owned(), cell.json());
                require(section, fault, (name, carrier), &cell);
            }
            println!("  {name:<24}{line}");
            rows.insert(format!("{name}, every {interval_s} s"), Value::Object(of_fault));
        }
        for (kind, carrier, least) in CARRIERS {
            let of = |pick: &dyn Fn(Fault) -> bool| -> Vec<bool> {
                let mine = runs.iter().zip(&found).filter(|(r, _)| r.0 == kind).map(|(_, f)| f);
                let each = mine.flat_map(|f| f.iter().zip(Fault::ALL).filter(|(_, (fault, _))| pick(*fault)));
                each.map(|(seen, _)| seen.after_h.is_some()).collect()
            };
            let seen = of(&|fault| match fault {
                Fault::Drift(rate) => rate >= 0.3,
                Fault::Scatter(..) | Fault::Wear => true,
                _ => false,
            });
            let steps = of(&|fault| matches!(fault, Fault::Step(_)));
            let stepped = steps.iter().filter(|s| **s).count();
            section.require(
                4 * stepped >= 3 * steps.len(),
                format!("steps on «{carrier}» at {interval_s} s: {stepped} of {}", steps.len()),
            );
            let share = seen.iter().filter(|s| **s).count() as f64 / seen.len() as f64;
            println!("  slow faults seen on «{carrier}»: {:.0} %", 100.0 * share);
            section.require(
                share >= least,
                format!("slow faults on «{carrier}» at {interval_s} s: {:.0} % seen", 100.0 * share),
            );
        }
    }
    Value::Object(rows)
}

/// What must be seen of single faults.
fn require(section: &mut Section, fault: Fault, (name, carrier): (&str, &str), cell: &Cell) {
    let flat = matches!(carrier, "white noise" | "daily cycle");
    if fault == Fault::Drift(1.0) && flat {
        section.require(
            cell.after_h.is_some_and(|h| h <= 6.0),
            format!("{name} on «{carrier}» is seen after {:?} h", cell.after_h),
        );
    }
    if let (Some(lasts), true, true) = (cell.lasts, flat, matches!(fault, Fault::Drift(_) | Fault::Wear)) {
        section.require(
            lasts * 10 >= cell.of * 9,
            format!("{name} on «{carrier}» lasts in {lasts} of {}", cell.of),
        );
    }
}

struct Cell {
    seen: usize,
    of: usize,
    after_h: Option<f64>,
    before_limit_h: Option<f64>,
    lasts: Option<usize>,
}

fn sum_up(seen: &[Seen]) -> Cell {
    let median = |values: Vec<f64>| (!values.is_empty()).then(|| stats::median(&values));
    Cell {
        seen: seen.iter().filter(|s| s.after_h.is_some()).count(),
        of: seen.len(),
        after_h: median(seen.iter().filter_map(|s| s.after_h).collect()),
        before_limit_h: median(seen.iter().filter_map(|s| Some(s.limit_h? - s.after_h?)).collect()),
        lasts: seen
            .iter()
            .any(|s| s.lasts.is_some())
            .then(|| seen.iter().filter(|s| s.lasts == Some(true)).count()),
    }
}

impl Cell {
    fn text(&self) -> String {
        let hours = |h: Option<f64>| h.map_or("-".to_owned(), |h| format!("{h:.1}"));
        let lasts = self.lasts.map_or(String::new(), |n| format!(" {n}/{}", self.of));
        format!("{}/{} {} {}{lasts}", self.seen, self.of, hours(self.after_h), hours(self.before_limit_h))
    }

    fn json(&self) -> Value {
        json!({
            "seen": format!("{} of {}", self.seen, self.of),
            "median_hours": self.after_h.map(round),
            "median_hours_before_a_limit": self.before_limit_h.map(round),
            "still_in_alarm": self.lasts.map(|n| format!("{n} of {}", self.of)),
        })
    }
}

/// The largest state that healthy sensors leave.
fn state_bytes(model: &Model, seed: u64) -> usize {
    let of = |&(kind, _): &(Kind, &str)| {
        let mut signal = Signal::draw(kind, 60.0, seed);
        let mut state = unknown();
        let mut most = 0;
        for k in 0..11 * 1440 {
            let (at_s, value) = signal.next_reading();
            scorer::advance(&mut state, Some(model), &Limits::default(), (at_s * 1e6) as i64, value);
            if k % 360 == 0 {
                most = most.max(state.to_bytes().len());
            }
        }
        most
    };
    spread(&Kind::ALL, of).into_iter().max().unwrap_or(0)
}
