//! Readings against their limits: the status of each, and what the alarm engine must be told.

use pm_api::{
    Timestamp,
    alarm_engine::{Condition, ConditionKind},
    ingest::Reading,
};
use pm_domain::{
    condition::{ClassifiedReading, limit_condition},
    freshness::{Freshness, freshness},
    limits,
};
use pm_store::ingest::{KnownSensor, NewReading};
use std::collections::HashSet;

/// Gives every reading its status. Late ones get one too; it is history.
pub(crate) fn statuses(sensors: &[KnownSensor], readings: &[Reading]) -> Vec<NewReading> {
    let limits: Vec<_> = sensors.iter().map(|s| limits::limits(s.thresholds)).collect();
    readings
        .iter()
        .filter_map(|r| {
            let sensor = r.sensor as usize;
            let status = limits::status(limits.get(sensor)?, r.value, r.status);
            Some(NewReading { sensor, time: r.time, value: r.value, status, metadata: r.metadata.clone() })
        })
        .collect()
}

/// Conditions of the sensors that have limits.
pub(crate) fn limit_conditions(
    sensors: &[KnownSensor],
    readings: &[NewReading],
    repeated: &HashSet<usize>,
    now: Timestamp,
) -> Vec<Condition> {
    let mut by_sensor: Vec<Vec<ClassifiedReading>> = vec![Vec::new(); sensors.len()];
    for (i, reading) in readings.iter().enumerate() {
        by_sensor[reading.sensor].push(ClassifiedReading {
            time: reading.time,
            value: reading.value,
            status: reading.status,
            new: !repeated.contains(&i),
            live: freshness(reading.time, now) == Freshness::Live,
        });
    }
    sensors
        .iter()
        .zip(by_sensor)
        .filter(|(sensor, _)| limits::any(&limits::limits(sensor.thresholds)))
        .filter_map(|(sensor, judged)| {
            let told = limit_condition(&judged, sensor.evaluated_through, sensor.threshold_condition)?;
            let (status, value, time) = told.worst;
            Some(Condition {
                machine_id: sensor.machine_id,
                sensor_id: sensor.sensor_id,
                kind: ConditionKind::Threshold,
                occurrences: told.occurrences,
                severity: status.into(),
                still_active: told.still_active,
                value,
                time,
                message: message(sensor, value),
                prediction_id: None,
            })
        })
        .collect()
}

/// The documented message: `{name} reported {value} {unit}`.
fn message(sensor: &KnownSensor, value: f64) -> String {
    let unit = sensor.unit.as_deref().unwrap_or_default();
    format!("{} reported {value:?} {unit}", sensor.name).trim_end().to_owned()
}
