//! What of a webhook is checked beyond the types of its fields.

use crate::{
    target,
    webhook::{is_header_value, is_own_header, is_secret, is_subscription},
};
use pm_api::{
    event::EVENTS,
    input::{FieldFault, Text},
    webhook::{Headers, NewWebhook, WebhookChange},
};
use serde_json::{Value, json};

/// What a client gives of a webhook.
#[derive(Debug, Clone, Copy, Default)]
pub struct Given<'g> {
    /// Where events are posted to.
    pub url: Option<&'g str>,
    /// What signs deliveries.
    pub secret: Option<&'g str>,
    /// Its subscriptions.
    pub events: Option<&'g [Text<1, 64>]>,
    /// Its own headers.
    pub headers: Option<&'g Headers>,
}

impl<'g> From<&'g NewWebhook> for Given<'g> {
    fn from(new: &'g NewWebhook) -> Self {
        Self {
            url: Some(&new.url),
            secret: new.secret.as_deref(),
            events: Some(&new.events),
            headers: new.headers.as_ref(),
        }
    }
}

impl<'g> From<&'g WebhookChange> for Given<'g> {
    fn from(change: &'g WebhookChange) -> Self {
        Self {
            url: change.url.as_deref(),
            secret: change.secret.as_deref(),
            events: change.events.as_deref(),
            headers: change.headers.given(),
        }
    }
}

/// Every fault of what is given. `allow_private`: may the address be in a private network?
#[must_use]
pub fn faults(given: Given<'_>, allow_private: bool) -> Vec<FieldFault> {
    let of_url = given.url.and_then(|url| {
        let refused = target::check(url, allow_private).err()?;
        Some(fault("url", "url_parsing", refused.to_string(), url.into()))
    });
    let of_secret = given.secret.filter(|secret| !is_secret(secret)).map(|_| {
        let message = "A secret is one line of text, or whsec_ and the base64 of 24 to 64 bytes";
        fault("secret", "value_error", message.to_owned(), Value::Null)
    });
    let of_events = given.events.and_then(|events| {
        let unknown = events.iter().find(|event| !is_subscription(event))?;
        let names: Vec<_> = EVENTS.iter().map(|event| event.name).collect();
        let message = format!(
            "{:?} is no event; events are '{}', groups such as 'alarm.*', and '*'",
            &**unknown,
            names.join("', '")
        );
        Some(fault("events", "enum", message, json!(events)))
    });
    let of_headers = given.headers.and_then(|headers| {
        let (name, _) = headers.0.iter().find(|(n, v)| !is_own_header(n) || !is_header_value(v))?;
        Some(fault("headers", "value_error", format!("The header {name:?} cannot be sent"), json!(headers)))
    });
    [of_url, of_secret, of_events, of_headers].into_iter().flatten().collect()
}

fn fault(field: &'static str, kind: &'static str, message: String, input: Value) -> FieldFault {
    FieldFault { field, refused: pm_api::input::Refused::new(kind, message), input }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(given: Given<'_>) -> Vec<&'static str> {
        faults(given, false).into_iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn every_fault_is_reported_and_none_repeats_a_secret() {
        let headers = |name: &str| Headers([(name.to_owned(), "x".to_owned())].into());
        let events = |event: &str| vec![Text::from("alarm.*"), Text::from(event)];
        let (bad_events, bad_headers) = (events("banana.ripe"), headers("Host"));
        let bad = Given {
            url: Some("http://127.0.0.1/"),
            secret: Some("whsec_short"),
            events: Some(&bad_events),
            headers: Some(&bad_headers),
        };
        assert_eq!(fields(bad), ["url", "secret", "events", "headers"]);
        assert!(!format!("{:?}", faults(bad, false)).contains("whsec_short"));
        let (good_events, good_headers) = (events("ticket.created"), headers("X-A"));
        let good = Given {
            url: Some("https://example.org/hook"),
            secret: Some("s3cr3t"),
            events: Some(&good_events),
            headers: Some(&good_headers),
        };
        assert_eq!(fields(good), [""; 0]);
        assert_eq!(fields(Given::default()), [""; 0]);
    }
}
