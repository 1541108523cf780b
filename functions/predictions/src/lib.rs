//! Component `predictions`: what the models said, and why.
//!
//! Deliberately absent: scoring itself (component `score`) and making predictions (component `ingest`, which is asked to
//! when a person wants one).

mod explain;
mod export;
mod score;

use pm_api::{
    PredictionId,
    prediction::{Explained, Prediction},
    route::op,
};
use pm_store::prediction;
use pm_web::{Answer, Given, Input, Refusal, Request, handlers, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    let handlers = handlers! {
        ListPredictions => list,
        GetPrediction => get,
        ExplainPrediction => explain,
        CreatePrediction => score::hypothetical,
        TriggerPredictions => score::trigger,
        ExportPredictions => export::export,
    };
    serve("predictions", request, handlers).await
}

async fn list(input: Input<op::ListPredictions>) -> Given<op::ListPredictions> {
    Ok(prediction::list(&input.db().await?, &input.query, &input.page).await?)
}

async fn get(input: Input<op::GetPrediction>) -> Result<Prediction, Refusal> {
    let id: PredictionId = input.id("prediction_id")?;
    prediction::get(&input.db().await?, id).await?.ok_or(Refusal::NotFound)
}

async fn explain(input: Input<op::ExplainPrediction>) -> Result<Explained, Refusal> {
    let id: PredictionId = input.id("prediction_id")?;
    let db = input.db().await?;
    let prediction = prediction::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    let sensors = prediction::sensors_beside(&db, &prediction).await?;
    let machine = prediction::machine_beside(&db, &prediction).await?;
    Ok(explain::explain(prediction, sensors, machine))
}
