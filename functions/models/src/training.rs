//! A new version from stored readings: replay, learn, evaluate beside the active version, store, put into the shadow.

use crate::builtin::builtin;
use pm_api::{
    JobType, SensorId, Timestamp,
    ai::{RetrainRequest, TrainingResult, ValidationReport},
    input,
};
use pm_domain::duration::{DAY_S, HOUR_S, MINUTE_S};
use pm_model::{
    Model,
    generated::{self, EXAMINED, signal::Kind},
    reference::nature::{Nature, Signs},
    retrain::{self, Candidate, Evaluation, MIN_READINGS_PER_SENSOR, Rows, SensorHistory},
    train::Settings,
};
use pm_store::{
    Db, StoreError, job,
    model::{self, Sample, Scope, Span, Trained},
};
use pm_web::{Refusal, log_error, now};

/// Sensors learned from at most.
const SENSORS: i64 = 40;
/// Only the last days are learned from.
const DAYS: i64 = 30;
/// Of each sensor its newest readings, as they come in live, and one of every eight minutes of all these days, so that shifts,
/// nights and weekends are learned too.
const SAMPLES: [Sample; 2] = [Sample::Newest(5000), Sample::LastOfEvery(8 * MINUTE_S)];
/// Readings around an alarm that people judged.
const READINGS_OF_ALARM: i64 = 8000;
/// A worker that has said nothing for so long is taken for dead.
const LEASE_S: i64 = 60;
/// Seed of a job that names none.
const DEFAULT_SEED: u64 = 42;
/// Readings before an alarm from which a sensor is got to know again.
const BEFORE_ALARM_S: i64 = 3 * HOUR_S;

/// Takes a waiting job, if there is one, and does it.
pub(crate) async fn work(db: &Db) -> Result<Option<pm_api::JobId>, Refusal> {
    let Some(claim) = job::claim(db, &[JobType::Retrain], LEASE_S).await? else { return Ok(None) };
    let id = claim.job.id;
    match train(db, &claim).await {
        Ok(Some(result)) => {
            let result = serde_json::to_value(&result).map_err(|e| Refusal::Internal(e.to_string()))?;
            job::finish(db, &claim, &result).await?;
        }
        // somebody else has the job now
        Ok(None) => {}
        Err(Failure::Impossible(reason)) => {
            job::fail(db, &claim, &reason).await?;
        }
        // the database is away: the lease runs out and the job is taken again
        Err(Failure::Refused(refusal)) => return Err(refusal),
    }
    Ok(Some(id))
}

enum Failure {
    /// The job cannot be done; the reason is for people.
    Impossible(String),
    /// Not now.
    Refused(Refusal),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Refused(error.into())
    }
}

/// A sensor with what is learned from: its newest readings, and those spread over the last days where there are enough of them.
struct TrainingSensor {
    sensor: SensorId,
    histories: Vec<SensorHistory>,
}

/// The generated signals on which a model for these sensors is examined: a counter and a contact only if there are such among
/// them, since a model of other sensors never sees one.
fn examined<'a>(histories: impl Iterator<Item = &'a SensorHistory>) -> Vec<(Kind, bool)> {
    let nature = |history: &SensorHistory| {
        let mut signs = Signs::default();
        history.readings.iter().for_each(|(_, value)| signs.push(*value));
        signs.nature()
    };
    let natures: Vec<_> = histories.map(nature).collect();
    let is_needed = |kind: Kind| match kind {
        Kind::RunHoursWithReset => natures.contains(&Nature::Counter),
        Kind::Contact => natures.contains(&Nature::Binary),
        _ => true,
    };
    EXAMINED.into_iter().filter(|(kind, _)| is_needed(*kind)).collect()
}

