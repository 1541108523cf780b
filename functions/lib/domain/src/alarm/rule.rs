//! The rule of a sensor (ISA-18.2): from the rules that are for it, field by field, and where each field is from.
//!
//! The most specific rule that says something about a field counts: the sensor's own, then its machine's for the sensor's
//! type, then that of the machine's class, then that of the type. No field can be switched off by leaving it open; zero does
//! that where zero is allowed.

use crate::address;
use pm_api::{
    AlarmRuleId, RuleScope,
    alarm_rule::{RuleOrigin, RuleTarget, RuleValues},
    input::FieldFault,
};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A rule that is for a sensor, among others.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Applicable {
    /// The rule.
    pub id: AlarmRuleId,
    /// Which sensors it is for.
    #[serde(flatten)]
    pub target: RuleTarget,
    /// What it says.
    #[serde(flatten)]
    pub values: RuleValues,
}

/// What counts for a sensor.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Effective {
    /// The values.
    pub values: RuleValues,
    /// Where each is from, by its name.
    pub origins: BTreeMap<&'static str, RuleOrigin>,
}

/// How specific a rule for these sensors is.
#[must_use]
pub fn scope(target: &RuleTarget) -> RuleScope {
    if target.sensor_id.is_some() {
        RuleScope::Sensor
    } else if target.machine_id.is_some() {
        RuleScope::Machine
    } else if target.machine_class.is_some() {
        RuleScope::MachineClass
    } else {
        RuleScope::SensorType
    }
}

/// What is wrong with the scope of a new rule.
#[must_use]
pub fn target_faults(target: &RuleTarget) -> Vec<FieldFault> {
    let RuleTarget { sensor_id, machine_id, machine_class, sensor_type } = target;
    let mut faults = Vec::new();
    if sensor_id.is_some() {
        for (field, given) in [
            ("machine_id", machine_id.map(|id| id.to_string())),
            ("machine_class", machine_class.clone()),
            ("sensor_type", sensor_type.clone()),
        ] {
            if let Some(given) = given {
                faults.push(FieldFault::new(field, "A rule for one sensor is for sensor_id alone", given));
            }
        }
        return faults;
    }
    if sensor_type.is_none() {
        let message = "A rule needs sensor_id, or sensor_type with or without machine_id or machine_class";
        faults.push(FieldFault::new("sensor_type", message, Value::Null));
    }
    if let (Some(_), Some(class)) = (machine_id, machine_class) {
        let message = "A rule is for a machine or for a class of machines, not for both";
        faults.push(FieldFault::new("machine_class", message, class.clone()));
    }
    faults
}

/// What is wrong with the values of a rule, besides what their types say.
#[must_use]
pub fn value_faults(values: &RuleValues) -> Vec<FieldFault> {
    let mut faults = Vec::new();
    if let Some(band) = values.dead_band.filter(|band| *band < 0.0) {
        faults.push(FieldFault::new("dead_band", "Input should be greater than or equal to 0", band));
    }
    if let Some(rate) = values.max_rate_per_min.filter(|rate| *rate <= 0.0) {
        faults.push(FieldFault::new("max_rate_per_min", "Input should be greater than 0", rate));
    }
    if let (Some(low), Some(high)) = (values.plausible_low, values.plausible_high)
        && low >= high
    {
        let message = format!("Input must be greater than plausible_low, {low}");
        faults.push(FieldFault::new("plausible_high", message, high));
    }
    if let Some(link) = &values.link
        && let Err(reason) = web_address(link)
    {
        faults.push(FieldFault::new("link", reason, link.clone()));
    }
    faults
}

/// Is it an `http` or `https` address? Unlike [`address::url`] it may have a query and a fragment: people open it.
fn web_address(text: &str) -> Result<(), String> {
    let (address, rest) = text.split_at(text.find(['?', '#']).unwrap_or(text.len()));
    if rest.contains(|c: char| c.is_whitespace() || c.is_control() || "\"<>\\".contains(c)) {
        return Err("the address contains invalid characters".to_owned());
    }
    address::url(address)
}

