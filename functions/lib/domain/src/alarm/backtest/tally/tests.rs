//! Tests of the comparison.

use super::*;
use proptest::prelude::*;

const HOUR: i64 = 3600;

fn at(s: i64) -> Timestamp {
    Timestamp(1_700_000_000_000_000).plus_seconds(s)
}

fn span(begin: i64, end: i64) -> AlarmSpan {
    AlarmSpan { begin: at(begin), end: Some(at(end)), severity: Severity::Warning }
}

fn tally(raised: &[AlarmSpan], faults: &[i64], found: &[AlarmSpan]) -> BacktestFigures {
    let faults: Vec<_> = faults.iter().map(|s| at(*s)).collect();
    let mut tally = Tally::new((at(0), at(30 * DAY_S)), raised.to_vec(), &faults, 3);
    found.iter().for_each(|alarm| tally.add(*alarm));
    tally.figures(100)
}

#[test]
fn gained_and_lost_are_what_has_no_counterpart() {
    let raised = [span(HOUR, 2 * HOUR), span(5 * HOUR, 6 * HOUR), span(9 * HOUR, 9 * HOUR)];
    // two within one that was raised; one elsewhere; one a moment apart
    let found = [
        span(HOUR + 60, HOUR + 120),
        span(HOUR + 600, HOUR + 700),
        span(3 * HOUR, 4 * HOUR),
        span(9 * HOUR + 30, 9 * HOUR + 40),
    ];
    let figures = tally(&raised, &[], &found);
    assert_eq!((figures.would_raise, figures.raised, figures.gained, figures.lost), (4, 3, 1, 1));
    assert_eq!(figures.alarm_s, 60.0 + 100.0 + 3600.0 + 10.0);
    assert!((figures.share - 3770.0 / (30 * DAY_S) as f64).abs() < 1e-12);
    assert_eq!((figures.faults, figures.mean_lead_s), (0, None));
}

#[test]
fn lead_is_from_the_first_alarm_of_the_week_before_a_fault() {
    let fault = 10 * DAY_S;
    let found = [span(DAY_S, DAY_S + 60), span(4 * DAY_S, 4 * DAY_S + 60), span(9 * DAY_S, 9 * DAY_S + 60)];
    let figures = tally(&[], &[fault, 25 * DAY_S], &found);
    assert_eq!((figures.faults, figures.faults_warned), (2, 1));
    assert_eq!(figures.mean_lead_s, Some((6 * DAY_S) as f64));
    // an alarm that begins after the fault is no warning; one that held before the week counts for the week
    assert_eq!(tally(&[], &[fault], &[span(fault + 1, fault + 2)]).faults_warned, 0);
    let held = tally(&[], &[fault], &[span(0, fault)]);
    assert_eq!(held.mean_lead_s, Some(LEAD_S as f64));
}

#[test]
fn a_fault_of_a_machine_is_announced_by_its_first_sensor() {
    let period = (at(0), at(30 * DAY_S));
    let mut tallies = [0, 1].map(|_| Tally::new(period, Vec::new(), &[at(10 * DAY_S)], 0));
    tallies[0].add(span(9 * DAY_S, 9 * DAY_S + 1));
    tallies[1].add(span(8 * DAY_S, 8 * DAY_S + 1));
    let both = figures(tallies.iter().map(|tally| (tally, 5)));
    assert_eq!((both.readings, both.faults, both.faults_warned), (10, 1, 1));
    assert_eq!(both.mean_lead_s, Some((2 * DAY_S) as f64));
    let two_machines = sum([(&both, 2), (&both, 2)]);
    assert_eq!((two_machines.faults, two_machines.would_raise), (2, 4));
    assert_eq!((two_machines.mean_lead_s, two_machines.share), (both.mean_lead_s, both.share));
}

#[test]
fn spans_of_a_recorded_alarm() {
    use AlarmChangeKind::{Acknowledged, ConditionEnded, Escalated, Raised, Resolved, Returned};
    let period = (at(0), at(100));
    let changes = [
        (Raised, at(10)),
        (ConditionEnded, at(20)),
        (Returned, at(30)),
        (Escalated, at(35)),
        (Acknowledged, at(36)),
        (Resolved, at(40)),
    ];
    let of = |active, changes: &[(AlarmChangeKind, Timestamp)], period| {
        let spans = spans((at(9), Severity::Critical, active), changes, period);
        spans.iter().map(|s| (s.begin.0 - at(0).0, s.end.map(|end| end.0 - at(0).0))).collect::<Vec<_>>()
    };
    let us = |s: i64| s * Timestamp::SECOND;
    assert_eq!(of(false, &changes, period), [(us(9), Some(us(20))), (us(30), Some(us(40)))]);
    assert_eq!(of(true, &changes[..3], period), [(us(9), Some(us(20))), (us(30), None)]);
    // seen and ended at once
    assert_eq!(of(false, &changes[..1], period), [(us(9), Some(us(9)))]);
    assert_eq!(of(false, &changes, (at(32), at(38))), [(us(32), None)]);
    assert_eq!(of(false, &changes, (at(50), at(60))), []);
}

proptest! {
    #[test]
    fn the_alarms_that_were_raised_gain_and_lose_nothing(
        steps in prop::collection::vec((1_i64..5000, 0_i64..5000), 0..30), shift_s in 0_i64..30,
    ) {
        let mut s = 0;
        let raised: Vec<_> = steps.into_iter().map(|(pause, length)| {
            s += pause + length;
            span(s - length, s)
        }).collect();
        let found: Vec<_> = raised.iter().map(|alarm| AlarmSpan {
            begin: alarm.begin.plus_seconds(-shift_s), end: alarm.end.map(|end| end.plus_seconds(-shift_s)), ..*alarm
        }).collect();
        let figures = tally(&raised, &[], &found);
        prop_assert_eq!((figures.gained, figures.lost), (0, 0));
        let none = tally(&raised, &[], &[]);
        prop_assert_eq!((none.lost, none.raised), (raised.len() as u64, raised.len() as u64));
        prop_assert_eq!(tally(&[], &[], &found).gained, found.len() as u64);
    }
}
