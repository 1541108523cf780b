//! Events on their way to webhooks.
//!
//! An event is planned once per webhook (unique), and a delivery is claimed with a lease and an attempt number in one
//! statement: two notifiers at work send nothing twice, and one that dies leaves nothing behind that is not tried again.

use crate::{
    Db, StoreError,
    list::{Id, Key, List, Total, lists},
    statement::statements,
    value::{Columns, id, optional, text, texts},
};
use pm_api::{
    Timestamp, WebhookId,
    event::TEST_EVENT,
    id::DeliveryId,
    list::{ListQuery, Page},
    sort::DeliverySort,
    webhook::{Delivery, DeliveryFilter},
};
use pm_domain::webhook::{DeliveryOutcome, TEST_RETRY_S, subscriptions};
use spin_sdk::pg::ParameterValue;
use std::collections::BTreeMap;
use uuid::Uuid;

/// The columns that [`delivery`] reads.
macro_rules! columns {
    () => {
        "id, webhook_id, event_id, event_type, status, attempts, created_at at time zone 'utc',
         last_attempt_at at time zone 'utc', next_attempt_at at time zone 'utc', request_url, request_body,
         response_status, response_body, error, duration_ms"
    };
}

lists! {
    LIST: DeliverySort = List {
        columns: columns!(),
        rows: "from webhook_deliveries where webhook_id = $1 and ($2::text is null or status = $2)",
        id: Id::Uuid("id"),
        key: |DeliverySort::CreatedAt| Key::Time("created_at"),
        total: Total::Exact,
        one_plan: false,
    };
}

