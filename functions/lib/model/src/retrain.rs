//! A new version of the forest from stored readings, and the examination that decides whether it may be promoted.
//!
//! The first part of every sensor's readings is learned from, the rest is held out: the scale of the score is set on it,
//! and active model and candidate are evaluation on it side by side, in the same code: alarms on readings that are
//! taken for healthy, faults laid over them ([`crate::inject`]), and what people said of past alarms.

use crate::{
    Model,
    calibration::{Calibration, isotonic},
    drift::Reference,
    features::{COUNT, NAMES},
    flat::FlatForest,
    inject::Fault,
    model::Card,
    score::Score,
    scorer,
    state::State,
    stats,
    track::WARNING_FROM,
    train::{self, Settings},
};
use pm_api::{
    ReadingStatus,
    ai::{FaultsSeen, Quality, ReliabilityTenth},
    score::Limits,
};

/// The readings of one sensor, oldest first.
#[derive(Debug, Clone, Default)]
pub struct SensorHistory {
    /// Its limits; readings beyond one are not learned from.
    pub limits: Limits,
    /// Time in µs and value.
    pub readings: Vec<(i64, f64)>,
}

impl SensorHistory {
    /// Readings up to this one are learned from, those after it are held out.
    #[must_use]
    pub fn split(&self) -> usize {
        self.readings.len() * 7 / 10
    }

    /// Size of the sensor's regular changes: half the distance between the 1 % and the 99 % quantile.
    #[must_use]
    pub fn amplitude(&self) -> f64 {
        let values = stats::sorted(&self.readings.iter().map(|r| r.1).collect::<Vec<_>>());
        0.5 * (stats::quantile(&values, 0.99) - stats::quantile(&values, 0.01))
    }
}

/// Relative features to learn from and to hold out.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    /// To learn from.
    pub learn: Vec<f32>,
    /// Held out.
    pub held_out: Vec<f32>,
    /// How surprising each row held out was for its sensor.
    pub surprises: Vec<f64>,
}

/// Fewer readings of a sensor are left out.
pub const MIN_READINGS_PER_SENSOR: usize = 600;
/// Fewer rows to learn from are refused.
pub const MIN_TRAINING_ROWS: usize = 256;
/// A sensor is new until it has seen this many readings; they are not learned from.
const WARM_UP_READINGS: usize = 300;
/// Neighbouring windows overlap and tell little more than one of them.
const LEARN_EVERY: usize = 11;
const HOLD_OUT_EVERY: usize = 5;
/// Alarms that a generated sensor may raise on its healthy days.
const MAX_FALSE_ALARMS_OF_A_SIGNAL: u64 = 1;
/// Readings within which a fault should be seen.
const FAULT_READINGS: usize = 120;

impl Rows {
    /// Replays a history and keeps some of its windows.
    pub fn add(&mut self, history: &SensorHistory) {
        let split = history.split();
        replay(history, &mut |k, scored| {
            if k >= WARM_UP_READINGS && k < split && k.is_multiple_of(LEARN_EVERY) {
                self.learn.extend_from_slice(&scored.row);
            } else if k >= split && k.is_multiple_of(HOLD_OUT_EVERY) {
                self.held_out.extend_from_slice(&scored.row);
                self.surprises.push(scored.surprise);
            }
        });
    }
}

/// Judges a history without a model; `each` gets the numbers of its readings within the limits, and their features.
pub fn replay(history: &SensorHistory, each: &mut dyn FnMut(usize, &Score)) {
    let mut state = State::default();
    for (k, &(time, value)) in history.readings.iter().enumerate() {
        let scored = scorer::advance(&mut state, None, &history.limits, time, value);
        if let Some(scored) = scored.filter(|j| j.rule_score == 0.0) {
            each(k, &scored);
        }
    }
}

/// A trained version: what is stored of it, and itself.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Its card; the chances of a fault are still unknown.
    pub card: Card,
    /// Its Burn record.
    pub record: Vec<u8>,
    /// Ready to score.
    pub model: Model,
}

