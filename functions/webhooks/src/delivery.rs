//! What was sent to a webhook.

use http::StatusCode;
use pm_api::{
    WebhookId,
    event::TEST_EVENT,
    id::DeliveryId,
    sort::DeliverySort,
    webhook::{DeliverReport, DeliverRequest, TestResult},
};
use pm_domain::webhook::test_body;
use pm_store::{delivery, webhook};
use pm_web::{Call, Outcome, Peer, Refusal, json, json_page, now, variable};

const STATES: [&str; 3] = ["pending", "delivered", "failed"];

pub(crate) async fn list(call: &Call) -> Outcome {
    let id: WebhookId = call.id("webhook_id")?;
    let status = call.query.text("status");
    if let Some(unknown) = status.filter(|s| !STATES.contains(s)) {
        let message = format!("Input should be '{}'", STATES.join("', '"));
        return Err(Refusal::field("enum", &["query", "status"], message, unknown.into()));
    }
    let query = call.query.list::<DeliverySort>(100)?;
    let db = call.db().await?;
    webhook::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    Ok(json_page(&delivery::list(&db, id, status, &query).await?))
}

pub(crate) async fn get(call: &Call) -> Outcome {
    let (id, delivery_id) = ids(call)?;
    let delivery = delivery::get(&call.db().await?, id, delivery_id).await?.ok_or(Refusal::NotFound)?;
    Ok(json(StatusCode::OK, &delivery))
}

/// Queues a finished delivery again: the receiver sees the same `webhook-id`.
pub(crate) async fn replay(call: &Call) -> Outcome {
    let (id, delivery_id) = ids(call)?;
    let db = call.db().await?;
    call.actor(&db).await?;
    match delivery::replay(&db, id, delivery_id).await? {
        Some(delivery) => Ok(json(StatusCode::ACCEPTED, &delivery)),
        None if delivery::get(&db, id, delivery_id).await?.is_some() => {
            Err(Refusal::Conflict("The delivery is still pending".to_owned()))
        }
        None => Err(Refusal::NotFound),
    }
}

/// Sends a test event and waits for the answer. It stands in the delivery log like any other.
pub(crate) async fn test(call: &Call) -> Outcome {
    let id: WebhookId = call.id("webhook_id")?;
    let db = call.db().await?;
    call.actor(&db).await?;
    let queued = delivery::queue_test(&db, id, &test_body(TEST_EVENT, now())).await?;
    let delivery_id = queued.ok_or(Refusal::NotFound)?;
    let token = variable("service_token").await?;
    let report: DeliverReport = Peer("notifier")
        .post_json("/internal/deliver", &DeliverRequest::One(delivery_id), &token)
        .await
        .map_err(|e| Refusal::Unavailable(format!("notifier {e}")))?;
    Ok(match report.error {
        None => json(StatusCode::OK, &TestResult::arrived("Webhook triggered successfully")),
        Some(error) => json(StatusCode::BAD_GATEWAY, &TestResult::failed(error)),
    })
}

fn ids(call: &Call) -> Result<(WebhookId, DeliveryId), Refusal> {
    Ok((call.id("webhook_id")?, call.id("delivery_id")?))
}
