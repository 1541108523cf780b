//! The clock of the serverless side: a tick to the notifier every second, with the bridge's own health and what became
//! of mails; the answer brings the next mails, and says whether webhooks wait to be sent to.

use crate::deliver::{Functions, Steps};
use crate::health::Health;
use crate::mail::queue::MailQueue;
use crate::mappings::MappingStore;
use pm_api::tick::Tick;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{MissedTickBehavior, interval};

/// Most parallel requests in which the notifier delivers webhooks: a slow receiver delays one of them, not the ticks.
const MAX_CONCURRENT_DELIVERIES: usize = 4;

/// Ticks until dropped, every second and when a mail has a result. A failed tick is counted; the next one does its work.
pub async fn run(
    functions: Arc<Functions>,
    health: Arc<Health>,
    mails: Arc<MailQueue>,
    mut mappings: MappingStore,
) {
    let mut second = interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let senders = Arc::new(Semaphore::new(MAX_CONCURRENT_DELIVERIES));
    loop {
        tokio::select! {
            _ = second.tick() => {}
            () = mails.result_ready() => {}
        }
        let tick = Tick {
            bridge: health.report(),
            mail: mails.report(),
            mappings_version: mappings.version().to_owned(),
        };
        match functions.tick(&tick).await {
            Ok(answer) => {
                mails.forget_reported(&tick.mail.results);
                mails.send(answer.mails);
                if let Some(newest) = answer.mappings {
                    mappings.renew(newest);
                }
                if answer.deliveries_due
                    && let Ok(permit) = senders.clone().try_acquire_owned()
                {
                    tokio::spawn(send_webhooks(functions.clone(), permit));
                }
            }
            Err(error) => {
                Health::add(&health.tick_failures, 1);
                tracing::debug!("tick failed: {error}");
                // an unreported result must not cause ticks without pause
                second.tick().await;
            }
        }
    }
}

async fn send_webhooks(functions: Arc<Functions>, _permit: OwnedSemaphorePermit) {
    loop {
        match functions.send_webhooks().await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::debug!("webhooks not sent: {error}");
                return;
            }
        }
    }
}

/// Asks the functions every few seconds for a step of such jobs, and at once again while more wait, until dropped.
pub async fn run_steps(functions: Arc<Functions>, of: Steps) {
    let mut beat = interval(Duration::from_secs(2));
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        loop {
            match functions.step(of).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::debug!("no step of {of:?}: {error}");
                    break;
                }
            }
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
