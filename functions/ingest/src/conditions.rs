//! What must be reported to the alarm engine about the readings of sensors, and what must be remembered of the delays of their alarm
//! rules. The rules are in `pm_domain::alarm::monitored`.

use pm_api::{Timestamp, alarm_engine::Condition};
use pm_domain::condition::ClassifiedReading;
use pm_store::ingest::{DelayChange, KnownSensor, NewReading};

/// Conditions of the sensors, and changes of their delays. `readings` are stored, good, and no history.
pub(crate) fn of(
    sensors: &[KnownSensor],
    readings: &[NewReading],
    now: Timestamp,
) -> (Vec<Condition>, Vec<DelayChange>) {
    let mut by_sensor: Vec<Vec<ClassifiedReading>> = vec![Vec::new(); sensors.len()];
    for reading in readings {
        by_sensor[reading.sensor].push(ClassifiedReading {
            time: reading.time,
            value: reading.value,
            status: reading.status,
        });
    }
    let (mut conditions, mut changes) = (Vec::new(), Vec::new());
    for (sensor, readings) in sensors.iter().zip(by_sensor).filter(|(_, readings)| !readings.is_empty()) {
        let evaluation = sensor.monitored().readings(&readings, now);
        changes.extend(DelayChange::of(sensor, &evaluation));
        conditions.extend(evaluation.conditions);
    }
    (conditions, changes)
}
