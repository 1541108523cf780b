//! The networks that are checked in.

use pm_api::{MachineId, RulMethod, Timestamp, remaining_life::RulItem};
use pm_model::rul::model::{Cycles, RulModel};
use serde::Deserialize;
use std::path::{Path, PathBuf};

const STORED: &str = "rul-cmapss/1.0.0";
/// Its machines change between six operating conditions.
const WITH_CONDITIONS: &str = "rul-cmapss-conditions/1.0.0";

#[derive(Deserialize)]
struct Case {
    channels: Vec<String>,
    history: Vec<Vec<f64>>,
    cycles: Cycles,
}

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../models")
}

fn model_of(id: &str) -> RulModel {
    RulModel::load(&models(), id).expect("a network that is checked in")
}

fn model() -> RulModel {
    model_of(STORED)
}

fn cases_of(id: &str) -> Vec<Case> {
    let text = std::fs::read(models().join(id).join("golden.json")).expect("golden.json");
    serde_json::from_slice(&text).expect("cases")
}

fn cases() -> Vec<Case> {
    cases_of(STORED)
}

fn item(case: &Case) -> RulItem {
    let hour = 3_600_000_000;
    RulItem {
        machine_id: MachineId(uuid::Uuid::nil()),
        model: STORED.into(),
        channels: case.channels.clone(),
        cycles: (0..).zip(&case.history).map(|(i, c)| (Timestamp(i * 2 * hour), c.clone())).collect(),
        hours_per_cycle: None,
    }
}

#[test]
fn the_golden_cycles_come_out_one_at_a_time_and_all_at_once() {
    for id in [STORED, WITH_CONDITIONS] {
        let (model, cases) = (model_of(id), cases_of(id));
        assert!(cases.len() >= 5);
        let histories: Vec<&[Vec<f64>]> = cases.iter().map(|c| c.history.as_slice()).collect();
        let together = model.estimate(&histories);
        for (case, there) in cases.iter().zip(together) {
            let alone = model.estimate(&[&case.history])[0];
            for (a, b, c) in [
                (case.cycles.expected, alone.expected, there.expected),
                (case.cycles.lower, alone.lower, there.lower),
                (case.cycles.upper, alone.upper, there.upper),
            ] {
                assert!((a - b).abs() < 0.01 && (a - c).abs() < 0.01, "{a} {b} {c}");
            }
        }
    }
}

#[test]
fn an_operating_condition_that_was_not_learned_is_refused_with_the_setting() {
    let (model, cases) = (model_of(WITH_CONDITIONS), cases_of(WITH_CONDITIONS));
    let good = item(&cases[1]);
    assert!(model.prognosis(&good).is_ok());
    let at = good.channels.iter().position(|c| c == "setting1").expect("a setting");
    let mut elsewhere = good;
    elsewhere.cycles.iter_mut().for_each(|c| c.1[at] += 5.0);
    let why = model.prognosis(&elsewhere).expect_err("no engine flew there");
    assert!(why.starts_with("not applicable: setting1 is ") && why.contains("operating condition"), "{why}");
}

#[test]
fn a_worn_engine_has_less_left_than_a_young_one() {
    let cases = cases();
    let worn = cases.iter().map(|c| c.cycles.expected).fold(f64::MAX, f64::min);
    let young = cases.iter().map(|c| c.cycles.expected).fold(f64::MIN, f64::max);
    assert!(worn < 15.0 && young > 110.0, "{worn} {young}");
}

#[test]
fn a_prognosis_is_in_hours_and_names_its_network() {
    let (model, cases) = (model(), cases());
    let worn = &cases[2];
    let life = model.prognosis(&item(worn)).expect("a prognosis");
    assert_eq!((life.method, life.model.as_deref()), (RulMethod::Network, Some(STORED)));
    assert!((life.hours - 2.0 * worn.cycles.expected).abs() < 0.02, "{life:?}");
    assert!(life.lower_hours <= life.hours && life.upper_hours.is_some_and(|u| u >= life.hours), "{life:?}");
    let told = model.prognosis(&RulItem { hours_per_cycle: Some(5.0), ..item(worn) }).expect("a prognosis");
    assert!((told.hours - 5.0 * worn.cycles.expected).abs() < 0.05, "{told:?}");
    let young = model.prognosis(&item(&cases[0])).expect("a prognosis");
    assert_eq!(young.upper_hours, None, "beyond the cap nothing is known: {young:?}");
}

#[test]
fn what_is_missing_is_named() {
    let model = model();
    let good = item(&cases()[1]);
    let mut shuffled = good.clone();
    shuffled.channels.reverse();
    shuffled.cycles.iter_mut().for_each(|c| c.1.reverse());
    assert_eq!(
        model.prognosis(&shuffled),
        model.prognosis(&good),
        "the order of the columns does not matter"
    );
    let fewer = RulItem { channels: good.channels[1..].to_vec(), ..good.clone() };
    assert!(model.prognosis(&fewer).is_err_and(|e| e.contains(&good.channels[0])));
    let short = RulItem { cycles: good.cycles[..5].to_vec(), ..good.clone() };
    assert!(model.prognosis(&short).is_err_and(|e| e.starts_with("5 cycles of")));
    let mut holed = good;
    holed.cycles[3].1[2] = f64::NAN;
    assert!(model.prognosis(&holed).is_err());
}

#[test]
fn a_machine_outside_of_what_was_learned_is_refused_with_the_reason() {
    let model = model();
    let good = item(&cases()[1]);
    let at = good.channels.iter().position(|c| c == "s11").expect("a channel");
    for (off, expected) in [(2.0, false), (-2.0, false), (0.0, true)] {
        let mut moved = good.clone();
        moved.cycles.iter_mut().for_each(|c| c.1[at] += off);
        let answer = model.prognosis(&moved);
        assert_eq!(answer.is_ok(), expected, "{off}: {answer:?}");
        if let Err(why) = answer {
            assert!(why.starts_with("not applicable: s11 is ") && why.contains("learned from"), "{why}");
        }
    }
}

#[test]
fn only_plain_names_are_looked_up() {
    for id in
        ["rul-cmapss", "../models/rul-cmapss/1.0.0", "rul-cmapss/..", "/etc/passwd", "rul-cmapss/9.9.9", ""]
    {
        assert!(RulModel::load(&models(), id).is_err(), "{id}");
    }
}
