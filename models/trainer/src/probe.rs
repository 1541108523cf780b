//! scratch
use crate::signals::{Fault, Sensor};
use pm_api::score::Limits;
use pm_model::{Model, features::NAMES, scorer, state::State, stats};
pub fn run(root: &std::path::Path) {
    let model = Model::load(root).unwrap();
    let ages = [60, 200, 500, 1500, 4000, 9000];
    let mut by_age = vec![vec![]; ages.len()];
    let mut faults = vec![vec![]; 5];
    let mut worst: Vec<(f64, String)> = vec![];
    for i in 0..100u64 {
        let mut sensor = Sensor::draw((1 << 33) + i);
        let desc = sensor.describe();
        let mut state = State::default();
        let mut last = 0.0;
        for k in 0..9000usize {
            let (t, v) = sensor.next_reading();
            last = v;
            if let Some(j) = scorer::advance(&mut state, Some(&model), &Limits::default(), t, v) {
                let raw = if std::env::var("DEV").is_ok() {
                    pm_model::calibration::deviation(&j.row)
                } else {
                    j.model_score
                };
                let a = ages.iter().position(|&a| k < a).unwrap_or(ages.len() - 1);
                by_age[a].push(raw);
                if k > 1500 && raw > 0.6 && worst.len() < 4000 {
                    let mut top: Vec<_> = j.row.iter().copied().enumerate().collect();
                    top.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
                    let s: String =
                        top[..6].iter().map(|(i, z)| format!("{}={:.1} ", NAMES[*i], z)).collect();
                    worst.push((raw, format!("{i}@{k} {desc} {s}")));
                }
            }
        }
        for (kind, fault) in Fault::ALL.into_iter().enumerate() {
            let (mut sensor, mut state) = (sensor.fork(kind as u64), state.clone());
            let mut top = 0.0f64;
            for since in 0..120 {
                let (t, v) = sensor.next_reading();
                let v = fault.apply(&sensor, v, since, last);
                if let Some(j) = scorer::advance(&mut state, Some(&model), &Limits::default(), t, v) {
                    top = top.max(if std::env::var("DEV").is_ok() {
                        pm_model::calibration::deviation(&j.row)
                    } else {
                        j.model_score
                    });
                }
            }
            faults[kind].push(top);
        }
    }
    let show = |v: &Vec<f64>| {
        let s = stats::sorted(v);
        [0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999].map(|q| format!("{:.3}", stats::quantile(&s, q))).join(" ")
    };
    for (a, v) in ages.iter().zip(&by_age) {
        println!("age<{a}: {}", show(v));
    }
    for (f, v) in Fault::ALL.iter().zip(&faults) {
        println!("{}: {}", f.name(), show(v));
    }
    let n = worst.len();
    for w in worst.iter().step_by((n / 40).max(1)) {
        println!("{:.3} {}", w.0, w.1);
    }
}
