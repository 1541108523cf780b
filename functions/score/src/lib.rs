//! Component `score`: judges sensors. Private; only `ingest` and `predictions` call it.
//!
//! | Route | Request | Answer |
//! |---|---|---|
//! | POST /score | postcard `ScoreRequest` | postcard `ScoreResponse`; 422 when the body is none |
//! | POST /remaining-life | postcard `RulRequest` | postcard `RulResponse`; 422 when the body is none |
//! | GET /health | – | JSON `ScorerHealth` |
//!
//! Invariants: holds no data of a request beyond it. The model that came with the program is read once per instance
//! from the files mount `/models`, a registered version once from the database when a request first names it; so a
//! version that becomes active judges from the next reading on. Where no model can be read, rules judge, and every
//! answer says so (`rule-based`, `fallback`).
//!
//! Deliberately absent: the sensors' states (the caller keeps them), and everything else in the database.

mod registered;
mod remaining_life;

use http::{HeaderName, HeaderValue, Method, StatusCode};
use pm_api::{
    ModelId,
    ai::ScorerHealth,
    remaining_life::RulRequest,
    score::{ScoreItem, ScoreRequest},
};
use pm_model::{Model, scorer::RULE_BASED};
use pm_web::{Answer, Outcome, Refusal, Request, bytes_reply, json, log_error, serve_private, text};
use std::{path::Path, sync::LazyLock, time::Instant};

const MODELS: &str = "/models";

static MODEL: LazyLock<Option<Model>> = LazyLock::new(|| {
    Model::load(Path::new(MODELS))
        .inspect_err(|e| log_error(&format!("no model can be read, rules are used instead: {e}")))
        .ok()
});

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve_private("score", request, |request| async move {
        match (request.method(), request.uri().path()) {
            (&Method::POST, "/score") => score(request.body()).await,
            (&Method::POST, "/remaining-life") => remaining_life(request.body()),
            (&Method::GET, "/health") => Ok(health()),
            (_, "/score" | "/remaining-life") => Err(Refusal::MethodNotAllowed(vec!["POST"])),
            (_, "/health") => Err(Refusal::MethodNotAllowed(vec!["GET"])),
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}

async fn score(body: &[u8]) -> Outcome {
    let Ok(request) = postcard::from_bytes::<ScoreRequest>(body) else {
        return refused("the body is not a score request");
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

/// The answer in postcard, with the time that scoring took (`server-timing`, ms).
fn timed(took_ms: f64, response: &impl serde::Serialize) -> Outcome {
    let body = postcard::to_allocvec(response).map_err(|e| Refusal::Internal(e.to_string()))?;
    let mut answer =
        bytes_reply(StatusCode::OK, HeaderValue::from_static("application/vnd.pm.score+postcard"), body);
    if let Ok(timing) = HeaderValue::from_str(&format!("judge;dur={took_ms:.6}")) {
        answer.headers_mut().insert(HeaderName::from_static("server-timing"), timing);
    }
    Ok(answer)
}

fn remaining_life(body: &[u8]) -> Outcome {
    let Ok(request) = postcard::from_bytes::<RulRequest>(body) else {
        return refused("the body is not a request for remaining lives");
    };
    let started = Instant::now();
    let answer = remaining_life::answer(Path::new(MODELS), &request);
    timed(ms_since(started), &answer)
}

fn health() -> Answer {
    let model = MODEL.as_ref();
    let status = ScorerHealth {
        status: if model.is_some() { "healthy" } else { "unhealthy" }.to_owned(),
        model_loaded: model.is_some(),
        model_version: version(model),
        memory_bytes: memory_bytes(),
    };
    json(StatusCode::OK, &status)
}

/// Memory of this instance. It grows with what was needed at once, and never shrinks.
fn memory_bytes() -> u64 {
    const PAGE_BYTES: u64 = 64 * 1024;
    core::arch::wasm32::memory_size::<0>() as u64 * PAGE_BYTES
}

fn version(model: Option<&Model>) -> String {
    model.map_or(RULE_BASED, |m| &m.version).to_owned()
}

fn refused(reason: &str) -> Outcome {
    Ok(text(StatusCode::UNPROCESSABLE_ENTITY, reason))
}
