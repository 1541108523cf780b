//! Thresholds of a sensor, where it has them from, and the status of a value against them.

pub use pm_api::sensor::Thresholds;
use pm_api::{
    ReadingStatus,
    input::{FieldFault, Number, Patch},
    score::Limits,
    sensor::{NewSensor, Sensor, SensorChange},
};
use serde_json::Value;

/// The thresholds that count for a sensor: its own if it has any, else those that its machine has for its type.
#[must_use]
pub fn effective(own: Thresholds, of_machine: Option<Thresholds>) -> Thresholds {
    if own.is_empty() { of_machine.unwrap_or_default() } else { own }
}

/// The thresholds that the setting `sensors.default_thresholds` has for a type.
#[must_use]
pub fn default_of(setting: &Value, sensor_type: &str) -> Thresholds {
    let of_type = setting.get(sensor_type);
    let number = |name| of_type.and_then(|t| t.get(name)).and_then(Value::as_f64);
    Thresholds {
        warning: number("warning_threshold"),
        critical: number("critical_threshold"),
        min: number("min_threshold"),
        max: number("max_threshold"),
        ..Thresholds::default()
    }
}

/// The thresholds of its own that a new sensor gets: the defaults of its type, unless its machine has thresholds for the type
/// (`machine_has`), which count for sensors without their own.
#[must_use]
pub fn of_new_sensor(setting: &Value, sensor_type: &str, machine_has: bool) -> Thresholds {
    if machine_has { Thresholds::default() } else { default_of(setting, sensor_type) }
}

/// The thresholds that a new sensor is given by whoever makes it.
#[must_use]
pub fn given(new: &NewSensor) -> Thresholds {
    let number = |given: Option<Number>| given.map(|number| number.0);
    Thresholds {
        warning: number(new.warning_threshold),
        critical: number(new.critical_threshold),
        warning_low: number(new.warning_low),
        critical_low: number(new.critical_low),
        min: number(new.min_threshold),
        max: number(new.max_threshold),
    }
}

/// The thresholds of its own that a sensor has after a change.
#[must_use]
pub fn after(sensor: &Sensor, change: &SensorChange) -> Thresholds {
    let number = |change: &Patch<Number>, before: Option<f64>| {
        change.clone().after(before.map(Number)).map(|number| number.0)
    };
    Thresholds {
        warning: number(&change.warning_threshold, sensor.warning_threshold),
        critical: number(&change.critical_threshold, sensor.critical_threshold),
        warning_low: number(&change.warning_low, sensor.warning_low),
        critical_low: number(&change.critical_low, sensor.critical_low),
        min: number(&change.min_threshold, sensor.min_threshold),
        max: number(&change.max_threshold, sensor.max_threshold),
    }
}

/// The fault of a sensor whose thresholds contradict each other, at the sensor's field.
#[must_use]
pub fn fault(t: &Thresholds) -> Option<FieldFault> {
    let (threshold, message) = contradiction(t)?;
    let (field, value) = match threshold {
        "warning" => ("warning_threshold", t.warning),
        "critical" => ("critical_threshold", t.critical),
        "min" => ("min_threshold", t.min),
        "max" => ("max_threshold", t.max),
        "warning_low" => ("warning_low", t.warning_low),
        _ => ("critical_low", t.critical_low),
    };
    Some(FieldFault::new(field, format!("Input {message}"), value))
}

/// Do warning and critical guard the low side? They do where critical lies below warning (an oil level: warning 50 %,
/// critical 45 %) and no limit of the low side is given by its own name.
fn low_side(t: &Thresholds) -> bool {
    t.warning_low.is_none()
        && t.critical_low.is_none()
        && matches!((t.warning, t.critical), (Some(w), Some(c)) if c < w)
}

