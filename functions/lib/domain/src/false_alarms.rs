//! False alarms of the models: how many people put up with, and how many there were.

use crate::settings::{Key, Values};

/// Days of a month in everything that is counted per month.
pub const MONTH_DAYS: i64 = 30;

/// Fewer days of machines tell nothing about a month.
const MIN_MACHINE_DAYS: f64 = 1.0;

/// The false alarms of a machine in a month that people put up with: by its class where that has a number of its own.
#[must_use]
pub fn of_machine(settings: &Values, machine_class: Option<&str>) -> i64 {
    let by_class = settings.json(Key::ModelFalseAlarmsByClass);
    let own = machine_class.and_then(|class| by_class.get(class)).and_then(serde_json::Value::as_i64);
    own.unwrap_or_else(|| settings.integer(Key::ModelFalseAlarmsPerMachineMonth))
}

/// The false alarms of one sensor in a month, of those that are put up with per machine.
#[must_use]
pub fn of_sensor(per_machine_and_month: i64, sensors_of_machine: i64) -> f64 {
    per_machine_and_month as f64 / sensors_of_machine.max(1) as f64
}

/// Alarms that were counted over so many days of machines, per machine and month; `None` when that says nothing yet.
#[must_use]
pub fn per_machine_and_month(alarms: i64, machine_days: f64) -> Option<f64> {
    (machine_days >= MIN_MACHINE_DAYS).then(|| alarms as f64 / machine_days * MONTH_DAYS as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_machine_may_is_shared_by_its_sensors() {
        for (budget, sensors, expected) in [(1, 4, 0.25), (3, 1, 3.0), (2, 0, 2.0)] {
            assert_eq!(of_sensor(budget, sensors), expected);
        }
    }

    #[test]
    fn a_class_with_a_number_of_its_own_follows_that() {
        let stored =
            [("model.false_alarms_per_machine_month", "2"), ("model.false_alarms_by_class", r#"{"pump":6}"#)];
        let settings = Values::new(stored.map(|(key, value)| (key.to_owned(), Some(value.to_owned()))));
        for (class, expected) in [(Some("pump"), 6), (Some("fan"), 2), (None, 2)] {
            assert_eq!(of_machine(&settings, class), expected, "{class:?}");
        }
    }

    #[test]
    fn a_count_is_scaled_to_a_month_once_there_is_a_day() {
        for (alarms, days, expected) in
            [(2, 60.0, Some(1.0)), (0, 30.0, Some(0.0)), (1, 15.0, Some(2.0)), (5, 0.5, None), (0, 0.0, None)]
        {
            assert_eq!(per_machine_and_month(alarms, days), expected, "{alarms} in {days}");
        }
    }
}