impl Candidate {
    /// Grows a forest and sets the scale of its score. `None` with fewer than [`MIN_TRAINING_ROWS`] rows or nothing held out.
    #[must_use]
    pub fn learn(version: &str, rows: &Rows, settings: Settings) -> Option<Self> {
        if rows.learn.len() < MIN_TRAINING_ROWS * COUNT || rows.held_out.len() < MIN_TRAINING_ROWS * COUNT {
            return None;
        }
        let forest = train::fit(&rows.learn, COUNT, settings)?;
        let flat = FlatForest::new(&forest, COUNT)?;
        let calibration = Calibration::on_healthy(&flat.score_rows(&rows.held_out), &rows.surprises);
        let model = Model::new(version.to_owned(), &forest, calibration.clone())?;
        let card = Card {
            version: version.to_owned(),
            shape: forest.shape(),
            features: NAMES.map(str::to_owned).to_vec(),
            calibration,
            reference: Reference::of(&rows.learn),
        };
        Some(Self { card, record: forest.to_bytes().ok()?, model })
    }

    /// Learns the chances of a fault from one half of the evaluation moments and checks them on the other half.
    pub fn calibrate(&mut self, evaluation: &mut Evaluation) {
        let fault = isotonic(&evaluation.moments[0]);
        self.card.calibration.fault.clone_from(&fault);
        self.model.calibration.fault = fault;
        evaluation.quality.reliability = reliability(&self.model.calibration, &evaluation.moments[1]);
    }
}

/// What the examination of one model found, summed over sensors.
#[derive(Debug, Clone, Default)]
pub struct Evaluation {
    /// Counts.
    pub quality: Quality,
    /// Smoothed scores with whether there was a fault; of every other sensor each.
    pub moments: [Vec<(f64, bool)>; 2],
    sensors: usize,
}

/// Examines a model on the readings of a history from number `from` on, and adds what is found to `sum`.
///
/// Faults are laid over the last 120 readings, if the model is calm before them.
pub fn evaluate(model: &Model, history: &SensorHistory, from: usize, sum: &mut Evaluation) {
    let moments = &mut sum.moments[sum.sensors % 2];
    sum.sensors += 1;
    let quality = &mut sum.quality;
    if quality.faults.is_empty() {
        quality.faults =
            Fault::ALL.iter().map(|f| FaultsSeen { fault: f.name().to_owned(), seen: 0, of: 0 }).collect();
    }
    let healthy = history.readings.len().saturating_sub(FAULT_READINGS);
    let mut state = State::default();
    let mut last = 0.0;
    for (k, &(time, value)) in history.readings[..healthy].iter().enumerate() {
        let before = state.track.class;
        let rule = scorer::advance(&mut state, Some(model), &history.limits, time, value)
            .is_some_and(|scored| scored.rule_score > 0.0);
        last = value;
        if k < from {
            continue;
        }
        quality.healthy_readings += 1;
        // an alarm by a limit is no matter of the model
        let alarm = before == ReadingStatus::Normal && state.track.class > before && !rule;
        quality.false_alarms += u64::from(alarm);
        if k % 100 == 99 {
            moments.push((state.track.smoothed.unwrap_or(0.0), false));
        }
    }
    if state.track.class != ReadingStatus::Normal || healthy == 0 {
        return;
    }
    let amplitude = history.amplitude();
    for (fault, counts) in Fault::ALL.into_iter().zip(&mut quality.faults) {
        let mut state = state.clone();
        let mut seen = false;
        for (since, &(time, value)) in history.readings[healthy..].iter().enumerate() {
            let value = fault.apply(value, since as u64, last, amplitude);
            scorer::advance(&mut state, Some(model), &Limits::default(), time, value);
            if since >= 30 && since % 30 == 0 {
                moments.push((state.track.smoothed.unwrap_or(0.0), true));
            }
            seen |= state.track.class > ReadingStatus::Normal;
        }
        counts.of += 1;
        counts.seen += u64::from(seen);
    }
}

