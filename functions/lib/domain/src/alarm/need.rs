//! The order in which alarms need attention.

use pm_api::{AlarmStatus, Severity};
use std::sync::LazyLock;

/// What the order goes by: unacknowledged before acknowledged before closed, then the higher severity, then alarms whose
/// condition holds.
type Facts = (AlarmStatus, Severity, bool);

fn before(&(status, severity, condition_active): &Facts) -> (u8, Severity, bool) {
    let waiting = match status {
        AlarmStatus::Resolved => 0,
        AlarmStatus::Acknowledged => 1,
        AlarmStatus::Open => 2,
    };
    (waiting, severity, condition_active)
}

fn word(&(status, severity, condition_active): &Facts) -> String {
    format!("{status} {severity} {condition_active}")
}

/// Every combination as `status severity condition_active`, the least need first. A statement finds the place of a row in
/// it with `array_position($n::text[], concat_ws(' ', status, severity, condition_active::text))`.
pub static ORDER: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut all: Vec<Facts> = Vec::new();
    for &status in AlarmStatus::ALL {
        for &severity in Severity::ALL {
            all.extend([(status, severity, false), (status, severity, true)]);
        }
    }
    all.sort_by_key(before);
    all.iter().map(word).collect()
});

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_ends_of_the_order() {
        assert_eq!(ORDER.len(), AlarmStatus::ALL.len() * Severity::ALL.len() * 2);
        assert_eq!(ORDER.first().map(String::as_str), Some("resolved info false"));
        assert_eq!(ORDER.last().map(String::as_str), Some("open critical true"));
    }

    fn any_facts() -> impl Strategy<Value = Facts> {
        (prop::sample::select(AlarmStatus::ALL), prop::sample::select(Severity::ALL), any::<bool>())
    }

    proptest! {
        #[test]
        fn the_order_is_by_status_then_severity_then_condition(a in any_facts(), b in any_facts()) {
            let place_of = |facts: &Facts| ORDER.iter().position(|other| *other == word(facts));
            prop_assert!(place_of(&a).is_some());
            // the earlier a status stands in its vocabulary, the longer it has waited for a person
            let key = |(status, severity, active): Facts| (std::cmp::Reverse(status), severity, active);
            prop_assert_eq!(place_of(&a).cmp(&place_of(&b)), key(a).cmp(&key(b)));
        }
    }
}
