//! Asking the scorer about the sensors of a batch.

use crate::remaining_life;
use base64::{Engine, engine::general_purpose::STANDARD};
use pm_api::{
    PredictionId, ReadingStatus, Timestamp,
    alarm_engine::{Condition, ConditionKind},
    ingest::Scored,
    prediction::Contributing,
    remaining_life::RemainingLife,
    score::{MachineItem, ScoreItem, ScoreRequest, ScoreResponse, ScoreResult},
};
use pm_domain::limits;
use pm_store::{
    Db,
    ingest::{KnownSensor, NewReading},
    scoring::{self, NewPrediction},
    shadow,
};
use pm_web::{Component, log_error};
use std::{
    collections::{HashMap, HashSet},
    time::Instant,
};

/// Seconds of a sensor's own time between two scorings of it: the fewest, for each sensor of the batch, and the most. A
/// batch holds what came to one lane of the bridge in a tenth of a second at most, so this makes some 400 scorings a second
/// for each lane, and longer waits when there are more sensors than that.
const MIN_SCORING_INTERVAL_S: f64 = 1.0;
const INTERVAL_PER_SENSOR_S: f64 = 0.05;
const MAX_SCORING_INTERVAL_S: f64 = 5.0;
/// Sensors of a batch that are scored for the first time at most: their readings of a day are read. The others stay due.
const MAX_FIRST_SCORINGS: usize = 200;

/// Scores the sensors that are due. Returns how many were scored and what the alarm engine must be told. A failure is
/// logged and costs nothing: the readings stay due. `readings` are stored, good, and no history.
pub(crate) async fn score(
    db: &Db,
    sensors: &[KnownSensor],
    readings: &[NewReading],
    now: Timestamp,
) -> (u64, Vec<Condition>) {
    let due = due(sensors, readings);
    if due.is_empty() {
        return (0, Vec::new());
    }
    match score_due(db, &due, now).await {
        Ok((predictions, conditions)) => (predictions.len() as u64, conditions),
        Err(error) => {
            log_error(&format!("{} sensors not scored: {error}", due.len()));
            (0, Vec::new())
        }
    }
}

fn due<'s>(
    sensors: &'s [KnownSensor],
    readings: &[NewReading],
) -> HashMap<pm_api::SensorId, &'s KnownSensor> {
    let interval = sensors.len() as f64 * INTERVAL_PER_SENSOR_S;
    let interval = interval.clamp(MIN_SCORING_INTERVAL_S, MAX_SCORING_INTERVAL_S);
    let mut newest = vec![None; sensors.len()];
    for reading in readings {
        newest[reading.sensor] = newest[reading.sensor].max(Some(reading.time));
    }
    let mut first_scorings = 0;
    let is_due = |(sensor, newest): (&'s KnownSensor, Option<Timestamp>)| {
        let newest = newest?;
        let due = match sensor.scored_through {
            Some(through) => newest.seconds_since(through) >= interval,
            None => {
                first_scorings += 1;
                first_scorings <= MAX_FIRST_SCORINGS
            }
        };
        due.then_some((sensor.sensor_id, sensor))
    };
    sensors.iter().zip(newest).filter_map(is_due).collect()
}

/// Scores what is new of these sensors; returns the predictions stored and what the alarm engine must be told.
pub(crate) async fn score_due(
    db: &Db,
    due: &HashMap<pm_api::SensorId, &KnownSensor>,
    now: Timestamp,
) -> Result<(Vec<PredictionId>, Vec<Condition>), String> {
    let ids: Vec<_> = due.keys().copied().collect();
    let windows = scoring::windows(db, &ids, now).await.map_err(|e| e.to_string())?;
    let items: Vec<ScoreItem> = windows
        .into_iter()
        .filter_map(|w| {
            let sensor = due.get(&w.sensor_id)?;
            Some(ScoreItem {
                sensor_id: w.sensor_id,
                machine_id: sensor.machine_id,
                name: sensor.name.clone(),
                sensor_type: sensor.sensor_type.clone(),
                unit: sensor.unit.clone(),
                model: w.model,
                challenger: w.challenger,
                learning_s: w.keeping.learning_s,
                false_alarms_per_month: w.keeping.false_alarms_per_month,
                accepted: w.accepted,
                restarted: w.keeping.restarted,
                limits: limits::limits(sensor.thresholds),
                state: w.state,
                readings: w.readings,
            })
        })
        .collect();
    let sent: Vec<_> = items.iter().map(|i| i.sensor_id).collect();
    let challengers: HashMap<_, _> =
        items.iter().filter_map(|i| Some((i.sensor_id, i.challenger?))).collect();
    let machine_ids: HashSet<_> = items.iter().map(|i| i.machine_id).collect();
    let machine_ids: Vec<_> = machine_ids.into_iter().collect();
    let states = scoring::machine_states(db, &machine_ids).await.map_err(|e| e.to_string())?;
    let machines = states.into_iter().map(|(machine_id, state)| MachineItem { machine_id, state }).collect();
    let newest = items.iter().filter_map(|i| i.readings.last()).map(|r| r.0).max().unwrap_or(Timestamp(0));
    let started = Instant::now();
    let response: ScoreResponse = Component("score")
        .post_postcard("/score", &ScoreRequest { items, machines })
        .await
        .map_err(|e| e.to_string())?;
    let took_ms = started.elapsed().as_secs_f64() * 1000.0 / sent.len().max(1) as f64;
    let judged: Vec<_> =
        sent.iter().zip(&response.items).filter_map(|(id, r)| due.get(id).map(|s| (*s, r))).collect();
    let with_network = judged.iter().filter(|(sensor, _)| sensor.has_network).map(|(s, _)| s.machine_id);
    let lives = remaining_life::by_network(db, with_network.collect()).await;
    let predictions: Vec<_> = judged
        .iter()
        .map(|(sensor, result)| {
            let life = lives.get(&sensor.sensor_id).or(result.remaining_life.as_ref());
            prediction(sensor, result, life.cloned())
        })
        .collect();
    let stored = scoring::store(db, took_ms, &predictions).await.map_err(|e| e.to_string())?;
    scoring::store_machines(db, newest, &response.machines).await.map_err(|e| e.to_string())?;
    note_challengers(db, &challengers, &judged).await;
    let ids = stored.iter().map(|(_, id)| *id).collect();
    let stored: HashMap<_, _> = stored.into_iter().collect();
    let conditions = judged
        .into_iter()
        .filter_map(|(sensor, result)| Some((sensor, result, *stored.get(&sensor.sensor_id)?)))
        .filter(|(sensor, result, _)| result.class != sensor.prediction_condition)
        .map(|(sensor, result, prediction_id)| condition(sensor, result, prediction_id))
        .collect();
    Ok((ids, conditions))
}

