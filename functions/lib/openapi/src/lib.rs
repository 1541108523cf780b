//! The OpenAPI 3.1 document of the whole API.
//!
//! Purpose: the bundler writes what [`document`] gives for component `docs`; `./pm openapi` writes it as a snapshot. Paths,
//! methods, access, summaries and the types of query, body and answer come from the table of routes in pm-api, webhooks
//! from its table of events, schemas from those types.
//!
//! Invariants: a test compares the snapshot. Native only: no component carries this crate or the schemas.
//!
//! Deliberately absent: a way to serve a route that is not in the table.

mod operation;
mod schemas;
mod webhooks;

use operation::{Description, describe};
use pm_api::route::{Access, PathParameter, ROUTES, Route};
use schemas::Schemas;
use serde_json::{Map, Value, json};

const TITLE: &str = "Predictive Maintenance Platform";
const DESCRIPTION: &str = "Every path is also served under `/api`. Lists are bare arrays; their whole length stands in \
    `x-total-count`, and where the next page begins in `x-next-cursor`. Times are RFC 3339 in UTC. Every answer carries `x-request-id` (the one sent, if \
    it is sane). Answers over 1,000 bytes are compressed with gzip on request; JSON answers to GET carry an `etag`.";

/// The document.
#[must_use]
pub fn document() -> Value {
    let mut schemas = Schemas::new();
    let mut paths = Map::new();
    for route in ROUTES {
        let operation = describe(route.op);
        let item = paths.entry(route.path).or_insert_with(|| json!({}));
        item[route.method.to_ascii_lowercase()] = operation_object(route, operation, &mut schemas);
    }
    let responses = common_responses(&mut schemas);
    let webhooks = webhooks::webhooks(&mut schemas);
    let mut document = json!({
        "openapi": "3.1.0",
        "info": { "title": TITLE, "version": env!("CARGO_PKG_VERSION"), "description": DESCRIPTION,
                  "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" } },
        "servers": [{ "url": "/" }, { "url": "/api" }],
        "paths": paths,
        "webhooks": webhooks,
        "components": {
            "securitySchemes": security_schemes(),
            "responses": responses,
        },
    });
    schemas.finish(&mut document);
    document
}

fn operation_object(route: &Route, operation: Description, schemas: &mut Schemas) -> Value {
    let name = format!("{:?}", route.op);
    let mut parameters: Vec<Value> = path_parameters(route);
    let has_path = !parameters.is_empty();
    parameters.extend(operation.query(schemas));
    let body = operation.body(schemas);
    let mut responses = Map::new();
    for (status, answer) in operation.answers(schemas) {
        responses.insert(status.to_string(), answer);
    }
    let takes_input = !parameters.is_empty() || body.is_some();
    for (status, text) in refusals(route, has_path, takes_input) {
        responses.entry(status.to_string()).or_insert_with(|| refusal(status, text, schemas));
    }
    let mut object = json!({
        "operationId": name[..1].to_lowercase() + &name[1..],
        "summary": route.summary.trim(),
        "tags": [route.component],
        "security": security(route.access),
        "responses": responses,
    });
    if !parameters.is_empty() {
        object["parameters"] = parameters.into();
    }
    if let Some(body) = body {
        object["requestBody"] = body;
    }
    object
}

fn path_parameters(route: &Route) -> Vec<Value> {
    let described = |parameter: PathParameter| {
        let schema = if parameter.is_id {
            json!({ "type": "string", "format": "uuid" })
        } else {
            json!({ "type": "string" })
        };
        json!({ "name": parameter.name, "in": "path", "required": true, "schema": schema })
    };
    route.path_parameters().map(described).collect()
}

/// What an operation may refuse: by its row of the table, its access and its input.
fn refusals(route: &Route, has_path: bool, takes_input: bool) -> Vec<(u16, Option<String>)> {
    let mut all: Vec<_> = route.refusals.iter().map(|(s, t)| (*s, Some((*t).to_owned()))).collect();
    let guarded = route.access != Access::Public;
    if guarded {
        all.push((401, None));
    }
    if !route.access.roles().is_empty() {
        all.push((403, Some(route.access.refusal())));
    }
    all.push((400, None));
    if has_path {
        all.push((404, None));
    }
    if route.method != "GET" {
        all.push((413, None));
    }
    if route.method != "GET" && guarded {
        all.push((409, None));
    }
    if takes_input {
        all.push((422, None));
    }
    all.extend([(500, None), (503, None)]);
    all
}

