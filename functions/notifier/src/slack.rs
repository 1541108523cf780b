//! The Slack-compatible webhook: notices that leave by it instead of by mail.

use crate::{mails, settings::Settings};
use pm_api::mail::MailResult;
use pm_domain::{
    mail::slack,
    notice::Channel,
    target,
    webhook::{DeliveryOutcome, verdict},
};
use pm_store::{
    Db,
    mail::{self, Claimed},
};
use pm_web::{Refusal, post_external};
use serde_json::json;
use std::time::Duration;

const CHAT_MESSAGES_PER_RUN: i64 = 5;
const LEASE_S: i64 = 60;
const TIMEOUT: Duration = Duration::from_secs(5);
const MAX_RESPONSE_BYTES: usize = 512;

/// Sends what is due.
pub(crate) async fn send(db: &Db, allow_private: bool) -> Result<(), Refusal> {
    let Settings { slack_url: url, public_url, .. } = Settings::read(db).await?;
    let mut results = Vec::new();
    for Claimed { mail, digest } in mail::claim(db, Channel::Slack, CHAT_MESSAGES_PER_RUN, LEASE_S).await? {
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
    let heard = post_external(url, &headers, &body, TIMEOUT, MAX_RESPONSE_BYTES).await?;
    match verdict(heard.status) {
        DeliveryOutcome::Delivered => Ok(()),
        DeliveryOutcome::Again | DeliveryOutcome::Gone => {
            Err(format!("Slack answered {}: {}", heard.status, heard.body))
        }
    }
}
