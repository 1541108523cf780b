//! What was sent to a webhook.

use http::StatusCode;
use pm_api::{
    WebhookId,
    event::TEST_EVENT,
    id::DeliveryId,
    route::op,
    webhook::{DeliverReport, DeliverRequest, Delivery, TestResult},
};
use pm_domain::webhook::test_body;
use pm_store::{delivery, webhook};
use pm_web::{Call, Component, Given, Input, Refusal, now, variable};

pub(crate) async fn list(input: Input<op::ListDeliveries>) -> Given<op::ListDeliveries> {
    let id: WebhookId = input.id("webhook_id")?;
    let db = input.db().await?;
    webhook::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    Ok(delivery::list(&db, id, &input.query, &input.page).await?)
}

pub(crate) async fn get(input: Input<op::GetDelivery>) -> Result<Delivery, Refusal> {
    let (id, delivery_id) = ids(&input)?;
    delivery::get(&input.db().await?, id, delivery_id).await?.ok_or(Refusal::NotFound)
}

/// Queues a finished delivery again: the receiver sees the same `webhook-id`.
pub(crate) async fn replay(input: Input<op::ReplayDelivery>) -> Result<Delivery, Refusal> {
    let (id, delivery_id) = ids(&input)?;
    let db = input.db().await?;
    input.actor(&db).await?;
    match delivery::replay(&db, id, delivery_id).await? {
        Some(delivery) => Ok(delivery),
        None if delivery::get(&db, id, delivery_id).await?.is_some() => {
            Err(Refusal::Conflict("The delivery is still pending".to_owned()))
        }
        None => Err(Refusal::NotFound),
    }
}

/// Sends a test event and waits for the answer. It stands in the delivery log like any other.
pub(crate) async fn test(input: Input<op::TestWebhook>) -> Given<op::TestWebhook> {
    let id: WebhookId = input.id("webhook_id")?;
    let db = input.db().await?;
    input.actor(&db).await?;
    let queued = delivery::queue_test(&db, id, &test_body(TEST_EVENT, now())).await?;
    let delivery_id = queued.ok_or(Refusal::NotFound)?;
    let token = variable("component_token").await?;
    let report: DeliverReport = Component("notifier")
        .post_json("/internal/deliver", &DeliverRequest::One(delivery_id), &token)
        .await
        .map_err(|e| Refusal::Unavailable(format!("notifier {e}")))?;
    Ok(match report.error {
        None => (StatusCode::OK, TestResult::arrived("Webhook triggered successfully")),
        Some(error) => (StatusCode::BAD_GATEWAY, TestResult::failed(error)),
    })
}

fn ids(call: &Call) -> Result<(WebhookId, DeliveryId), Refusal> {
    Ok((call.id("webhook_id")?, call.id("delivery_id")?))
}
