//! The healthy reference of a sensor, and the relations between the sensors of a machine, on signals whose course is known.

use pm_model::{
    reference::{Finding, Keeping, Reference, nature::Nature, nature::Signs},
    relations::Relations,
};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use std::f64::consts::TAU;

const MINUTE_US: i64 = 60_000_000;
const DAY_US: i64 = 1440 * MINUTE_US;
/// Monday, 00:00 UTC.
const START_US: i64 = 1_789_948_800_000_000;
const WEEK_US: i64 = 7 * DAY_US;
const KEEPING: Keeping = Keeping { learn_us: WEEK_US, widening: 1.0 };

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0
}

/// What a sensor shows at a number of days, with a standard normal number for its noise.
type Signal = fn(f64, f64) -> f64;

/// Feeds minutes from one day to another; gives the day of the first alarm.
fn feed(
    reference: &mut Reference,
    days: (f64, f64),
    seed: u64,
    signal: impl Fn(f64, f64) -> f64,
) -> Option<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut first = None;
    for minute in (days.0 * 1440.0) as i64..(days.1 * 1440.0) as i64 {
        let day = minute as f64 / 1440.0;
        reference.push(START_US + minute * MINUTE_US, signal(day, normal(&mut rng)), KEEPING, true);
        if reference.outside().is_some() {
            first.get_or_insert(day);
        }
    }
    first
}

fn learned(signal: Signal) -> Reference {
    let mut reference = Reference::default();
    assert_eq!(feed(&mut reference, (0.0, 7.1), 1, signal), None);
    assert!(reference.is_frozen());
    reference
}

fn hour(day: f64) -> f64 {
    24.0 * day.fract()
}

const HEALTHY: [(&str, Signal); 8] = [
    ("white noise", |_, noise| 50.0 + noise),
    ("daily cycle", |day, noise| 50.0 + 8.0 * (TAU * day).sin() + noise),
    ("off at night", |day, noise| if (6.0..20.0).contains(&hour(day)) { 50.0 + noise } else { 0.0 }),
    ("two shifts", |day, noise| if hour(day) < 8.0 { 20.0 } else if hour(day) < 16.0 { 45.0 } else { 32.0 } + noise),
    ("run hours", |day, _| (day * 16.0).floor()),
    ("contact", |day, _| f64::from(u8::from((day * 1440.0 / 17.0).fract() < 0.4))),
    ("set point", |day, _| if (day * 3.0) as i64 % 2 == 0 { 60.0 } else { 70.0 }),
    ("outliers", |day, noise| if (day * 1440.0) as i64 % 1999 == 0 { 90.0 } else { 50.0 + noise }),
];

#[test]
fn healthy_signals_stay_inside_for_two_weeks() {
    for (name, signal) in HEALTHY {
        let mut reference = learned(signal);
        assert_eq!(feed(&mut reference, (7.1, 21.0), 2, signal), None, "{name}: {:?}", reference.finding());
        let bytes = postcard::to_allocvec(&reference).expect("bytes").len();
        assert!(bytes < 4096, "{name}: {bytes} bytes");
    }
}

#[test]
fn slow_faults_are_seen_and_stay_outside() {
    type Fault = fn(f64, f64) -> f64;
    let faults: [(&str, Fault, f64); 4] = [
        ("drift of 0.3 σ/h", |hours, _| (0.3 * hours).min(40.0), 24.0),
        ("drift of −1 σ/h", |hours, _| -hours.min(40.0), 8.0),
        ("scatter to ×4 in 6 h", |hours, noise| noise * 3.0 * (hours / 6.0).min(1.0), 24.0),
        ("step of 6 σ", |_, _| 6.0, 4.0),
    ];
    for (carrier, signal) in &HEALTHY[..2] {
        for (name, fault, within_h) in faults {
            let mut reference = learned(*signal);
            let faulty = |day: f64, noise: f64| signal(day, noise) + fault(24.0 * (day - 9.0), noise);
            assert_eq!(feed(&mut reference, (7.1, 9.0), 3, signal), None, "{name} on {carrier}");
            let seen = feed(&mut reference, (9.0, 12.0), 4, faulty).expect(name);
            assert!(24.0 * (seen - 9.0) <= within_h, "{name} on {carrier}: {:.1} h", 24.0 * (seen - 9.0));
            feed(&mut reference, (12.0, 39.0), 5, faulty);
            assert!(reference.outside().is_some(), "{name} on {carrier} has become a habit");
        }
    }
}

#[test]
fn learning_claims_nothing_and_says_how_long_still() {
    let mut reference = Reference::default();
    assert_eq!(reference.learning_days_left(WEEK_US), Some(7.0));
    let signal = |day: f64, noise: f64| noise + if day > 2.0 { 100.0 } else { 0.0 };
    assert_eq!(feed(&mut reference, (0.0, 5.0), 1, signal), None);
    let left = reference.learning_days_left(WEEK_US).expect("still learning");
    assert!((1.9..2.1).contains(&left), "{left}");
    feed(&mut reference, (5.0, 7.1), 1, signal);
    assert_eq!(reference.learning_days_left(WEEK_US), None);
}

#[test]
fn a_verdict_ends_an_alarm_and_it_stays_ended() {
    let moved: Signal = |day, noise| 62.0 + 8.0 * (TAU * day).sin() + noise;
    let mut reference = learned(HEALTHY[1].1);
    feed(&mut reference, (9.0, 9.5), 2, moved).expect("a set point that was never seen");
    assert!(matches!(reference.finding(), Some(Finding::Level(_) | Finding::LevelForTimeOfDay(_))));
    let since = reference.since_us().expect("since when");
    reference.accept(since - 1);
    assert!(reference.outside().is_some(), "a verdict of before it began does not end it");
    reference.accept(since + DAY_US / 2);
    assert_eq!(feed(&mut reference, (9.5, 20.0), 3, moved), None, "{:?}", reference.finding());
    assert_eq!(feed(&mut reference, (20.0, 22.0), 4, HEALTHY[1].1), None, "the old place is still known");
}

