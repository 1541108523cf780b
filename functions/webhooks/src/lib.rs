//! Component `webhooks`: who is told of events, and what became of each delivery.
//!
//! Invariants: a secret is shown when it is made and never again, the values of a webhook's own headers not even then; a new secret leaves the former one valid for a day; an
//! address is checked when it is given and again when it is used. Deliberately absent: sending (component `notifier`,
//! the only one that reaches the outside).

mod delivery;
mod secret;

use pm_api::{
    WebhookId,
    input::Patch,
    route::op,
    webhook::{Webhook, WebhookChange},
};
use pm_domain::{
    webhook::rotation,
    webhook_check::{Given as Checked, faults},
};
use pm_store::{Actor, Db, webhook};
use pm_web::{Answer, Given, Input, Refusal, Request, handlers, now, serve, variable};
use std::collections::BTreeMap;

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    let handlers = handlers! {
        ListWebhooks => list,
        CreateWebhook => create,
        GetWebhook => get,
        UpdateWebhook => update,
        DeleteWebhook => delete,
        RotateWebhookSecret => rotate,
        TestWebhook => delivery::test,
        ListDeliveries => delivery::list,
        GetDelivery => delivery::get,
        ReplayDelivery => delivery::replay,
    };
    serve("webhooks", request, handlers).await
}

async fn list(input: Input<op::ListWebhooks>) -> Given<op::ListWebhooks> {
    Ok(webhook::list(&input.db().await?, &input.query, &input.page).await?.map(masked))
}

async fn create(mut input: Input<op::CreateWebhook>) -> Result<Webhook, Refusal> {
    input.body.secret = secret::given(input.body.secret.take());
    check(Checked::from(&input.body)).await?;
    let secret = input.body.secret.clone().map_or_else(secret::new, |secret| Ok(secret.into()))?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    // the secret is shown this once
    Ok(with_masked_headers(webhook::create(&db, &actor, &input.body, &secret).await?))
}

/// Refuses what the types of the fields let pass.
async fn check(given: Checked<'_>) -> Result<(), Refusal> {
    let allow_private = variable("webhook_allow_private").await? == "true";
    let faults = faults(given, allow_private);
    if faults.is_empty() { Ok(()) } else { Err(Refusal::in_body(faults)) }
}

async fn get(input: Input<op::GetWebhook>) -> Result<Webhook, Refusal> {
    let id: WebhookId = input.id("webhook_id")?;
    webhook::get(&input.db().await?, id).await?.map(masked).ok_or(Refusal::NotFound)
}

async fn update(mut input: Input<op::UpdateWebhook>) -> Result<Webhook, Refusal> {
    let id: WebhookId = input.id("webhook_id")?;
    input.body.secret = secret::given(input.body.secret.take());
    check(Checked::from(&input.body)).await?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    if let Patch::Set(headers) = &mut input.body.headers
        && headers.0.values().any(|value| value == secret::MASK)
    {
        let stored = webhook::get(&db, id).await?.ok_or(Refusal::NotFound)?.headers.unwrap_or_default();
        unmask(&mut headers.0, &stored)?;
    }
    apply(&db, &actor, id, &input.body).await.map(masked)
}

/// Puts the stored value in the place of each masked one.
fn unmask(headers: &mut BTreeMap<String, String>, stored: &BTreeMap<String, String>) -> Result<(), Refusal> {
    for (name, value) in headers.iter_mut().filter(|(_, value)| *value == secret::MASK) {
        let known = stored.get(name).ok_or_else(|| {
            let message = format!("The value of the header {name:?} is missing");
            Refusal::field("value_error", &["body", "headers"], message, name.as_str().into())
        })?;
        value.clone_from(known);
    }
    Ok(())
}

/// Changes a webhook. A new secret leaves the former one valid for a while.
async fn apply(db: &Db, actor: &Actor, id: WebhookId, change: &WebhookChange) -> Result<Webhook, Refusal> {
    let before = webhook::get(db, id).await?.ok_or(Refusal::NotFound)?;
    let current = before.secret.unwrap_or_default();
    let rotation = change.secret.as_deref().and_then(|secret| rotation(&current, secret, now()));
    match webhook::update(db, actor, id, change, rotation.as_ref()).await? {
        Some(webhook) => Ok(webhook),
        None if rotation.is_none() => Err(Refusal::NotFound),
        None => Err(Refusal::Conflict("The webhook's secret was changed in the meantime".to_owned())),
    }
}

async fn delete(input: Input<op::DeleteWebhook>) -> Result<(), Refusal> {
    let id: WebhookId = input.id("webhook_id")?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    let found = webhook::delete(&db, &actor, id).await?;
    if found { Ok(()) } else { Err(Refusal::NotFound) }
}

async fn rotate(input: Input<op::RotateWebhookSecret>) -> Result<Webhook, Refusal> {
    let id: WebhookId = input.id("webhook_id")?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?.doing("rotate_secret");
    let change = WebhookChange { secret: Some(secret::new()?.into()), ..WebhookChange::default() };
    apply(&db, &actor, id, &change).await.map(with_masked_headers)
}

fn masked(webhook: Webhook) -> Webhook {
    with_masked_headers(Webhook { secret: Some(secret::MASK.to_owned()), ..webhook })
}

/// Headers of a webhook carry the receiver's tokens.
fn with_masked_headers(mut webhook: Webhook) -> Webhook {
    for value in webhook.headers.iter_mut().flat_map(|headers| headers.values_mut()) {
        secret::MASK.clone_into(value);
    }
    webhook
}
