//! Tests of delays and dead band.

use super::*;
use crate::condition::{ClassifiedReading, limit_condition};
use ReadingStatus::{Critical, Normal, Warning};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp(1_800_000_000_000_000);
const LIMITS: Limits = Limits {
    warning_high: Some(80.0),
    critical_high: Some(90.0),
    warning_low: Some(10.0),
    critical_low: None,
};

fn at(second: i64) -> Timestamp {
    NOW.plus_seconds(second - 10_000)
}

fn delays(on_s: i64, off_s: i64, dead_band: f64) -> Delays {
    Delays { on_s, off_s, dead_band, max_rate_per_min: None }
}

fn judged(delays: &Delays, values: &[(i64, f64)]) -> Vec<Judged> {
    let mut previous = None;
    let of = |&(second, value): &(i64, f64)| {
        let reading = (at(second), value, limits::classify(&LIMITS, value));
        let judged = judge(&LIMITS, delays, previous, reading);
        previous = Some((reading.0, value));
        judged
    };
    values.iter().map(of).collect()
}

fn fresh() -> State {
    State::new(ConditionKind::Threshold, Normal, None)
}

/// Sends the values one by one; returns `(second, class)` of each change, also of those without a reading.
fn changes(delays: &Delays, values: &[(i64, f64)], until_s: i64) -> Vec<(i64, ReadingStatus)> {
    let (mut state, mut held, mut changes) = (fresh(), None, Vec::new());
    let mut reported = LastReported { class: Normal, through: None };
    let mut note = |second: i64, class: ReadingStatus| {
        if changes.last().map_or(Normal, |(_, class)| *class) != class {
            changes.push((second, class));
        }
    };
    let readings = judged(delays, values);
    for second in 0..=until_s {
        for reading in readings.iter().filter(|r| r.time == at(second)) {
            let found = evaluate(state, held, [*reading], reported, delays, (None, NOW));
            state = found.state;
            held = Some(*reading);
            reported = LastReported { class: state.class, through: state.through };
        }
        let found = evaluate(state, held, [], reported, delays, (Some(at(second)), NOW));
        assert!(found.due_at.is_none_or(|due| due > at(second)));
        state = found.state;
        reported.class = state.class;
        note(second, state.class);
    }
    changes
}

#[test]
fn the_table_of_delays() {
    for (name, delays, values, expected) in [
        ("a spike", delays(30, 0, 0.0), &[(0, 20.0), (10, 95.0), (20, 20.0)][..], vec![]),
        ("a spike as long as the delay", delays(10, 0, 0.0), &[(0, 20.0), (11, 95.0), (20, 20.0)], vec![]),
        ("held without a reading", delays(30, 0, 0.0), &[(10, 85.0)], vec![(40, Warning)]),
        ("readings beyond", delays(30, 0, 0.0), &[(10, 85.0), (25, 86.0), (41, 87.0)], vec![(40, Warning)]),
        ("interrupted", delays(30, 0, 0.0), &[(10, 85.0), (30, 20.0), (31, 85.0)], vec![(61, Warning)]),
        ("escalation", delays(30, 0, 0.0), &[(10, 85.0), (20, 95.0)], vec![(40, Warning), (50, Critical)]),
        ("at once to critical", delays(30, 0, 0.0), &[(10, 95.0)], vec![(40, Critical)]),
        ("no delay", delays(0, 0, 0.0), &[(10, 95.0), (20, 20.0)], vec![(10, Critical), (20, Normal)]),
        ("off-delay", delays(0, 30, 0.0), &[(10, 95.0), (20, 20.0)], vec![(10, Critical), (50, Normal)]),
        (
            "off-delay, interrupted",
            delays(0, 30, 0.0),
            &[(10, 85.0), (20, 20.0), (45, 85.0)],
            vec![(10, Warning)],
        ),
        (
            "critical ends before warning",
            delays(0, 30, 0.0),
            &[(10, 95.0), (20, 85.0), (30, 20.0)],
            vec![(10, Critical), (50, Warning), (60, Normal)],
        ),
        ("within the dead band", delays(0, 0, 3.0), &[(10, 85.0), (20, 77.0)], vec![(10, Warning)]),
        (
            "beyond the dead band",
            delays(0, 0, 3.0),
            &[(10, 85.0), (20, 76.9)],
            vec![(10, Warning), (20, Normal)],
        ),
        ("low side", delays(0, 0, 3.0), &[(10, 9.0), (20, 12.0)], vec![(10, Warning)]),
        ("low side, back", delays(0, 0, 3.0), &[(10, 9.0), (20, 13.1)], vec![(10, Warning), (20, Normal)]),
        (
            "a dead band of the whole range",
            delays(0, 0, 500.0),
            &[(10, 85.0), (20, 45.0)],
            vec![(10, Warning), (20, Normal)],
        ),
    ] {
        assert_eq!(changes(&delays, values, 120), expected, "{name}");
    }
}

