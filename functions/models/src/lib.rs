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

use pm_api::{ai::WorkDone, route::op};
use pm_domain::clock::Task;
use pm_store::{clock, model};
use pm_web::{Answer, Input, Refusal, Request, handlers, log_error, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    let handlers = handlers! {
        ListModels => registry::list,
        RegisterModel => registry::register,
        ModelReport => registry::report,
        ActivateModel => registry::activate,
        RollbackModel => registry::rollback,
        Retrain => registry::retrain,
        AiLogs => registry::logs,
        Drift => registry::drift,
        FalseAlarms => registry::false_alarms,
        ModelWork => work,
    };
    serve("models", request, handlers).await
}

/// Does what is due: trains for one job, measures drift.
async fn work(input: Input<op::ModelWork>) -> Result<WorkDone, Refusal> {
    let db = input.db().await?;
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
    Ok(done)
}
