//! One sensor, its state and its new readings → judgement and next state.

use crate::{
    Model, explain,
    features::{self, COUNT, Context},
    history::History,
    rules,
    state::State,
    window::{MIN_SAMPLES, WINDOW},
};
use pm_api::{
    ReadingStatus, Timestamp,
    score::{Limits, ScoreItem, ScoreResult},
};

/// A smoothed score from here on is class warning.
pub const WARNING_FROM: f64 = 0.75;
const WARNING_UNTIL: f64 = 0.60;
const CRITICAL_FROM: f64 = 0.92;
const CRITICAL_UNTIL: f64 = 0.80;
/// A class is left for a lower one only after this long.
const HOLD_US: i64 = 30_000_000;

/// The judgement of one reading, before it is put into words.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The features of the window, in the sensor's unit.
    pub features: [f64; COUNT],
    /// The same, relative to the sensor's past.
    pub row: [f32; COUNT],
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
    if !state.window.push(time_us, value) {
        return None;
    }
    let rule_score = rules::score(limits, value);
    if !state.window.is_ready() {
        state.smoothed = None;
        state.class = ReadingStatus::Normal;
        state.history.add(time_us, value, rule_score == 0.0);
        return None;
    }
    let features = features::extract(state.window.values(), &context(state));
    let row = state.baseline.relative(&features);
    let model_score = model.map_or(0.0, |m| m.score(&row));
    let fallback =
        if model.is_none() && !pm_domain::limits::any(limits) { rules::own_past(&features) } else { 0.0 };
    let raw = rule_score.max(model_score).max(fallback).clamp(0.0, 1.0);
    let smoothed = match state.smoothed {
        None => raw,
        Some(before) => before + rules::smoothing(rule_score) * (raw - before),
    };
    state.smoothed = Some(smoothed.clamp(0.0, 1.0));
    let class = next_class(state.class, smoothed, time_us.saturating_sub(state.class_since_us));
    if class != state.class {
        state.class = class;
        state.class_since_us = time_us;
    }
    let suspicion = raw.max(smoothed);
    state.history.add(time_us, value, suspicion < WARNING_UNTIL);
    state.baseline.learn(&features, learning_weight(suspicion));
    Some(Judged { features, row, rule_score, model_score, raw })
}

fn context(state: &State) -> Context {
    let noise = if state.baseline.is_empty() { 0.0 } else { state.baseline.noise() };
    let past = state.history.past();
    Context { noise, band: past.map(|p| (p.low, p.high)), past: past.map(|p| (p.middle, p.spread)) }
}

fn learning_weight(suspicion: f64) -> f64 {
    if suspicion < 0.5 {
        1.0
    } else if suspicion < WARNING_FROM {
        0.25
    } else {
        0.02
    }
}

/// The documented hysteresis.
fn next_class(class: ReadingStatus, score: f64, since_us: i64) -> ReadingStatus {
    use ReadingStatus::{Critical, Normal, Warning};
    let by_score = match class {
        _ if score >= CRITICAL_FROM => Critical,
        Critical if score >= CRITICAL_UNTIL => Critical,
        _ if score >= WARNING_FROM => Warning,
        Warning if score >= WARNING_UNTIL => Warning,
        _ => Normal,
    };
    if by_score < class && since_us < HOLD_US { class } else { by_score }
}

/// Scores the new readings of a sensor, oldest first; the result is the judgement at the newest one.
///
/// Late and repeated readings are passed over. A state that cannot be read is started afresh.
#[must_use]
pub fn score_item(model: Option<&Model>, item: &ScoreItem) -> ScoreResult {
    let mut state = item.state.as_deref().and_then(State::from_bytes).unwrap_or_default();
    let mut newest = None;
    for (time, value) in &item.readings {
        if let Some(judged) = advance(&mut state, model, &item.limits, time.0, *value) {
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
            time,
            buffering: true,
            class: ReadingStatus::Normal,
            score: 0.0,
            confidence: 0.7,
            health_percent: 100.0,
            remaining_hours: None,
            contributing_features: explain::buffering(state.window.values().len()),
            fallback,
            state: state.to_bytes(),
        };
    };
    let score = state.smoothed.unwrap_or(judged.raw);
    ScoreResult {
        time,
        buffering: false,
        class: state.class,
        score,
        confidence: confidence(model, &item.limits, &judged, score, state.baseline.seen()),
        health_percent: 100.0 * (1.0 - score) * (1.0 - score),
        remaining_hours: remaining_hours(&state.history, &item.limits, value, state.baseline.noise()),
        contributing_features: explain::contributing(model, &judged, &state, &item.limits, value),
        fallback,
        state: state.to_bytes(),
    }
}

fn standing(state: &State, model: Option<&Model>, limits: &Limits) -> Option<(Judged, f64)> {
    let value = *state.window.values().last()?;
    if !state.window.is_ready() {
        return None;
    }
    let features = features::extract(state.window.values(), &context(state));
    let row = state.baseline.relative(&features);
    let (rule_score, model_score) = (rules::score(limits, value), model.map_or(0.0, |m| m.score(&row)));
    Some((Judged { features, row, rule_score, model_score, raw: rule_score.max(model_score) }, value))
}

/// With a model: the share of right judgements at such scores on held-out signals, drawn towards ½ while the sensor
/// is new. By rules alone: 0.8 with limits, ½ without.
fn confidence(model: Option<&Model>, limits: &Limits, judged: &Judged, score: f64, seen: f64) -> f64 {
    let Some(model) = model else {
        return if pm_domain::limits::any(limits) { 0.8 } else { 0.5 };
    };
    if judged.rule_score > 0.0 && judged.rule_score >= judged.model_score {
        return 0.95;
    }
    let known = seen / (seen + MIN_SAMPLES as f64 + WINDOW as f64);
    0.5 + (model.calibration.confidence(score) - 0.5) * known
}

/// Hours until the level reaches the critical limit (without one: the warning limit) on the side that a significant
/// trend runs to; at most ten times the time the trend was seen for, and at most a year. 0 when it is reached.
fn remaining_hours(history: &History, limits: &Limits, value: f64, noise: f64) -> Option<f64> {
    let high = limits.critical_high.or(limits.warning_high);
    let low = limits.critical_low.or(limits.warning_low);
    if high.is_some_and(|l| value >= l) || low.is_some_and(|l| value <= l) {
        return Some(0.0);
    }
    let trend = history.trend(noise)?;
    let limit = if trend.per_hour > 0.0 { high } else { low }?;
    let hours = ((limit - trend.now) / trend.per_hour).max(0.0);
    (hours.is_finite() && hours <= 10.0 * trend.span_hours && hours <= 8766.0).then_some(hours)
}