#[test]
fn what_comes_and_goes_on_several_days_is_learned() {
    let cleaning = |day: f64, noise: f64| noise + if (10.0..11.5).contains(&hour(day)) { 80.0 } else { 50.0 };
    let mut reference = learned(HEALTHY[0].1);
    for day in [8.0, 9.0, 10.0] {
        assert!(feed(&mut reference, (day, day + 1.0), day as u64, cleaning).is_some(), "day {day}");
        assert_eq!(reference.outside(), None, "it ended by itself");
    }
    assert_eq!(feed(&mut reference, (11.0, 18.0), 7, cleaning), None, "{:?}", reference.finding());
}

#[test]
fn the_kind_of_a_quantity_is_told_from_its_readings() {
    let nature = |values: &[f64]| {
        let mut signs = Signs::default();
        values.iter().for_each(|v| signs.push(*v));
        signs.nature()
    };
    let counter: Vec<f64> = (0..60).map(|k| f64::from(k / 3 % 18)).collect();
    for (values, expected) in [
        (vec![5.0; 40], Nature::Continuous),
        (vec![0.0, 1.0, 0.0, 0.0, 1.0], Nature::Binary),
        (vec![0.0, 1.0], Nature::Continuous),
        ((0..30).map(f64::from).collect(), Nature::Counter),
        (counter, Nature::Continuous),
        ((0..400).map(|k| f64::from(k % 100)).collect(), Nature::Counter),
        ((0..60).map(|k| (f64::from(k) * 0.7).sin()).collect(), Nature::Continuous),
    ] {
        assert_eq!(nature(&values), expected, "{values:?}");
    }
}

/// Three sensors that follow one load; the second is moved by `off`.
fn machine(relations: &mut Relations, days: (f64, f64), off: f64) -> Option<(f64, usize)> {
    let mut rng = ChaCha8Rng::seed_from_u64((days.0 * 10.0) as u64);
    let mut first = None;
    for minute in (days.0 * 1440.0) as i64..(days.1 * 1440.0) as i64 {
        let day = minute as f64 / 1440.0;
        let load = (TAU * day).sin() + 0.7 * (37.0 * day).sin() + 0.4 * (131.0 * day).cos();
        let at = START_US + minute * MINUTE_US;
        let mut noise = || 0.4 * normal(&mut rng);
        let levels = [
            (0, at, 100.0 + 10.0 * load + noise()),
            (1, at, 60.0 + 4.0 * load + off + noise()),
            (2, at, 5.0 - load + 0.1 * noise()),
        ];
        relations.push(&levels, KEEPING);
        if let Some(apart) = relations.apart().first() {
            first.get_or_insert((day, apart.place));
        }
    }
    first
}

#[test]
fn a_sensor_that_leaves_the_others_is_found_inside_its_own_range() {
    let mut relations = Relations::of(3);
    assert_eq!(machine(&mut relations, (0.0, 21.0), 0.0), None);
    let (day, place) = machine(&mut relations, (21.0, 21.5), 3.0).expect("3 of a range of 17");
    assert!(place == 1 && day < 21.1, "{place} at {day}");
    let apart = relations.apart()[0];
    assert!((2.0..4.0).contains(&apart.by), "{apart:?}");
    assert!(machine(&mut relations, (21.5, 40.0), 3.0).is_some(), "it has not become a habit");
    relations.accept(1, START_US + 41 * DAY_US);
    assert_eq!(machine(&mut relations, (40.0, 45.0), 3.0), None, "a person called it normal");
    assert!(relations.is_valid(3) && !relations.is_valid(4));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever lasts is never learned: a step of any size and either side is outside for weeks.
    #[test]
    fn a_step_that_lasts_stays_outside(size in 6.0f64..200.0, down: bool, scale in 1e-3f64..1e3, seed: u64) {
        let healthy = |_: f64, noise: f64| scale * (40.0 + noise);
        let moved = |_: f64, noise: f64| scale * (40.0 + noise + if down { -size } else { size });
        let mut reference = Reference::default();
        feed(&mut reference, (0.0, 8.0), seed, healthy);
        prop_assert_eq!(reference.outside(), None);
        let seen = feed(&mut reference, (8.0, 9.0), seed ^ 1, moved);
        prop_assert!(seen.is_some_and(|day| day < 8.2), "{:?}", seen);
        feed(&mut reference, (9.0, 20.0), seed ^ 2, moved);
        prop_assert!(reference.outside().is_some());
    }

    /// Any readings at any times leave a state that holds together and comes back from its bytes.
    #[test]
    fn no_reading_breaks_the_state(
        readings in prop::collection::vec((1i64..20_000_000_000, prop_oneof![-1e30..1e30, -5.0..5.0, Just(0.0), Just(1.0)]), 1..300),
        learn_days in 0i64..3,
    ) {
        let mut reference = Reference::default();
        let mut at = START_US;
        for (step, value) in readings {
            at += step;
            reference.push(at, value, Keeping { learn_us: learn_days * DAY_US, ..KEEPING }, true);
        }
        prop_assert!(reference.is_valid());
        prop_assert!(reference.excess().is_finite() && (0.0..=1.0).contains(&reference.nearness()));
        let back: Reference = postcard::from_bytes(&postcard::to_allocvec(&reference).expect("bytes")).expect("a state");
        prop_assert_eq!(back, reference);
    }
}
