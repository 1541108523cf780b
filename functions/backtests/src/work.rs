//! The job of a back-test, in steps: each takes in the readings of some windows for all sensors and rules, and leaves what must be
//! remembered in the database. A step that died is done again from there.

use crate::history::Windows;
use pm_api::{
    JobType, SensorId, Timestamp,
    backtest::{
        BacktestOutcome, BacktestScope, BacktestWork, MAX_SENSORS, MachineBacktest, RuleBacktest,
        SensorBacktest, TriedRule,
    },
    route::op,
};
use pm_domain::alarm::backtest::{
    Memory, Replay,
    tally::{self, Tally},
    trial,
};
use pm_store::{
    Db,
    backtest::{self, Work},
    ingest::KnownSensor,
    job, maintenance,
};
use pm_web::{Input, Refusal, now};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A worker that has said nothing for so long is taken for dead, s.
const LEASE_S: i64 = 60;
/// A step begins with no further window after this time, so that it ends within 25 s.
const STEP_S: i64 = 8;
/// Alarms of a sensor that are listed.
const LISTED: usize = 10;

/// How far a back-test has come.
#[derive(Debug, Serialize, Deserialize)]
struct Progress {
    windows: Windows,
    sensors: Vec<SensorId>,
    /// For each sensor by rule; empty before the first step.
    trials: Vec<Vec<(Memory, Tally)>>,
}

/// What a new back-test begins with.
pub(crate) struct Begun {
    pub(crate) sensors: i64,
    pub(crate) stored: Vec<u8>,
}

/// A back-test of these sensors that has not begun.
pub(crate) fn begin(
    sensors: impl Iterator<Item = SensorId>,
    period: (Timestamp, Timestamp),
) -> Result<Begun, Refusal> {
    let sensors: Vec<SensorId> = sensors.collect();
    let windows = Windows::new(period, sensors.len());
    let count = sensors.len() as i64;
    Ok(Begun { sensors: count, stored: stored(&Progress { windows, sensors, trials: Vec::new() })? })
}

fn stored(progress: &Progress) -> Result<Vec<u8>, Refusal> {
    postcard::to_stdvec(progress).map_err(|e| Refusal::Internal(e.to_string()))
}

/// One step of the oldest back-test.
pub(crate) async fn work(input: Input<op::WorkOnBacktests>) -> Result<BacktestWork, Refusal> {
    let db = input.db().await?;
    let mut done = BacktestWork::default();
    let Some(claim) = job::claim(&db, &[JobType::Backtest], LEASE_S).await? else { return Ok(done) };
    let Some(work) = backtest::of_job(&db, claim.job.id).await? else {
        job::fail(&db, &claim, "There is no back-test with this job").await?;
        return Ok(done);
    };
    let Ok(mut progress) = postcard::from_bytes::<Progress>(&work.progress) else {
        job::fail(&db, &claim, "The back-test was begun by another version; start a new one").await?;
        return Ok(done);
    };
    let step_end = now().plus_seconds(STEP_S);
    let scope = BacktestScope { sensor_ids: Some(progress.sensors.clone()), ..BacktestScope::default() };
    // those that were deleted since are not among them
    let known = backtest::sensors(&db, &scope, MAX_SENSORS as i64).await?;
    let machines: BTreeSet<_> = known.iter().map(|(_, sensor)| sensor.machine_id).collect();
    let windows = maintenance::in_period(&db, machines, work.period).await?;
    let mut trials = trials(&db, &work, &known, &progress).await?;
    let sensors: Vec<SensorId> = known.iter().map(|(_, sensor)| sensor.sensor_id).collect();
    let mut replays: Vec<Vec<Result<Tried<'_>, String>>> = Vec::new();
    let mut with_status = false;
    for ((_, sensor), by_rule) in known.iter().zip(&mut trials) {
        let of_machine = windows.get(&sensor.machine_id).map_or(&[][..], Vec::as_slice);
        let monitored = sensor.monitored();
        let tried = work.rules.iter().zip(by_rule.drain(..)).map(|(rule, (memory, tally))| {
            let tried = trial::sensor(&monitored, rule).map_err(|fault| fault.refused.message)?;
            with_status |= !tried.is_judged();
            Ok(Tried { replay: Replay::new(&tried, of_machine, &memory), tally })
        });
        replays.push(tried.collect());
    }
    while let Some(window) = progress.windows.next(&db, &sensors, with_status).await? {
        for (sensor, readings) in window.by_sensor() {
            let Some(by_rule) = replays.get_mut(sensor) else { continue };
            for reading in readings {
                done.readings += 1;
                for tried in by_rule.iter_mut().flatten() {
                    tried.reading(reading);
                }
            }
        }
        if !job::progress(&db, &claim, percent(&progress.windows, work.period), LEASE_S).await? {
            return Ok(done);
        }
        if now() > step_end && progress.windows.next < progress.windows.end {
            let trials = replays
                .iter_mut()
                .map(|by_rule| by_rule.iter_mut().map(|tried| remembered(tried, work.period)).collect());
            let trials = trials.collect();
            let left = Progress { windows: progress.windows, sensors, trials };
            backtest::remember(&db, work.id, &stored(&left)?).await?;
            job::pause(&db, &claim).await?;
            done.more = true;
            return Ok(done);
        }
    }
    let readings_from = backtest::readings_from(&db).await?;
    let outcome = BacktestOutcome {
        readings_from: (readings_from > work.period.0).then_some(readings_from),
        rules: outcome(&work, &known, replays),
    };
    let figures: Vec<_> = outcome.rules.iter().map(|rule| &rule.figures).collect();
    let result = serde_json::json!({ "backtest_id": work.id, "rules": figures });
    backtest::done(&db, work.id, &outcome).await?;
    job::finish(&db, &claim, &result).await?;
    Ok(done)
}

