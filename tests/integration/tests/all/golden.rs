//! The component `score` by itself, in the host: its WebAssembly gives the scores that the native code gave when the
//! model was trained.

use crate::client::Client;
use anyhow::{Context, Result, ensure};
use http::Method;
use pm_api::{
    MachineId, ReadingStatus, SensorId, Timestamp,
    score::{Limits, ScoreItem, ScoreRequest, ScoreResponse},
};
use pm_host::{Host, Options};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use tokio::{net::TcpListener, sync::oneshot};

#[derive(Deserialize)]
struct Case {
    name: String,
    limits: Limits,
    readings: Vec<(i64, f64)>,
    score: f64,
    class: ReadingStatus,
    model_score: f64,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn cases() -> Result<(String, Vec<Case>)> {
    let folder = root().join("models/isolation-forest");
    let version = std::fs::read_to_string(folder.join("ACTIVE"))?.trim().to_owned();
    let cases = serde_json::from_slice(&std::fs::read(folder.join(&version).join("golden.json"))?)?;
    Ok((version, cases))
}

/// A manifest with `score` as the only component, public, in a folder of its own.
fn manifest() -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("golden-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let models = folder.join("models");
    if !models.exists() {
        std::os::unix::fs::symlink(root().join("models").canonicalize()?, &models)?;
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().context("no target folder")?;
    let wasm = target.join("wasm32-wasip2/wasm/score.wasm").canonicalize().context("score is not built")?;
    let text = format!(
        "spin_manifest_version = 2\n[application]\nname = \"golden\"\n[[trigger.http]]\nroute = \"/...\"\n\
         component = \"score\"\n[component.score]\nsource = {:?}\nfiles = [{{ source = \"models\", destination = \"/models\" }}]\n",
        wasm.display().to_string()
    );
    let path = folder.join("spin.toml");
    std::fs::write(&path, text)?;
    Ok(path)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_score_component_gives_the_golden_scores() -> Result<()> {
    let (version, cases) = cases()?;
    ensure!(cases.len() >= 7, "only {} golden cases", cases.len());
    let manifest = manifest()?;
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("golden-cache");
    let host = Host::load(&manifest, Options::new(cache)).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let client = Client::new(&format!("http://{}", listener.local_addr()?));
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(async move {
        host.serve(vec![listener], async {
            let _ = stopped.await;
        })
        .await
    });
    let items = cases
        .iter()
        .map(|case| ScoreItem {
            sensor_id: SensorId(uuid::Uuid::nil()),
            machine_id: MachineId(uuid::Uuid::nil()),
            name: "Golden".into(),
            sensor_type: "golden".into(),
            unit: None,
            model: None,
            challenger: None,
            learning_s: 604_800,
            false_alarms_per_month: 0.2,
            accepted: None,
            restarted: None,
            limits: case.limits,
            state: None,
            readings: case.readings.iter().map(|&(t, v)| (Timestamp(t), v)).collect(),
        })
        .collect();
    let body = postcard::to_allocvec(&ScoreRequest { items, machines: Vec::new() })?;
    let answer = client.send(Method::POST, "/score", &[], body).await?;
    ensure!(answer.status == 200, "{}: {:?}", answer.status, answer.body);
    ensure!(answer.headers.contains_key("server-timing"), "{:?}", answer.headers);
    let response: ScoreResponse = postcard::from_bytes(&answer.body)?;
    ensure!(response.items.len() == cases.len(), "{} answers", response.items.len());
    for (case, result) in cases.iter().zip(&response.items) {
        ensure!(result.model_version == version, "{}: {}", case.name, result.model_version);
        ensure!((result.score - case.score).abs() < 1e-6, "{}: {} {}", case.name, result.score, case.score);
        ensure!(result.class == case.class, "{}: {:?}", case.name, result.class);
        let why: serde_json::Value = serde_json::from_str(&result.contributing_features)?;
        let model_score = why["model_score"].as_f64().context("no model score")?;
        ensure!((model_score - case.model_score).abs() < 1e-6, "{}: {model_score}", case.name);
    }
    let refused = client.send(Method::POST, "/score", &[], "no request").await?;
    ensure!(refused.status == 422, "{}", refused.status);
    let _ = stop.send(());
    serving.await??;
    Ok(())
}