#[test]
fn a_fast_change_is_a_warning() {
    let delays = Delays { max_rate_per_min: Some(60.0), ..Delays::default() };
    let found = changes(&delays, &[(0, 20.0), (10, 30.0), (20, 41.0), (30, 40.0)], 60);
    assert_eq!(found, [(20, Warning), (30, Normal)]);
    let readings = judged(&delays, &[(0, 20.0), (10, 0.5), (10, 40.0)]);
    assert_eq!(readings.iter().map(|r| r.rate_per_min.is_some()).collect::<Vec<_>>(), [false, false, false]);
    let readings = judged(&delays, &[(0, 40.0), (10, 20.0)]);
    assert_eq!(readings[1].rate_per_min, Some(-120.0));
}

#[test]
fn sixty_crossings_are_one_alarm() {
    let delays = delays(0, 30, 0.0);
    let values: Vec<_> = (0..120).map(|s| (s, if s % 2 == 0 { 85.0 } else { 75.0 })).collect();
    assert_eq!(changes(&delays, &values, 200), [(0, Warning), (149, Normal)]);
}

#[test]
fn an_evaluation_that_got_lost_half_way_is_reported_again() {
    let delays = delays(10, 10, 0.0);
    let readings = judged(&delays, &[(0, 95.0), (12, 95.0)]);
    let reported = LastReported { class: Normal, through: None };
    let first = evaluate(fresh(), None, readings.iter().copied(), reported, &delays, (None, NOW));
    assert!(first.reported.is_some_and(|reported| reported.still_active && reported.worst.0 == Critical));
    // the state was stored, nothing was reported to the alarm engine
    let again = evaluate(first.state, None, readings.iter().copied(), reported, &delays, (None, NOW));
    assert_eq!(again.state, first.state);
    let held = readings.last().copied();
    let again = evaluate(first.state, held, [], reported, &delays, (None, NOW));
    assert!(again.reported.is_some_and(|reported| reported.occurrences == 1 && reported.worst.0 == Critical));
    // it was reported to the alarm engine, the state was not stored
    let reported = LastReported { class: Critical, through: Some(at(12)) };
    let again = evaluate(fresh(), None, readings.iter().copied(), reported, &delays, (None, NOW));
    assert_eq!(again.state, first.state);
    assert!(again.reported.is_none_or(|reported| reported.still_active));
}

#[test]
fn nothing_lies_in_the_future() {
    let delays = delays(5, 0, 0.0);
    let ahead = Judged { time: NOW.plus_seconds(4), ..judged(&delays, &[(0, 95.0)])[0] };
    let reported = LastReported { class: Normal, through: None };
    let found = evaluate(fresh(), None, [ahead], reported, &delays, (None, NOW));
    assert_eq!(found.state.warning_since, Some(NOW));
    assert_eq!(found.state.through, Some(NOW));
    let later = evaluate(found.state, Some(ahead), [], reported, &delays, (Some(NOW.plus_seconds(60)), NOW));
    assert_eq!(later.state.class, Normal);
}