fn refusal(status: u16, text: Option<String>, schemas: &mut Schemas) -> Value {
    match text {
        None => json!({ "$ref": format!("#/components/responses/{status}") }),
        Some(text) => json!({
            "description": text,
            "content": { "application/json": { "schema": schemas.answer(schemas::of::<pm_api::error::Detail>) } },
        }),
    }
}

fn security(access: Access) -> Value {
    let roles: Vec<_> = access.roles().iter().map(|r| r.as_str()).collect();
    match access {
        Access::Public => json!([]),
        Access::Service => json!([{ "service": [] }]),
        Access::Metrics => json!([{ "bearer": roles }, { "password": [] }, { "scrape": [] }]),
        Access::Stream => json!([{ "bearer": [] }, { "password": [] }, { "ticket": [] }]),
        Access::Token | Access::Roles(_) | Access::Registration => {
            json!([{ "bearer": roles }, { "password": [] }])
        }
    }
}

fn security_schemes() -> Value {
    json!({
        "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "description": "Access token of POST /users/login, valid for 60 minutes. The names beside it are the roles \
                            that may use the operation; without names any signed-in user may." },
        "password": { "type": "oauth2", "description": "The same, fetched by this page.",
            "flows": { "password": { "tokenUrl": "/users/login", "refreshUrl": "/users/refresh", "scopes": {} } } },
        "ticket": { "type": "apiKey", "in": "query", "name": pm_api::route::TOKEN_PARAMETER,
            "description": "Ticket of POST /realtime/ticket, valid for 60 seconds, or an access token; browsers cannot \
                            set headers on event streams." },
        "scrape": { "type": "http", "scheme": "bearer", "description": "The application's variable metrics_token." },
        "service": { "type": "http", "scheme": "bearer", "description": "The bridge's service token." },
    })
}

/// The answers that many operations share.
fn common_responses(schemas: &mut Schemas) -> Value {
    use pm_api::error::{Detail, Fault, NotFound, ValidationProblem};
    let mut all = Map::new();
    for (status, description, schema) in [
        (400, "A business rule or a value that cannot be stored", schemas.answer(schemas::of::<Detail>)),
        (401, "No token, or one that is not good", schemas.answer(schemas::of::<Detail>)),
        (404, "There is no such resource", schemas.answer(schemas::of::<NotFound>)),
        (
            409,
            "It was changed in the meantime, or its state does not allow it",
            schemas.answer(schemas::of::<Detail>),
        ),
        (413, "The body is too large", schemas.answer(schemas::of::<Detail>)),
        (422, "The input is not valid", schemas.answer(schemas::of::<ValidationProblem>)),
        (500, "Internal error; the log says more under the request id", schemas.answer(schemas::of::<Fault>)),
        (503, "Temporarily unavailable; try again", schemas.answer(schemas::of::<Fault>)),
    ] {
        let content = json!({ "application/json": { "schema": schema } });
        all.insert(status.to_string(), json!({ "description": description, "content": content }));
    }
    all.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_snapshot_is_what_the_code_gives() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/snapshots/openapi.json");
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let same = serde_json::from_str::<Value>(&text).is_ok_and(|written| written == document());
        assert!(same, "tests/snapshots/openapi.json is not what the code gives: run ./pm openapi");
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn references(value: &Value, all: &mut Vec<String>) {
            match value {
                Value::Object(map) => {
                    if let Some(Value::String(reference)) = map.get("$ref") {
                        all.push(reference.clone());
                    }
                    map.values().for_each(|v| references(v, all));
                }
                Value::Array(list) => list.iter().for_each(|v| references(v, all)),
                _ => {}
            }
        }
        let document = document();
        let mut all = Vec::new();
        references(&document, &mut all);
        assert!(all.len() > 100, "only {} references", all.len());
        for reference in all {
            let pointer = reference.trim_start_matches('#');
            assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
        }
    }

    #[test]
    fn table_and_document_agree() {
        let document = document();
        let paths = document["paths"].as_object().map(Map::len).unwrap_or_default();
        let in_table: std::collections::BTreeSet<_> = ROUTES.iter().map(|r| r.path).collect();
        assert_eq!(paths, in_table.len());
        for route in ROUTES {
            let operation = &document["paths"][route.path][route.method.to_ascii_lowercase()];
            assert_eq!(operation["security"], security(route.access), "{} {}", route.method, route.path);
            let refuses = operation["responses"].get("401").is_some();
            assert!(refuses || route.access == Access::Public, "{} {}", route.method, route.path);
        }
    }
}