/// Resolves thresholds to limits.
///
/// Warning and critical guard the high side; where critical lies below warning and the low side has no limits of its
/// own, both guard the low side. `min` is a low warning where `warning_low` is not given; `max` is a high warning where
/// neither `warning` nor `critical` is given.
#[must_use]
pub fn limits(t: Thresholds) -> Limits {
    if low_side(&t) {
        return Limits {
            warning_high: None,
            critical_high: None,
            warning_low: t.warning,
            critical_low: t.critical,
        };
    }
    let warning_high = if t.warning.is_none() && t.critical.is_none() { t.max } else { t.warning };
    Limits {
        warning_high,
        critical_high: t.critical,
        warning_low: t.warning_low.or(t.min),
        critical_low: t.critical_low,
    }
}

/// Which threshold contradicts which other one, and how: `(field, what it must be)`, by the names of [`Thresholds`].
#[must_use]
pub fn contradiction(t: &Thresholds) -> Option<(&'static str, String)> {
    if let (Some(min), Some(max)) = (t.min, t.max)
        && min >= max
    {
        return Some(("max", format!("must be greater than the minimum, {min}")));
    }
    if low_side(t) {
        return None;
    }
    if let (Some(w), Some(c)) = (t.warning, t.critical)
        && c < w
    {
        return Some(("critical", format!("must not be less than the warning limit, {w}")));
    }
    if let (Some(w), Some(c)) = (t.warning_low, t.critical_low)
        && c > w
    {
        return Some(("critical_low", format!("must not be greater than the low warning limit, {w}")));
    }
    let high = [t.warning, t.critical].into_iter().flatten().reduce(f64::min)?;
    [("min", t.min), ("critical_low", t.critical_low), ("warning_low", t.warning_low)]
        .into_iter()
        .find(|(_, low)| low.is_some_and(|low| low >= high))
        .map(|(field, _)| (field, format!("must be less than the high limit, {high}")))
}

/// True if any limit is set.
#[must_use]
pub fn any(limits: &Limits) -> bool {
    limits.warning_high.is_some()
        || limits.critical_high.is_some()
        || limits.warning_low.is_some()
        || limits.critical_low.is_some()
}

/// Judges a value: critical before warning, limits inclusive.
#[must_use]
pub fn classify(limits: &Limits, value: f64) -> ReadingStatus {
    let above = |limit: Option<f64>| limit.is_some_and(|l| value >= l);
    let below = |limit: Option<f64>| limit.is_some_and(|l| value <= l);
    if above(limits.critical_high) || below(limits.critical_low) {
        ReadingStatus::Critical
    } else if above(limits.warning_high) || below(limits.warning_low) {
        ReadingStatus::Warning
    } else {
        ReadingStatus::Normal
    }
}

