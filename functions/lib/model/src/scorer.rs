//! One sensor, its state and its new readings → judgement and next state.

use crate::{
    Model,
    counter::Counted,
    explain::{self, Sensor},
    features::{self, Context},
    reference::Reference,
    rul::trend,
    rules,
    score::{FARTHEST_OUTSIDE, OUTSIDE, Score, UNCALIBRATED},
    sensitivity,
    state::{self, State},
    stats,
    track::{WARNING_FROM, WARNING_UNTIL},
    window::{MIN_SAMPLES, WINDOW, is_measurement},
};
use pm_api::{
    ReadingStatus, Timestamp,
    score::{Limits, ScoreItem, ScoreResult, Shadow},
};

/// Readings that a sensor's baseline must have learned from, and the time it must have been watched, before its scores
/// count as its ordinary life.
const SETTLED_READINGS: f64 = 300.0;
const SETTLED_US: i64 = 3_600_000_000;
/// Reported instead of a version where no model could be used.
pub const RULE_BASED: &str = "rule-based";

/// Takes in one reading. `None` when it was not used (late, repeated, not finite) or the sensor is still buffering.
///
/// This is the one path of a reading, live, in replay and in training.
pub fn advance(
    state: &mut State,
    model: Option<&Model>,
    limits: &Limits,
    time_us: i64,
    value: f64,
) -> Option<Score> {
    advance_with_challenger(state, model, None, limits, time_us, value)
}

/// The same with a challenger, which judges the same reading on a track of its own ([`State::shadow`]) and changes
/// nothing else: what is learned of the sensor follows the active model.
pub fn advance_with_challenger(
    state: &mut State,
    model: Option<&Model>,
    challenger: Option<&Model>,
    limits: &Limits,
    time_us: i64,
    value: f64,
) -> Option<Score> {
    if !state.window.push(time_us, value) {
        return None;
    }
    let rule_score = rules::score(limits, value);
    state.reference.push(time_us, value, state.keeping(), rule_score == 0.0);
    if !state.window.is_ready() {
        // a pause ends no alarm of the reference
        if state.reference.outside().is_none() {
            state.track.rest();
            state.shadow = None;
        }
        state.history.add(time_us, value, rule_score == 0.0);
        return None;
    }
    let scored = evaluate(state, model, limits, value);
    let smoothed = state.track.follow(time_us, scored.raw, rule_score);
    state.shadow = challenger.map(|challenger| {
        let forest = state.ceiling.lower(challenger.score(&scored.row, scored.surprise));
        let mut track = state.shadow.unwrap_or_default();
        track.follow(time_us, rule_score.max(forest).max(scored.reference_score), rule_score);
        track
    });
    let (learning, inside) = (!state.reference.is_frozen(), state.reference.excess() < 1.0);
    // the scores of a young baseline say little
    if state.baseline.seen() >= SETTLED_READINGS && state.reference.age_us() >= SETTLED_US {
        state.ceiling.push(time_us, scored.model_score, learning, inside);
    }
    let suspicion = scored.raw.max(smoothed);
    state.history.add(time_us, value, suspicion < WARNING_UNTIL);
    let weight = learning_weight(suspicion) * state.window.fullness();
    state.baseline.learn(&scored.features, weight);
    state.baseline.learn_deviation(&scored.row, suspicion >= SUSPECT);
    Some(scored)
}

/// Judges the window as it stands, with `value` as its newest reading.
fn evaluate(state: &State, model: Option<&Model>, limits: &Limits, value: f64) -> Score {
    let rule_score = rules::score(limits, value);
    let features = features::extract(state.window.values(), &context(state));
    let row = state.baseline.relative(&features, state.window.fullness());
    let surprise = state.baseline.surprise(&row);
    let model_score = model.map_or(0.0, |m| m.score(&row, surprise));
    let fallback =
        if model.is_none() && !pm_domain::limits::any(limits) { rules::own_past(&features) } else { 0.0 };
    let reference_score = reference_score(&state.reference);
    let forest = state.ceiling.lower(model_score);
    let raw = rule_score.max(forest).max(reference_score).max(fallback).clamp(0.0, 1.0);
    Score { features, row, surprise, rule_score, model_score, reference_score, raw }
}

