//! Tests of suggestions.

use super::{
    super::tests::{at, monitored, rules},
    *,
};
use pm_api::{alarm_rule::RuleValues, sensor::Thresholds};
use proptest::prelude::*;

fn without_limits(rule: RuleValues) -> MonitoredSensor {
    MonitoredSensor { thresholds: Thresholds::default(), ..monitored(rule) }
}

/// A reading a minute: about 50, with an excursion of `minutes` to 70 every `every` of them.
fn excursions(count: usize, every: usize, minutes: usize) -> Vec<(Timestamp, f64)> {
    let value =
        |i: usize| if i % every < minutes && i >= every { 70.0 } else { 50.0 + (i % 7) as f64 / 10.0 };
    (0..count).map(|i| (at(60 * i as i64), value(i))).collect()
}

#[test]
fn a_wanted_number_is_met_by_the_tightest_limit() {
    let readings = excursions(5000, 1000, 3);
    let until = at(60 * 5000);
    let sensor = without_limits(RuleValues::default());
    let limit = |most| suggest(&sensor, &[], &readings, until, LimitSide::High, most).expect("a limit");
    // four excursions: with room for them the limit lies at the ordinary values, else beyond the excursions
    let four = limit(4);
    assert!(four.limit > 50.6 && four.limit < 52.0 && four.alarms == 4, "{four:?}");
    let none = limit(0);
    assert!(none.alarms == 0 && (none.limit > 70.0 || none.on_delay_s >= 180), "{none:?}");
}

#[test]
fn a_delay_is_suggested_where_it_allows_a_tighter_limit() {
    // many spikes of one reading, which are back after a minute, and one excursion of an hour
    let mut readings = excursions(6000, 50, 1);
    for (_, value) in &mut readings[3000..3060] {
        *value = 65.0;
    }
    let sensor = without_limits(RuleValues::default());
    let found = suggest(&sensor, &[], &readings, at(60 * 6000), LimitSide::High, 1).expect("a limit");
    assert!(found.on_delay_s == 60 && found.limit < 65.0 && found.alarms == 1, "{found:?}");
}

#[test]
fn a_critical_limit_is_never_passed() {
    let sensor = monitored(RuleValues::default());
    let readings = [(0, 20.0), (1, 95.0), (2, 20.0), (3, 95.0)].map(|(s, value)| (at(s * 3600), value));
    let found = suggest(&sensor, &[], &readings, at(4 * 3600), LimitSide::High, 0);
    assert_eq!(found, Err(NoSuggestion::TooMany(2)));
    let found = suggest(&sensor, &[], &readings, at(4 * 3600), LimitSide::High, 2).expect("a limit");
    assert!(found.limit <= 90.0 && found.alarms <= 2, "{found:?}");
    assert_eq!(suggest(&sensor, &[], &[], at(0), LimitSide::High, 2), Err(NoSuggestion::NoReadings));
}

#[test]
fn the_side_is_that_of_the_limits() {
    assert_eq!(side(&Limits::default()), LimitSide::High);
    assert_eq!(side(&Limits { critical_low: Some(1.0), ..Limits::default() }), LimitSide::Low);
    let both = Limits { warning_low: Some(1.0), warning_high: Some(9.0), ..Limits::default() };
    assert_eq!(side(&both), LimitSide::High);
}

fn readings() -> impl Strategy<Value = Vec<(Timestamp, f64)>> {
    let value = prop_oneof![6 => 0.0..10.0_f64, 1 => 10.0..40.0_f64, 1 => -3.0..0.0_f64];
    prop::collection::vec((1_i64..120, value), 1..200).prop_map(|steps| {
        let mut s = 0;
        let next = |(step, value): (i64, f64)| {
            s += step;
            (at(s), value)
        };
        steps.into_iter().map(next).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_suggestion_keeps_to_the_number(rule in rules(), readings in readings(), most in 0_u64..6) {
        let sensor = without_limits(RuleValues { max_rate_per_min: None, ..rule });
        let until = at(60 * 200);
        for side in [LimitSide::High, LimitSide::Low] {
            // without a critical limit there is always one
            let found = suggest(&sensor, &[], &readings, until, side, most);
            let found = found.map_err(|e| TestCaseError::fail(format!("{e:?}")))?;
            prop_assert!(found.alarms <= most);
            let tried = suggested(&sensor, side, found.limit, found.on_delay_s);
            // by all readings, not only those that were taken to matter
            prop_assert_eq!(count(&tried, &[], &readings, until), found.alarms);
        }
    }

    #[test]
    fn the_low_side_is_the_mirror_of_the_high_one(rule in rules(), readings in readings(), most in 0_u64..6) {
        let sensor = without_limits(RuleValues { max_rate_per_min: None, ..rule });
        let mirrored: Vec<_> = readings.iter().map(|(time, value)| (*time, -value)).collect();
        let high = suggest(&sensor, &[], &readings, at(60 * 200), LimitSide::High, most);
        let low = suggest(&sensor, &[], &mirrored, at(60 * 200), LimitSide::Low, most);
        prop_assert_eq!(high.map(|found| Suggested { limit: -found.limit + 0.0, ..found }), low);
    }

    #[test]
    fn readings_that_are_left_out_make_no_difference(
        rule in rules(), readings in readings(), tightest in 5.0..9.0_f64, further in 0.0..20.0_f64, delay_s in 0_i64..200,
    ) {
        let sensor = without_limits(rule);
        let told = telling(&sensor, LimitSide::High, tightest, &readings);
        let tried = suggested(&sensor, LimitSide::High, tightest + further, delay_s);
        let until = at(60 * 200);
        prop_assert_eq!(count(&tried, &[], &told, until), count(&tried, &[], &readings, until));
    }
}
