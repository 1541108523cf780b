//! One sensor, its state and its new readings → judgement and next state.

use crate::{
    Model, explain,
    features::{self, COUNT, Context},
    rul::trend,
    rules,
    state::{self, State},
    track::WARNING_UNTIL,
    window::{MIN_SAMPLES, WINDOW},
};
use pm_api::{
    ReadingStatus, Timestamp,
    score::{Limits, ScoreItem, ScoreResult, Shadow},
};

pub use crate::track::WARNING_FROM;

/// Said instead of a version where no model could be used.
pub const RULE_BASED: &str = "rule-based";

/// The judgement of one reading, before it is put into words.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The features of the window, in the sensor's unit.
    pub features: [f64; COUNT],
    /// The same, relative to the sensor's past.
    pub row: [f32; COUNT],
    /// How surprising that is for this sensor.
    pub surprise: f64,
    /// By limits.
    pub rule_score: f64,
    /// By the forest, calibrated; 0 without a model.
    pub model_score: f64,
    /// The higher of both.
    pub raw: f64,
}

/// Takes in one reading. `None` when it was not used (late, repeated, not finite) or the sensor is still buffering.
///
/// This is the one path of a reading, live, in replay and in training.
pub fn advance(
    state: &mut State,
    model: Option<&Model>,
    limits: &Limits,
    time_us: i64,
    value: f64,
) -> Option<Judged> {
    advance_beside(state, model, None, limits, time_us, value)
}

/// The same with a challenger, which judges the same reading on a track of its own ([`State::shadow`]) and changes
/// nothing else: what is learned of the sensor follows the active model.
pub fn advance_beside(
    state: &mut State,
    model: Option<&Model>,
    challenger: Option<&Model>,
    limits: &Limits,
    time_us: i64,
    value: f64,
) -> Option<Judged> {
    if !state.window.push(time_us, value) {
        return None;
    }
    let rule_score = rules::score(limits, value);
    if !state.window.is_ready() {
        state.track.rest();
        state.shadow = None;
        state.history.add(time_us, value, rule_score == 0.0);
        return None;
    }
    let judged = judge(state, model, limits, value);
    let smoothed = state.track.follow(time_us, judged.raw, rule_score);
    state.shadow = challenger.map(|challenger| {
        let mut track = state.shadow.unwrap_or_default();
        track.follow(time_us, rule_score.max(challenger.score(&judged.row, judged.surprise)), rule_score);
        track
    });
    let suspicion = judged.raw.max(smoothed);
    state.history.add(time_us, value, suspicion < WARNING_UNTIL);
    let weight = learning_weight(suspicion) * state.window.fullness();
    state.baseline.learn(&judged.features, weight);
    state.baseline.learn_deviation(&judged.row, suspicion >= SUSPECT);
    Some(judged)
}

/// Judges the window as it stands, with `value` as its newest reading.
fn judge(state: &State, model: Option<&Model>, limits: &Limits, value: f64) -> Judged {
    let rule_score = rules::score(limits, value);
    let features = features::extract(state.window.values(), &context(state));
    let row = state.baseline.relative(&features, state.window.fullness());
    let surprise = state.baseline.surprise(&row);
    let model_score = model.map_or(0.0, |m| m.score(&row, surprise));
    let fallback =
        if model.is_none() && !pm_domain::limits::any(limits) { rules::own_past(&features) } else { 0.0 };
    let raw = rule_score.max(model_score).max(fallback).clamp(0.0, 1.0);
    Judged { features, row, surprise, rule_score, model_score, raw }
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
    let model_version = model.map_or(RULE_BASED, |m| &m.version).to_owned();
    let mut newest = None;
    for (time, value) in &item.readings {
        let judged = advance_beside(&mut state, model, challenger, &item.limits, time.0, *value);
        if let Some(judged) = judged {
            newest = Some((judged, *value));
        }
    }
    let fallback_time = item.readings.last().map_or(Timestamp(0), |r| r.0);
    let time = state.window.newest().map_or(fallback_time, Timestamp);
    // Only late readings came: judge the window as it stands, without changing anything.
    let newest = newest.or_else(|| standing(&state, model, &item.limits));
    let fallback = model.is_none();
    let Some((judged, value)) = newest else {
        return ScoreResult {
            model_version,
            time,
            buffering: true,
            class: ReadingStatus::Normal,
            score: 0.0,
            confidence: 0.7,
            health_percent: 100.0,
            remaining_life: None,
            contributing_features: explain::buffering(state.window.values().len()),
            fallback,
            relative: None,
            shadow: None,
            state: state.to_bytes(),
        };
    };
    let score = state.track.smoothed.unwrap_or(judged.raw);
    ScoreResult {
        model_version,
        time,
        buffering: false,
        class: state.track.class,
        score,
        confidence: confidence(model, &item.limits, &judged, &state, score),
        health_percent: 100.0 * (1.0 - score) * (1.0 - score),
        remaining_life: trend::remaining_life(
            &state.history,
            &item.limits,
            value,
            state.baseline.noise(),
            time.0,
        ),
        contributing_features: explain::contributing(model, &judged, &state, &item.limits, value),
        fallback,
        relative: Some([judged.row[0], judged.row[1]]),
        shadow: state.shadow.and_then(|t| Some(Shadow { score: t.smoothed?, class: t.class })),
        state: state.to_bytes(),
    }
}

fn standing(state: &State, model: Option<&Model>, limits: &Limits) -> Option<(Judged, f64)> {
    let value = *state.window.values().last()?;
    if !state.window.is_ready() {
        return None;
    }
    Some((judge(state, model, limits, value), value))
}

/// With a model: the chance, from held-out signals, that the judgement is right at such a score, drawn towards ½
/// while the sensor is new. By rules alone: 0.8 with limits, ½ without.
fn confidence(model: Option<&Model>, limits: &Limits, judged: &Judged, state: &State, score: f64) -> f64 {
    let Some(model) = model else {
        return if pm_domain::limits::any(limits) { 0.8 } else { 0.5 };
    };
    if judged.rule_score > 0.0 && judged.rule_score >= judged.model_score {
        return 0.95;
    }
    let anomalous = state.track.class > ReadingStatus::Normal;
    let seen = state.baseline.seen();
    let known = seen / (seen + MIN_SAMPLES as f64 + WINDOW as f64);
    0.5 + (model.calibration.confidence(score, anomalous) - 0.5) * known
}
