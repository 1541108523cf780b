//! The `webhooks` section of OpenAPI 3.1: what a receiver of events gets, one entry per event of pm-api's table.

use crate::schemas::Schemas;
use pm_api::event::EVENTS;
use serde_json::{Map, Value, json};

/// The section.
pub(crate) fn webhooks(schemas: &mut Schemas) -> Value {
    let entry = |event: &pm_api::event::EventType| {
        let data = schemas.answer(event.schema);
        let operation = json!({
            "operationId": operation_id(event.name),
            "summary": event.summary,
            "tags": ["webhooks"],
            // the receiver authenticates the sender by the signature
            "security": [],
            "parameters": headers(),
            "requestBody": {
                "required": true,
                "content": { "application/json": { "schema": {
                    "type": "object",
                    "required": ["event", "timestamp", "data"],
                    "properties": {
                        "event": { "const": event.name },
                        "timestamp": { "type": "string", "format": "date-time", "description": "When it happened." },
                        "data": data,
                    },
                } } },
            },
            "responses": {
                "2XX": { "description": "The event was received" },
                "410": { "description": "No more events are wanted: the webhook is disabled" },
                "default": { "description": "The delivery failed and is repeated later, also when no answer comes in \
                                             time" },
            },
        });
        (event.name.to_owned(), json!({ "post": operation }))
    };
    EVENTS.iter().map(entry).collect::<Map<_, _>>().into()
}

/// E.g. `onAlarmCreated`.
fn operation_id(event: &str) -> String {
    let capital = |word: &str| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_uppercase() + rest
    };
    "on".to_owned() + &event.split('.').map(capital).collect::<String>()
}

/// The headers of a delivery (`pm_domain::webhook::headers`).
fn headers() -> Value {
    let header = |name: &str, description: &str| {
        json!({ "name": name, "in": "header", "required": true, "description": description,
                "schema": { "type": "string" } })
    };
    json!([
        header("webhook-id", "Identifier of the event, the same at every attempt"),
        header("webhook-timestamp", "Time of this attempt, seconds since 1970"),
        header(
            "webhook-signature",
            "`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body` (Standard Webhooks); two of them, separated \
             by a space, for 24 hours after a change of the secret"
        ),
        header(
            "x-webhook-signature",
            "`sha256=` and the hexadecimal HMAC-SHA256 of the body, for older receivers"
        ),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_parameters_are_those_of_a_delivery() {
        let sent = pm_domain::webhook::headers(&["secret"], "id", 0, "{}");
        let sent: Vec<_> =
            sent.iter().map(|(name, _)| name.as_str()).filter(|n| n.contains("webhook")).collect();
        let headers = headers();
        let described: Vec<_> =
            headers.as_array().unwrap().iter().map(|h| h["name"].as_str().unwrap()).collect();
        assert_eq!(described, sent);
    }
}
