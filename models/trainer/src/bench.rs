//! The forest on public data, and how fast it is, with scikit-learn doing the same in the same run.
//!
//! scikit-learn comes from PyPI into a virtual environment of its own under the target folder. A data set that is not
//! there is skipped, and the table says so; so is scikit-learn where it cannot be had.

use anyhow::{Context as _, Result};
use burn::tensor::{Device, Tensor, TensorData};
use pm_model::{
    flat::FlatForest,
    stats,
    train::{Settings, fit},
};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use serde_json::{Value, json};
use std::{
    io::Read,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

const SEEDS: u64 = 10;
const ODDS: [&str; 10] = [
    "annthyroid",
    "breastw",
    "cardio",
    "http",
    "ionosphere",
    "mammography",
    "pima",
    "satellite",
    "shuttle",
    "smtp",
];
const SCRIPT: &str = include_str!("../reference.py");

/// Rows with labels.
struct Table {
    rows: Vec<f32>,
    columns: usize,
    anomaly: Vec<bool>,
}

/// Runs everything and writes the result as JSON.
///
/// # Errors
/// When the result cannot be written.
pub fn run(data: &Path, out: &Path) -> Result<()> {
    let reference = reference(data).unwrap_or_else(|e| {
        println!("scikit-learn skipped: {e:#}");
        Value::Null
    });
    println!("{:<14} {:>8} {:>8} {:>8}", "AUROC", "Burn", "sklearn", "less");
    let (mut sets, mut differences) = (serde_json::Map::new(), Vec::new());
    for name in ODDS.into_iter().chain(["ai4i2020"]) {
        let Some(table) = read(data, name) else {
            println!("{name:<14} skipped: not in {}", data.display());
            sets.insert(name.into(), json!("skipped: no data"));
            continue;
        };
        let ours =
            (0..SEEDS).map(|seed| auroc_of(&table, seed)).collect::<Option<Vec<_>>>().context("no forest")?;
        let ours = stats::mean(&ours);
        let theirs = reference["auroc"][name].as_f64();
        let shown = theirs.map_or("-".into(), |t| format!("{t:.4}"));
        let less = theirs.map_or("-".into(), |t| format!("{:+.4}", t - ours));
        println!("{name:<14} {ours:>8.4} {shown:>8} {less:>8}");
        if let Some(theirs) = theirs.filter(|_| name != "ai4i2020") {
            differences.push(theirs - ours);
        }
        sets.insert(name.into(), json!({ "burn": ours, "scikit_learn": theirs }));
    }
    let worst = differences.iter().fold(0.0f64, |a, d| a.max(d.abs()));
    println!("mean difference {:+.4}, largest {worst:.4}", stats::mean(&differences));
    let speed = speed();
    println!("10,000 x 25, ms, best of 7, one thread: {speed} scikit-learn {}", reference["speed_ms"]);
    let report = json!({
        "protocol": "fit and score all rows, 100 trees, 256 rows per tree, mean AUROC over 10 seeds",
        "auroc": sets,
        "mean_difference": stats::mean(&differences),
        "largest_difference": worst,
        "speed_ms": { "burn": speed, "scikit_learn": reference["speed_ms"] },
        "scikit_learn": reference["version"],
    });
    if let Some(folder) = out.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(out, serde_json::to_string_pretty(&report)? + "\n")?;
    println!("wrote {}", out.display());
    Ok(())
}

fn auroc_of(table: &Table, seed: u64) -> Option<f64> {
    let forest = fit(&table.rows, table.columns, Settings { seed, ..Settings::default() })?;
    let flat = FlatForest::new(&forest, table.columns)?;
    Some(auroc(&flat.score_rows(&table.rows), &table.anomaly))
}

/// Area under the ROC curve: the chance that an anomaly scores above a normal row, ties half (Mann-Whitney).
fn auroc(scores: &[f64], anomaly: &[bool]) -> f64 {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_unstable_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let (mut rank_sum, mut at) = (0.0, 0);
    while at < order.len() {
        let end = at + order[at..].iter().take_while(|&&i| scores[i] == scores[order[at]]).count();
        let rank = (at + end + 1) as f64 / 2.0;
        rank_sum += rank * order[at..end].iter().filter(|&&i| anomaly[i]).count() as f64;
        at = end;
    }
    let hits = anomaly.iter().filter(|a| **a).count() as f64;
    (rank_sum - hits * (hits + 1.0) / 2.0) / (hits * (anomaly.len() as f64 - hits))
}

/// A data set, or nothing when it is not there or not readable.
fn read(data: &Path, name: &str) -> Option<Table> {
    let text = if name == "ai4i2020" {
        std::fs::read_to_string(data.join("ai4i2020/ai4i2020.csv")).ok()?
    } else if let Ok(text) = std::fs::read_to_string(data.join(format!("odds/{name}.csv"))) {
        text
    } else {
        let mut text = String::new();
        let file = std::fs::File::open(data.join(format!("odds/{name}.csv.gz"))).ok()?;
        flate2::read::GzDecoder::new(file).read_to_string(&mut text).ok()?;
        text
    };
    let mut table = Table { rows: Vec::new(), columns: 0, anomaly: Vec::new() };
    for line in text.lines().skip(1).filter(|l| !l.is_empty()) {
        let cells: Vec<&str> = line.split(',').collect();
        let (features, label): (Vec<f32>, &str) = if name == "ai4i2020" {
            // Type, five measurements, label; the failure modes after it define the label and are left out.
            let kind = match *cells.get(2)? {
                "L" => 0.0,
                "M" => 1.0,
                _ => 2.0,
            };
            let numbers = cells.get(3..8)?.iter().map(|c| c.parse()).collect::<Result<Vec<f32>, _>>().ok()?;
            (std::iter::once(kind).chain(numbers).collect(), cells.get(8)?)
        } else {
            let (label, features) = cells.split_last()?;
            (features.iter().map(|c| c.parse()).collect::<Result<_, _>>().ok()?, label)
        };
        table.columns = features.len();
        table.rows.extend(features);
        table.anomaly.push(label.parse::<f64>().ok()? > 0.5);
    }
    (!table.anomaly.is_empty()).then_some(table)
}

/// Best of seven, in ms: fit, score by flat lists, score by tensors, and one row in µs.
fn speed() -> Value {
    const ROWS: usize = 10_000;
    const COLUMNS: usize = 25;
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let rows: Vec<f32> = (0..ROWS * COLUMNS)
        .map(|_| (0..12).map(|_| rng.random_range(0.0..1.0f32)).sum::<f32>() - 6.0)
        .collect();
    let best = |work: &mut dyn FnMut()| {
        let time = |work: &mut dyn FnMut()| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64() * 1e3
        };
        let fastest = (0..7).map(|_| time(work)).fold(f64::INFINITY, f64::min);
        (fastest * 1e3).round() / 1e3
    };
    let fit_ms = best(&mut || drop(std::hint::black_box(fit(&rows, COLUMNS, Settings::default()))));
    let Some(forest) = fit(&rows, COLUMNS, Settings::default()) else { return Value::Null };
    let Some(flat) = FlatForest::new(&forest, COLUMNS) else { return Value::Null };
    let score_ms = best(&mut || drop(std::hint::black_box(flat.score_rows(&rows))));
    let tensor_ms = best(&mut || {
        for part in rows.chunks(512 * COLUMNS) {
            let data = TensorData::new(part.to_vec(), [part.len() / COLUMNS, COLUMNS]);
            std::hint::black_box(forest.score(Tensor::from_data(data, &Device::flex())).into_data());
        }
    });
    let row_ms = best(&mut || {
        for row in rows.chunks_exact(COLUMNS).take(1000) {
            std::hint::black_box(flat.score(row));
        }
    });
    json!({ "fit": fit_ms, "score": score_ms, "score_by_tensors": tensor_ms, "one_row_us": row_ms })
}