/// The status of a new reading: judged by the limits; where there are none, what the sender claimed, or normal.
#[must_use]
pub fn status(limits: &Limits, value: f64, claimed: Option<ReadingStatus>) -> ReadingStatus {
    if any(limits) { classify(limits, value) } else { claimed.unwrap_or(ReadingStatus::Normal) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ReadingStatus::{Critical, Normal, Warning};
    use proptest::prelude::*;

    fn t(min: f64, max: f64, warning: f64, critical: f64) -> Thresholds {
        let some = |v: f64| (!v.is_nan()).then_some(v);
        Thresholds {
            min: some(min),
            max: some(max),
            warning: some(warning),
            critical: some(critical),
            ..Thresholds::default()
        }
    }

    fn low(warning_low: f64, critical_low: f64, high: Thresholds) -> Thresholds {
        Thresholds { warning_low: Some(warning_low), critical_low: Some(critical_low), ..high }
    }

    #[test]
    fn a_value_against_its_thresholds() {
        let none = f64::NAN;
        for (thresholds, value, expected) in [
            (t(0.0, 100.0, 70.0, 85.0), 69.9, Normal),
            (t(0.0, 100.0, 70.0, 85.0), 70.0, Warning),
            (t(0.0, 100.0, 70.0, 85.0), 85.0, Critical),
            (t(0.0, 100.0, 70.0, 85.0), -1.0, Warning),
            (t(none, none, none, none), 1e9, Normal),
            (t(none, 100.0, none, none), 100.0, Warning),
            (t(none, 100.0, 200.0, none), 150.0, Normal),
            (t(none, none, none, 85.0), 85.0, Critical),
            (t(none, none, 50.0, 45.0), 80.0, Normal),
            (t(none, none, 50.0, 45.0), 50.0, Warning),
            (t(none, none, 50.0, 45.0), 45.0, Critical),
            (low(20.0, 10.0, t(none, none, 70.0, 85.0)), 21.0, Normal),
            (low(20.0, 10.0, t(none, none, 70.0, 85.0)), 20.0, Warning),
            (low(20.0, 10.0, t(none, none, 70.0, 85.0)), 10.0, Critical),
            (low(20.0, 10.0, t(none, none, 70.0, 85.0)), 85.0, Critical),
            (low(20.0, 10.0, t(none, none, none, none)), 15.0, Warning),
            (low(20.0, 10.0, t(30.0, none, none, none)), 25.0, Normal),
        ] {
            assert_eq!(classify(&limits(thresholds), value), expected, "{thresholds:?} {value}");
        }
    }

    proptest! {
        #[test]
        fn a_contradiction_is_reported_at_the_sensors_field(values in prop::array::uniform6(prop::option::of(-5..5))) {
            let [min, max, warning, critical, warning_low, critical_low] = values.map(|v| v.map(f64::from));
            let thresholds = Thresholds { min, max, warning, critical, warning_low, critical_low };
            match (contradiction(&thresholds), fault(&thresholds)) {
                (None, None) => {}
                (Some((threshold, _)), Some(fault)) => {
                    let long_name = format!("{threshold}_threshold");
                    prop_assert!(fault.field == threshold || fault.field == long_name);
                    prop_assert!(fault.input.is_number());
                }
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }

    #[test]
    fn thresholds_that_contradict_each_other() {
        let none = f64::NAN;
        for (thresholds, field) in [
            (t(none, none, none, none), None),
            (t(0.0, 100.0, 70.0, 85.0), None),
            (t(none, none, 70.0, 70.0), None),
            (t(none, none, 50.0, 45.0), None),
            (t(5.0, 5.0, none, none), Some("max")),
            (low(20.0, 10.0, t(none, none, 50.0, 45.0)), Some("critical")),
            (low(10.0, 20.0, t(none, none, none, none)), Some("critical_low")),
            (low(20.0, 10.0, t(none, none, 20.0, 85.0)), Some("warning_low")),
            (low(20.0, 20.0, t(none, none, 20.0, 85.0)), Some("critical_low")),
            (t(70.0, 100.0, 70.0, 85.0), Some("min")),
            (low(20.0, 10.0, t(none, none, 70.0, 85.0)), None),
        ] {
            assert_eq!(contradiction(&thresholds).map(|c| c.0), field, "{thresholds:?}");
        }
    }

    #[test]
    fn own_thresholds_win_as_a_whole() {
        let none = f64::NAN;
        let of_machine = t(none, none, 70.0, 85.0);
        assert_eq!(effective(Thresholds::default(), Some(of_machine)), of_machine);
        assert_eq!(effective(Thresholds::default(), None), Thresholds::default());
        let own = t(none, none, none, 99.0);
        assert_eq!(effective(own, Some(of_machine)), own);
    }

    #[test]
    fn defaults_are_by_type() {
        let setting =
            serde_json::json!({"temperature": {"warning_threshold": 70, "critical_threshold": null}});
        assert_eq!(default_of(&setting, "temperature"), t(f64::NAN, f64::NAN, 70.0, f64::NAN));
        assert!(default_of(&setting, "pressure").is_empty());
        assert_eq!(of_new_sensor(&setting, "temperature", false), default_of(&setting, "temperature"));
        assert!(of_new_sensor(&setting, "temperature", true).is_empty());
    }

    #[test]
    fn a_claim_counts_only_without_limits() {
        let limited = limits(t(f64::NAN, f64::NAN, 70.0, 85.0));
        assert_eq!(status(&limited, 10.0, Some(Critical)), Normal);
        assert_eq!(status(&Limits::default(), 10.0, Some(Critical)), Critical);
        assert_eq!(status(&Limits::default(), 10.0, None), Normal);
    }
}
