//! What the alarm engine must be told of the readings of sensors: by their limits, or where a sensor has none, by the status
//! that its sender gives.

use pm_api::{
    ReadingStatus, Timestamp,
    alarm_engine::{Condition, ConditionKind},
};
use pm_domain::{
    condition::{ClassifiedReading, limit_condition},
    limits,
};
use pm_store::ingest::{KnownSensor, NewReading};

/// Conditions of the sensors. `readings` are stored, good, and no history.
pub(crate) fn of(sensors: &[KnownSensor], readings: &[NewReading], now: Timestamp) -> Vec<Condition> {
    let mut by_sensor: Vec<Vec<ClassifiedReading>> = vec![Vec::new(); sensors.len()];
    for reading in readings {
        by_sensor[reading.sensor].push(ClassifiedReading {
            time: reading.time,
            value: reading.value,
            status: reading.status,
        });
    }
    let mut conditions = Vec::new();
    for (sensor, readings_of) in sensors.iter().zip(by_sensor) {
        let has_limits = limits::any(&limits::limits(sensor.thresholds));
        for kind in [ConditionKind::Threshold, ConditionKind::Reported] {
            let told = match kind {
                ConditionKind::Reported => sensor.reported_condition,
                _ => sensor.threshold_condition,
            };
            let counts = has_limits == (kind == ConditionKind::Threshold);
            if counts {
                conditions.extend(condition(sensor, kind, &readings_of, told, now));
            } else if told > ReadingStatus::Normal {
                // the sensor got limits, or lost them: what was told by the other measure ends
                let normal: Vec<_> = readings_of
                    .iter()
                    .map(|r| ClassifiedReading { status: ReadingStatus::Normal, ..*r })
                    .collect();
                conditions.extend(condition(sensor, kind, &normal, told, now));
            }
        }
    }
    conditions
}

fn condition(
    sensor: &KnownSensor,
    kind: ConditionKind,
    readings: &[ClassifiedReading],
    told: ReadingStatus,
    now: Timestamp,
) -> Option<Condition> {
    let found = limit_condition(readings, sensor.evaluated_through, told, now)?;
    let (status, value, time) = found.worst;
    Some(Condition {
        machine_id: sensor.machine_id,
        sensor_id: sensor.sensor_id,
        kind,
        occurrences: found.occurrences,
        severity: status.into(),
        still_active: found.still_active,
        value,
        time,
        evaluated_through: found.evaluated_through,
        message: message(sensor, kind, status, value),
        prediction_id: None,
    })
}

/// The documented message: `{name} reported {value} {unit}`; where the sender gave the status, with it.
fn message(sensor: &KnownSensor, kind: ConditionKind, status: ReadingStatus, value: f64) -> String {
    let unit = sensor.unit.as_deref().unwrap_or_default();
    let message = format!("{} reported {value:?} {unit}", sensor.name).trim_end().to_owned();
    match kind {
        ConditionKind::Reported => format!("{message} with the status {status}"),
        ConditionKind::Threshold | ConditionKind::Prediction => message,
    }
}
