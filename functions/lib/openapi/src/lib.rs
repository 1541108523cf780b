//! The OpenAPI 3.1 document of the whole API.
//!
//! Purpose: `functions/docs/files/openapi.json` is what [`document`] gives, and `./pm openapi` writes it. Paths, methods,
//! access and summaries come from the route table of pm-auth, schemas and webhooks from pm-api; only what neither knows
//! (which type an operation takes and gives, its query) is said here, in [`describe`].
//!
//! Invariants: a test names every operation of the table without description, and another compares the file. Native
//! only: no component carries this crate or the schemas.
//!
//! Deliberately absent: a way to serve a route that is not in the table.

pub mod bodies;
pub mod describe;
pub mod operation;
mod schemas;
mod webhooks;

use describe::describe;
use operation::Operation;
use pm_auth::{Access, ROUTES, Route};
use schemas::Schemas;
use serde_json::{Map, Value, json};

const TITLE: &str = "Predictive Maintenance Platform";
const DESCRIPTION: &str = "Every path is also served under `/api`. Lists are bare arrays; their whole length stands in \
    `x-total-count`, and where the next page begins in `x-next-cursor`. Times are RFC 3339 in UTC. Every answer carries `x-request-id` (the one sent, if \
    it is sane). Answers over 1,000 bytes are compressed with gzip on request; JSON answers to GET carry an `etag`.";

/// The document; operations without description are left out.
#[must_use]
pub fn document() -> Value {
    let mut schemas = Schemas::new();
    let mut paths = Map::new();
    for route in ROUTES {
        let Some(operation) = describe(route.op) else { continue };
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

/// Operations of the route table that [`describe`] does not know.
#[must_use]
pub fn undescribed() -> Vec<String> {
    let unknown = ROUTES.iter().filter(|route| describe(route.op).is_none());
    unknown.map(|route| format!("{:?} ({} {})", route.op, route.method, route.path)).collect()
}

fn operation_object(route: &Route, operation: Operation, schemas: &mut Schemas) -> Value {
    let name = format!("{:?}", route.op);
    let mut parameters: Vec<Value> = path_parameters(route.path);
    let has_path = !parameters.is_empty();
    parameters.extend(operation.query.iter().map(operation::Parameter::object));
    let mut responses = Map::new();
    for answer in &operation.answers {
        responses.insert(answer.status.to_string(), answer.object(schemas));
    }
    for (status, text) in refusals(route, &operation, has_path) {
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
    if let Some(body) = &operation.body {
        object["requestBody"] = body.object(schemas);
    }
    object
}

/// Parameters of the path: names that end in `_id` are UUIDs.
fn path_parameters(path: &str) -> Vec<Value> {
    let names = path.split('/').filter_map(|s| s.strip_prefix('{')?.strip_suffix('}'));
    names
        .map(|name| {
            let schema = if name.ends_with("_id") {
                json!({ "type": "string", "format": "uuid" })
            } else {
                json!({ "type": "string" })
            };
            json!({ "name": name, "in": "path", "required": true, "schema": schema })
        })
        .collect()
}

/// What an operation may refuse: by its access, its input, and what it says itself.
fn refusals(route: &Route, operation: &Operation, has_path: bool) -> Vec<(u16, Option<String>)> {
    let mut all: Vec<_> = operation.refusals.iter().map(|(s, t)| (*s, Some((*t).to_owned()))).collect();
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
    if has_path || operation.body.is_some() || !operation.query.is_empty() {
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
        "ticket": { "type": "apiKey", "in": "query", "name": "token",
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
        (404, "There is no such thing", schemas.answer(schemas::of::<NotFound>)),
        (
            409,
            "Somebody else was faster, or the state does not allow it",
            schemas.answer(schemas::of::<Detail>),
        ),
        (413, "The body is too large", schemas.answer(schemas::of::<Detail>)),
        (422, "The input is not valid", schemas.answer(schemas::of::<ValidationProblem>)),
        (500, "An error of ours", schemas.answer(schemas::of::<Fault>)),
        (503, "Something that is needed is not there now", schemas.answer(schemas::of::<Fault>)),
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
    fn every_operation_is_described() {
        let missing = undescribed();
        assert!(missing.is_empty(), "describe these in functions/lib/openapi/src/describe.rs: {missing:#?}");
    }

    #[test]
    fn the_checked_in_document_is_what_the_code_gives() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/files/openapi.json");
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let same = serde_json::from_str::<Value>(&text).is_ok_and(|written| written == document());
        assert!(same, "openapi.json is not what the code gives: run ./pm openapi");
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
