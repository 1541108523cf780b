//! Bodies of requests about webhooks.

use crate::secret;
use pm_api::event::EVENTS;
use pm_domain::{
    retry, target,
    webhook::{is_header_value, is_own_header, is_secret, is_subscription},
};
use pm_store::webhook::{NewWebhook, WebhookChange};
use pm_web::{Fields, Presence, Refusal, variable};
use std::collections::BTreeMap;

const NAME: usize = 128;
const URL: usize = 2000;
const SECRET: usize = 256;
const EVENT: usize = 64;
const MOST_HEADERS: usize = 20;
const DEFAULT_TIMEOUT_S: i32 = 5;

/// May webhooks point to private networks?
pub(crate) async fn allow_private() -> Result<bool, Refusal> {
    Ok(variable("webhook_allow_private").await? == "true")
}

pub(crate) fn new_webhook(mut fields: Fields, allow_private: bool) -> Result<NewWebhook, Refusal> {
    let name = fields.required_text("name", NAME);
    let url = fields.required_text("url", URL);
    check_url(&mut fields, Some(&url).filter(|url| !url.is_empty()), allow_private);
    let events = events(&mut fields);
    if events.is_none() {
        fields.require("events");
    }
    let given = secret(&mut fields);
    let new = NewWebhook {
        name,
        url,
        secret: given.map_or_else(secret::new, Ok)?,
        events: events.unwrap_or_default(),
        is_active: fields.boolean("is_active").unwrap_or(true),
        headers: headers(&mut fields).flatten(),
        timeout_s: fields.integer("timeout_seconds", 1, 30).unwrap_or(DEFAULT_TIMEOUT_S),
        retry_count: fields.integer("retry_count", 0, retry::MAX_RETRIES).unwrap_or(retry::MAX_RETRIES),
        metadata: fields.object(&["metadata", "metadata_json"]).flatten(),
    };
    fields.end().map(|()| new)
}

pub(crate) fn webhook_change(mut fields: Fields, allow_private: bool) -> Result<WebhookChange, Refusal> {
    let name = fields.text("name", NAME).flatten();
    if name.as_ref().is_some_and(|n| n.trim().is_empty()) {
        fields.refuse("string_too_short", "name", "String should have at least 1 character");
    }
    let url = fields.text("url", URL).flatten();
    check_url(&mut fields, url.as_ref(), allow_private);
    let change = WebhookChange {
        name,
        url,
        secret: secret(&mut fields),
        events: events(&mut fields),
        is_active: fields.boolean("is_active"),
        headers: headers(&mut fields),
        timeout_s: fields.integer("timeout_seconds", 1, 30),
        retry_count: fields.integer("retry_count", 0, retry::MAX_RETRIES),
        metadata: fields.object(&["metadata", "metadata_json"]),
    };
    fields.end().map(|()| change)
}

fn check_url(fields: &mut Fields, url: Option<&String>, allow_private: bool) {
    if let Some(Err(refused)) = url.map(|url| target::check(url, allow_private)) {
        fields.refuse("url_parsing", "url", refused.to_string());
    }
}

/// A secret that was given; the mask of one that is not shown is none.
fn secret(fields: &mut Fields) -> Option<String> {
    let given = fields.secret("secret", SECRET).flatten().filter(|s| s != secret::MASK)?;
    if !is_secret(&given) {
        let message = "A secret is one line of text, or whsec_ and the base64 of 24 to 64 bytes";
        fields.refuse_secret("value_error", "secret", message);
    }
    Some(given)
}

fn events(fields: &mut Fields) -> Option<Vec<String>> {
    let mut events = fields.texts("events", EVENT)?;
    events.sort();
    events.dedup();
    if events.is_empty() {
        fields.refuse("too_short", "events", "List should have at least 1 item");
    } else if let Some(unknown) = events.iter().find(|event| !is_subscription(event)) {
        let message = format!(
            "{unknown:?} is no event; events are '{}', groups such as 'alarm.*', and '*'",
            EVENTS.iter().map(|event| event.name).collect::<Vec<_>>().join("', '")
        );
        fields.refuse("enum", "events", message);
    }
    Some(events)
}

fn headers(fields: &mut Fields) -> Presence<BTreeMap<String, String>> {
    let headers = fields.text_map("headers")?;
    if let Some(headers) = &headers {
        if headers.len() > MOST_HEADERS {
            fields.refuse("too_long", "headers", format!("At most {MOST_HEADERS} headers are possible"));
        }
        if let Some((name, _)) = headers.iter().find(|(n, v)| !is_own_header(n) || !is_header_value(v)) {
            fields.refuse("value_error", "headers", format!("The header {name:?} cannot be sent"));
        }
    }
    Some(headers)
}