/// Outside of the reference is a warning, a little more the farther; inside it stays well below.
fn reference_score(reference: &Reference) -> f64 {
    let excess = reference.excess();
    if reference.outside().is_some() {
        OUTSIDE + (FARTHEST_OUTSIDE - OUTSIDE) * excess / (excess + 3.0)
    } else {
        0.5 * reference.nearness().max((excess / 2.0).min(1.0))
    }
}

fn context(state: &State) -> Context {
    let noise = if state.baseline.is_empty() { 0.0 } else { state.baseline.noise() };
    let past = state.history.past();
    Context { noise, band: past.map(|p| (p.low, p.high)), past: past.map(|p| (p.middle, p.spread)) }
}

/// From here on a reading is suspect.
const SUSPECT: f64 = 0.5;

fn learning_weight(suspicion: f64) -> f64 {
    if suspicion < SUSPECT {
        1.0
    } else if suspicion < WARNING_FROM {
        0.25
    } else {
        0.02
    }
}

/// Scores the new readings of a sensor, oldest first; the result is the judgement at the newest one.
///
/// Late and repeated readings are passed over. A state that cannot be read is started afresh.
#[must_use]
pub fn score_item(model: Option<&Model>, item: &ScoreItem) -> ScoreResult {
    score_beside(model, None, item)
}

/// The same with a challenger beside the model.
#[must_use]
pub fn score_beside(model: Option<&Model>, challenger: Option<&Model>, item: &ScoreItem) -> ScoreResult {
    let unit = item.unit.as_deref().map(state::unit_code);
    let known = item.state.as_deref().and_then(State::from_bytes);
    let mut state =
        known.filter(|s| s.unit.is_none() || unit.is_none() || s.unit == unit).unwrap_or_default();
    state.unit = unit.or(state.unit);
    state.learning_s = item.learning_s;
    state.widening = sensitivity::widening(item.false_alarms_per_month);
    let restarted = item.restarted.map(|t| t.0);
    if state.restarted_us < restarted {
        state.restarted_us = restarted;
        state = state.anew();
    }
    if let Some(accepted) = item.accepted.map(|t| t.0)
        && state.accepted_us.is_none_or(|known| known < accepted)
    {
        state.reference.accept(accepted);
        state.ceiling.accept();
        state.accepted_us = Some(accepted);
        // the alarm ends now, not when its score has sunk below where a warning ends
        if state.reference.outside().is_none() {
            state.track.rest();
            state.shadow = None;
        }
    }
    let model_version = model.map_or(RULE_BASED, |m| &m.version).to_owned();
    let mut newest = None;
    let known_from = state.restarted_us.unwrap_or(i64::MIN);
    for (time, value) in item.readings.iter().filter(|r| r.0.0 > known_from) {
        let Some(value) = measured(&mut state, time.0, *value) else { continue };
        let limits = if state.counter.is_recognised() { &Limits::default() } else { &item.limits };
        let scored = advance_with_challenger(&mut state, model, challenger, limits, time.0, value);
        if let Some(scored) = scored {
            newest = Some((scored, value));
        }
    }
    // limits are about values, not about how fast a counter counts
    let limits = if state.counter.is_recognised() { &Limits::default() } else { &item.limits };
    // a reading without a value of its own, such as the restart of a counter, is evaluated too
    let newest_read = item.readings.iter().rfind(|r| is_measurement(r.1)).map(|r| r.0);
    let time = newest_read.max(state.window.newest().map(Timestamp)).unwrap_or(Timestamp(0));
    // Only late readings came: evaluate the window as it stands, without changing anything.
    let newest = newest.or_else(|| current_score(&state, model, limits));
    let fallback = model.is_none();
    let Some((scored, value)) = newest else {
        return ScoreResult {
            model_version,
            time,
            buffering: true,
            class: state.track.class,
            score: state.track.smoothed.unwrap_or(0.0),
            confidence: 0.7,
            health_percent: health_percent(state.track.smoothed.unwrap_or(0.0)),
            remaining_life: None,
            contributing_features: explain::buffering(state.window.values().len()),
            fallback,
            relative: None,
            level: None,
            shadow: None,
            state: state.to_bytes(),
        };
    };
    let score = state.track.smoothed.unwrap_or(scored.raw);
    // A sensor inside its reference moves as it always did: that is no trend towards a limit.
    let may_trend =
        !state.reference.is_frozen() || state.reference.outside().is_some() || scored.rule_score > 0.0;
    let noise = state.baseline.noise();
    let remaining_life =
        may_trend.then(|| trend::remaining_life(&state.history, limits, value, noise, time.0)).flatten();
    ScoreResult {
        model_version,
        time,
        buffering: false,
        class: state.track.class,
        score,
        confidence: confidence(model, limits, &scored, &state, score),
        health_percent: health_percent(score),
        remaining_life,
        contributing_features: explain::contributing(model, &scored, &state, limits, value, Sensor::of(item)),
        fallback,
        relative: Some([scored.row[0], scored.row[1]]),
        level: Some(if state.counter.is_recognised() { value } else { level(&item.readings, value) }),
        shadow: state.shadow.and_then(|t| Some(Shadow { score: t.smoothed?, class: t.class })),
        state: state.to_bytes(),
    }
}

