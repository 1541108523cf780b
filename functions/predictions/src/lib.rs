//! Component `predictions`: what the models said, and why.
//!
//! Deliberately absent: scoring itself (component `score`) and making predictions (component `ingest`).

mod explain;

use http::StatusCode;
use pm_api::PredictionId;
use pm_auth::Op;
use pm_store::prediction;
use pm_web::{Answer, Call, Outcome, Refusal, Request, json, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve("predictions", request, |op, call| async move {
        match op {
            Op::ListPredictions => list(&call).await,
            Op::GetPrediction => get(&call).await,
            Op::ExplainPrediction => explain(&call).await,
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}

async fn list(call: &Call) -> Outcome {
    let filter = prediction::Filter {
        sensor_id: call.query.id("sensor_id")?,
        machine_id: call.query.id("machine_id")?,
        from: call.query.time("start_time")?,
        to: call.query.time("end_time")?,
        ascending: call.query.text("sort") == Some("asc"),
        limit: call.query.integer("limit", 200, 1, 1000)?,
        offset: call.query.integer("offset", 0, 0, i64::MAX)?,
    };
    Ok(json(StatusCode::OK, &prediction::list(&call.db().await?, &filter).await?))
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
