//! Tests of what the alarm engine is told.

use super::*;
use ReadingStatus::{Critical, Normal, Warning};
use uuid::Uuid;

const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

fn subject(rule: RuleValues) -> Subject {
    Subject {
        machine_id: MachineId(Uuid::nil()),
        sensor_id: SensorId(Uuid::nil()),
        name: "temp".to_owned(),
        unit: Some("°C".to_owned()),
        thresholds: Thresholds { critical: Some(90.0), ..Thresholds::default() },
        rule,
        threshold_condition: Normal,
        reported_condition: Normal,
        stale_condition: Normal,
        evaluated_through: None,
        delay_state: None,
        newest: None,
    }
}

fn reading(ago_s: i64, value: f64) -> ClassifiedReading {
    let status = if value >= 90.0 { Critical } else { Normal };
    ClassifiedReading { time: NOW.plus_seconds(-ago_s), value, status }
}

fn on_delay(on_delay_s: i64) -> RuleValues {
    RuleValues { on_delay_s: Some(on_delay_s), ..RuleValues::default() }
}

#[test]
fn without_a_rule_a_spike_is_told_and_nothing_remembered() {
    let follows = subject(RuleValues::default()).readings(&[reading(2, 327.67), reading(1, 20.0)], NOW);
    assert_eq!(follows.remember, None);
    let [told] = &follows.conditions[..] else { panic!("{follows:?}") };
    assert_eq!((told.severity, told.still_active, told.occurrences), (Severity::Critical, false, 1));
    assert_eq!(told.message, "temp reported 327.67 °C");
}

#[test]
fn a_delay_that_runs_out_is_told_with_the_value_that_holds() {
    let mut subject = subject(on_delay(30));
    let follows = subject.readings(&[reading(40, 95.0)], NOW);
    assert!(follows.conditions.is_empty());
    let (state, due) = follows.remember.expect("a delay runs");
    // the reading came 40 s late, so others may
    assert_eq!(due, Some(NOW.plus_seconds(30)));
    subject.delay_state = state;
    subject.newest = Some((NOW.plus_seconds(-40), 95.0, Critical));
    let follows = subject.overdue(NOW.plus_seconds(31));
    let [told] = &follows.conditions[..] else { panic!("{follows:?}") };
    assert_eq!((told.time, told.value, told.still_active), (NOW.plus_seconds(-10), 95.0, true));
    assert_eq!(told.evaluated_through, NOW.plus_seconds(-40));
    assert_eq!(follows.remember.map(|(_, due)| due), Some(None));
    // a reading may be on its way
    assert!(subject.overdue(NOW.plus_seconds(30)).conditions.is_empty());
}

#[test]
fn a_rule_that_is_gone_leaves_nothing_behind() {
    let mut subject = subject(on_delay(30));
    subject.delay_state = subject.readings(&[reading(5, 95.0)], NOW).remember.and_then(|(state, _)| state);
    subject.newest = Some((NOW.plus_seconds(-5), 95.0, Critical));
    subject.rule = RuleValues::default();
    let early = subject.overdue(NOW);
    assert_eq!(
        (early.conditions.len(), early.remember.and_then(|(state, _)| state)),
        (0, subject.delay_state)
    );
    let follows = subject.overdue(NOW.plus_seconds(2));
    assert!(
        follows.conditions.iter().all(|c| c.still_active) && follows.conditions.len() == 1,
        "{follows:?}"
    );
    assert_eq!(follows.remember, Some((None, None)));
}

#[test]
fn readings_that_change_nothing_are_not_remembered_one_by_one() {
    let mut subject = subject(on_delay(30));
    subject.delay_state = subject.readings(&[reading(5, 20.0)], NOW).remember.and_then(|(state, _)| state);
    assert!(subject.delay_state.is_some());
    assert_eq!(subject.readings(&[reading(4, 21.0), reading(3, 20.0)], NOW), Follows::default());
}

#[test]
fn limits_that_are_gone_end_what_they_told() {
    let mut subject = subject(RuleValues::default());
    subject.thresholds = Thresholds::default();
    subject.threshold_condition = Critical;
    let follows = subject.readings(&[reading(1, 95.0)], NOW);
    let told: Vec<_> = follows.conditions.iter().map(|c| (c.kind, c.still_active)).collect();
    assert_eq!(told, [(ConditionKind::Reported, true), (ConditionKind::Threshold, false)]);
}

#[test]
fn a_rate_is_judged_without_limits_too() {
    let mut subject = subject(RuleValues { max_rate_per_min: Some(60.0), ..RuleValues::default() });
    subject.thresholds = Thresholds::default();
    subject.newest = Some((NOW.plus_seconds(-10), 20.0, Normal));
    let change = ClassifiedReading { time: NOW, value: 40.0, status: Normal };
    let follows = subject.readings(&[change], NOW);
    let [told] = &follows.conditions[..] else { panic!("{follows:?}") };
    assert_eq!((told.kind, told.severity), (ConditionKind::Threshold, Severity::Warning));
    assert_eq!(told.message, "temp changed by 120.0 °C per minute");
}

#[test]
fn silence_is_told_once_and_ended_by_a_reading_or_the_rule() {
    let expects = |s| RuleValues { expected_interval_s: Some(s), ..RuleValues::default() };
    for (expected_s, told, silent_s, active) in [
        (Some(10), Normal, 9.9, None),
        (Some(10), Normal, 10.0, Some(true)),
        (Some(10), Warning, 20.0, None),
        (Some(10), Warning, 3.0, Some(false)),
        (Some(60), Warning, 20.0, Some(false)),
        (None, Warning, 20.0, Some(false)),
        (None, Normal, 1e9, None),
    ] {
        let mut subject = subject(expected_s.map_or_else(RuleValues::default, expects));
        subject.stale_condition = told;
        let found = subject.silent(silent_s, NOW).map(|c| c.still_active);
        assert_eq!(found, active, "{expected_s:?} {told} {silent_s}");
    }
    let mut subject = subject(expects(10));
    subject.stale_condition = Warning;
    let follows = subject.readings(&[reading(0, 20.0)], NOW);
    let [told] = &follows.conditions[..] else { panic!("{follows:?}") };
    assert_eq!((told.kind, told.still_active, told.occurrences), (ConditionKind::Stale, false, 0));
}