async fn train(db: &Db, claim: &job::Claim) -> Result<Option<TrainingResult>, Failure> {
    let wanted: RetrainRequest = match claim.job.metadata.clone() {
        Some(metadata) => input::read(metadata.into())
            .map_err(|faults| Failure::Impossible(format!("The job's metadata are wrong: {faults}")))?,
        None => RetrainRequest::default(),
    };
    let scope =
        Scope { machine_class: wanted.machine_class.map(String::from), machine_id: wanted.machine_id };
    let seed = wanted.seed.map_or(DEFAULT_SEED, |seed| seed.0.unsigned_abs());
    let active = active(db, &scope).await?;
    let to = claim.job.started_at.unwrap_or_else(now);
    let from = to.plus_seconds(-DAYS * DAY_S);
    let sensors = model::training_sensors(db, &scope, seed, SENSORS).await?;
    // Replaying is about half of the work, examining the other.
    let steps = 2 * sensors.len().max(1);
    let (mut rows, mut taken) = (Rows::default(), Vec::new());
    for (step, (sensor, thresholds)) in sensors.into_iter().enumerate() {
        let mut histories = Vec::new();
        for sample in SAMPLES {
            let readings =
                model::readings(db, sensor, Span { from, to, sample, without_faults: true }).await?;
            if readings.len() >= MIN_READINGS_PER_SENSOR {
                let history = SensorHistory { limits: pm_domain::limits::limits(thresholds), readings };
                rows.add(&history);
                histories.push(history);
            }
        }
        if !histories.is_empty() {
            taken.push(TrainingSensor { sensor, histories });
        }
        if !job::progress(db, claim, percent(step + 1, steps), LEASE_S).await? {
            return Ok(None);
        }
    }
    let version = version(claim.job.created_at, claim.job.id);
    let settings = Settings { seed, ..Settings::default() };
    let mut candidate = Candidate::learn(&version, &rows, settings).ok_or_else(|| {
        Failure::Impossible(format!(
            "Too few readings: {} sensors with {MIN_READINGS_PER_SENSOR} or more in the last {DAYS} days give {} windows to learn from and {} to hold out, {} of each are needed",
            taken.len(),
            rows.learn.len() / pm_model::features::COUNT,
            rows.held_out.len() / pm_model::features::COUNT,
            retrain::MIN_TRAINING_ROWS
        ))
    })?;
    let (mut of_active, mut of_candidate) = (Evaluation::default(), Evaluation::default());
    for (step, TrainingSensor { sensor, histories }) in taken.iter().enumerate() {
        for history in histories {
            if let Some(active) = &active {
                retrain::evaluate(active, history, history.split(), &mut of_active);
            }
            retrain::evaluate(&candidate.model, history, history.split(), &mut of_candidate);
        }
        verdicts(db, *sensor, (active.as_ref(), &mut of_active), (&candidate.model, &mut of_candidate))
            .await?;
        if !job::progress(db, claim, percent(steps / 2 + step + 1, steps), LEASE_S).await? {
            return Ok(None);
        }
    }
    candidate.calibrate(&mut of_candidate);
    // as it would be used: calibrated
    let histories = || taken.iter().flat_map(|t| &t.histories);
    for signal in examined(histories()) {
        of_candidate.quality.generated.push(generated::examine(&candidate.model, signal, seed));
        if let Some(active) = &active {
            of_active.quality.generated.push(generated::examine(active, signal, seed));
        }
        if !job::progress(db, claim, percent(steps, steps), LEASE_S).await? {
            return Ok(None);
        }
    }
    let objections = match &active {
        Some(_) => retrain::objections(&of_active.quality, &of_candidate.quality),
        None => Vec::new(),
    };
    let times = |pick: fn(&SensorHistory) -> Option<&(i64, f64)>| histories().filter_map(pick);
    let report = ValidationReport {
        sensors: taken.len() as u64,
        rows_learned: (rows.learn.len() / pm_model::features::COUNT) as u64,
        rows_held_out: (rows.held_out.len() / pm_model::features::COUNT) as u64,
        from: Timestamp(times(|c| c.readings.first()).map(|r| r.0).min().unwrap_or(0)),
        to: Timestamp(times(|c| c.readings.last()).map(|r| r.0).max().unwrap_or(0)),
        seed,
        active_version: active.map_or_else(|| pm_model::scorer::RULE_BASED.to_owned(), |a| a.version),
        active: of_active.quality,
        candidate: of_candidate.quality,
        passed: objections.is_empty(),
        objections,
    };
    let trained = Trained {
        version: &version,
        description: "trained on stored readings",
        scope: &scope,
        card: serde_json::to_value(&candidate.card).map_err(|e| Refusal::Internal(e.to_string()))?,
        report: &report,
        record: candidate.record,
    };
    let id = model::store_trained(db, trained).await?;
    let shadow = report.passed && model::challenge(db, id).await?;
    Ok(Some(TrainingResult {
        version,
        passed: report.passed,
        objections: report.objections,
        status: if shadow { "shadow" } else { "registered" }.to_owned(),
    }))
}

/// What people said of the sensor's closed alarms, held against what the two models say of the same readings.
async fn verdicts(
    db: &Db,
    sensor: SensorId,
    active: (Option<&Model>, &mut Evaluation),
    candidate: (&Model, &mut Evaluation),
) -> Result<(), Refusal> {
    for alarm in model::alarms_with_verdicts(db, sensor).await? {
        let span = Span {
            from: alarm.from.plus_seconds(-BEFORE_ALARM_S),
            to: alarm.to,
            sample: Sample::Newest(READINGS_OF_ALARM),
            without_faults: false,
        };
        let readings = model::readings(db, sensor, span).await?;
        let known = readings.iter().filter(|r| r.0 < alarm.from.0).count();
        if known < MIN_READINGS_PER_SENSOR / 2 || readings.len() == known {
            continue;
        }
        let history = SensorHistory { readings, ..SensorHistory::default() };
        // a minute before, since smoothing and class run ahead of the alarm's time
        let from = alarm.from.0 - MINUTE_S * Timestamp::SECOND;
        let note = |model: &Model, evaluation: &mut Evaluation| {
            let spoke = retrain::finds_anomaly(model, &history, from, alarm.to.0);
            let quality = &mut evaluation.quality;
            if alarm.true_fault {
                quality.confirmed += 1;
                quality.confirmed_seen += u64::from(spoke);
            } else {
                quality.dismissed += 1;
                quality.dismissed_calm += u64::from(!spoke);
            }
        };
        if let Some(model) = active.0 {
            note(model, active.1);
        }
        note(candidate.0, candidate.1);
    }
    Ok(())
}

/// The model that judges such machines now.
async fn active(db: &Db, scope: &Scope) -> Result<Option<Model>, Refusal> {
    if let Some(id) = model::active_for(db, scope).await?
        && let Some((card, record)) = model::record(db, id).await?
    {
        match Model::from_bytes(card.as_bytes(), record) {
            Ok(model) => return Ok(Some(model)),
            Err(error) => log_error(&format!(
                "the active model cannot be read, the built-in one is used instead: {error}"
            )),
        }
    }
    Ok(builtin().map(|b| b.model.clone()))
}

fn percent(done: usize, of: usize) -> i32 {
    (95 * done / of) as i32
}

/// `2026.11.25-` and the end of the job's id: readable, and the same when the job is begun twice.
fn version(asked: Timestamp, job: pm_api::JobId) -> String {
    let day: String = asked.to_string().chars().take(10).map(|c| if c == '-' { '.' } else { c }).collect();
    let id = job.to_string();
    format!("{day}-{}", id.get(id.len().saturating_sub(8)..).unwrap_or(&id))
}
