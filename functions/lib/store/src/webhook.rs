//! Webhooks as people manage them.

use crate::{
    Actor, Db, StoreError,
    list::{Id, Key, List, Total, lists},
    statement::{actor, statements},
    value::{Columns, at, id, json, optional, text, texts},
};
use pm_api::{
    WebhookId,
    input::{Text, Whole},
    list::{ListQuery, Page},
    sort::WebhookSort,
    webhook::{MAX_RETRIES, NewWebhook, Webhook, WebhookChange, WebhookFilter},
};
use pm_domain::webhook::Rotation;
use spin_sdk::pg::ParameterValue;
use std::collections::BTreeSet;
use uuid::Uuid;

/// Time for the answer of a webhook that names none, seconds.
const DEFAULT_TIMEOUT_S: Whole<1, 30> = Whole(5);

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
            secret = coalesce($5, secret),
            previous_secret = coalesce($6, previous_secret),
            previous_secret_expires_at = coalesce(epoch_us($7), previous_secret_expires_at),
            events = coalesce($8::text[], events),
            is_active = coalesce($9, is_active),
            disabled_reason = case when coalesce($9, is_active) then null else disabled_reason end,
            headers = case when $10 then $11::jsonb else headers end,
            timeout_seconds = coalesce($12, timeout_seconds),
            retry_count = coalesce($13, retry_count),
            metadata = case when $14 then $15::jsonb else metadata end
        from ", actor!(), "
        -- a new secret replaces the one that the rotation was decided on
        where id = $2 and ($6::text is null or secret = $6)
        returning ", columns!());
    DELETE = concat!("delete from webhooks using ", actor!(), " where id = $2");
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

/// A page of the webhooks, with their secrets.
pub async fn list(
    db: &Db,
    filter: &WebhookFilter,
    query: &ListQuery<WebhookSort>,
) -> Result<Page<Webhook>, StoreError> {
    LIST.page(db, query, vec![optional(filter.is_active, |flag| flag.0.into())], webhook).await
}

/// One webhook with its secret.
pub async fn get(db: &Db, webhook_id: WebhookId) -> Result<Option<Webhook>, StoreError> {
    db.first(GET, vec![id(webhook_id.0)], webhook).await
}

/// Each subscription once.
fn subscriptions(events: &[Text<1, 64>]) -> ParameterValue {
    texts(events.iter().map(|event| &**event).collect::<BTreeSet<_>>())
}

fn small<const MIN: i64, const MAX: i64>(number: Whole<MIN, MAX>) -> ParameterValue {
    ParameterValue::Int32(i32::try_from(number.0).unwrap_or(i32::MAX))
}

/// Creates a webhook that signs with `secret`.
pub async fn create(db: &Db, actor: &Actor, new: &NewWebhook, secret: &str) -> Result<Webhook, StoreError> {
    let params = vec![
        actor.setting(),
        id(Uuid::now_v7()),
        text(&*new.name),
        text(&*new.url),
        text(secret),
        subscriptions(&new.events),
        new.is_active.unwrap_or(true).into(),
        new.headers.as_ref().map_or(Ok(ParameterValue::DbNull), json)?,
        small(new.timeout_seconds.unwrap_or(DEFAULT_TIMEOUT_S)),
        small(new.retry_count.unwrap_or(Whole(MAX_RETRIES))),
        new.metadata.as_ref().map_or(Ok(ParameterValue::DbNull), json)?,
    ];
    db.one(CREATE, params, webhook).await
}

/// Changes a webhook; activating it forgets why it was disabled. Its secret changes by `rotation` alone. `None`: there is
/// no such webhook, or its secret is no longer the one that the rotation replaces.
pub async fn update(
    db: &Db,
    actor: &Actor,
    webhook_id: WebhookId,
    change: &WebhookChange,
    rotation: Option<&Rotation<'_>>,
) -> Result<Option<Webhook>, StoreError> {
    let params = vec![
        actor.setting(),
        id(webhook_id.0),
        optional(change.name.as_deref(), text),
        optional(change.url.as_deref(), text),
        optional(rotation, |r| text(r.secret)),
        optional(rotation, |r| text(r.previous)),
        optional(rotation, |r| at(r.previous_expires_at)),
        optional(change.events.as_deref(), subscriptions),
        optional(change.is_active, ParameterValue::from),
        (!change.headers.is_absent()).into(),
        change.headers.given().map_or(Ok(ParameterValue::DbNull), json)?,
        optional(change.timeout_seconds, small),
        optional(change.retry_count, small),
        (!change.metadata.is_absent()).into(),
        change.metadata.given().map_or(Ok(ParameterValue::DbNull), json)?,
    ];
    db.first(UPDATE, params, webhook).await
}

/// Deletes a webhook with its deliveries. False: there is no such webhook.
pub async fn delete(db: &Db, actor: &Actor, webhook_id: WebhookId) -> Result<bool, StoreError> {
    Ok(db.execute(DELETE, vec![actor.setting(), id(webhook_id.0)]).await? > 0)
}
