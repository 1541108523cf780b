//! Component `jobs`: work that takes longer than a request, asked for here and done by workers elsewhere.
//!
//! Invariants: only types of jobs that have a worker can be asked for; only a failed job can be retried. Deliberately
//! absent: doing the work (whoever does claims jobs with `pm_store::job::claim`).

use http::StatusCode;
use pm_api::{JobId, sort::JobSort};
use pm_auth::Op;
use pm_store::job;
use pm_web::{Answer, Call, Outcome, Refusal, Request, json, json_page, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve("jobs", request, |op, call| async move {
        match op {
            Op::ListJobs => list(&call).await,
            Op::CreateJob => create(&call).await,
            Op::GetJob => get(&call).await,
            Op::RetryJob => retry(&call).await,
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}

/// Filters: `job_type`, `status`.
async fn list(call: &Call) -> Outcome {
    let filter = job::Filter { job_type: call.query.word("job_type")?, status: call.query.word("status")? };
    let query = call.query.list::<JobSort>(50)?;
    Ok(json_page(&job::list(&call.db().await?, &filter, &query).await?))
}

async fn create(call: &Call) -> Outcome {
    let mut fields = call.fields()?;
    let job_type = fields.required_word("job_type");
    let metadata = fields.object(&["metadata", "metadata_json"]).flatten();
    fields.end()?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    let Some(job_type) = job_type else { return Err(Refusal::Internal("a field got lost".to_owned())) };
    Ok(json(StatusCode::CREATED, &job::create(&db, Some(&actor), job_type, metadata).await?))
}

async fn get(call: &Call) -> Outcome {
    let id: JobId = call.id("job_id")?;
    let job = job::get(&call.db().await?, id).await?.ok_or(Refusal::NotFound)?;
    Ok(json(StatusCode::OK, &job))
}

async fn retry(call: &Call) -> Outcome {
    let id: JobId = call.id("job_id")?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    if let Some(job) = job::retry(&db, &actor, id).await? {
        return Ok(json(StatusCode::OK, &job));
    }
    job::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    Err(Refusal::BadRequest("Job is not in failed state".to_owned()))
}
