//! The whole path of a reading with the model that is checked in.

use pm_api::{
    MachineId, ReadingStatus, SensorId, Timestamp,
    score::{Limits, ScoreItem, ScoreResult},
};
use pm_model::{Model, features, reference::LEARNING_S, score_item, state::State};
use proptest::prelude::*;
use serde::Deserialize;
use std::path::{Path, PathBuf};

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../models")
}

fn model() -> Model {
    Model::load(&models()).expect("the model that is checked in")
}

fn item(readings: &[(i64, f64)], limits: Limits, state: Option<Vec<u8>>) -> ScoreItem {
    ScoreItem {
        sensor_id: SensorId(uuid::Uuid::nil()),
        machine_id: MachineId(uuid::Uuid::nil()),
        name: "Test sensor".into(),
        sensor_type: "test".into(),
        unit: None,
        model: None,
        challenger: None,
        learning_s: LEARNING_S,
        false_alarms_per_month: pm_model::sensitivity::BASE_PER_MONTH,
        accepted: None,
        restarted: None,
        limits,
        state,
        readings: readings.iter().map(|&(t, v)| (Timestamp(t), v)).collect(),
    }
}

/// A quiet sensor: level 100, noise of about 1, twice a second.
fn quiet(count: usize) -> Vec<(i64, f64)> {
    let mut seed = 9u64;
    (0..count)
        .map(|i| {
            let mut noise = -6.0;
            for _ in 0..12 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                noise += (seed >> 11) as f64 / (1u64 << 53) as f64;
            }
            (1_700_000_000_000_000 + i as i64 * 500_000, 100.0 + noise)
        })
        .collect()
}

fn score(model: &Model, readings: &[(i64, f64)], limits: Limits) -> ScoreResult {
    score_item(Some(model), &item(readings, limits, None))
}

#[test]
fn one_at_a_time_equals_all_at_once() {
    let model = model();
    let mut readings = quiet(700);
    readings[650].1 += 40.0;
    let all = score(&model, &readings, Limits::default());
    let mut state = None;
    let mut last = None;
    for one in &readings {
        let result = score_item(Some(&model), &item(&[*one], Limits::default(), state.take()));
        assert!(result.state.len() <= 8192, "{} bytes", result.state.len());
        state = Some(result.state.clone());
        last = Some(result);
    }
    // the level is that of the readings of one request
    let last = last.map(|last| ScoreResult { level: all.level, ..last });
    assert_eq!(last, Some(all));
}

#[test]
fn a_counters_restart_is_evaluated_at_its_own_time() {
    let model = model();
    let counting: Vec<_> = (0..200_i64).map(|n| (n * 1_000_000, n as f64)).collect();
    let before = score(&model, &counting, Limits::default());
    let restart = 500_000_000;
    let restarted = score_item(Some(&model), &item(&[(restart, 1.0)], Limits::default(), Some(before.state)));
    assert_eq!((restarted.time, restarted.class), (Timestamp(restart), ReadingStatus::Normal));
}

#[test]
fn late_and_repeated_readings_change_nothing() {
    let model = model();
    let readings = quiet(300);
    let before = score(&model, &readings, Limits::default());
    let late = [readings[10], readings[299], (readings[0].0 - 5, 1e9)];
    let after = score_item(Some(&model), &item(&late, Limits::default(), Some(before.state.clone())));
    assert_eq!(
        (after.score, after.class, after.state, after.time),
        (before.score, before.class, before.state, before.time)
    );
}

#[test]
fn missing_values_are_passed_over() {
    let model = model();
    let readings = quiet(700);
    let mut gappy = Vec::new();
    for (i, reading) in readings.iter().enumerate() {
        gappy.push(*reading);
        for missing in [f64::NAN, f64::INFINITY, 1e31] {
            gappy.push((reading.0 + 1 + i as i64 % 3, missing));
        }
    }
    assert_eq!(score(&model, &readings, Limits::default()), score(&model, &gappy, Limits::default()));
}