/// Does the model find anything unusual between two times (µs) of a history? By its own score, whatever the limits.
#[must_use]
pub fn finds_anomaly(model: &Model, history: &SensorHistory, from_us: i64, to_us: i64) -> bool {
    let mut state = State::default();
    history.readings.iter().any(|&(time, value)| {
        scorer::advance(&mut state, Some(model), &Limits::default(), time, value);
        (from_us..=to_us).contains(&time) && state.track.class > ReadingStatus::Normal
    })
}

/// Does confidence mean what it says? Per tenth of confidence: what it said on average, and how often the judgement was
/// right.
fn reliability(calibration: &Calibration, moments: &[(f64, bool)]) -> Vec<ReliabilityTenth> {
    let scored: Vec<(f64, bool)> = moments
        .iter()
        .map(|&(score, fault)| {
            let anomalous = score >= WARNING_FROM;
            (calibration.confidence(score, anomalous), anomalous == fault)
        })
        .collect();
    (0..10)
        .filter_map(|tenth| {
            let at = |c: f64| ((c * 10.0) as usize).min(9) == tenth;
            let here: Vec<&(f64, bool)> = scored.iter().filter(|j| at(j.0)).collect();
            let three = |v: f64| (v * 1e3).round() / 1e3;
            (!here.is_empty()).then(|| ReliabilityTenth {
                moments: here.len() as u64,
                said: three(stats::mean(&here.iter().map(|j| j.0).collect::<Vec<_>>())),
                right: three(here.iter().filter(|j| j.1).count() as f64 / here.len() as f64),
            })
        })
        .collect()
}

/// Why a candidate may not be promoted; empty when it may. It may raise a fifth more false alarms than the active model
/// and one in a hundred thousand readings, and miss one in twenty faults more; it may not stay silent at more of the
/// faults that people confirmed. Whatever the active model does, it must be quiet on healthy generated sensors and see three
/// quarters of the slow faults on them.
#[must_use]
pub fn objections(active: &Quality, candidate: &Quality) -> Vec<String> {
    let mut objections = Vec::new();
    let allowed = 1.2 * active.false_alarms as f64 + candidate.healthy_readings as f64 / 1e5 + 1.0;
    if candidate.false_alarms as f64 > allowed {
        objections.push(format!(
            "{} false alarms on held-out readings, the active model {}",
            candidate.false_alarms, active.false_alarms
        ));
    }
    let share = |q: &Quality| {
        let (seen, of) = q.faults.iter().fold((0, 0), |(seen, of), f| (seen + f.seen, of + f.of));
        if of == 0 { 1.0 } else { seen as f64 / of as f64 }
    };
    let (theirs, ours) = (share(active), share(candidate));
    if ours < theirs - 0.05 {
        objections.push(format!(
            "sees {:.0} % of the faults laid over held-out readings, the active model {:.0} %",
            100.0 * ours,
            100.0 * theirs
        ));
    }
    for row in candidate.generated.iter().filter(|g| g.false_alarms > MAX_FALSE_ALARMS_OF_A_SIGNAL) {
        objections.push(format!(
            "{} alarms in {} healthy days of a generated sensor of the kind «{}»; {MAX_FALSE_ALARMS_OF_A_SIGNAL} is allowed",
            row.false_alarms, row.healthy_days, row.signal
        ));
    }
    let (seen, of) = candidate
        .generated
        .iter()
        .fold((0, 0), |(seen, of), g| (seen + g.slow_faults_seen, of + g.slow_faults));
    if 4 * seen < 3 * of {
        objections
            .push(format!("sees {seen} of {of} slow faults of generated sensors; three quarters are needed"));
    }
    if candidate.confirmed_seen < active.confirmed_seen {
        objections.push(format!(
            "sees {} of {} confirmed faults, the active model {}",
            candidate.confirmed_seen, candidate.confirmed, active.confirmed_seen
        ));
    }
    objections
}