/// What scikit-learn makes of the same data, in a virtual environment of its own.
fn reference(data: &Path) -> Result<Value> {
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned());
    let home = PathBuf::from(target).join("bench-python");
    let python = home.join("bin/python");
    if !python.exists() {
        println!("fetching scikit-learn into {}", home.display());
        succeed(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
    }
    if !Command::new(&python).args(["-c", "import sklearn"]).output().is_ok_and(|o| o.status.success()) {
        succeed(Command::new(&python).args(["-m", "pip", "install", "-q", "scikit-learn==1.7.2"]))?;
    }
    let output = Command::new(&python)
        .args(["-c", SCRIPT])
        .arg(data)
        .env("OMP_NUM_THREADS", "1")
        .env("OPENBLAS_NUM_THREADS", "1")
        .output()
        .context("python")?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{command:?}"))?;
    anyhow::ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::auroc;

    #[test]
    fn auroc_of_known_rankings() {
        let anomaly = [false, false, true, true];
        for (scores, expected) in [
            ([0.1, 0.2, 0.3, 0.4], 1.0),
            ([0.4, 0.3, 0.2, 0.1], 0.0),
            ([0.1; 4], 0.5),
            ([0.1, 0.3, 0.2, 0.4], 0.75),
        ] {
            assert!((auroc(&scores, &anomaly) - expected).abs() < 1e-12, "{scores:?}");
        }
    }
}