/// Replays readings one by one from a known state; gives every class and score on the way.
fn replay(model: &Model, mut state: Vec<u8>, readings: &[(i64, f64)]) -> Vec<(ReadingStatus, f64)> {
    let mut judgements = Vec::new();
    for reading in readings {
        let result = score_item(Some(model), &item(&[*reading], Limits::default(), Some(state)));
        judgements.push((result.class, result.score));
        state = result.state;
    }
    judgements
}

#[test]
fn irregular_sampling_is_no_anomaly() {
    let model = model();
    // between a tenth of a second and twenty seconds apart
    let mut time = 1_700_000_000_000_000;
    let readings: Vec<_> = quiet(3600)
        .into_iter()
        .enumerate()
        .map(|(i, (_, value))| {
            time += 100_000 + (i as i64 * 7_919 % 200) * 100_000;
            (time, value)
        })
        .collect();
    let state = score(&model, &readings[..3000], Limits::default()).state;
    for (i, (class, value)) in replay(&model, state, &readings[3000..]).into_iter().enumerate() {
        assert_eq!(class, ReadingStatus::Normal, "reading {i}: {value}");
    }
}

#[test]
fn after_a_pause_the_first_readings_are_no_anomaly() {
    let model = model();
    let mut readings = quiet(3400);
    for pause_s in [70, 3600, 3 * 86_400] {
        readings[3000..].iter_mut().for_each(|r| r.0 += pause_s * 1_000_000);
        let state = score(&model, &readings[..3000], Limits::default()).state;
        for (i, (class, value)) in replay(&model, state, &readings[3000..]).into_iter().enumerate() {
            assert_eq!(class, ReadingStatus::Normal, "{pause_s} s, reading {i}: {value}");
            assert!(value < 0.6, "{pause_s} s, reading {i}: {value}");
        }
    }
}

#[test]
fn another_unit_starts_afresh() {
    let model = model();
    let readings = quiet(800);
    let with_unit = |unit: Option<&str>, readings: &[(i64, f64)], state| {
        let item = ScoreItem { unit: unit.map(str::to_owned), ..item(readings, Limits::default(), state) };
        score_item(Some(&model), &item)
    };
    let known = with_unit(Some("°C"), &readings[..780], None).state;
    let fahrenheit: Vec<_> = readings[780..].iter().map(|&(t, v)| (t, v * 1.8 + 32.0)).collect();
    let changed = with_unit(Some("°F"), &fahrenheit[..5], Some(known.clone()));
    assert!(changed.buffering && changed.class == ReadingStatus::Normal, "{changed:?}");
    let same = with_unit(Some("°C"), &readings[780..785], Some(known.clone()));
    assert!(!same.buffering);
    let unsaid = with_unit(None, &readings[780..785], Some(known));
    assert_eq!((unsaid.score, unsaid.buffering), (same.score, false));
}

/// Noise around a level, a reading a minute from one day to another.
fn minutes(days: (i64, i64), level: f64) -> Vec<(i64, f64)> {
    let noise = quiet(1440);
    let minute =
        |m: i64| (1_700_000_000_000_000 + m * 60_000_000, level - 100.0 + noise[(m * 7 % 1440) as usize].1);
    (1440 * days.0..1440 * days.1).map(minute).collect()
}

/// Scores readings five at a time; gives the classes and the last result.
fn follow(
    model: &Model,
    state: &mut Option<Vec<u8>>,
    readings: &[(i64, f64)],
    said: impl Fn(ScoreItem) -> ScoreItem,
) -> (Vec<ReadingStatus>, ScoreResult) {
    let results = readings.chunks(5).map(|readings| {
        let result = score_item(Some(model), &said(item(readings, Limits::default(), state.take())));
        *state = Some(result.state.clone());
        result
    });
    let results: Vec<ScoreResult> = results.collect();
    (results.iter().map(|r| r.class).collect(), results.last().expect("readings").clone())
}

