//! Component `webhooks`: who is told of events, and what became of each delivery.
//!
//! Invariants: a secret is shown when it is made and never again; a new secret leaves the former one valid for a day; an
//! address is checked when it is given and again when it is used. Deliberately absent: sending (component `notifier`,
//! the only one that reaches the outside).

mod body;
mod delivery;
mod secret;

use http::StatusCode;
use pm_api::{WebhookId, sort::WebhookSort, webhook::Webhook};
use pm_auth::Op;
use pm_store::webhook::{self, WebhookChange};
use pm_web::{Answer, Call, Outcome, Refusal, Request, empty, json, json_page, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve("webhooks", request, |op, call| async move {
        match op {
            Op::ListWebhooks => list(&call).await,
            Op::CreateWebhook => create(&call).await,
            Op::GetWebhook => get(&call).await,
            Op::UpdateWebhook => update(&call).await,
            Op::DeleteWebhook => delete(&call).await,
            Op::RotateWebhookSecret => rotate(&call).await,
            Op::TestWebhook => delivery::test(&call).await,
            Op::ListDeliveries => delivery::list(&call).await,
            Op::GetDelivery => delivery::get(&call).await,
            Op::ReplayDelivery => delivery::replay(&call).await,
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}

async fn list(call: &Call) -> Outcome {
    let active = call.query.boolean("is_active")?;
    let query = call.query.list::<WebhookSort>(1000)?;
    Ok(json_page(&webhook::list(&call.db().await?, active, &query).await?.map(masked)))
}

async fn create(call: &Call) -> Outcome {
    let new = body::new_webhook(call.fields()?, body::allow_private().await?)?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    Ok(json(StatusCode::CREATED, &webhook::create(&db, &actor, new).await?))
}

async fn get(call: &Call) -> Outcome {
    let id: WebhookId = call.id("webhook_id")?;
    let webhook = webhook::get(&call.db().await?, id).await?.ok_or(Refusal::NotFound)?;
    Ok(json(StatusCode::OK, &masked(webhook)))
}

async fn update(call: &Call) -> Outcome {
    let id: WebhookId = call.id("webhook_id")?;
    let change = body::webhook_change(call.fields()?, body::allow_private().await?)?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    let webhook = webhook::update(&db, &actor, id, change).await?.ok_or(Refusal::NotFound)?;
    Ok(json(StatusCode::OK, &masked(webhook)))
}

async fn delete(call: &Call) -> Outcome {
    let id: WebhookId = call.id("webhook_id")?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    let found = webhook::delete(&db, &actor, id).await?;
    if found { Ok(empty(StatusCode::NO_CONTENT)) } else { Err(Refusal::NotFound) }
}

async fn rotate(call: &Call) -> Outcome {
    let id: WebhookId = call.id("webhook_id")?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?.doing("rotate_secret");
    let change = WebhookChange { secret: Some(secret::new()?), ..WebhookChange::default() };
    let webhook = webhook::update(&db, &actor, id, change).await?.ok_or(Refusal::NotFound)?;
    Ok(json(StatusCode::OK, &webhook))
}

fn masked(webhook: Webhook) -> Webhook {
    Webhook { secret: Some(secret::MASK.to_owned()), ..webhook }
}
