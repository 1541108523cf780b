//! Spool files that were torn by a power cut, or on which the disk changed a bit.

use super::{
    PER_SECOND, Stage,
    checker::{all_stored_once, difference},
    http_proxy::ProxyBehaviour,
    sensors::Plan,
    spools, well,
};
use anyhow::{Context, Result, ensure};
use pm_api::ingest::Batch;
use pm_test_support::Broker;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A stage whose bridge is dead and has left a spool with everything that was published.
async fn left_behind() -> Result<(Stage, (Plan, u64))> {
    let mut stage = Stage::new(Broker::Embedded, false).await?;
    stage.http_proxy.set(ProxyBehaviour::Refuses(503));
    let sensors = stage.sensors(Plan::new(PER_SECOND))?;
    stage.until_status("batches wait on disk", spools).await?;
    sensors.until_acknowledged(2 * PER_SECOND).await?;
    let published = sensors.finish().await?;
    stage.until_status("all is on disk", |s| spools(s) && s["mqtt"]["bridge"]["queue_size"] == 0).await?;
    stage.stack.kill("bridge").await?;
    stage.http_proxy.set(ProxyBehaviour::Honest);
    Ok((stage, published))
}

fn files(spool: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for lane in fs::read_dir(spool)? {
        let lane = lane?.path();
        if lane.is_dir() && lane.file_name().is_some_and(|n| n.to_string_lossy().starts_with("lane-")) {
            for file in fs::read_dir(&lane)? {
                files.push(file?.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Where the records of a file lie: start and length of the data.
fn records(file: &[u8]) -> Vec<(usize, usize)> {
    let (mut at, mut found) = (8, Vec::new());
    while let Some(Ok(length)) = file.get(at..at + 4).map(<[u8; 4]>::try_from) {
        let length = u32::from_le_bytes(length) as usize;
        found.push((at + 8, length));
        at += 8 + length;
    }
    found
}

#[tokio::test]
async fn a_torn_spool_record_loses_no_acknowledged_reading() -> Result<()> {
    let (mut stage, published) = left_behind().await?;
    let files = files(&stage.stack.spool())?;
    ensure!(!files.is_empty(), "nothing was spooled");
    for path in &files {
        let mut file = fs::read(path)?;
        let (start, length) = *records(&file).first().context("a record")?;
        // a record of which only the first half reached the disk
        let half = file[start - 8..start + length / 2].to_vec();
        file.extend(half);
        fs::write(path, file)?;
        fs::write(path.with_file_name("00000000000000009998.seg"), b"PMSPO")?;
        fs::write(path.with_file_name("00000000000000009999.seg"), vec![0; 4096])?;
    }
    stage.stack.restart("bridge").await?;
    all_stored_once(stage.stack.db(), published).await?;
    stage.until_status("all is well again", well).await
}

#[tokio::test]
async fn a_changed_bit_costs_one_spool_record_and_is_reported() -> Result<()> {
    let (mut stage, (plan, count)) = left_behind().await?;
    let mut spoiled = Vec::new();
    for path in files(&stage.stack.spool())? {
        let mut file = fs::read(&path)?;
        let found = records(&file);
        ensure!(found.len() >= 2, "only {} records in {}", found.len(), path.display());
        let (start, length) = found[stage.random.below(found.len() as u64 - 1) as usize];
        let batch: Batch = postcard::from_bytes(&file[start..start + length])?;
        spoiled.extend(batch.readings.iter().map(|r| r.value as u64));
        let bit = stage.random.below(8 * length as u64) as usize;
        file[start + bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, file)?;
    }
    spoiled.sort_unstable();
    stage.stack.restart("bridge").await?;
    let reported = |s: &serde_json::Value| {
        s["mqtt"]["bridge"]["last_error"].as_str().is_some_and(|e| e.contains("damaged"))
    };
    stage.until_status("a spool file is damaged", reported).await?;
    stage.until_status("the spool is empty", well).await?;
    let found = difference(stage.stack.db(), &plan, count).await?;
    ensure!(found.lost == spoiled, "{found}; spoiled were {}", spoiled.len());
    ensure!(found.doubled.is_empty() && found.altered.is_empty() && found.strange.is_empty(), "{found}");
    let kept = files(&stage.stack.spool())?;
    ensure!(kept.iter().any(|f| f.extension().is_some_and(|e| e == "damaged")), "{kept:?}");
    Ok(())
}