#[test]
fn one_verdict_ends_the_alarm_of_a_lasting_set_point_and_it_does_not_come_again() {
    let (model, mut state) = (model(), None);
    let (before, _) = follow(&model, &mut state, &minutes((0, 9), 100.0), |item| item);
    assert!(before.iter().all(|class| *class == ReadingStatus::Normal));
    let moved = minutes((9, 20), 130.0);
    let (classes, last) = follow(&model, &mut state, &moved[..1440], |item| item);
    assert!(last.class > ReadingStatus::Normal, "it lasts");
    assert!(classes.iter().filter(|c| **c > ReadingStatus::Normal).count() > 200);
    let why = last.contributing_features;
    assert!(why.contains("Test sensor is") && why.contains(" above ") && why.contains(", since "), "{why}");
    let verdict = Timestamp(moved[1439].0 + 1);
    let (after, last) =
        follow(&model, &mut state, &moved[1440..], |item| ScoreItem { accepted: Some(verdict), ..item });
    let normal_from = after.iter().position(|class| *class == ReadingStatus::Normal);
    assert!(normal_from.is_some_and(|at| at <= 2), "{normal_from:?}");
    assert!(after[2..].iter().all(|class| *class == ReadingStatus::Normal), "{}", last.contributing_features);
}

#[test]
fn a_replaced_sensor_is_learned_anew_once() {
    let (model, mut state) = (model(), None);
    follow(&model, &mut state, &minutes((0, 8), 100.0), |item| item);
    let frozen = State::from_bytes(state.as_ref().expect("a state")).expect("a state");
    assert!(frozen.reference.is_frozen());
    let other = minutes((8, 16), 40.0);
    let replaced = |item| ScoreItem { restarted: Some(Timestamp(other[100].0)), ..item };
    let (_, first) = follow(&model, &mut state, &other[..105], replaced);
    assert!(first.buffering, "what was measured before does not count: {first:?}");
    let (classes, last) = follow(&model, &mut state, &other[105..1440], replaced);
    assert!(classes.iter().all(|class| *class == ReadingStatus::Normal));
    assert!(last.contributing_features.contains("Still learning"), "{}", last.contributing_features);
    follow(&model, &mut state, &other[1440..], replaced);
    let again = State::from_bytes(state.as_ref().expect("a state")).expect("a state");
    assert!(again.reference.is_frozen() && again.restarted_us == Some(other[100].0));
}

#[test]
fn a_challenger_is_heard_and_changes_nothing() {
    let model = model();
    let mut readings = quiet(900);
    readings[860..].iter_mut().for_each(|r| r.1 += 40.0);
    let alone = score(&model, &readings, Limits::default());
    let item = item(&readings, Limits::default(), None);
    let beside = pm_model::scorer::score_beside(Some(&model), Some(&model), &item);
    let shadow = beside.shadow.expect("a challenger");
    assert_eq!((shadow.score, shadow.class), (alone.score, alone.class));
    assert_eq!((beside.score, beside.class, beside.confidence), (alone.score, alone.class, alone.confidence));
    assert_eq!(beside.contributing_features, alone.contributing_features);
    assert!(beside.state.len() <= 8192, "{} bytes", beside.state.len());
}

#[test]
fn scale_and_offset_do_not_matter() {
    let model = model();
    let readings = quiet(900);
    let here = score(&model, &readings, Limits::default());
    // The documented features hold small absolute constants (1e-8), hence a tolerance; relative features
    // (volatility, rate of change) depend on an offset.
    for (scale, offset, tolerance) in [(1024.0, 0.0, 1e-6), (1.0 / 1024.0, 0.0, 1e-6), (1.0, 50.0, 0.05)] {
        let moved: Vec<_> = readings.iter().map(|&(t, v)| (t, v * scale + offset)).collect();
        let there = score(&model, &moved, Limits::default());
        assert!(
            (here.score - there.score).abs() <= tolerance,
            "{scale} {offset}: {} {}",
            here.score,
            there.score
        );
    }
}

#[test]
fn a_healthy_sensor_looks_healthy() {
    let result = score(&model(), &quiet(3000), Limits { warning_high: Some(120.0), ..Limits::default() });
    assert_eq!(result.class, ReadingStatus::Normal);
    assert!(result.score < 0.4 && result.health_percent > 36.0, "{} {}", result.score, result.health_percent);
    assert!(result.remaining_life.is_none() && !result.fallback && result.confidence > 0.8, "{result:?}");
}