/// Judges a value that the sensor might report at a time after all that was scored, and stores the judgement; the sensor's
/// state stays as it is.
pub(crate) async fn score_hypothetical(
    db: &Db,
    sensor: &KnownSensor,
    (time, value): (Timestamp, f64),
) -> Result<Scored, String> {
    let known = scoring::scoring_state(db, sensor.sensor_id).await.map_err(|e| e.to_string())?;
    if known.scored_through.is_some_and(|through| time <= through) {
        return Ok(Scored { predictions: Vec::new(), scored_through: known.scored_through });
    }
    let item = ScoreItem {
        sensor_id: sensor.sensor_id,
        machine_id: sensor.machine_id,
        name: sensor.name.clone(),
        sensor_type: sensor.sensor_type.clone(),
        unit: sensor.unit.clone(),
        model: known.model,
        challenger: None,
        learning_s: known.keeping.learning_s,
        false_alarms_per_month: known.keeping.false_alarms_per_month,
        accepted: None,
        restarted: known.keeping.restarted,
        limits: limits::limits(sensor.thresholds),
        state: known.state,
        readings: vec![(time, value)],
    };
    let started = Instant::now();
    let request = ScoreRequest { items: vec![item], machines: Vec::new() };
    let response: ScoreResponse =
        Component("score").post_postcard("/score", &request).await.map_err(|e| e.to_string())?;
    let took_ms = started.elapsed().as_secs_f64() * 1000.0;
    let result = response.items.first().ok_or("the scorer gave no result")?;
    let judged = prediction(sensor, result, result.remaining_life.clone());
    let stored = scoring::store_hypothetical(db, took_ms, &judged).await;
    let predictions = stored.map_err(|e| e.to_string())?.into_iter().collect();
    Ok(Scored { predictions, scored_through: None })
}

/// Counts what challengers said beside what was said aloud. Their report may miss a moment; nothing else may suffer.
async fn note_challengers(
    db: &Db,
    challengers: &HashMap<pm_api::SensorId, pm_api::ModelId>,
    judged: &[(&KnownSensor, &ScoreResult)],
) {
    let moments: Vec<shadow::ShadowScore> = judged
        .iter()
        .filter_map(|(sensor, result)| {
            let said = result.shadow?;
            Some(shadow::ShadowScore {
                model: *challengers.get(&sensor.sensor_id)?,
                active_anomalous: result.class > ReadingStatus::Normal,
                challenger_anomalous: said.class > ReadingStatus::Normal,
                difference: (said.score - result.score).abs(),
            })
        })
        .collect();
    if !moments.is_empty()
        && let Err(error) = shadow::note(db, &moments).await
    {
        log_error(&format!("results of challengers were not counted: {error}"));
    }
}

fn prediction(
    sensor: &KnownSensor,
    result: &ScoreResult,
    remaining_life: Option<RemainingLife>,
) -> NewPrediction {
    let (status, anomaly_type, prediction) = match result.class {
        ReadingStatus::Normal if result.buffering => ("buffering", "BASELINE", "normal"),
        ReadingStatus::Normal => ("normal", "NORMAL", "normal"),
        ReadingStatus::Warning => ("warning", "WARNING", "anomaly"),
        ReadingStatus::Critical => ("critical", "CRITICAL", "anomaly"),
    };
    NewPrediction {
        sensor_id: sensor.sensor_id,
        machine_id: sensor.machine_id,
        model_version: result.model_version.clone(),
        time: result.time,
        state: STANDARD.encode(&result.state),
        score: result.score,
        status,
        anomaly_type,
        prediction,
        confidence: result.confidence,
        health_percent: result.health_percent,
        remaining_life,
        contributing_features: result.contributing_features.clone(),
    }
}

fn condition(sensor: &KnownSensor, result: &ScoreResult, prediction_id: pm_api::PredictionId) -> Condition {
    let active = result.class > ReadingStatus::Normal;
    let state = if active { result.class.as_str() } else { "normal again" };
    let said = serde_json::from_str::<Contributing>(&result.contributing_features).ok();
    let outside = said.filter(|said| said.reference.as_ref().is_some_and(|r| r.outside.is_some()));
    let message = match outside.filter(|_| active) {
        Some(said) => said.reason,
        None => format!("{} behaves unusually: {state} (anomaly score {:.2})", sensor.name, result.score),
    };
    Condition {
        machine_id: sensor.machine_id,
        sensor_id: sensor.sensor_id,
        kind: ConditionKind::Prediction,
        occurrences: u32::from(active),
        severity: result.class.into(),
        still_active: active,
        value: result.score,
        time: result.time,
        evaluated_through: result.time,
        message,
        prediction_id: Some(prediction_id),
    }
}