/// The rule that counts, of all that are for a sensor, in any order.
///
/// Bounds of what is plausible that come from two rules and contradict each other would leave no plausible value: then those
/// of the more specific rule count alone.
#[must_use]
pub fn effective(rules: &[Applicable]) -> Effective {
    let mut rules: Vec<(RuleScope, &Applicable)> = rules.iter().map(|r| (scope(&r.target), r)).collect();
    rules.sort_by_key(|(scope, _)| *scope);
    let mut found = Effective::default();
    macro_rules! take {
        ($($field:ident),*) => {$(
            if let Some((scope, rule)) = rules.iter().find(|(_, rule)| rule.values.$field.is_some()) {
                found.values.$field.clone_from(&rule.values.$field);
                found.origins.insert(stringify!($field), RuleOrigin { scope: *scope, rule_id: rule.id });
            }
        )*};
    }
    take!(
        on_delay_s,
        off_delay_s,
        dead_band,
        plausible_low,
        plausible_high,
        max_rate_per_min,
        expected_interval_s,
        priority,
        cause,
        consequence,
        response,
        link
    );
    if let (Some(low), Some(high)) = (found.values.plausible_low, found.values.plausible_high)
        && low >= high
    {
        let origin = |field| found.origins.get(field).map(|origin| origin.scope);
        if origin("plausible_low") < origin("plausible_high") {
            found.values.plausible_high = None;
            found.origins.remove("plausible_high");
        } else {
            found.values.plausible_low = None;
            found.origins.remove("plausible_low");
        }
    }
    found
}