#[test]
fn faults_are_seen_within_a_minute() {
    let model = model();
    type Fault = fn(usize, f64) -> f64;
    let faults: [(&str, Fault); 5] = [
        ("level shift", |_, v| v + 15.0),
        ("scatter", |_, v| 100.0 + (v - 100.0) * 6.0),
        ("drift", |i, v| v + 0.3 * i as f64),
        ("spikes", |i, v| if i % 15 == 2 { v + 30.0 } else { v }),
        ("stuck", |_, _| 100.4),
    ];
    for (name, fault) in faults {
        let mut readings = quiet(3120);
        let mut state = score(&model, &readings[..3000], Limits::default()).state;
        let mut seen = None;
        for (i, reading) in readings[3000..].iter_mut().enumerate() {
            reading.1 = fault(i, reading.1);
            let result = score_item(Some(&model), &item(&[*reading], Limits::default(), Some(state)));
            if result.class > ReadingStatus::Normal && seen.is_none() {
                let why: serde_json::Value =
                    serde_json::from_str(&result.contributing_features).expect("JSON");
                assert!(why["features"].as_array().is_some_and(|f| !f.is_empty()), "{name}: {why}");
                assert!(
                    why["reason"].as_str().is_some_and(|r| r.contains("usual for this sensor (")),
                    "{name}: {why}"
                );
                seen = Some(i);
            }
            state = result.state;
        }
        assert!(seen.is_some(), "{name} was not seen within 120 readings");
    }
}

#[test]
fn limits_decide() {
    let model = model();
    let limits = Limits { warning_high: Some(110.0), critical_high: Some(120.0), ..Limits::default() };
    for (breach, count, class) in [
        (125.0, 1, ReadingStatus::Normal),
        (125.0, 4, ReadingStatus::Critical),
        (112.0, 8, ReadingStatus::Warning),
        (105.0, 1, ReadingStatus::Normal),
    ] {
        let mut readings = quiet(600);
        readings.iter_mut().rev().take(count).for_each(|r| r.1 = breach);
        let result = score(&model, &readings, limits);
        assert!(result.class >= class, "{breach} × {count}: {:?} {}", result.class, result.score);
        if class == ReadingStatus::Normal {
            assert_eq!(result.class, class, "{breach} × {count}: {}", result.score);
        }
        if class == ReadingStatus::Critical {
            assert!(result.contributing_features.contains("critical limit of 120"), "{result:?}");
            assert_eq!(result.remaining_life.as_ref().map(|l| l.hours), Some(0.0));
        }
    }
}

#[test]
fn a_trend_tells_the_remaining_hours() {
    // 1 per minute from 100 on; the limit at 130 is 10 minutes away after 20 minutes.
    let readings: Vec<_> =
        quiet(2400).into_iter().enumerate().map(|(i, (t, v))| (t, v + i as f64 / 120.0)).collect();
    let limits = Limits { critical_high: Some(130.0), ..Limits::default() };
    let life = score(&model(), &readings, limits).remaining_life.expect("a trend");
    assert!((0.12..0.22).contains(&life.hours), "{life:?}");
    assert!(life.lower_hours > 0.03 && life.lower_hours <= 1.0 / 6.0, "{life:?}");
    assert!(life.upper_hours.is_some_and(|u| (1.0 / 6.0..0.3).contains(&u)), "{life:?}");
}

#[test]
fn without_a_model_rules_judge_and_say_so() {
    let limits = Limits { warning_high: Some(110.0), critical_high: Some(120.0), ..Limits::default() };
    let mut readings = quiet(300);
    let calm = score_item(None, &item(&readings, limits, None));
    assert!(calm.fallback && calm.class == ReadingStatus::Normal && calm.score == 0.0, "{calm:?}");
    readings.iter_mut().rev().take(5).for_each(|r| r.1 = 130.0);
    assert_eq!(score_item(None, &item(&readings, limits, None)).class, ReadingStatus::Critical);
    assert!(Model::load(Path::new("/nowhere")).is_err());
}

#[test]
fn few_readings_are_buffering() {
    for count in [1, 11] {
        let result = score(&model(), &quiet(count), Limits::default());
        assert!(
            result.buffering && result.class == ReadingStatus::Normal && result.confidence == 0.7,
            "{result:?}"
        );
        assert_eq!(result.contributing_features, format!("{{\"buffer_size\":{count}}}"));
    }
    assert!(!score(&model(), &quiet(12), Limits::default()).buffering);
}