fn any_values() -> impl Strategy<Value = Vec<(i64, f64)>> {
    let steps = prop::collection::vec(
        (1_i64..12, prop::sample::select(&[9.0, 12.0, 20.0, 77.0, 79.0, 85.0, 88.0, 95.0][..])),
        0..24,
    );
    steps.prop_map(|steps| {
        let mut second = 0;
        let of = |(step, value)| {
            second += step;
            (second, value)
        };
        steps.into_iter().map(of).collect()
    })
}

fn any_delays() -> impl Strategy<Value = Delays> {
    (0_i64..20, 0_i64..20, prop::sample::select(&[0.0, 2.0, 5.0][..]))
        .prop_map(|(on_s, off_s, dead_band)| delays(on_s, off_s, dead_band))
}

proptest! {
    #[test]
    fn without_a_rule_it_is_as_without_rules(values in any_values(), reported in prop::sample::select(ReadingStatus::ALL),
                                             through_s in prop::option::of(0_i64..60)) {
        let through = through_s.map(at);
        let none = Delays::default();
        let plain: Vec<_> = values.iter()
            .map(|&(s, value)| ClassifiedReading { time: at(s), value, status: limits::classify(&LIMITS, value) })
            .collect();
        let before = State::new(ConditionKind::Threshold, reported, through);
        let found = evaluate(before, None, judged(&none, &values), LastReported { class: reported, through }, &none, (None, NOW));
        prop_assert_eq!(found.reported, limit_condition(&plain, through, reported, NOW));
        prop_assert_eq!(found.due_at, None);
    }

    #[test]
    fn batches_make_no_difference(values in any_values(), delays in any_delays(), split in 0_usize..24) {
        let readings = judged(&delays, &values);
        let split = split.min(readings.len());
        let reported = LastReported { class: Normal, through: None };
        let whole = evaluate(fresh(), None, readings.iter().copied(), reported, &delays, (None, NOW)).state;
        let first = evaluate(fresh(), None, readings[..split].iter().copied(), reported, &delays, (None, NOW)).state;
        let held = split.checked_sub(1).map(|i| readings[i]);
        let both = evaluate(first, held, readings[split..].iter().copied(), reported, &delays, (None, NOW)).state;
        prop_assert_eq!(both, whole);
        // a restart in the middle
        let stored = serde_json::to_string(&first).expect("JSON");
        prop_assert_eq!(serde_json::from_str::<State>(&stored).expect("a state"), first);
        // what is delivered again changes nothing
        prop_assert_eq!(evaluate(whole, None, readings.iter().copied(), reported, &delays, (None, NOW)).state, whole);
    }

    #[test]
    fn a_class_counts_from_when_the_value_was_beyond_for_the_delay(values in any_values(), delays in any_delays()) {
        let until_s = values.last().map_or(0, |(s, _)| s + 40);
        let readings = judged(&delays, &values);
        // second by second, which is the definition
        for level in [Warning, Critical] {
            let (mut on, mut run, mut expected) = (false, None, Vec::new());
            for second in 0..=until_s {
                let held = readings.iter().rfind(|r| r.time <= at(second));
                let asks = held.is_some_and(|r| if on { r.holds < level } else { r.beyond >= level });
                run = asks.then(|| run.unwrap_or(second));
                let delay_s = if on { delays.off_s } else { delays.on_s };
                if run.is_some_and(|since| second - since >= delay_s) {
                    on = !on;
                    run = None;
                }
                expected.push(on);
            }
            let found = changes(&delays, &values, until_s);
            let class = |second| found.iter().rfind(|(s, _)| *s <= second).map_or(Normal, |(_, class)| *class);
            let found: Vec<bool> = (0..=until_s).map(|second| class(second) >= level).collect();
            prop_assert_eq!(found, expected, "{} {:?}", level, delays);
        }
    }
}
