//! Tests of the replay.

use super::*;
use pm_api::{
    MachineId, MaintenanceWindowId, SensorId, alarm_engine::Condition, alarm_rule::RuleValues,
    sensor::Thresholds,
};
use proptest::prelude::*;
use uuid::Uuid;

/// A sensor that is in warning at 80 and critical at 90.
pub(super) fn monitored(rule: RuleValues) -> MonitoredSensor {
    MonitoredSensor {
        machine_id: MachineId(Uuid::nil()),
        sensor_id: SensorId(Uuid::nil()),
        name: "temp".to_owned(),
        unit: None,
        thresholds: Thresholds { warning: Some(80.0), critical: Some(90.0), ..Thresholds::default() },
        rule,
        threshold_condition: ReadingStatus::Normal,
        reported_condition: ReadingStatus::Normal,
        stale_condition: ReadingStatus::Normal,
        evaluated_through: None,
        delay_state: None,
        newest: None,
    }
}

pub(super) fn at(s: i64) -> Timestamp {
    Timestamp(1_700_000_000_000_000).plus_seconds(s)
}

/// Alarms as begin, end and severity.
fn alarms(rule: RuleValues, readings: &[(i64, f64)], until_s: i64) -> Vec<(i64, Option<i64>, Severity)> {
    replayed(&monitored(rule), &[], readings, until_s)
}

fn replayed(
    sensor: &MonitoredSensor,
    windows: &[MaintenanceWindow],
    readings: &[(i64, f64)],
    until_s: i64,
) -> Vec<(i64, Option<i64>, Severity)> {
    let mut found = Vec::new();
    let mut replay = Replay::new(sensor, windows, &Memory::default());
    let mut ended = |alarm: AlarmSpan| found.push(alarm);
    for (s, value) in readings {
        replay.reading((at(*s), *value, ReadingStatus::Normal), &mut ended);
    }
    replay.end(at(until_s), &mut ended);
    let second = |time: Timestamp| (time.0 - at(0).0) / Timestamp::SECOND;
    found.into_iter().map(|alarm| (second(alarm.begin), alarm.end.map(second), alarm.severity)).collect()
}

/// Crosses the warning limit at 10 s, chatters around it, and becomes critical at 60 s.
const CHATTER: [(i64, f64); 9] = [
    (0, 20.0),
    (10, 81.0),
    (20, 79.0),
    (30, 82.0),
    (40, 79.0),
    (50, 83.0),
    (60, 95.0),
    (70, 70.0),
    (100, 60.0),
];

#[test]
fn chatter_with_and_without_dead_band_and_delays() {
    use Severity::{Critical, Warning};
    let none = RuleValues::default();
    let each = vec![(10, Some(20), Warning), (30, Some(40), Warning), (50, Some(70), Critical)];
    assert_eq!(alarms(none.clone(), &CHATTER, 200), each);
    let dead_band = RuleValues { dead_band: Some(5.0), ..none.clone() };
    assert_eq!(alarms(dead_band, &CHATTER, 200), [(10, Some(70), Critical)]);
    let off_delay = RuleValues { off_delay_s: Some(15), ..none.clone() };
    assert_eq!(alarms(off_delay, &CHATTER, 200), [(10, Some(85), Critical)]);
    // the value holds between readings, so a delay of 10 s is over with the next one
    let on_delay = RuleValues { on_delay_s: Some(12), ..none };
    assert_eq!(alarms(on_delay, &CHATTER, 200), [(62, Some(70), Warning)]);
}

#[test]
fn what_holds_at_the_end_has_no_end() {
    assert_eq!(alarms(RuleValues::default(), &[(0, 85.0)], 60), [(0, None, Severity::Warning)]);
    let delayed = RuleValues { on_delay_s: Some(30), ..RuleValues::default() };
    assert_eq!(alarms(delayed.clone(), &[(0, 85.0)], 30), [(30, None, Severity::Warning)]);
    assert_eq!(alarms(delayed, &[(0, 85.0)], 29), []);
}

#[test]
fn an_implausible_value_is_no_reading() {
    let rule = RuleValues { plausible_high: Some(150.0), ..RuleValues::default() };
    assert_eq!(alarms(rule, &[(0, 20.0), (10, 327.67), (20, 20.0)], 60), []);
}

#[test]
fn planned_maintenance_suppresses_until_it_ends() {
    let window = MaintenanceWindow {
        id: MaintenanceWindowId(Uuid::nil()),
        created_at: at(0),
        updated_at: at(0),
        reason: "oil change".to_owned(),
        machine_id: None,
        machine_class: None,
        starts_at: at(5),
        ends_at: at(25),
        repeats: None,
        repeats_until: None,
        zone: "UTC".to_owned(),
        created_by: None,
        is_on: false,
    };
    let readings = [(10, 85.0), (20, 85.0), (30, 85.0), (40, 20.0)];
    let found = replayed(&monitored(RuleValues::default()), &[window], &readings, 60);
    assert_eq!(found, [(30, Some(40), Severity::Warning)]);
}

