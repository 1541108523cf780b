//! Tests of what is reported to the alarm engine.

use super::*;
use ReadingStatus::{Critical, Normal, Warning};
use uuid::Uuid;

const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

fn monitored(rule: RuleValues) -> MonitoredSensor {
    MonitoredSensor {
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
fn without_a_rule_a_spike_is_reported_and_nothing_remembered() {
    let evaluation = monitored(RuleValues::default()).readings(&[reading(2, 327.67), reading(1, 20.0)], NOW);
    assert_eq!(evaluation.remember, None);
    let [reported] = &evaluation.conditions[..] else { panic!("{evaluation:?}") };
    assert_eq!(
        (reported.severity, reported.still_active, reported.occurrences),
        (Severity::Critical, false, 1)
    );
    assert_eq!(reported.message, "temp reported 327.67 °C");
}

#[test]
fn a_delay_that_runs_out_is_reported_with_the_value_that_holds() {
    let mut sensor = monitored(on_delay(30));
    let evaluation = sensor.readings(&[reading(40, 95.0)], NOW);
    assert!(evaluation.conditions.is_empty());
    let (state, due) = evaluation.remember.expect("a delay runs");
    // the reading came 40 s late, so others may
    assert_eq!(due, Some(NOW.plus_seconds(30)));
    sensor.delay_state = state;
    sensor.newest = Some((NOW.plus_seconds(-40), 95.0, Critical));
    let evaluation = sensor.overdue(NOW.plus_seconds(31));
    let [reported] = &evaluation.conditions[..] else { panic!("{evaluation:?}") };
    assert_eq!((reported.time, reported.value, reported.still_active), (NOW.plus_seconds(-10), 95.0, true));
    assert_eq!(reported.evaluated_through, NOW.plus_seconds(-40));
    assert_eq!(evaluation.remember.map(|(_, due)| due), Some(None));
    // a reading may be on its way
    assert!(sensor.overdue(NOW.plus_seconds(30)).conditions.is_empty());
}

#[test]
fn a_rule_that_is_gone_leaves_nothing_behind() {
    let mut sensor = monitored(on_delay(30));
    sensor.delay_state = sensor.readings(&[reading(5, 95.0)], NOW).remember.and_then(|(state, _)| state);
    sensor.newest = Some((NOW.plus_seconds(-5), 95.0, Critical));
    sensor.rule = RuleValues::default();
    let early = sensor.overdue(NOW);
    assert_eq!(
        (early.conditions.len(), early.remember.and_then(|(state, _)| state)),
        (0, sensor.delay_state)
    );
    let evaluation = sensor.overdue(NOW.plus_seconds(2));
    assert!(
        evaluation.conditions.iter().all(|c| c.still_active) && evaluation.conditions.len() == 1,
        "{evaluation:?}"
    );
    assert_eq!(evaluation.remember, Some((None, None)));
}

#[test]
fn readings_that_change_nothing_are_not_remembered_one_by_one() {
    let mut sensor = monitored(on_delay(30));
    sensor.delay_state = sensor.readings(&[reading(5, 20.0)], NOW).remember.and_then(|(state, _)| state);
    assert!(sensor.delay_state.is_some());
    assert_eq!(sensor.readings(&[reading(4, 21.0), reading(3, 20.0)], NOW), Evaluation::default());
}

#[test]
fn limits_that_are_gone_end_what_they_reported() {
    let mut sensor = monitored(RuleValues::default());
    sensor.thresholds = Thresholds::default();
    sensor.threshold_condition = Critical;
    let evaluation = sensor.readings(&[reading(1, 95.0)], NOW);
    let reported: Vec<_> = evaluation.conditions.iter().map(|c| (c.kind, c.still_active)).collect();
    assert_eq!(reported, [(ConditionKind::Reported, true), (ConditionKind::Threshold, false)]);
}

#[test]
fn a_rate_is_judged_without_limits_too() {
    let mut sensor = monitored(RuleValues { max_rate_per_min: Some(60.0), ..RuleValues::default() });
    sensor.thresholds = Thresholds::default();
    sensor.newest = Some((NOW.plus_seconds(-10), 20.0, Normal));
    let change = ClassifiedReading { time: NOW, value: 40.0, status: Normal };
    let evaluation = sensor.readings(&[change], NOW);
    let [reported] = &evaluation.conditions[..] else { panic!("{evaluation:?}") };
    assert_eq!((reported.kind, reported.severity), (ConditionKind::Threshold, Severity::Warning));
    assert_eq!(reported.message, "temp changed by 120.0 °C per minute");
}

#[test]
fn silence_is_reported_once_and_ended_by_a_reading_or_the_rule() {
    let expects = |s| RuleValues { expected_interval_s: Some(s), ..RuleValues::default() };
    for (expected_s, reported, silent_s, active) in [
        (Some(10), Normal, 9.9, None),
        (Some(10), Normal, 10.0, Some(true)),
        (Some(10), Warning, 20.0, None),
        (Some(10), Warning, 3.0, Some(false)),
        (Some(60), Warning, 20.0, Some(false)),
        (None, Warning, 20.0, Some(false)),
        (None, Normal, 1e9, None),
    ] {
        let mut sensor = monitored(expected_s.map_or_else(RuleValues::default, expects));
        sensor.stale_condition = reported;
        let found = sensor.silent(silent_s, NOW).map(|c| c.still_active);
        assert_eq!(found, active, "{expected_s:?} {reported} {silent_s}");
    }
    let mut sensor = monitored(expects(10));
    sensor.stale_condition = Warning;
    let evaluation = sensor.readings(&[reading(0, 20.0)], NOW);
    let [reported] = &evaluation.conditions[..] else { panic!("{evaluation:?}") };
    assert_eq!(
        (reported.kind, reported.still_active, reported.occurrences),
        (ConditionKind::Stale, false, 0)
    );
}
