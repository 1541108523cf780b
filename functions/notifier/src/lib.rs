//! Component `notifier`: what happens by the clock. The bridge sends one tick a second.
//!
//! Invariants: a tick is short and may be missed or doubled. Deliberately absent: a clock of its own.

use http::StatusCode;
use pm_api::tick::{Tick, Ticked};
use pm_auth::Op;
use pm_store::health;
use pm_web::{Answer, Call, Outcome, Refusal, Request, json, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve("notifier", request, |op, call| async move {
        match op {
            Op::Tick => tick(&call).await,
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}

/// Keeps the bridge's report for `/status`.
async fn tick(call: &Call) -> Outcome {
    let tick: Tick = serde_json::from_slice(&call.body)
        .map_err(|e| Refusal::field("value_error", &["body"], e.to_string(), serde_json::Value::Null))?;
    health::report_bridge(&call.db().await?, &tick.bridge).await?;
    Ok(json(StatusCode::OK, &Ticked { ok: true }))
}
