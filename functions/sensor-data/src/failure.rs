//! `POST /simulator/trigger-failure`: readings of a failing sensor, sent the way of all readings.

use http::StatusCode;
use pm_api::{
    ingest::{Batch, MAX_NAME_BYTES, Reading, SensorRef},
    score::Limits,
    sensor_data::FailureTriggered,
};
use pm_store::{
    audit::{self, Event},
    sensor,
};
use pm_web::{Call, Outcome, json, now};
use serde_json::json as value;

/// The sensor that fails unless the caller names one: documented, as are its value in health and its critical limit.
const SENSOR: &str = "pressure-head";
const BASE: f64 = 140.0;
const CRITICAL: f64 = 180.0;
/// Microseconds between two readings, documented as 0.5 s.
const STEP_US: i64 = 500_000;
const MOST_READINGS: i64 = 30;

pub(crate) async fn trigger(call: &Call) -> Outcome {
    let mut fields = call.fields()?;
    let machine_id =
        fields.text("machine_id", MAX_NAME_BYTES).flatten().unwrap_or_else(|| "machine-1".to_owned());
    let named = fields.text("sensor_id", MAX_NAME_BYTES).flatten();
    let anomaly = fields.text("anomaly_type", 32).flatten().unwrap_or_else(|| "critical".to_owned());
    let duration_s = fields.number("duration").flatten().unwrap_or(60.0);
    let multiplier = fields.number("value_multiplier").flatten().unwrap_or(2.0);
    if !(2.0..=86_400.0).contains(&duration_s) {
        fields.refuse("greater_than_equal", "duration", "Input should be 2 to 86400 seconds");
    }
    let factor = match anomaly.as_str() {
        "critical" | "sudden_spike" => multiplier,
        "warning" => 1.8,
        "gradual_drift" => 1.3,
        _ => {
            fields.refuse(
                "enum",
                "anomaly_type",
                "Input should be 'critical', 'warning', 'gradual_drift' or 'sudden_spike'",
            );
            1.0
        }
    };
    fields.end()?;
    let db = call.db().await?;
    let (sensor_id, base) = match named {
        Some(sensor_id) => (sensor_id, BASE),
        None => choose(sensor::of_named_machine(&db, &machine_id).await?),
    };
    let event = Event {
        action: "trigger_failure",
        resource_type: "simulator",
        resource_id: Some(machine_id.clone()),
        details: Some(format!("{anomaly} anomaly of {sensor_id} for {duration_s} s")),
    };
    // before the readings, so that there are none without an entry
    audit::record(&db, &call.actor(&db).await?, event).await?;
    let count = ((duration_s / 2.0) as i64).min(MOST_READINGS);
    let to = base * factor;
    let from = if anomaly == "gradual_drift" { base } else { to };
    let batch = readings(&machine_id, &sensor_id, from, to, count);
    let report = crate::create::send(&batch).await?;
    Ok(json(
        StatusCode::OK,
        &FailureTriggered {
            ok: true,
            message: format!("Simulated {anomaly} anomaly for {count} readings"),
            machine_id,
            sensor_id,
            readings_sent: count,
            stored: report.stored,
        },
    ))
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
