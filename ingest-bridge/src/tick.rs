//! The clock of the serverless side: a tick to the notifier every second, with the bridge's own health.

use crate::deliver::Functions;
use crate::health::Health;
use pm_api::tick::Tick;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// Ticks until dropped. A failed tick is counted and forgotten: the next one does its work.
pub async fn run(functions: Arc<Functions>, health: Arc<Health>) {
    let mut second = interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        second.tick().await;
        if let Err(error) = functions.tick(&Tick { bridge: health.report() }).await {
            Health::add(&health.tick_failures, 1);
            tracing::debug!("tick failed: {error}");
        }
    }
}

/// Asks the functions every few seconds to do what is due about models, until dropped. In a task of its own: training
/// takes longer than a tick.
pub async fn run_models(functions: Arc<Functions>) {
    let mut beat = interval(Duration::from_secs(3));
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        if let Err(error) = functions.work_on_models().await {
            tracing::debug!("no work on models: {error}");
        }
    }
}
