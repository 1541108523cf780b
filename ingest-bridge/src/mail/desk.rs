//! The mails that are this bridge's: taken with one tick, sent side by side, reported with a later tick.
//!
//! A result is kept until a tick with it was answered, and the newest mails that were sent are remembered, so that a mail
//! whose lease ended before the report arrived is reported again instead of being sent again.

use crate::health::Health;
use crate::mail::relay::Relay;
use pm_api::mail::{MailReport, MailResult, OutgoingMail};
use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use uuid::Uuid;

/// Most mails under way at once.
const MOST: usize = 4;
/// How many sent mails are remembered.
const REMEMBERED: usize = 1000;

/// The mails under way.
pub struct Desk {
    relay: Option<Arc<Relay>>,
    health: Arc<Health>,
    state: Arc<Mutex<State>>,
    news: Arc<Notify>,
}

#[derive(Default)]
struct State {
    under_way: HashSet<Uuid>,
    results: Vec<MailResult>,
    sent: VecDeque<Uuid>,
}

impl Desk {
    /// An empty desk; without a relay it takes nothing.
    #[must_use]
    pub fn new(relay: Option<Relay>, health: Arc<Health>) -> Self {
        Self { relay: relay.map(Arc::new), health, state: Arc::default(), news: Arc::default() }
    }

    /// Waits until there is something to report.
    pub async fn news(&self) {
        self.news.notified().await;
    }

    /// What a tick says about mail.
    #[must_use]
    pub fn report(&self) -> MailReport {
        let state = lock(&self.state);
        MailReport {
            configured: self.relay.is_some(),
            room: MOST.saturating_sub(state.under_way.len()) as u32,
            results: state.results.clone(),
        }
    }

    /// Forgets results that were told.
    pub fn reported(&self, told: &[MailResult]) {
        lock(&self.state).results.retain(|result| !told.contains(result));
    }

    /// Begins to send mails.
    pub fn take(&self, mails: Vec<OutgoingMail>) {
        let Some(relay) = &self.relay else { return };
        for mail in mails {
            let mut state = lock(&self.state);
            if state.sent.contains(&mail.id) {
                state.results.push(result(&mail, None, false));
                self.news.notify_one();
            } else if state.under_way.insert(mail.id) {
                drop(state);
                tokio::spawn(send(
                    relay.clone(),
                    mail,
                    self.health.clone(),
                    self.state.clone(),
                    self.news.clone(),
                ));
            }
        }
    }
}

async fn send(
    relay: Arc<Relay>,
    mail: OutgoingMail,
    health: Arc<Health>,
    state: Arc<Mutex<State>>,
    news: Arc<Notify>,
) {
    let outcome = relay.send(&mail).await;
    let mut state = lock(&state);
    state.under_way.remove(&mail.id);
    match outcome {
        Ok(()) => {
            Health::add(&health.mails_sent, 1);
            state.sent.push_back(mail.id);
            if state.sent.len() > REMEMBERED {
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
    news.notify_one();
}

fn result(mail: &OutgoingMail, error: Option<String>, permanent: bool) -> MailResult {
    MailResult { id: mail.id, attempt: mail.attempt, error, permanent }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