#[derive(Deserialize)]
struct Case {
    name: String,
    limits: Limits,
    readings: Vec<(i64, f64)>,
    score: f64,
    class: ReadingStatus,
}

#[test]
fn the_golden_scores_come_out() {
    let model = model();
    let file = models().join("isolation-forest").join(&model.version).join("golden.json");
    let cases: Vec<Case> = serde_json::from_slice(&std::fs::read(file).expect("golden.json")).expect("cases");
    assert!(cases.len() >= 7);
    for case in cases {
        let result = score(&model, &case.readings, case.limits);
        assert!((result.score - case.score).abs() < 1e-6, "{}: {} {}", case.name, result.score, case.score);
        assert_eq!(result.class, case.class, "{}", case.name);
    }
}

#[test]
fn the_features_have_their_documented_values() {
    let x: Vec<f64> = (1..=12).map(f64::from).collect();
    let f = features::extract(&x, &features::Context::default());
    let at = |name: &str| f[features::NAMES.iter().position(|n| *n == name).expect("a name")];
    for (name, expected) in [
        ("mean", 6.5),
        ("std", (143.0f64 / 12.0).sqrt()),
        ("min", 1.0),
        ("max", 12.0),
        ("median", 6.5),
        ("skewness", 0.0),
        ("iqr", 5.5),
        ("trend_slope", 1.0),
        ("trend_intercept", 1.0),
        ("ma_convergence", 2.5),
        ("ma_ratio", 10.0 / 7.5),
        ("z_score", 5.5 / (143.0f64 / 12.0).sqrt()),
        ("rate_of_change", 1.0 / 11.0),
        ("autocorr", 1.0),
        ("pattern_instability", 0.0),
        ("reserved_1", 1.0 / 12.0),
    ] {
        assert!((at(name) - expected).abs() < 1e-6, "{name}: {} {expected}", at(name));
    }
    assert_eq!(features::extract(&x[..4], &features::Context::default()), [0.0; features::COUNT]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_makes_a_number_that_is_none(
        values in prop::collection::vec(prop_oneof![
            any::<f64>(), Just(0.0), Just(1.0), Just(1e300), Just(-1e-300), Just(f64::NAN), Just(f64::INFINITY), -10.0..10.0
        ], 0..90),
        step in 1i64..10_000_000_000,
    ) {
        let readings: Vec<_> = values.iter().enumerate().map(|(i, &v)| (i as i64 * step, v)).collect();
        let limits = Limits { warning_high: Some(5.0), critical_low: Some(-9.0), ..Limits::default() };
        for model in [Some(&model()), None] {
            let r = score_item(model, &item(&readings, limits, None));
            prop_assert!((0.0..=1.0).contains(&r.score) && (0.0..=1.0).contains(&r.confidence), "{:?}", r);
            prop_assert!((0.0..=100.0).contains(&r.health_percent), "{:?}", r);
            prop_assert!(r.remaining_life.as_ref().is_none_or(|l| {
                l.hours.is_finite() && 0.0 <= l.lower_hours && l.lower_hours <= l.hours
                    && l.upper_hours.is_none_or(|u| u.is_finite() && u >= l.hours)
            }), "{:?}", r);
            prop_assert!(serde_json::from_str::<serde_json::Value>(&r.contributing_features).is_ok());
            prop_assert!(State::from_bytes(&r.state).is_some(), "the state reads back");
        }
    }

    #[test]
    fn a_damaged_state_starts_afresh(at in 0usize..1500, bit in 0u8..8, cut in 0usize..1500) {
        let model = model();
        let readings = quiet(200);
        let good = score(&model, &readings[..150], Limits::default()).state;
        let fresh = score(&model, &readings[150..], Limits::default());
        let mut flipped = good.clone();
        let at = at % good.len();
        flipped[at] ^= 1 << bit;
        for bad in [flipped, good[..cut % good.len()].to_vec()] {
            prop_assert!(State::from_bytes(&bad).is_none());
            prop_assert_eq!(&score_item(Some(&model), &item(&readings[150..], Limits::default(), Some(bad))), &fresh);
        }
    }
}
