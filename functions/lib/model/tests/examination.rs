//! The examination on generated sensors, which a model must pass before it may be promoted.

use pm_api::ai::{GeneratedSignal, Quality};
use pm_model::{
    Model,
    generated::{self, EXAMINED},
    retrain::objections,
};
use std::path::Path;

fn model() -> Model {
    Model::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../models"))
        .expect("the model that is checked in")
}

fn examined(model: &Model) -> Quality {
    let generated = EXAMINED.into_iter().map(|signal| generated::examine(model, signal, 5)).collect();
    Quality { generated, ..Quality::default() }
}

#[test]
fn the_model_of_the_program_passes() {
    let quality = examined(&model());
    assert_eq!(objections(&Quality::default(), &quality), Vec::<String>::new(), "{:?}", quality.generated);
}

#[test]
fn a_model_that_calls_ordinary_readings_unusual_fails() {
    let mut model = model();
    // everything above the healthy median is a warning
    let shifted = |points: &mut Vec<(f64, f64)>| points.iter_mut().for_each(|p| p.1 = (4.0 * p.1).min(1.0));
    shifted(&mut model.calibration.score);
    shifted(&mut model.calibration.surprise);
    let quality = examined(&model);
    assert!(!objections(&Quality::default(), &quality).is_empty(), "{:?}", quality.generated);
}

#[test]
fn noise_and_blindness_are_objections_whatever_the_active_model_does() {
    let row = |false_alarms, slow_faults_seen| GeneratedSignal {
        signal: "contact".to_owned(),
        healthy_days: 7,
        false_alarms,
        slow_faults_seen,
        slow_faults: 4,
    };
    for (false_alarms, seen, expected) in [(0, 4, 0), (1, 3, 0), (2, 4, 1), (0, 2, 1), (9, 0, 2)] {
        let quality = Quality { generated: vec![row(false_alarms, seen)], ..Quality::default() };
        assert_eq!(objections(&quality, &quality).len(), expected, "{false_alarms} {seen}");
    }
}