statements! {
    FAN_OUT = "
        with cursor as (select position from outbox_cursors where consumer = 'webhooks' for update skip locked),
        news as materialized (
            select o.id, o.position, o.created_at, o.event_type, o.data, o.traceparent
            from cursor c join outbox o on o.position > c.position order by o.position limit 500),
        moved as (
            update outbox_cursors set position = (select max(position) from news)
            where consumer = 'webhooks' and exists (select from news))
        insert into webhook_deliveries (webhook_id, event_id, event_type, next_attempt_at, traceparent, request_body)
        select w.id, n.id, n.event_type, now(), n.traceparent, concat(
                   '{\"event\":', to_jsonb(n.event_type), ',\"timestamp\":\"',
                   to_char(n.created_at at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), '\",\"data\":', n.data, '}')
        from news n
        join webhooks w on $1::bool and w.is_active and w.created_at <= n.created_at and exists (
            select from unnest($2::text[], $3::text[]) s (pattern, event_type)
            where s.event_type = n.event_type and s.pattern = any (w.events))
        on conflict (webhook_id, event_id) do nothing";
    DUE = "
        select exists (
            select from webhook_deliveries d join webhooks w on w.id = d.webhook_id
            where d.status = 'pending' and d.next_attempt_at <= now() and w.is_active)
        or exists (
            select from mails
            where channel = 'slack' and status in ('pending', 'sending') and next_attempt_at <= now() and expires_at > now())";
    CLAIM = "
        with ranked as (
            select d.id, row_number() over (partition by d.webhook_id order by d.next_attempt_at) as place
            from webhook_deliveries d join webhooks w on w.id = d.webhook_id
            where d.status = 'pending'
              and (d.id = $1::uuid or ($1::uuid is null and d.next_attempt_at <= now() and w.is_active))),
        due as (
            select d.id from webhook_deliveries d
            where d.id in (select id from ranked where place <= $3::int8) and d.status = 'pending'
              and (d.next_attempt_at <= now() or d.id = $1)
            order by d.next_attempt_at limit $2 for update of d skip locked)
        update webhook_deliveries d
        set attempts = attempts + 1, last_attempt_at = now(), next_attempt_at = now() + $4::int8 * interval '1 second'
        from due, webhooks w
        where d.id = due.id and w.id = d.webhook_id
        returning d.id, d.attempts, d.event_type, d.event_id, d.request_body, w.url, w.secret, w.previous_secret,
                  w.previous_secret_expires_at at time zone 'utc', w.headers, w.timeout_seconds, w.retry_count,
                  d.traceparent";
    FINISH = "
        with noted as (
            update webhook_deliveries set
                status = $3,
                next_attempt_at = now() + $4::float8 * interval '1 second',
                request_url = $5, response_status = $6, response_body = $7, error = $8, duration_ms = $9
            where id = $1 and attempts = $2 and status = 'pending'
            returning webhook_id)
        update webhooks w set is_active = false, disabled_reason = 'the receiver answered 410 Gone'
        from noted where $10::bool and w.id = noted.webhook_id";
    GET = concat!("select ", columns!(), " from webhook_deliveries where webhook_id = $1 and id = $2");
    REPLAY = concat!("
        update webhook_deliveries set status = 'pending', attempts = 0, next_attempt_at = now()
        where webhook_id = $1 and id = $2 and status <> 'pending'
        returning ", columns!());
    TEST = "
        insert into webhook_deliveries (id, webhook_id, event_id, event_type, next_attempt_at, request_body)
        -- sent at once by whoever queues it; should that fail, by the clock
        select $2, id, $3, $4, now() + $6::int8 * interval '1 second', $5 from webhooks where id = $1
        returning id";
}

/// Plans what the outbox has news of: one delivery per event and webhook that asked for it; while webhooks are not
/// `enabled`, none, also not later. Returns how many.
pub async fn fan_out(db: &Db, enabled: bool) -> Result<u64, StoreError> {
    let (patterns, events): (Vec<_>, Vec<_>) = subscriptions().unzip();
    db.execute(FAN_OUT, vec![enabled.into(), texts(patterns), texts(events)]).await
}

/// Is anything to be sent now, to webhooks or to Slack?
pub async fn any_due(db: &Db) -> Result<bool, StoreError> {
    db.one(DUE, vec![], |c| c.take()).await
}

/// A delivery that was claimed, with all that sending it takes.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The delivery.
    pub id: DeliveryId,
    /// This attempt's number.
    pub attempt: i32,
    /// The event's name.
    pub event_type: String,
    /// The event.
    pub event_id: Uuid,
    /// What to send.
    pub body: String,
    /// Where to.
    pub url: String,
    /// Signs.
    pub secret: String,
    /// Signs as well until it expires.
    pub previous_secret: Option<String>,
    /// When it expires.
    pub previous_secret_expires_at: Option<Timestamp>,
    /// Own headers of the webhook.
    pub headers: BTreeMap<String, String>,
    /// Seconds for the answer.
    pub timeout_s: i32,
    /// Retries that the webhook wants.
    pub retry_count: i32,
    /// The trace that led to the event.
    pub traceparent: Option<String>,
}

/// Claims up to `most` deliveries that are due, at most `per_webhook` of one webhook (so that a slow one does not keep
/// the others waiting); `only` claims that one, due or not, even of a webhook that is not active. They are the caller's for `lease_s`
/// seconds.
pub async fn claim(
    db: &Db,
    only: Option<DeliveryId>,
    most: i64,
    per_webhook: i64,
    lease_s: i64,
) -> Result<Vec<Claimed>, StoreError> {
    let params = vec![optional(only, |d| id(d.0)), most.into(), per_webhook.into(), lease_s.into()];
    db.rows(CLAIM, params, |c| {
        Ok(Claimed {
            id: c.take()?,
            attempt: c.take()?,
            event_type: c.take()?,
            event_id: c.take()?,
            body: c.take()?,
            url: c.take()?,
            secret: c.take()?,
            previous_secret: c.take()?,
            previous_secret_expires_at: c.take()?,
            headers: c
                .take::<Option<serde_json::Value>>()?
                .map_or(Ok(BTreeMap::new()), serde_json::from_value)
                .map_err(|e| StoreError::Failed(e.to_string()))?,
            timeout_s: c.take()?,
            retry_count: c.take()?,
            traceparent: c.take()?,
        })
    })
    .await
}