/// A rule on a sensor.
struct Tried<'w> {
    replay: Replay<'w>,
    tally: Tally,
}

impl Tried<'_> {
    fn reading(&mut self, reading: (Timestamp, f64, pm_api::ReadingStatus)) {
        let tally = &mut self.tally;
        self.replay.reading(reading, &mut |alarm| tally.add(alarm));
    }
}

/// What is remembered of each sensor that is left, by rule; at the first step: the alarms and faults that there were.
async fn trials(
    db: &Db,
    work: &Work,
    known: &[(String, KnownSensor)],
    progress: &Progress,
) -> Result<Vec<Vec<(Memory, Tally)>>, Refusal> {
    if !progress.trials.is_empty() {
        let mut by_sensor: BTreeMap<_, _> = progress.sensors.iter().zip(&progress.trials).collect();
        let of = |(_, sensor): &(String, KnownSensor)| by_sensor.remove(&sensor.sensor_id).cloned();
        return Ok(known.iter().map(of).map(Option::unwrap_or_default).collect());
    }
    let sensors: Vec<SensorId> = known.iter().map(|(_, sensor)| sensor.sensor_id).collect();
    let mut raised: BTreeMap<SensorId, Vec<_>> = BTreeMap::new();
    for (sensor, alarm) in backtest::raised(db, &sensors, work.period).await? {
        raised.entry(sensor).or_default().push(alarm);
    }
    let machines: BTreeSet<_> = known.iter().map(|(_, sensor)| sensor.machine_id).collect();
    let mut faults: BTreeMap<_, Vec<Timestamp>> = BTreeMap::new();
    for (machine, at) in backtest::faults(db, machines, work.period).await? {
        faults.entry(machine).or_default().push(at);
    }
    let new = |(_, sensor): &(String, KnownSensor)| {
        let raised = raised.remove(&sensor.sensor_id).unwrap_or_default();
        let faults = faults.get(&sensor.machine_id).map_or(&[][..], Vec::as_slice);
        let tally = Tally::new(work.period, raised, faults, LISTED);
        work.rules.iter().map(|_| (Memory::default(), tally.clone())).collect()
    };
    Ok(known.iter().map(new).collect())
}

fn remembered(tried: &mut Result<Tried<'_>, String>, period: (Timestamp, Timestamp)) -> (Memory, Tally) {
    match tried {
        Ok(tried) => (tried.replay.memory(), tried.tally.clone()),
        Err(_) => (Memory::default(), Tally::new(period, Vec::new(), &[], 0)),
    }
}

fn percent(windows: &Windows, (from, to): (Timestamp, Timestamp)) -> i32 {
    (99.0 * windows.next.seconds_since(from) / to.seconds_since(from)) as i32
}

/// What came of it, by rule, machine and sensor.
fn outcome(
    work: &Work,
    known: &[(String, KnownSensor)],
    replays: Vec<Vec<Result<Tried<'_>, String>>>,
) -> Vec<RuleBacktest> {
    let mut by_sensor: Vec<_> = replays.into_iter().map(Vec::into_iter).collect();
    let of_rule = |rule: &TriedRule| {
        let mut machines: Vec<(MachineBacktest, Vec<(Tally, u64)>)> = Vec::new();
        for ((machine_name, sensor), trials) in known.iter().zip(&mut by_sensor) {
            let Some(tried) = trials.next() else { continue };
            if machines.last().is_none_or(|(machine, _)| machine.machine_id != sensor.machine_id) {
                let machine = MachineBacktest {
                    machine_id: sensor.machine_id,
                    name: machine_name.clone(),
                    figures: pm_api::backtest::BacktestFigures::default(),
                    sensors: Vec::new(),
                };
                machines.push((machine, Vec::new()));
            }
            let Some((machine, tallies)) = machines.last_mut() else { continue };
            let mut result = SensorBacktest {
                sensor_id: sensor.sensor_id,
                name: sensor.name.clone(),
                problem: None,
                figures: pm_api::backtest::BacktestFigures::default(),
                alarms: Vec::new(),
            };
            match tried {
                Ok(Tried { mut replay, mut tally }) => {
                    replay.end(work.period.1, &mut |alarm| tally.add(alarm));
                    result.figures = tally.figures(replay.readings());
                    result.alarms = tally.listed().to_vec();
                    tallies.push((tally, replay.readings()));
                }
                Err(problem) => result.problem = Some(problem),
            }
            machine.sensors.push(result);
        }
        for (machine, tallies) in &mut machines {
            machine.figures = tally::figures(tallies.iter().map(|(tally, readings)| (tally, *readings)));
        }
        let figures = tally::sum(machines.iter().map(|(machine, tallies)| (&machine.figures, tallies.len())));
        let machines = machines.into_iter().map(|(machine, _)| machine).collect();
        RuleBacktest { rule: rule.clone(), figures, machines }
    };
    work.rules.iter().map(of_rule).collect()
}
