//! `POST /simulator/trigger-failure`: readings of a failing sensor, sent the way of all readings.

use pm_api::{
    ingest::{Batch, Reading, SensorRef},
    route::op,
    score::Limits,
    sensor_data::FailureTriggered,
    word::SimulatedFailure,
};
use pm_store::{
    audit::{self, Event},
    sensor,
};
use pm_web::{Input, Refusal, now};
use serde_json::json as value;

/// The sensor that fails unless the caller names one: documented, as are its value in health and its critical limit.
const SENSOR: &str = "pressure-head";
const BASE: f64 = 140.0;
const CRITICAL: f64 = 180.0;
/// Microseconds between two readings, documented as 0.5 s.
const STEP_US: i64 = 500_000;
const MAX_READINGS: i64 = 30;

pub(crate) async fn trigger(input: Input<op::TriggerFailure>) -> Result<FailureTriggered, Refusal> {
    super::require_simulator().await?;
    let wanted = input.body.clone().unwrap_or_default();
    let machine_id = wanted.machine_id.map_or_else(|| "machine-1".to_owned(), String::from);
    let anomaly = wanted.anomaly_type.unwrap_or(SimulatedFailure::Critical);
    let duration_s = wanted.duration.map_or(60.0, |d| d.0);
    let factor = match anomaly {
        SimulatedFailure::Critical | SimulatedFailure::SuddenSpike => {
            wanted.value_multiplier.map_or(2.0, |m| m.0)
        }
        SimulatedFailure::Warning => 1.8,
        SimulatedFailure::GradualDrift => 1.3,
    };
    let db = input.db().await?;
    let (sensor_id, base) = match wanted.sensor_id {
        Some(sensor_id) => (String::from(sensor_id), BASE),
        None => choose(sensor::of_named_machine(&db, &machine_id).await?),
    };
    let event = Event {
        action: "trigger_failure",
        resource_type: "simulator",
        resource_id: Some(machine_id.clone()),
        details: Some(format!("{anomaly} anomaly of {sensor_id} for {duration_s} s")),
    };
    // before the readings, so that there are none without an entry
    audit::record(&db, &input.actor(&db).await?, event).await?;
    let count = ((duration_s / 2.0) as i64).min(MAX_READINGS);
    let to = base * factor;
    let from = if anomaly == SimulatedFailure::GradualDrift { base } else { to };
    let batch = readings(&machine_id, &sensor_id, from, to, count);
    let report = pm_web::ingest(&batch).await?;
    Ok(FailureTriggered {
        ok: true,
        message: format!("Simulated {anomaly} anomaly for {count} readings"),
        machine_id,
        sensor_id,
        readings_sent: count,
        stored: report.stored,
    })
}

/// The sensor that fails, and its value in health: the documented one, or of a machine without it the first that has a
/// high limit, as far below that as the documented one is.
fn choose(sensors: Vec<(String, Limits)>) -> (String, f64) {
    let limited = |(name, limits): (String, Limits)| {
        let limit = limits.critical_high.or(limits.warning_high).filter(|limit| *limit > 0.0)?;
        Some((name, limit * BASE / CRITICAL))
    };
    if sensors.iter().any(|(name, _)| name == SENSOR) {
        return (SENSOR.to_owned(), BASE);
    }
    sensors.into_iter().find_map(limited).unwrap_or_else(|| (SENSOR.to_owned(), BASE))
}

/// Readings half a second apart, the last of them now: from `from` exclusive to `to`, evenly.
fn readings(machine: &str, sensor: &str, from: f64, to: f64, count: i64) -> Batch {
    let now = now();
    let reading = |i: i64| Reading {
        sensor: 0,
        time: pm_api::Timestamp(now.0 - (count - 1 - i) * STEP_US),
        value: from + (to - from) * ((i + 1) as f64 / count as f64),
        metadata: Some(value!({ "simulated": true, "simulated_failure": true }).to_string()),
        ..Reading::default()
    };
    Batch {
        sensors: vec![SensorRef {
            machine: machine.to_owned(),
            sensor: sensor.to_owned(),
            ..SensorRef::default()
        }],
        readings: (0..count).map(reading).collect(),
        dead_letters: Vec::new(),
    }
}
