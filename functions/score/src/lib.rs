//! Component `score`: judges sensors. Private; only `ingest` and `predictions` call it.
//!
//! | Route | Request | Answer |
//! |---|---|---|
//! | POST /score | postcard `ScoreRequest` | postcard `ScoreResponse`; 422 when the body is none |
//! | POST /remaining-life | postcard `RulRequest` | postcard `RulResponse`; 422 when the body is none |
//! | GET /health | – | JSON `AiStatus` |
//!
//! Invariants: holds no data of a request beyond it. The model that came with the program is read once per instance
//! from the files mount `/models`, a registered version once from the database when a request first names it; so a
//! version that becomes active judges from the next reading on. Where no model can be read, rules judge, and every
//! answer says so (`rule-based`, `fallback`).
//!
//! Deliberately absent: the sensors' states (the caller keeps them), and everything else in the database.

mod registered;
mod remaining_life;

use bytes::Bytes;
use http::HeaderValue;
use pm_api::{
    ModelId,
    ai::AiStatus,
    remaining_life::RulRequest,
    score::{ScoreItem, ScoreRequest},
};
use pm_model::{Model, scorer::RULE_BASED};
use spin_sdk::{
    http::{FullBody, Method, Request, Response, StatusCode, body::IncomingBodyExt},
    http_service,
};
use std::{path::Path, sync::LazyLock, time::Instant};

const MODELS: &str = "/models";

static MODEL: LazyLock<Option<Model>> = LazyLock::new(|| {
    Model::load(Path::new(MODELS)).inspect_err(|e| eprintln!("no model, rules judge instead: {e}")).ok()
});

type Answer = Response<FullBody<Bytes>>;

#[http_service]
async fn handle(request: Request) -> spin_sdk::http::Result<Answer> {
    match (request.method(), request.uri().path()) {
        (&Method::POST, "/score") => score(request).await,
        (&Method::POST, "/remaining-life") => remaining_life(request).await,
        (&Method::GET, "/health") => health(),
        (_, "/score" | "/remaining-life" | "/health") => {
            text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed")
        }
        _ => text(StatusCode::NOT_FOUND, "not found"),
    }
}

async fn score(request: Request) -> spin_sdk::http::Result<Answer> {
    let body = request.into_body().bytes().await?;
    let Ok(request) = postcard::from_bytes::<ScoreRequest>(&body) else {
        return text(StatusCode::UNPROCESSABLE_ENTITY, "the body is not a score request");
    };
    let wanted = request.items.iter().flat_map(|i| [i.model, i.challenger]).flatten();
    let registered = registered::get(wanted).await;
    let started = Instant::now();
    let models = |item: &ScoreItem| {
        let of = |id: Option<ModelId>| id.and_then(|id| registered.get(&id)).map(AsRef::as_ref);
        (of(item.model).or(MODEL.as_ref()), of(item.challenger))
    };
    let response = pm_model::request::answer(&request, models);
    timed(ms_since(started), &response)
}

fn ms_since(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1e3
}

/// The answer in postcard, with the time that judging took (`server-timing`, ms).
fn timed(took_ms: f64, response: &impl serde::Serialize) -> spin_sdk::http::Result<Answer> {
    let body = postcard::to_allocvec(response).map_err(|e| e.to_string())?;
    let mut answer = answer(StatusCode::OK, "application/vnd.pm.score+postcard", body)?;
    if let Ok(timing) = HeaderValue::from_str(&format!("judge;dur={took_ms:.6}")) {
        answer.headers_mut().insert("server-timing", timing);
    }
    Ok(answer)
}

async fn remaining_life(request: Request) -> spin_sdk::http::Result<Answer> {
    let body = request.into_body().bytes().await?;
    let Ok(request) = postcard::from_bytes::<RulRequest>(&body) else {
        return text(StatusCode::UNPROCESSABLE_ENTITY, "the body is not a request for remaining lives");
    };
    let started = Instant::now();
    let answer = remaining_life::answer(Path::new(MODELS), &request);
    timed(ms_since(started), &answer)
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
