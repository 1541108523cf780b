//! Sending what is due to webhooks.

use crate::{escalation, settings::Settings, slack};
use futures::future::{join, join_all};
use pm_api::{
    route::op,
    webhook::{DeliverReport, DeliverRequest},
};
use pm_domain::{
    retry, target,
    webhook::{self, DeliveryOutcome, verdict},
};
use pm_store::{
    Db,
    delivery::{self, Attempt, Claimed},
};
use pm_web::{Input, Refusal, now, post_external, variable};
use std::time::Duration;
use uuid::Uuid;

/// Deliveries in one request, sent side by side.
const DELIVERIES_PER_RUN: i64 = 20;
/// Of these, to one webhook.
const DELIVERIES_PER_WEBHOOK: i64 = 5;
/// Longer than the longest time a receiver may have.
const LEASE_S: i64 = 60;
/// What is kept of an answer, bytes.
const MAX_RESPONSE_BYTES: usize = 2048;
/// For tests of an address that is no webhook.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// `POST /internal/deliver`: a request of its own beside the tick, since a receiver may take its time.
pub(crate) async fn deliver(input: Input<op::Deliver>) -> Result<DeliverReport, Refusal> {
    let allow_private = variable("webhook_allow_private").await? == "true";
    match &input.body {
        DeliverRequest::Probe { url, event } => {
            let error = probe(url, event, allow_private).await.err();
            Ok(DeliverReport {
                delivered: error.is_none().into(),
                failed: error.is_some().into(),
                more: false,
                error,
            })
        }
        DeliverRequest::Channel(channel_id) => {
            let error = escalation::test(&input.db().await?, *channel_id, allow_private).await?.err();
            Ok(DeliverReport {
                delivered: error.is_none().into(),
                failed: error.is_some().into(),
                more: false,
                error,
            })
        }
        DeliverRequest::One(only) => {
            let db = input.db().await?;
            let claimed = delivery::claim(&db, Some(*only), 1, 1, LEASE_S).await?;
            send_all(&db, &claimed, allow_private).await
        }
        DeliverRequest::Due => {
            let db = input.db().await?;
            let settings = Settings::read(&db).await?;
            let webhooks = async {
                let claimed =
                    delivery::claim(&db, None, DELIVERIES_PER_RUN, DELIVERIES_PER_WEBHOOK, LEASE_S).await?;
                let report = send_all(&db, &claimed, allow_private).await?;
                slack::send(&db, allow_private).await?;
                Ok::<_, Refusal>(report)
            };
            // side by side: a slow webhook keeps no alarm waiting
            let (told, report) = join(escalation::send(&db, &settings, allow_private), webhooks).await;
            told?;
            let more = delivery::any_due(&db).await? || escalation::any_due(&db).await?;
            Ok(DeliverReport { more, ..report? })
        }
    }
}

async fn send_all(db: &Db, claimed: &[Claimed], allow_private: bool) -> Result<DeliverReport, Refusal> {
    let attempts = join_all(claimed.iter().map(|claimed| send(claimed, allow_private))).await;
    let mut report = DeliverReport::default();
    for (claimed, attempt) in claimed.iter().zip(attempts) {
        match attempt.verdict {
            DeliveryOutcome::Delivered => report.delivered += 1,
            DeliveryOutcome::Again | DeliveryOutcome::Gone => {
                report.failed += 1;
                report.error.clone_from(&attempt.error);
            }
        }
        delivery::finish(db, claimed, attempt).await?;
    }
    Ok(report)
}

async fn send(claimed: &Claimed, allow_private: bool) -> Attempt {
    let started_at = now();
    let previous = claimed.previous_secret.as_deref().zip(claimed.previous_secret_expires_at);
    let secrets = webhook::secrets(&claimed.secret, previous, started_at);
    let timeout = Duration::from_secs(claimed.timeout_s.unsigned_abs().into());
    let heard = match target::check(&claimed.url, allow_private) {
        Err(refused) => Err(refused.to_string()),
        Ok(()) => {
            let id = claimed.event_id.to_string();
            let mut headers = webhook::headers(&secrets, &id, started_at.0 / 1_000_000, &claimed.body);
            headers.extend(claimed.traceparent.clone().map(|parent| ("traceparent".to_owned(), parent)));
            headers.extend(claimed.headers.clone());
            post_external(&claimed.url, &headers, &claimed.body, timeout, MAX_RESPONSE_BYTES).await
        }
    };
    let verdict = heard.as_ref().map_or(DeliveryOutcome::Again, |heard| verdict(heard.status));
    let next_after_s = match verdict {
        DeliveryOutcome::Again => {
            let retries = webhook::retries(&claimed.event_type, claimed.retry_count);
            retry::delay_s(claimed.attempt, retries, fastrand::f64())
        }
        DeliveryOutcome::Delivered | DeliveryOutcome::Gone => None,
    };
    let (response_status, response_body, error) = match heard {
        Ok(heard) if verdict == DeliveryOutcome::Delivered => {
            (Some(heard.status.into()), Some(heard.body), None)
        }
        Ok(heard) => {
            let error = format!("the receiver answered {}", heard.status);
            (Some(heard.status.into()), Some(heard.body), Some(error))
        }
        Err(error) => (None, None, Some(error)),
    };
    let duration_ms = (now().seconds_since(started_at) * 1000.0) as i32;
    Attempt { verdict, next_after_s, response_status, response_body, error, duration_ms }
}

/// Sends a test event to an address; nothing is stored and nothing is tried again. It is not signed, because the address
/// has no secret.
async fn probe(url: &str, event: &str, allow_private: bool) -> Result<(), String> {
    target::check(url, allow_private).map_err(|refused| refused.to_string())?;
    let body = webhook::test_body(event, now());
    let headers = webhook::headers(&[], &Uuid::now_v7().to_string(), now().0 / 1_000_000, &body);
    let heard = post_external(url, &headers, &body, PROBE_TIMEOUT, MAX_RESPONSE_BYTES).await?;
    match verdict(heard.status) {
        DeliveryOutcome::Delivered => Ok(()),
        DeliveryOutcome::Again | DeliveryOutcome::Gone => {
            Err(format!("the receiver answered {}", heard.status))
        }
    }
}
