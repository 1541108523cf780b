//! Component `score`: judges sensors. Private; only `ingest` and `predictions` call it.
//!
//! | Route | Request | Answer |
//! |---|---|---|
//! | POST /score | postcard `ScoreRequest` | postcard `ScoreResponse`; 422 when the body is none |
//! | GET /health | – | JSON `AiStatus` |
//!
//! Invariants: holds no data of a request beyond it. The model is read once per instance from the files mount
//! `/models`; where that fails, rules judge, and every answer says so (`rule-based`, `fallback`).
//!
//! Deliberately absent: the sensors' states (the caller keeps them) and the database.

use bytes::Bytes;
use pm_api::{
    ai::AiStatus,
    score::{ScoreRequest, ScoreResponse},
};
use pm_model::Model;
use spin_sdk::{
    http::{FullBody, Method, Request, Response, StatusCode, body::IncomingBodyExt},
    http_service,
};
use std::{path::Path, sync::LazyLock};

const MODELS: &str = "/models";
const RULE_BASED: &str = "rule-based";

static MODEL: LazyLock<Option<Model>> = LazyLock::new(|| {
    Model::load(Path::new(MODELS)).inspect_err(|e| eprintln!("no model, rules judge instead: {e}")).ok()
});

type Answer = Response<FullBody<Bytes>>;

#[http_service]
async fn handle(request: Request) -> spin_sdk::http::Result<Answer> {
    match (request.method(), request.uri().path()) {
        (&Method::POST, "/score") => score(request).await,
        (&Method::GET, "/health") => health(),
        (_, "/score" | "/health") => text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed"),
        _ => text(StatusCode::NOT_FOUND, "not found"),
    }
}

async fn score(request: Request) -> spin_sdk::http::Result<Answer> {
    let body = request.into_body().bytes().await?;
    let Ok(request) = postcard::from_bytes::<ScoreRequest>(&body) else {
        return text(StatusCode::UNPROCESSABLE_ENTITY, "the body is not a score request");
    };
    let model = MODEL.as_ref();
    let response = ScoreResponse {
        model_version: version(model),
        items: request.items.iter().map(|item| pm_model::score_item(model, item)).collect(),
    };
    let body = postcard::to_allocvec(&response).map_err(|e| e.to_string())?;
    answer(StatusCode::OK, "application/vnd.pm.score+postcard", body)
}

fn health() -> spin_sdk::http::Result<Answer> {
    let model = MODEL.as_ref();
    let status = AiStatus {
        status: if model.is_some() { "healthy" } else { "unhealthy" }.to_owned(),
        model_loaded: model.is_some(),
        model_version: version(model),
    };
    answer(StatusCode::OK, "application/json", serde_json::to_vec(&status).map_err(|e| e.to_string())?)
}

fn version(model: Option<&Model>) -> String {
    model.map_or(RULE_BASED, |m| &m.version).to_owned()
}

fn text(status: StatusCode, text: &'static str) -> spin_sdk::http::Result<Answer> {
    answer(status, "text/plain", text.into())
}

/// Always with a length: the host sends a body of unknown length in chunks, which costs 40 ms.
fn answer(status: StatusCode, content_type: &str, body: Vec<u8>) -> spin_sdk::http::Result<Answer> {
    Ok(Response::builder()
        .status(status)
        .header("content-type", content_type)
        .header("content-length", body.len())
        .body(FullBody::new(body.into()))?)
}