const PENDING: &str = "pending";

/// What became of an attempt.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Judged.
    pub verdict: DeliveryOutcome,
    /// Seconds until the next one; `None`: there is none.
    pub next_after_s: Option<f64>,
    /// Status code of the answer.
    pub response_status: Option<i32>,
    /// Beginning of the answer.
    pub response_body: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// How long it took, ms.
    pub duration_ms: i32,
}

/// Notes an attempt; 410 Gone also disables the webhook. An attempt that was overtaken changes nothing.
pub async fn finish(db: &Db, claimed: &Claimed, attempt: Attempt) -> Result<(), StoreError> {
    let status = match (attempt.verdict, attempt.next_after_s) {
        (DeliveryOutcome::Delivered, _) => "delivered",
        (DeliveryOutcome::Again, Some(_)) => PENDING,
        (DeliveryOutcome::Again, None) | (DeliveryOutcome::Gone, _) => "failed",
    };
    let params = vec![
        id(claimed.id.0),
        claimed.attempt.into(),
        text(status),
        optional(attempt.next_after_s.filter(|_| status == PENDING), ParameterValue::from),
        text(&claimed.url),
        optional(attempt.response_status, ParameterValue::from),
        optional(attempt.response_body, text),
        optional(attempt.error, text),
        attempt.duration_ms.into(),
        (attempt.verdict == DeliveryOutcome::Gone).into(),
    ];
    db.execute(FINISH, params).await.map(drop)
}

fn delivery(c: &mut Columns) -> Result<Delivery, StoreError> {
    Ok(Delivery {
        id: c.take()?,
        webhook_id: c.take()?,
        event_id: c.take()?,
        event: c.take()?,
        status: c.take()?,
        attempts: c.take()?,
        created_at: c.take()?,
        last_attempt_at: c.take()?,
        next_attempt_at: c.take()?,
        request_url: c.take()?,
        request_body: c.take()?,
        response_status: c.take()?,
        response_body: c.take()?,
        error: c.take()?,
        duration_ms: c.take()?,
    })
}

/// A page of the deliveries of a webhook.
pub async fn list(
    db: &Db,
    webhook_id: WebhookId,
    filter: &DeliveryFilter,
    query: &ListQuery<DeliverySort>,
) -> Result<Page<Delivery>, StoreError> {
    let filter = vec![id(webhook_id.0), optional(filter.status, |status| text(status.as_str()))];
    LIST.page(db, query, filter, delivery).await
}

/// One delivery of a webhook.
pub async fn get(
    db: &Db,
    webhook_id: WebhookId,
    delivery_id: DeliveryId,
) -> Result<Option<Delivery>, StoreError> {
    db.first(GET, vec![id(webhook_id.0), id(delivery_id.0)], delivery).await
}

/// Queues a finished delivery again, with the same event. `None`: there is no such delivery, or it is still pending.
pub async fn replay(
    db: &Db,
    webhook_id: WebhookId,
    delivery_id: DeliveryId,
) -> Result<Option<Delivery>, StoreError> {
    db.first(REPLAY, vec![id(webhook_id.0), id(delivery_id.0)], delivery).await
}

/// Queues a test event. `None`: there is no such webhook.
pub async fn queue_test(
    db: &Db,
    webhook_id: WebhookId,
    body: &str,
) -> Result<Option<DeliveryId>, StoreError> {
    let params = vec![
        id(webhook_id.0),
        id(Uuid::now_v7()),
        id(Uuid::now_v7()),
        text(TEST_EVENT),
        text(body),
        TEST_RETRY_S.into(),
    ];
    db.first(TEST, params, |c| c.take()).await
}
