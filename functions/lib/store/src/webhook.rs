//! Webhooks as people manage them.

use crate::{
    Actor, Db, StoreError,
    list::{Id, Key, List, Total, lists},
    statement::{actor, statements},
    value::{Columns, id, json, optional, text, texts},
};
use pm_api::{
    Metadata, WebhookId,
    list::{ListQuery, Page},
    sort::WebhookSort,
    webhook::Webhook,
};
use pm_domain::webhook::ROTATION_OVERLAP_S;
use spin_sdk::pg::ParameterValue;
use std::collections::BTreeMap;
use uuid::Uuid;

/// The columns that [`webhook`] reads.
macro_rules! columns {
    () => {
        "id, created_at at time zone 'utc', updated_at at time zone 'utc', name, url, secret, to_jsonb(events),
         is_active, headers, timeout_seconds, retry_count, metadata, disabled_reason,
         previous_secret_expires_at at time zone 'utc'"
    };
}

lists! {
    LIST: WebhookSort = List {
        columns: columns!(),
        rows: "from webhooks where ($1::bool is null or is_active = $1)",
        id: Id::Uuid("id"),
        key: |sort| match sort {
            WebhookSort::CreatedAt => Key::Time("created_at"),
            WebhookSort::Name => Key::Text("name"),
        },
        total: Total::Exact,
        one_plan: false,
    };
}

statements! {
    GET = concat!("select ", columns!(), " from webhooks where id = $1");
    CREATE = concat!("
        insert into webhooks (id, name, url, secret, events, is_active, headers, timeout_seconds, retry_count, metadata)
        select $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 from ", actor!(), "
        returning ", columns!());
    UPDATE = concat!("
        update webhooks set
            name = coalesce($3, name),
            url = coalesce($4, url),
            previous_secret = case when $5::text <> secret then secret else previous_secret end,
            previous_secret_expires_at = case when $5::text <> secret then now() + $6::int8 * interval '1 second'
                                              else previous_secret_expires_at end,
            secret = coalesce($5, secret),
            events = coalesce($7::text[], events),
            is_active = coalesce($8, is_active),
            disabled_reason = case when coalesce($8, is_active) then null else disabled_reason end,
            headers = case when $9 then $10::jsonb else headers end,
            timeout_seconds = coalesce($11, timeout_seconds),
            retry_count = coalesce($12, retry_count),
            metadata = case when $13 then $14::jsonb else metadata end
        from ", actor!(), "
        where id = $2
        returning ", columns!());
    DELETE = concat!("delete from webhooks using ", actor!(), " where id = $2");
}

/// Fields of a new webhook.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    /// Name for people.
    pub name: String,
    /// Checked address.
    pub url: String,
    /// Signs deliveries.
    pub secret: String,
    /// Subscriptions.
    pub events: Vec<String>,
    /// Deliver?
    pub is_active: bool,
    /// Own headers.
    pub headers: Option<BTreeMap<String, String>>,
    /// Seconds for the answer.
    pub timeout_s: i32,
    /// Retries.
    pub retry_count: i32,
    /// Free object.
    pub metadata: Option<Metadata>,
}

/// Fields to change; an outer `None` leaves a field as it is, an inner `None` empties it.
#[derive(Debug, Clone, Default)]
pub struct WebhookChange {
    /// Name for people.
    pub name: Option<String>,
    /// Checked address.
    pub url: Option<String>,
    /// Signs deliveries; the former one stays valid for a day.
    pub secret: Option<String>,
    /// Subscriptions.
    pub events: Option<Vec<String>>,
    /// Deliver?
    pub is_active: Option<bool>,
    /// Own headers.
    pub headers: Option<Option<BTreeMap<String, String>>>,
    /// Seconds for the answer.
    pub timeout_s: Option<i32>,
    /// Retries.
    pub retry_count: Option<i32>,
    /// Free object.
    pub metadata: Option<Option<Metadata>>,
}

fn webhook(c: &mut Columns) -> Result<Webhook, StoreError> {
    let odd = |e: serde_json::Error| StoreError::Failed(e.to_string());
    Ok(Webhook {
        id: c.take()?,
        created_at: c.take()?,
        updated_at: c.take()?,
        name: c.take()?,
        url: c.take()?,
        secret: c.take()?,
        events: serde_json::from_value(c.take()?).map_err(odd)?,
        is_active: c.take()?,
        headers: c
            .take::<Option<serde_json::Value>>()?
            .map(serde_json::from_value)
            .transpose()
            .map_err(odd)?,
        timeout_seconds: c.take::<i32>()?.to_string(),
        retry_count: c.take::<i32>()?.to_string(),
        metadata: c.take()?,
        disabled_reason: c.take()?,
        previous_secret_expires_at: c.take()?,
    })
}

/// A page of the webhooks, with their secrets; all, or only those that are active or not.
pub async fn list(
    db: &Db,
    active: Option<bool>,
    query: &ListQuery<WebhookSort>,
) -> Result<Page<Webhook>, StoreError> {
    LIST.page(db, query, vec![optional(active, ParameterValue::from)], webhook).await
}

/// One webhook with its secret.
pub async fn get(db: &Db, webhook_id: WebhookId) -> Result<Option<Webhook>, StoreError> {
    db.first(GET, vec![id(webhook_id.0)], webhook).await
}

/// Creates a webhook.
pub async fn create(db: &Db, actor: &Actor, new: NewWebhook) -> Result<Webhook, StoreError> {
    let params = vec![
        actor.setting(),
        id(Uuid::now_v7()),
        text(new.name),
        text(new.url),
        text(new.secret),
        texts(new.events),
        new.is_active.into(),
        new.headers.map_or(Ok(ParameterValue::DbNull), |h| json(&h))?,
        new.timeout_s.into(),
        new.retry_count.into(),
        new.metadata.map_or(Ok(ParameterValue::DbNull), |m| json(&m))?,
    ];
    db.one(CREATE, params, webhook).await
}

/// Changes a webhook; activating it forgets why it was disabled. `None`: there is no such webhook.
pub async fn update(
    db: &Db,
    actor: &Actor,
    webhook_id: WebhookId,
    change: WebhookChange,
) -> Result<Option<Webhook>, StoreError> {
    let params = vec![
        actor.setting(),
        id(webhook_id.0),
        optional(change.name, text),
        optional(change.url, text),
        optional(change.secret, text),
        ROTATION_OVERLAP_S.into(),
        optional(change.events, texts),
        optional(change.is_active, ParameterValue::from),
        change.headers.is_some().into(),
        change.headers.flatten().map_or(Ok(ParameterValue::DbNull), |h| json(&h))?,
        optional(change.timeout_s, ParameterValue::from),
        optional(change.retry_count, ParameterValue::from),
        change.metadata.is_some().into(),
        change.metadata.flatten().map_or(Ok(ParameterValue::DbNull), |m| json(&m))?,
    ];
    db.first(UPDATE, params, webhook).await
}

/// Deletes a webhook with its deliveries. False: there is no such webhook.
pub async fn delete(db: &Db, actor: &Actor, webhook_id: WebhookId) -> Result<bool, StoreError> {
    Ok(db.execute(DELETE, vec![actor.setting(), id(webhook_id.0)]).await? > 0)
}
