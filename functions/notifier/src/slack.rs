//! The Slack-compatible webhook: notices that leave by it instead of by mail.

use crate::{mails, settings::Settings};
use pm_api::mail::MailResult;
use pm_domain::{
    mail::slack,
    notice::Channel,
    target,
    webhook::{DeliveryOutcome, outcome},
};
use pm_store::{
    Db,
    mail::{self, Claimed},
};
use pm_web::{Refusal, post_outside};
use serde_json::json;
use std::time::Duration;

const MOST_AT_ONCE: i64 = 5;
const LEASE_S: i64 = 60;
const TIMEOUT: Duration = Duration::from_secs(5);
const MOST_ANSWER_BYTES: usize = 512;

/// Sends what is due.
pub(crate) async fn send(db: &Db, allow_private: bool) -> Result<(), Refusal> {
    let Settings { slack_url: url, public_url, .. } = Settings::read(db).await?;
    let mut results = Vec::new();
    for Claimed { mail, digest } in mail::claim(db, Channel::Slack, MOST_AT_ONCE, LEASE_S).await? {
        let text = slack(&digest.unwrap_or_default(), &public_url);
        let error = post(&url, &text, allow_private).await.err();
        results.push(MailResult { id: mail.id, attempt: mail.attempt, error, permanent: url.is_empty() });
    }
    mails::finish(db, &results).await?;
    Ok(())
}

async fn post(url: &str, text: &str, allow_private: bool) -> Result<(), String> {
    target::check(url, allow_private).map_err(|refused| refused.to_string())?;
    let headers = [("content-type".to_owned(), "application/json".to_owned())];
    let body = json!({ "text": text }).to_string();
    let heard = post_outside(url, &headers, &body, TIMEOUT, MOST_ANSWER_BYTES).await?;
    match outcome(heard.status) {
        DeliveryOutcome::Delivered => Ok(()),
        DeliveryOutcome::Again | DeliveryOutcome::Gone => {
            Err(format!("Slack answered {}: {}", heard.status, heard.body))
        }
    }
}