/// May a sensor show this value? Nothing judges one that it may not.
#[must_use]
pub fn is_plausible(rule: &RuleValues, value: f64) -> bool {
    rule.plausible_low.is_none_or(|low| value >= low) && rule.plausible_high.is_none_or(|high| value <= high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pm_api::{MachineId, SensorId};
    use proptest::prelude::*;
    use uuid::Uuid;

    fn target(scope: RuleScope) -> RuleTarget {
        let kind = Some("temperature".to_owned());
        match scope {
            RuleScope::Sensor => {
                RuleTarget { sensor_id: Some(SensorId(Uuid::nil())), ..RuleTarget::default() }
            }
            RuleScope::Machine => RuleTarget {
                machine_id: Some(MachineId(Uuid::nil())),
                sensor_type: kind,
                ..RuleTarget::default()
            },
            RuleScope::MachineClass => RuleTarget {
                machine_class: Some("pump".to_owned()),
                sensor_type: kind,
                ..RuleTarget::default()
            },
            RuleScope::SensorType => RuleTarget { sensor_type: kind, ..RuleTarget::default() },
        }
    }

    fn rule(level: RuleScope, values: RuleValues) -> Applicable {
        Applicable { id: AlarmRuleId(Uuid::from_u128(level as u128)), target: target(level), values }
    }

    fn delay(on_delay_s: i64) -> RuleValues {
        RuleValues { on_delay_s: Some(on_delay_s), ..RuleValues::default() }
    }

    #[test]
    fn each_field_is_from_the_most_specific_rule_that_has_it() {
        let rules = [
            rule(
                RuleScope::SensorType,
                RuleValues { off_delay_s: Some(9), dead_band: Some(1.5), ..delay(4) },
            ),
            rule(
                RuleScope::Sensor,
                RuleValues { cause: Some("bearing".to_owned()), ..RuleValues::default() },
            ),
            rule(RuleScope::MachineClass, RuleValues { off_delay_s: Some(3), ..delay(3) }),
            rule(RuleScope::Machine, delay(0)),
        ];
        let Effective { values, origins } = effective(&rules);
        assert_eq!((values.on_delay_s, values.off_delay_s, values.dead_band), (Some(0), Some(3), Some(1.5)));
        assert_eq!(values.cause.as_deref(), Some("bearing"));
        let from = |field| origins.get(field).map(|origin| origin.scope);
        assert_eq!(from("on_delay_s"), Some(RuleScope::Machine));
        assert_eq!(from("off_delay_s"), Some(RuleScope::MachineClass));
        assert_eq!(from("dead_band"), Some(RuleScope::SensorType));
        assert_eq!(from("cause"), Some(RuleScope::Sensor));
        assert_eq!(from("link"), None);
        assert_eq!(effective(&[]), Effective::default());
    }

    #[test]
    fn bounds_of_two_rules_that_contradict_each_other() {
        let low = |low| RuleValues { plausible_low: Some(low), ..RuleValues::default() };
        let high = |high| RuleValues { plausible_high: Some(high), ..RuleValues::default() };
        for (sensor, kind, expected) in [
            (low(0.0), high(150.0), (Some(0.0), Some(150.0))),
            (low(200.0), high(150.0), (Some(200.0), None)),
            (high(-10.0), low(0.0), (None, Some(-10.0))),
        ] {
            let rules = [rule(RuleScope::SensorType, kind), rule(RuleScope::Sensor, sensor)];
            let found = effective(&rules);
            assert_eq!((found.values.plausible_low, found.values.plausible_high), expected);
            assert_eq!(found.origins.len(), [expected.0, expected.1].iter().flatten().count());
        }
    }

    #[test]
    fn a_fault_names_its_field() {
        let fields = |faults: Vec<FieldFault>| faults.iter().map(|f| f.field).collect::<Vec<_>>();
        for &level in RuleScope::ALL {
            assert_eq!(fields(target_faults(&target(level))), [""; 0]);
            assert_eq!(scope(&target(level)), level);
        }
        assert_eq!(fields(target_faults(&RuleTarget::default())), ["sensor_type"]);
        let sensor_and_type = RuleTarget { sensor_type: Some("x".to_owned()), ..target(RuleScope::Sensor) };
        assert_eq!(fields(target_faults(&sensor_and_type)), ["sensor_type"]);
        let both = RuleTarget { machine_class: Some("x".to_owned()), ..target(RuleScope::Machine) };
        assert_eq!(fields(target_faults(&both)), ["machine_class"]);
        let wrong = RuleValues {
            dead_band: Some(-1.0),
            max_rate_per_min: Some(0.0),
            plausible_low: Some(5.0),
            plausible_high: Some(5.0),
            link: Some("javascript:alert(1)".to_owned()),
            ..RuleValues::default()
        };
        assert_eq!(fields(value_faults(&wrong)), ["dead_band", "max_rate_per_min", "plausible_high", "link"]);
        let link = |link: &str| RuleValues { link: Some(link.to_owned()), ..RuleValues::default() };
        assert!(value_faults(&link("https://plant.example/wi?id=7#step-2")).is_empty());
        assert!(!value_faults(&link("https://plant.example/?a b")).is_empty());
    }

    #[test]
    fn plausible_bounds_belong_to_what_is_plausible() {
        let rule =
            RuleValues { plausible_low: Some(-40.0), plausible_high: Some(150.0), ..RuleValues::default() };
        for (value, plausible) in [(-40.0, true), (150.0, true), (327.67, false), (-40.1, false)] {
            assert_eq!(is_plausible(&rule, value), plausible, "{value}");
        }
        assert!(is_plausible(&RuleValues::default(), f64::MAX));
    }

    proptest! {
        #[test]
        fn the_order_of_the_rules_makes_no_difference(
            delays in prop::collection::vec(prop::option::of(0_i64..5), 4), turn in 0_usize..4,
        ) {
            let mut rules: Vec<_> = RuleScope::ALL.iter().zip(&delays)
                .map(|(&level, &on_delay_s)| rule(level, RuleValues { on_delay_s, ..RuleValues::default() }))
                .collect();
            let found = effective(&rules);
            prop_assert_eq!(found.values.on_delay_s, delays.iter().copied().flatten().next());
            prop_assert_eq!(found.origins.contains_key("on_delay_s"), found.values.on_delay_s.is_some());
            rules.rotate_left(turn);
            prop_assert_eq!(effective(&rules), found);
        }
    }
}
