//! Sends the mails of this bridge: received with one tick, sent in parallel, reported with a later tick.
//!
//! A result is held until a tick with it was answered. The newest sent mails are remembered, so that a mail whose lease
//! ended before the report arrived is reported again instead of being sent again.

use crate::health::Health;
use crate::mail::relay::Relay;
use pm_api::mail::{MailReport, MailResult, OutgoingMail};
use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use uuid::Uuid;

/// Most mails that are sent at the same time.
const MAX_IN_PROGRESS: usize = 4;
/// Sent mails that are remembered.
const REMEMBERED_MAILS: usize = 1000;

/// The mails in progress and their results.
pub struct MailQueue {
    relay: Option<Arc<Relay>>,
    health: Arc<Health>,
    state: Arc<Mutex<State>>,
    result_ready: Arc<Notify>,
}

#[derive(Default)]
struct State {
    in_progress: HashSet<Uuid>,
    results: Vec<MailResult>,
    sent: VecDeque<Uuid>,
}

impl MailQueue {
    /// Without a relay no mail is accepted.
    #[must_use]
    pub fn new(relay: Option<Relay>, health: Arc<Health>) -> Self {
        Self { relay: relay.map(Arc::new), health, state: Arc::default(), result_ready: Arc::default() }
    }

    /// Waits until there is a result to report.
    pub async fn result_ready(&self) {
        self.result_ready.notified().await;
    }

    /// The tick's report about mail.
    #[must_use]
    pub fn report(&self) -> MailReport {
        let state = lock(&self.state);
        MailReport {
            configured: self.relay.is_some(),
            room: MAX_IN_PROGRESS.saturating_sub(state.in_progress.len()) as u32,
            results: state.results.clone(),
        }
    }

    /// Removes results that were reported.
    pub fn forget_reported(&self, reported: &[MailResult]) {
        lock(&self.state).results.retain(|result| !reported.contains(result));
    }

    /// Starts to send mails.
    pub fn send(&self, mails: Vec<OutgoingMail>) {
        let Some(relay) = &self.relay else { return };
        for mail in mails {
            let mut state = lock(&self.state);
            if state.sent.contains(&mail.id) {
                state.results.push(result(&mail, None, false));
                self.result_ready.notify_one();
            } else if state.in_progress.insert(mail.id) {
                drop(state);
                tokio::spawn(send_one(
                    relay.clone(),
                    mail,
                    self.health.clone(),
                    self.state.clone(),
                    self.result_ready.clone(),
                ));
            }
        }
    }
}

async fn send_one(
    relay: Arc<Relay>,
    mail: OutgoingMail,
    health: Arc<Health>,
    state: Arc<Mutex<State>>,
    result_ready: Arc<Notify>,
) {
    let outcome = relay.send(&mail).await;
    let mut state = lock(&state);
    state.in_progress.remove(&mail.id);
    match outcome {
        Ok(()) => {
            Health::add(&health.mails_sent, 1);
            state.sent.push_back(mail.id);
            if state.sent.len() > REMEMBERED_MAILS {
                state.sent.pop_front();
            }
            state.results.push(result(&mail, None, false));
        }
        Err(failure) => {
            Health::add(&health.mail_failures, 1);
            health.failed(format!("mail cannot be sent: {}", failure.error));
            state.results.push(result(&mail, Some(failure.error), failure.permanent));
        }
    }
    result_ready.notify_one();
}

fn result(mail: &OutgoingMail, error: Option<String>, permanent: bool) -> MailResult {
    MailResult { id: mail.id, attempt: mail.attempt, error, permanent }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
