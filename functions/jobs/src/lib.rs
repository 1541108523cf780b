//! Component `jobs`: work that takes longer than a request, asked for here and done by workers elsewhere.
//!
//! Invariants: only types of jobs that have a worker can be asked for; only a failed job can be retried. Deliberately
//! absent: doing the work (whoever does claims jobs with `pm_store::job::claim`).

use pm_api::{JobId, job::Job, route::op};
use pm_store::job;
use pm_web::{Answer, Given, Input, Refusal, Request, handlers, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    let handlers = handlers! {
        ListJobs => list,
        CreateJob => create,
        GetJob => get,
        RetryJob => retry,
    };
    serve("jobs", request, handlers).await
}

async fn list(input: Input<op::ListJobs>) -> Given<op::ListJobs> {
    Ok(job::list(&input.db().await?, &input.query, &input.page).await?)
}

async fn create(input: Input<op::CreateJob>) -> Result<Job, Refusal> {
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    Ok(job::create(&db, Some(&actor), input.body.job_type, input.body.metadata.as_ref()).await?)
}

async fn get(input: Input<op::GetJob>) -> Result<Job, Refusal> {
    let id: JobId = input.id("job_id")?;
    job::get(&input.db().await?, id).await?.ok_or(Refusal::NotFound)
}

async fn retry(input: Input<op::RetryJob>) -> Result<Job, Refusal> {
    let id: JobId = input.id("job_id")?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    if let Some(job) = job::retry(&db, &actor, id).await? {
        return Ok(job);
    }
    job::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    Err(Refusal::BadRequest("Job is not in failed state".to_owned()))
}
