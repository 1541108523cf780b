//! Component `models`: versions of the models, from training to activation and back.
//!
//! Invariants: a version judges aloud only when somebody activates it, and one that was trained here only after it
//! passed its examination (or `force=true`); a trained version that passed judges in the shadow of the active one at
//! once; scoring goes on meanwhile, in another component, which takes up an activated version with the next reading.
//! Training is a job with a lease: a worker that dies is followed by another.
//!
//! Deliberately absent: scoring (component `score`), jobs' own routes, a clock (the bridge asks for work when a tick
//! says that there is some).

mod builtin;
mod drift;
mod registry;
mod training;

use http::StatusCode;
use pm_api::ai::WorkDone;
use pm_auth::Op;
use pm_domain::clock::Task;
use pm_store::{clock, model};
use pm_web::{Answer, Call, Outcome, Refusal, Request, json, log_error, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve("models", request, |op, call| async move {
        match op {
            Op::ListModels => registry::list(&call).await,
            Op::RegisterModel => registry::register(&call).await,
            Op::ModelReport => registry::report(&call).await,
            Op::ActivateModel => registry::activate(&call).await,
            Op::RollbackModel => registry::rollback(&call).await,
            Op::Retrain => registry::retrain(&call).await,
            Op::AiLogs => registry::logs(&call).await,
            Op::Drift => registry::drift(&call).await,
            Op::ModelWork => work(&call).await,
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}

/// Does what is due: trains for one job, measures drift.
async fn work(call: &Call) -> Outcome {
    let db = call.db().await?;
    let due = model::due(&db).await?;
    let mut done = WorkDone::default();
    if due.drift && !clock::claim(&db, &[Task::Drift]).await?.is_empty() {
        match drift::measure(&db).await {
            Ok(()) => done.drift_measured = true,
            Err(error) => {
                log_error(&format!("task {}: {error:?}", Task::Drift.name()));
                clock::failed(&db, &[Task::Drift]).await?;
            }
        }
    }
    if due.retrain {
        done.job_id = training::work(&db).await?.map(|id| id.to_string());
    }
    Ok(json(StatusCode::OK, &done))
}
