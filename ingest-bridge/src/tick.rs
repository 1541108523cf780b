//! The clock of the serverless side: a tick to the notifier every second, with the bridge's own health and what became
//! of mails; the answer brings the next mails, and says whether webhooks wait to be sent to.

use crate::deliver::Functions;
use crate::health::Health;
use crate::mail::desk::Desk;
use pm_api::tick::Tick;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{MissedTickBehavior, interval};

/// Requests under way in which the notifier sends to webhooks: a slow receiver holds up one of them, not the clock.
const MOST_SENDERS: usize = 4;

/// Ticks until dropped, every second and when a mail is done. A failed tick is counted and forgotten: the next one does
/// its work.
pub async fn run(functions: Arc<Functions>, health: Arc<Health>, desk: Arc<Desk>) {
    let mut second = interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let senders = Arc::new(Semaphore::new(MOST_SENDERS));
    loop {
        tokio::select! {
            _ = second.tick() => {}
            () = desk.news() => {}
        }
        let tick = Tick { bridge: health.report(), mail: desk.report() };
        match functions.tick(&tick).await {
            Ok(answer) => {
                desk.reported(&tick.mail.results);
                desk.take(answer.mails);
                if answer.deliveries_due
                    && let Ok(place) = senders.clone().try_acquire_owned()
                {
                    tokio::spawn(send_webhooks(functions.clone(), place));
                }
            }
            Err(error) => {
                Health::add(&health.tick_failures, 1);
                tracing::debug!("tick failed: {error}");
                // news that could not be told must not make the clock race
                second.tick().await;
            }
        }
    }
}

async fn send_webhooks(functions: Arc<Functions>, _place: OwnedSemaphorePermit) {
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
