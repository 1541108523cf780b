//! Starts and connects the pieces of the bridge.

use crate::config::Config;
use crate::deliver::{Functions, Steps};
use crate::health::{Health, wall_clock};
use crate::lane::{Lane, Settings};
use crate::mail::{queue::MailQueue, relay::Relay};
use crate::mappings::{self, MappingStore};
use crate::payload::sparkplug::Sparkplug;
use crate::probe;
use crate::receipt_times::ReceiptTimes;
use crate::session::{Decoders, Session};
use crate::spool::Spool;
use crate::tick;
use anyhow::{Context, bail};
use pm_api::tick::BridgeHealth;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

const SPILL_AFTER: Duration = Duration::from_secs(1);
const QUIET: Duration = Duration::from_millis(5);
const MIB: u64 = 1024 * 1024;

/// Runs a bridge until `stop`, then flushes.
///
/// # Errors
/// One sentence: what of the configuration cannot be used. Once running, it does not fail but tries again.
pub async fn run(config: &Config, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    config.check()?;
    let relay = Relay::from_config(&config.mail)?;
    let folder = &config.spool_dir;
    // what is spooled is for nobody else on this machine
    let mut private = DirBuilder::new();
    private
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("cannot create the spool folder {}", folder.display()))?;
    let _lock = lock(folder)?;
    let client_id = config.client_id()?;
    let broker = config.broker(&client_id)?;
    let lane_count = lane_count(folder, config.lanes)?;
    let (broker_host, broker_port) = broker.broker_address();
    let identity = BridgeHealth {
        name: config.name(&client_id),
        started_at: wall_clock(),
        broker_host,
        broker_port,
        topics: config.mqtt_topics.clone(),
        mail_configured: relay.is_some(),
        ..BridgeHealth::default()
    };
    let health = Arc::new(Health::new(identity, lane_count));
    let functions = Arc::new(Functions::new(&config.ingest_url, &config.service_token, health.clone())?);
    let settings = Settings {
        max_readings: config.batch_max as usize,
        linger: Duration::from_millis(config.batch_ms),
        quiet: QUIET,
        spill_after: SPILL_AFTER,
    };
    let mut lanes = JoinSet::new();
    let mut to_lanes = Vec::new();
    for index in 0..lane_count {
        let at = lane_folder(folder, index);
        let opened = Spool::open(&at, config.spool_max_mb * MIB / lane_count as u64);
        let (spool, found) =
            opened.with_context(|| format!("cannot use the spool folder {}", at.display()))?;
        if found != crate::spool::Recovery::default() {
            tracing::info!(lane = index, ?found, "found spooled batches of an earlier run");
        }
        if found.damaged_files > 0 {
            let files = found.damaged_files;
            health.failed(format!("{files} spool files were damaged; they are kept in {}", at.display()));
        }
        let (to_lane, items) = mpsc::unbounded_channel();
        let lane = Lane { index, settings, functions: functions.clone(), spool, health: health.clone() };
        lanes.spawn(lane.run(items));
        to_lanes.push(to_lane);
    }
    let probe = match config.health_listen {
        Some(address) => {
            let listener = TcpListener::bind(address).await;
            let listener =
                listener.with_context(|| format!("cannot listen on PM_HEALTH_LISTEN={address}"))?;
            Some(tokio::spawn(probe::serve(listener, health.clone())))
        }
        None => None,
    };
    let models = tokio::spawn(tick::run_models(functions.clone()));
    let imports = tokio::spawn(tick::run_steps(functions.clone(), Steps::Imports));
    let backtests = tokio::spawn(tick::run_steps(functions.clone(), Steps::Backtests));
    let mails = Arc::new(MailQueue::new(relay, health.clone()));
    let mappings = MappingStore::open(folder.join("mappings.json"), health.clone());
    let (mut in_force, has_mappings) = (mappings.in_force(), !mappings.version().is_empty());
    let ticks = tokio::spawn(tick::run(functions, health.clone(), mails, mappings));
    mappings::first_answer(&mut in_force, has_mappings).await;
    let max_bytes = (config.queue_max_mb * MIB) as usize;
    let decoders = Decoders {
        sparkplug: Sparkplug::open(folder.join("sparkplug")),
        mappings: in_force,
        machine_topics: config.machine_topics()?,
    };
    let session_name = format!("{client_id} at {:?}", broker.broker_address());
    let times = ReceiptTimes::open(&folder.join("receipt-times"), &session_name)
        .with_context(|| format!("cannot use the spool folder {}", folder.display()))?;
    let session = Session::new(broker, config.filters(), to_lanes, decoders, times, max_bytes, health);
    let all_lanes = async { while lanes.join_next().await.is_some() {} };
    session.run(stop, all_lanes).await;
    ticks.abort();
    models.abort();
    imports.abort();
    backtests.abort();
    if let Some(probe) = probe {
        probe.abort();
    }
    Ok(())
}

fn lane_folder(folder: &Path, index: usize) -> std::path::PathBuf {
    folder.join(format!("lane-{index}"))
}

fn lock(folder: &Path) -> anyhow::Result<File> {
    let path = folder.join("lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.with_context(|| format!("cannot write to the spool folder {}", folder.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!(
                "another bridge uses the spool folder {}; give this one its own PM_SPOOL_DIR",
                folder.display()
            )
        }
        Err(TryLockError::Error(e)) => Err(e).with_context(|| format!("cannot lock {}", path.display())),
    }
}

/// The number of lanes: as configured, unless the spool holds batches of another number. A machine's lane depends on
/// the number, and its older batches must go first.
fn lane_count(folder: &Path, configured: u64) -> anyhow::Result<usize> {
    let path = folder.join("lanes");
    let configured = configured as usize;
    let stored = fs::read_to_string(&path).ok().and_then(|t| t.trim().parse::<usize>().ok());
    if let Some(stored) = stored.filter(|s| *s != configured) {
        let has_files =
            |index| fs::read_dir(lane_folder(folder, index)).is_ok_and(|mut f| f.next().is_some());
        if (0..stored).any(has_files) {
            tracing::warn!(
                "the spool holds batches of {stored} lanes: PM_LANES={configured} must wait until it is empty"
            );
            return Ok(stored);
        }
    }
    fs::write(&path, configured.to_string()).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(configured)
}
