//! Trains the stored networks, calibrates their intervals, measures them once on the test machines, writes the folder.

use super::{
    bench,
    cross::{self, FoldEstimate},
    data::{Machine, Source},
    fit::{self, conditions, fit},
    golden,
    measure::{Measures, measure},
    picture,
    recipe::SEEDS,
};
use anyhow::{Result, ensure};
use pm_model::rul::{
    model::{Card, RECORD, RulModel},
    network::Ensemble,
};
use serde_json::json;
use std::{path::Path, time::Instant};

/// See the table of the module above.
///
/// # Errors
/// When the data are not there or a file cannot be written.
pub fn run(data: &Path, models: &Path, (name, version): (&str, &str)) -> Result<()> {
    let source = Source::of(models, name)?;
    ensure!(source.is_there(data), "the data of {name} are not in {}", data.display());
    let started = Instant::now();
    let recipe = source.recipe;
    let sets = source
        .sets
        .iter()
        .map(|set| source.training_machines(data, set))
        .collect::<Result<Vec<Vec<Machine>>>>()?;
    let machines: Vec<&Machine> = sets.iter().flatten().collect();

    println!("cross-validation over {} machines, for the margins of the intervals", machines.len());
    let estimates = cross::evaluate(&recipe, &machines, &SEEDS)?;
    let margins = cross::margins(&estimates, recipe.cap);
    let validation: Vec<_> = source
        .sets
        .iter()
        .zip(cross::by_set(&sets, &estimates))
        .map(|(set, own)| {
            let quarters = cross::by_quarter(&machines, &own)
                .map(|part| figures_of(&part, margins, recipe.cap).coverage);
            json!({
                "set": set.name,
                "mean_of_networks": figures_of(&own, margins, recipe.cap),
                "coverage_by_quarter_of_life": quarters,
            })
        })
        .collect();
    println!("{}", serde_json::to_string_pretty(&validation)?);

    println!("training {} networks on all of them", SEEDS.len());
    let conditions = conditions(&recipe, &machines)?;
    let rows = fit::rows(&recipe, &conditions, &machines);
    let networks = SEEDS.iter().map(|&seed| fit(&recipe, &rows, seed)).collect::<Result<Vec<_>>>()?;
    let card = Card {
        name: name.to_owned(),
        version: version.to_owned(),
        channels: source.channels(),
        settings: source.settings(),
        conditions,
        shape: recipe.shape,
        networks: SEEDS.len(),
        input: recipe.input,
        cap: recipe.cap,
        margins,
    };
    let model = RulModel::new(card, Ensemble { networks });

    // Everything is fixed: now the test machines, once.
    let estimates = bench::judge(&model, &source, data)?;
    bench::print(&estimates, &model.card);
    let folder = models.join(name).join(version);
    std::fs::create_dir_all(&folder)?;
    let mut card = serde_json::to_value(&model.card)?;
    card["description"] = json!(
        "Remaining operating cycles of a machine from its sensors over its last cycles, each compared with what it reads under the same operating condition: the mean of networks with a temporal convolution and a head of 5 % quantile, expected value and 95 % quantile; the quantiles moved outwards until they hold 90 % of machines that the networks had not seen"
    );
    card["data"] = json!(format!(
        "{} {} machines that ran to failure; targets capped at {} cycles. Recipe chosen and intervals calibrated by cross-validation over them (grouped: no machine on both sides); the test machines were read once, by the command below, after everything was fixed. Ranges are the lowest and the highest value of the machines learned from",
        source.about,
        machines.len(),
        recipe.cap
    ));
    card["recipe"] = serde_json::to_value(recipe)?;
    card["seeds"] = json!(SEEDS);
    card["command"] = json!(format!(
        "cargo run --locked --release -p pm-trainer --features train -- rul train --model {name} --version {version}"
    ));
    card["metrics"] = json!({
        "validation_machines": validation,
        "test_machines": estimates.iter().map(|t| json!({
            "set": t.set.name,
            "mean_of_networks": t.measures(recipe.cap),
            "each_network": t.single_measures(recipe.cap),
        })).collect::<Vec<_>>(),
    });
    std::fs::write(folder.join("card.json"), serde_json::to_string_pretty(&card)? + "\n")?;
    std::fs::write(folder.join(RECORD), model.to_bytes()?)?;
    let columns = [source.channels(), source.settings()].concat();
    std::fs::write(folder.join("golden.json"), golden::make(&model, &columns, &machines)? + "\n")?;
    std::fs::write(folder.join("test-machines.svg"), picture::draw(&estimates, recipe.cap))?;
    println!("wrote {} after {:.0} s", folder.display(), started.elapsed().as_secs_f64());
    Ok(())
}

/// Figures of the mean of the networks; every machine counts the same.
pub fn figures_of(estimates: &[FoldEstimate], margins: [f64; 2], cap: f64) -> Measures {
    let weights = cross::weights(estimates);
    let estimates: Vec<_> =
        estimates.iter().zip(weights).map(|(j, w)| (j.cycles(margins, cap), j.left, w)).collect();
    measure(&estimates, cap, 100.0)
}