/// The value to score: of a counter, how fast it counts. What is known of a sensor begins again when it turns out to be a
/// counter, and when it is none any more.
fn measured(state: &mut State, time_us: i64, value: f64) -> Option<f64> {
    let was = state.counter.is_recognised();
    let counted = state.counter.take(time_us, value);
    if state.counter.is_recognised() != was {
        *state = State { counter: state.counter, ..state.anew() };
    }
    match counted {
        Counted::Value(value) | Counted::Rate(value) => Some(value),
        Counted::Nothing => None,
    }
}

/// Mean of the new readings that are measurements; without any, the newest value.
fn level(readings: &[(Timestamp, f64)], newest: f64) -> f64 {
    let values: Vec<f64> = readings.iter().map(|r| r.1).filter(|v| is_measurement(*v)).collect();
    if values.is_empty() { newest } else { stats::mean(&values) }
}

/// The documented health of a smoothed score.
pub(crate) fn health_percent(score: f64) -> f64 {
    100.0 * (1.0 - score) * (1.0 - score)
}

/// The judgement of the window as it stands, and its newest value.
fn current_score(state: &State, model: Option<&Model>, limits: &Limits) -> Option<(Score, f64)> {
    let value = *state.window.values().last()?;
    if !state.window.is_ready() {
        return None;
    }
    Some((evaluate(state, model, limits, value), value))
}

/// With a model: the chance, from held-out signals, that the judgement is right at such a score, drawn towards ½
/// while the sensor is new. Where the reference decides: ½. By rules alone: 0.8 with limits, ½ without.
fn confidence(model: Option<&Model>, limits: &Limits, scored: &Score, state: &State, score: f64) -> f64 {
    let Some(model) = model else {
        return if pm_domain::limits::any(limits) { 0.8 } else { 0.5 };
    };
    if scored.rule_score > 0.0 && scored.rule_score >= scored.model_score {
        return 0.95;
    }
    if state.reference.outside().is_some() && scored.reference_score >= scored.raw {
        return UNCALIBRATED;
    }
    let anomalous = state.track.class > ReadingStatus::Normal;
    let seen = state.baseline.seen();
    let known = seen / (seen + MIN_SAMPLES as f64 + WINDOW as f64);
    0.5 + (model.calibration.confidence(score, anomalous) - 0.5) * known
}