/// What the live path does with the same readings: one batch each, the clock once a second, and an operator who resolves each alarm
/// as soon as its condition has ended.
fn live(sensor: &MonitoredSensor, readings: &[(i64, f64)], until_s: i64) -> Vec<Timestamp> {
    let mut sensor = sensor.clone();
    let mut state = State { alarm: None, reported: ReadingStatus::Normal };
    let mut due_at: Option<Timestamp> = None;
    let mut raised = Vec::new();
    let limits = limits::limits(sensor.thresholds);
    let mut report = |sensor: &mut MonitoredSensor, conditions: &[Condition], now| {
        for condition in conditions {
            let step = machine::step(&state, condition, now);
            if step.effects.change == Some(Change::Raised) {
                raised.push(condition.time);
            }
            state = State { alarm: step.next.alarm.filter(|alarm| alarm.condition_active), ..step.next };
            sensor.threshold_condition = state.reported;
            sensor.evaluated_through = sensor.evaluated_through.max(Some(condition.evaluated_through));
        }
    };
    for second in 0..=until_s + TRANSIT_S {
        let now = at(second);
        if due_at.is_some_and(|due_at| due_at <= now.plus_seconds(-TRANSIT_S)) {
            let evaluation = sensor.overdue(now);
            report(&mut sensor, &evaluation.conditions, now);
            (sensor.delay_state, due_at) = evaluation.remember.unwrap_or((sensor.delay_state, due_at));
        }
        for (_, value) in readings.iter().filter(|(s, _)| *s == second && second <= until_s) {
            let status = limits::status(&limits, *value, None);
            let reading = ClassifiedReading { time: now, value: *value, status };
            let evaluation = sensor.readings(&[reading], now);
            report(&mut sensor, &evaluation.conditions, now);
            (sensor.delay_state, due_at) = evaluation.remember.unwrap_or((sensor.delay_state, due_at));
            sensor.newest = Some((now, *value, status));
        }
    }
    raised
}

prop_compose! {
    pub(super) fn rules()(
        on_delay_s in prop::option::of(0_i64..30), off_delay_s in prop::option::of(0_i64..30),
        dead_band in prop::option::of(0_u8..8), max_rate_per_min in prop::option::of(100_u16..2000),
    ) -> RuleValues {
        RuleValues {
            on_delay_s,
            off_delay_s,
            dead_band: dead_band.map(f64::from),
            max_rate_per_min: max_rate_per_min.map(f64::from),
            ..RuleValues::default()
        }
    }
}

fn readings() -> impl Strategy<Value = Vec<(i64, f64)>> {
    prop::collection::vec((1_i64..12, 70_u8..100), 0..40).prop_map(|steps| {
        let mut s = 0;
        let next = |(step, value): (i64, u8)| {
            s += step;
            (s, f64::from(value))
        };
        steps.into_iter().map(next).collect()
    })
}

proptest! {
    #[test]
    fn a_replay_raises_the_live_alarms_one_for_one(rule in rules(), readings in readings(), after_s in 0_i64..60) {
        let until_s = readings.last().map_or(0, |(s, _)| *s) + after_s;
        let sensor = monitored(rule.clone());
        let raised: Vec<_> =
            live(&sensor, &readings, until_s).iter().map(|time| (time.0 - at(0).0) / Timestamp::SECOND).collect();
        let found = alarms(rule, &readings, until_s);
        prop_assert_eq!(found.iter().map(|(begin, ..)| *begin).collect::<Vec<_>>(), raised);
        for pair in found.windows(2) {
            prop_assert!(pair[0].1.is_some_and(|end| end <= pair[1].0), "{:?}", pair);
        }
    }

    #[test]
    fn a_replay_in_steps_is_the_replay_in_one(rule in rules(), readings in readings(), cut in 0_usize..40) {
        let sensor = monitored(rule);
        let until = readings.last().map_or(0, |(s, _)| *s) + 20;
        let whole = replayed(&sensor, &[], &readings, until);
        let mut found = Vec::new();
        let mut ended = |alarm: AlarmSpan| found.push(alarm);
        let mut replay = Replay::new(&sensor, &[], &Memory::default());
        for (index, (s, value)) in readings.iter().enumerate() {
            if index == cut {
                let memory = serde_json::to_string(&replay.memory()).expect("JSON");
                replay = Replay::new(&sensor, &[], &serde_json::from_str(&memory).expect("JSON"));
            }
            replay.reading((at(*s), *value, ReadingStatus::Normal), &mut ended);
        }
        replay.end(at(until), &mut ended);
        prop_assert_eq!(replay.readings(), readings.len() as u64);
        prop_assert_eq!(found.len(), whole.len());
        for (alarm, (begin, _, severity)) in found.iter().zip(whole) {
            prop_assert_eq!((alarm.begin, alarm.severity), (at(begin), severity));
        }
    }
}
