//! Services that notices of alarms go to. Their secrets are written and never shown.

use crate::on_call::{deleted, taken};
use http::StatusCode;
use pm_api::{
    ChannelKind, NoticeChannelId,
    escalation::NoticeChannel,
    input::FieldFault,
    list::Page,
    route::op,
    webhook::{DeliverReport, DeliverRequest, TestResult},
};
use pm_domain::{
    alarm_notice::{default_url, needs_secret},
    target,
    webhook::is_header_value,
};
use pm_store::notice_channel;
use pm_web::{Component, Given, Input, Refusal, variable};

pub(crate) async fn list(input: Input<op::ListNoticeChannels>) -> Result<Page<NoticeChannel>, Refusal> {
    Ok(notice_channel::list(&input.db().await?, &input.page).await?)
}

pub(crate) async fn create(input: Input<op::CreateNoticeChannel>) -> Result<NoticeChannel, Refusal> {
    let new = &input.body;
    let url = match (&new.url, default_url(new.kind)) {
        (Some(url), _) => url.trim().to_owned(),
        (None, Some(url)) => url.to_owned(),
        (None, None) => {
            let message = format!("A channel of the kind {} needs an address", new.kind);
            return Err(Refusal::in_body(vec![FieldFault::new("url", message, serde_json::Value::Null)]));
        }
    };
    let secret = new.secret.as_ref().map(|secret| secret.0.trim()).filter(|secret| !secret.is_empty());
    check_url(new.kind, &url).await?;
    check_secret(secret)?;
    if needs_secret(new.kind) && secret.is_none() {
        return Err(secret_fault(&format!("A channel of the kind {} needs a key", new.kind)));
    }
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    let name = new.name.trim();
    let done = notice_channel::create(&db, &actor, name, new.kind, &url, secret).await;
    done.map_err(|error| taken(error, name))
}

pub(crate) async fn update(input: Input<op::UpdateNoticeChannel>) -> Result<NoticeChannel, Refusal> {
    let id: NoticeChannelId = input.id("channel_id")?;
    let change = &input.body;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    let before = notice_channel::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    let (name, url) =
        (change.name.as_ref().map(|name| name.trim()), change.url.as_ref().map(|url| url.trim()));
    if let Some(url) = url {
        check_url(before.kind, url).await?;
    }
    let has_secret = match &change.secret {
        pm_api::input::Patch::Set(secret) => {
            check_secret(Some(&secret.0))?;
            true
        }
        secret => secret.clone().after(before.has_secret.then(|| String::new().into())).is_some(),
    };
    if needs_secret(before.kind) && !has_secret {
        return Err(secret_fault(&format!("A channel of the kind {} needs a key", before.kind)));
    }
    let done = notice_channel::update(&db, &actor, id, name, url, &change.secret).await;
    done.map_err(|error| taken(error, name.unwrap_or_default()))?.ok_or(Refusal::NotFound)
}

pub(crate) async fn delete(input: Input<op::DeleteNoticeChannel>) -> Result<(), Refusal> {
    let id: NoticeChannelId = input.id("channel_id")?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    deleted(notice_channel::delete(&db, &actor, id).await?)
}

/// Sends a test notice and waits for the answer.
pub(crate) async fn test(input: Input<op::TestNoticeChannel>) -> Given<op::TestNoticeChannel> {
    let id: NoticeChannelId = input.id("channel_id")?;
    let db = input.db().await?;
    input.actor(&db).await?;
    notice_channel::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    let token = variable("component_token").await?;
    let report: DeliverReport = Component("notifier")
        .post_json("/internal/deliver", &DeliverRequest::Channel(id), &token)
        .await
        .map_err(|e| Refusal::Unavailable(format!("notifier {e}")))?;
    Ok(match report.error {
        None => (StatusCode::OK, TestResult::arrived("The test notice was delivered")),
        Some(error) => (StatusCode::BAD_GATEWAY, TestResult::failed(error)),
    })
}

async fn check_url(kind: ChannelKind, url: &str) -> Result<(), Refusal> {
    let allow_private = variable("webhook_allow_private").await? == "true";
    let fault = |message: String| Err(Refusal::in_body(vec![FieldFault::new("url", message, url)]));
    if let Err(refused) = target::check(url, allow_private) {
        return fault(refused.to_string());
    }
    let has_topic = url.trim_end_matches('/').split('/').count() > 3;
    if kind == ChannelKind::Ntfy && !has_topic {
        return fault(
            "The address of a ntfy server ends with the topic, e.g. https://ntfy.example/alarms".to_owned(),
        );
    }
    Ok(())
}

fn check_secret(secret: Option<&str>) -> Result<(), Refusal> {
    match secret {
        Some(secret) if !is_header_value(secret) => {
            Err(secret_fault("A key is one line of ASCII characters"))
        }
        _ => Ok(()),
    }
}

fn secret_fault(message: &str) -> Refusal {
    Refusal::in_body(vec![FieldFault::new("secret", message, serde_json::Value::Null)])
}
