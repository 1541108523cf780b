//! A sensor under a rule that is tried.

use super::super::{monitored::MonitoredSensor, rule};
use crate::limits;
use pm_api::{
    alarm_rule::RuleValues, backtest::TriedRule, input::FieldFault, score::Limits, sensor::Thresholds,
};

/// What is wrong with a rule to try, whatever the sensor is.
#[must_use]
pub fn faults(tried: &TriedRule) -> Vec<FieldFault> {
    let mut faults = rule::value_faults(&tried.values());
    faults.extend(contradiction(&tried.limits, &tried.limits));
    faults
}

/// The sensor, with what is tried in place of what counts for it.
///
/// # Errors
/// The limits, or the bounds of what is plausible, that the sensor would have contradict each other; told at what is tried.
pub fn sensor(known: &MonitoredSensor, tried: &TriedRule) -> Result<MonitoredSensor, FieldFault> {
    let mut sensor = known.clone();
    let new = &tried.limits;
    let is_tried =
        [new.warning_high, new.critical_high, new.warning_low, new.critical_low].iter().any(Option::is_some);
    if is_tried {
        let old = limits::limits(known.thresholds);
        let limits = Limits {
            warning_high: new.warning_high.or(old.warning_high),
            critical_high: new.critical_high.or(old.critical_high),
            warning_low: new.warning_low.or(old.warning_low),
            critical_low: new.critical_low.or(old.critical_low),
        };
        if let Some(fault) = contradiction(&limits, new) {
            return Err(fault);
        }
        sensor.thresholds = thresholds(&limits);
    }
    let values = tried.values();
    let now = &known.rule;
    sensor.rule = RuleValues {
        on_delay_s: values.on_delay_s.or(now.on_delay_s),
        off_delay_s: values.off_delay_s.or(now.off_delay_s),
        dead_band: values.dead_band.or(now.dead_band),
        plausible_low: values.plausible_low.or(now.plausible_low),
        plausible_high: values.plausible_high.or(now.plausible_high),
        max_rate_per_min: values.max_rate_per_min.or(now.max_rate_per_min),
        ..RuleValues::default()
    };
    match rule::value_faults(&sensor.rule).into_iter().next() {
        Some(fault) => Err(fault),
        None => Ok(sensor),
    }
}

/// What counts for a sensor, as a rule to try.
#[must_use]
pub fn of(sensor: &MonitoredSensor) -> TriedRule {
    TriedRule {
        name: None,
        limits: limits::limits(sensor.thresholds),
        on_delay_s: sensor.rule.on_delay_s,
        off_delay_s: sensor.rule.off_delay_s,
        dead_band: sensor.rule.dead_band,
        plausible_low: sensor.rule.plausible_low,
        plausible_high: sensor.rule.plausible_high,
        max_rate_per_min: sensor.rule.max_rate_per_min,
    }
}

/// The thresholds that resolve to these limits.
#[must_use]
pub fn thresholds(limits: &Limits) -> Thresholds {
    Thresholds {
        warning: limits.warning_high,
        critical: limits.critical_high,
        warning_low: limits.warning_low,
        critical_low: limits.critical_low,
        ..Thresholds::default()
    }
}

/// The first pair of limits that contradict each other, told at the one that is `tried`.
fn contradiction(limits: &Limits, tried: &Limits) -> Option<FieldFault> {
    let value = |limits: &Limits, name| match name {
        "warning_high" => limits.warning_high,
        "critical_high" => limits.critical_high,
        "warning_low" => limits.warning_low,
        _ => limits.critical_low,
    };
    // lower, upper, may both be the same?
    let in_order = [
        ("warning_high", "critical_high", true),
        ("critical_low", "warning_low", true),
        ("warning_low", "warning_high", false),
        ("warning_low", "critical_high", false),
        ("critical_low", "warning_high", false),
        ("critical_low", "critical_high", false),
    ];
    in_order.into_iter().find_map(|(lower, upper, may_equal)| {
        let (low, high) = (value(limits, lower)?, value(limits, upper)?);
        if low < high || (may_equal && low == high) {
            return None;
        }
        let or_equal = if may_equal { " or equal to" } else { "" };
        Some(match value(tried, upper) {
            Some(input) => {
                FieldFault::new(upper, format!("Input must be greater than{or_equal} {lower}, {low}"), input)
            }
            None => FieldFault::new(lower, format!("Input must be less than{or_equal} {upper}, {high}"), low),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn limit() -> impl Strategy<Value = Option<f64>> {
        prop::option::of((-5_i8..5).prop_map(f64::from))
    }

    fn limits() -> impl Strategy<Value = Limits> {
        (limit(), limit(), limit(), limit()).prop_map(
            |(warning_high, critical_high, warning_low, critical_low)| Limits {
                warning_high,
                critical_high,
                warning_low,
                critical_low,
            },
        )
    }

    #[test]
    fn a_fault_is_told_at_the_limit_that_is_tried() {
        let at = |limits: Limits, tried: Limits| contradiction(&limits, &tried).map(|fault| fault.field);
        let high = Limits { warning_high: Some(90.0), critical_high: Some(80.0), ..Limits::default() };
        let warning = Limits { critical_high: None, ..high };
        let critical = Limits { warning_high: None, ..high };
        assert_eq!(at(high, warning), Some("warning_high"));
        assert_eq!(at(high, critical), Some("critical_high"));
        assert_eq!(at(Limits { critical_high: Some(90.0), ..high }, high), None);
        let crossed = Limits { warning_high: Some(5.0), warning_low: Some(5.0), ..Limits::default() };
        assert_eq!(at(crossed, crossed), Some("warning_high"));
        let negative = TriedRule { dead_band: Some(-1.0), ..TriedRule::default() };
        assert_eq!(faults(&negative).first().map(|fault| fault.field), Some("dead_band"));
    }

    proptest! {
        #[test]
        fn thresholds_resolve_to_the_limits_that_were_tried(limits in limits()) {
            if contradiction(&limits, &limits).is_none() {
                prop_assert_eq!(crate::limits::limits(thresholds(&limits)), limits);
                prop_assert_eq!(crate::limits::contradiction(&thresholds(&limits)), None);
            }
        }
    }
}
