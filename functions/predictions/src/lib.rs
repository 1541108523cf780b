//! Component `predictions`: what the models said, and why.
//!
//! Deliberately absent: scoring itself (component `score`) and making predictions (component `ingest`, which is asked to
//! when a person wants one).

mod explain;
mod export;
mod score;

use http::StatusCode;
use pm_api::{PredictionId, sort::PredictionSort, word::UnknownWord};
use pm_auth::Op;
use pm_store::prediction;
use pm_web::{Answer, Call, Outcome, Refusal, Request, json, json_page, serve};

/// What a prediction says of a sensor.
const STATUSES: &[&str] = &["normal", "warning", "critical", "buffering"];

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve("predictions", request, |op, call| async move {
        match op {
            Op::ListPredictions => list(&call).await,
            Op::GetPrediction => get(&call).await,
            Op::ExplainPrediction => explain(&call).await,
            Op::CreatePrediction => score::supposed(&call).await,
            Op::TriggerPredictions => score::trigger(&call).await,
            Op::ExportPredictions => export::export(&call).await,
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}

async fn list(call: &Call) -> Outcome {
    let filter = prediction::Filter {
        sensor_id: call.query.id("sensor_id")?,
        machine_id: call.query.id("machine_id")?,
        status: status(call)?,
        from: call.query.time("start_time")?,
        to: call.query.time("end_time")?,
    };
    let query = call.query.list::<PredictionSort>(200)?;
    Ok(json_page(&prediction::list(&call.db().await?, &filter, &query).await?))
}

/// The status that is asked for.
fn status(call: &Call) -> Result<Option<&'static str>, Refusal> {
    let Some(asked) = call.query.text("status") else { return Ok(None) };
    match STATUSES.iter().find(|s| **s == asked) {
        Some(status) => Ok(Some(status)),
        None => {
            let words = UnknownWord { expected: STATUSES }.to_string();
            Err(Refusal::field("enum", &["query", "status"], words, asked.into()))
        }
    }
}

async fn get(call: &Call) -> Outcome {
    let id: PredictionId = call.id("prediction_id")?;
    let prediction = prediction::get(&call.db().await?, id).await?.ok_or(Refusal::NotFound)?;
    Ok(json(StatusCode::OK, &prediction))
}

async fn explain(call: &Call) -> Outcome {
    let id: PredictionId = call.id("prediction_id")?;
    let db = call.db().await?;
    let prediction = prediction::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    let sensors = prediction::sensors_beside(&db, &prediction).await?;
    let machine = prediction::machine_beside(&db, &prediction).await?;
    Ok(json(StatusCode::OK, &explain::explain(prediction, sensors, machine)))
}
