//! Time to fit and to score 10,000 × 25, natively, in the component, and by scikit-learn, each on one thread.
//!
//! The machine may be busy with other things, so the rounds alternate between the three, and the shortest time of
//! each counts.

use super::{Section, component::Component, reference::Reference, round};
use anyhow::{Context as _, Result};
use burn::tensor::{Device, Tensor, TensorData};
use pm_model::{
    Model,
    flat::FlatForest,
    train::{Settings, fit},
};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use serde_json::{Value, json};
use std::{path::Path, time::Instant};

const ROWS: usize = 10_000;
const COLUMNS: usize = 25;
const ROUNDS: usize = 5;
/// The component may take this many times the native time.
const COMPONENT: f64 = 3.0;
/// One row in the component, µs of its own time.
const ONE_ROW_US: f64 = 100.0;

/// Shortest times seen, by name.
#[derive(Default)]
struct Best(Vec<(&'static str, f64)>);

impl Best {
    fn note(&mut self, name: &'static str, value: f64) {
        match self.0.iter_mut().find(|b| b.0 == name) {
            Some(best) => best.1 = best.1.min(value),
            None => self.0.push((name, value)),
        }
    }

    fn time(&mut self, name: &'static str, work: impl FnOnce()) {
        let start = Instant::now();
        work();
        self.note(name, start.elapsed().as_secs_f64() * 1e3);
    }

    fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|b| b.0 == name).map(|b| b.1)
    }
}

/// Runs the rounds.
pub fn run(models: &Path, reference: Option<&Reference>) -> Result<Section> {
    println!("\nspeed, 10,000 x 25, shortest of {ROUNDS} rounds, one thread");
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let rows: Vec<f32> = (0..ROWS * COLUMNS)
        .map(|_| (0..12).map(|_| rng.random_range(0.0..1.0f32)).sum::<f32>() - 6.0)
        .collect();
    let settings = Settings::default();
    let forest = fit(&rows, COLUMNS, settings).context("no forest")?;
    let flat = FlatForest::new(&forest, COLUMNS).context("no forest")?;
    // what the component has loaded, so that both score the same trees
    let active = Model::load(models)?;
    let mut component = Component::start(models).context("the component cannot be measured")?;
    let mut best = Best::default();
    for _ in 0..ROUNDS {
        best.time("fit", || drop(std::hint::black_box(fit(&rows, COLUMNS, settings))));
        best.time("score", || drop(std::hint::black_box(flat.score_rows(&rows))));
        best.time("score_active", || drop(std::hint::black_box(active.forest.score_rows(&rows))));
        best.time("score_by_tensors", || by_tensors(&forest, &rows));
        best.time("one_row_us", || {
            rows.chunks_exact(COLUMNS).take(1000).for_each(|row| {
                std::hint::black_box(flat.score(row));
            });
        });
        let (scores, took_ms) = component.score(&rows)?;
        best.note("component_score", took_ms);
        check(&scores, &active.forest.score_rows(&rows))?;
        let (scores, took_ms) = component.fit(&rows, settings.seed)?;
        best.note("component_fit", took_ms);
        check(&scores, &flat.score_rows(&rows))?;
        for row in rows.chunks_exact(COLUMNS).take(50) {
            best.note("component_one_row", component.score(row)?.1);
        }
        if let Some(theirs) = reference.and_then(|r| r.ask("speed", models).ok()) {
            for (name, key) in [
                ("sklearn_fit", "fit_ms"),
                ("sklearn_score", "score_ms"),
                ("sklearn_one_row_us", "one_row_us"),
            ] {
                best.note(name, theirs[key].as_f64().unwrap_or(f64::INFINITY));
            }
        }
    }
    Ok(compare(&best))
}

fn by_tensors(forest: &pm_model::forest::Forest, rows: &[f32]) {
    for batch in rows.chunks(512 * COLUMNS) {
        let data = TensorData::new(batch.to_vec(), [batch.len() / COLUMNS, COLUMNS]);
        std::hint::black_box(forest.score(Tensor::from_data(data, &Device::flex())).into_data());
    }
}

fn check(component: &[f64], native: &[f64]) -> Result<()> {
    anyhow::ensure!(component.len() == native.len(), "the component scored another number of rows");
    let worst = component.iter().zip(native).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    anyhow::ensure!(worst < 1e-9, "the component's scores differ by {worst}");
    Ok(())
}

fn compare(best: &Best) -> Section {
    let show = |name: &str, unit: &str| best.get(name).map_or("-".into(), |v| format!("{v:.3} {unit}"));
    println!("  {:<10} {:>14} {:>14} {:>14}", "", "native", "component", "sklearn");
    println!(
        "  {:<10} {:>14} {:>14} {:>14}",
        "fit",
        show("fit", "ms"),
        show("component_fit", "ms"),
        show("sklearn_fit", "ms")
    );
    let (score, component) = (show("score", "ms"), show("component_score", "ms"));
    println!("  {:<10} {score:>14} {component:>14} {:>14}", "score", show("sklearn_score", "ms"));
    let one = best.get("component_one_row").map(|ms| ms * 1e3);
    let one_text = one.map_or("-".into(), |us| format!("{us:.1} µs"));
    println!(
        "  {:<10} {:>14} {one_text:>14} {:>14}",
        "one row",
        show("one_row_us", "µs"),
        show("sklearn_one_row_us", "µs")
    );
    println!("  by tensors {:>14}", show("score_by_tensors", "ms"));
    let figures: serde_json::Map<String, Value> =
        best.0.iter().map(|(name, value)| ((*name).to_owned(), json!(round(*value)))).collect();
    let mut section = Section {
        figures: json!({
            "protocol": format!("10,000 x 25 random numbers, 100 trees of 256 rows, one thread, shortest of {ROUNDS} alternating rounds; ms where the name says nothing else"),
            "times": figures,
        }),
        broken: Vec::new(),
    };
    for (ours, theirs, what) in [("fit", "sklearn_fit", "fitting"), ("score", "sklearn_score", "scoring")] {
        if let (Some(ours), Some(theirs)) = (best.get(ours), best.get(theirs)) {
            section
                .require(ours <= theirs, format!("{what} takes {ours:.1} ms, scikit-learn {theirs:.1} ms"));
        }
    }
    for (component, native, what) in
        [("component_fit", "fit", "fitting"), ("component_score", "score_active", "scoring")]
    {
        if let (Some(component), Some(native)) = (best.get(component), best.get(native)) {
            let ratio = component / native;
            println!(
                "  component / native, {what} (same trees, same rows): {ratio:.2} (at most {COMPONENT})"
            );
            section.require(
                ratio <= COMPONENT,
                format!("{what} takes the component {ratio:.2} times the native time"),
            );
        }
    }
    if let Some(us) = one {
        section.require(us < ONE_ROW_US, format!("one row takes the component {us:.1} µs"));
    }
    section
}
