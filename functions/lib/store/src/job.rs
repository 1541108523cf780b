//! Jobs: asked for by people or the system, done by workers.
//!
//! A worker claims a job for some seconds (a lease) and renews the lease with every progress report. A job whose lease
//! has run out is taken again by the next claim, up to [`MAX_ATTEMPTS`] times. Whatever a worker writes names its
//! lease, so a worker that was given up for dead cannot overwrite its successor.

use crate::{
    Actor, Db, StoreError,
    list::{Id, Key, List, Total, lists},
    statement::{actor, statements},
    value::{Columns, id, json, optional, text, texts},
};
use pm_api::{
    JobId, JobType, Metadata,
    job::{Job, JobFilter},
    list::{ListQuery, Page},
    sort::JobSort,
};
use spin_sdk::pg::ParameterValue;
use uuid::Uuid;

/// How often workers may begin with a job before it counts as failed.
pub const MAX_ATTEMPTS: i64 = 3;

/// The columns that [`job`] reads, of a job `j`.
macro_rules! columns {
    () => {
        "j.id, j.created_at at time zone 'utc', j.updated_at at time zone 'utc', j.job_type, j.status, j.progress,
         j.result, j.error_message, j.started_at at time zone 'utc', j.completed_at at time zone 'utc', j.created_by,
         j.metadata, j.attempts"
    };
}

lists! {
    LIST: JobSort = List {
        columns: columns!(),
        rows: "
            from jobs j
            where ($1::text is null or j.job_type = $1) and ($2::text is null or j.status = $2)",
        id: Id::Uuid("j.id"),
        key: |sort| match sort {
            JobSort::CreatedAt => Key::Time("j.created_at"),
            JobSort::UpdatedAt => Key::Time("j.updated_at"),
        },
        total: Total::Exact,
        one_plan: false,
    };
}

statements! {
    GET = concat!("select ", columns!(), " from jobs j where j.id = $1");
    CREATE = concat!("
        insert into jobs as j (id, job_type, metadata, created_by)
        select $2, $3, $4, $5 from ", actor!(), "
        returning ", columns!());
    RETRY = concat!("
        update jobs j set status = 'pending', progress = 0, result = null, error_message = null, started_at = null,
                        completed_at = null, attempts = 0
        from ", actor!(), " where id = $2 and status = 'failed'
        returning ", columns!());
    CLAIM = concat!("
        with given_up as (
            update jobs set status = 'failed', completed_at = now(), lease_id = null, lease_until = null,
                            error_message = 'Its worker stopped answering ' || attempts || ' times'
            where job_type = any ($1::text[]) and status = 'running' and lease_until < now() and attempts >= $4::int8),
        next as (
            select id from jobs
            where job_type = any ($1::text[])
              and (status = 'pending' or (status = 'running' and lease_until < now() and attempts < $4::int8))
            order by created_at, id limit 1 for update skip locked)
        update jobs j set status = 'running', started_at = coalesce(started_at, now()), attempts = attempts + 1,
                          lease_id = $2, lease_until = now() + $3::int8 * interval '1 second'
        from next where j.id = next.id
        returning ", columns!());
    PROGRESS = "
        update jobs set progress = $3, lease_until = now() + $4::int8 * interval '1 second'
        where id = $1 and lease_id = $2 and status = 'running'";
    // the next step begins with the attempts of this one forgotten
    PAUSE = "
        update jobs set status = 'pending', attempts = 0, lease_id = null, lease_until = null
        where id = $1 and lease_id = $2 and status = 'running'";
    FINISH = "
        update jobs set status = 'completed', progress = 100, result = $3, completed_at = now(), lease_id = null,
                        lease_until = null
        where id = $1 and lease_id = $2 and status = 'running'";
    FAIL = "
        update jobs set status = 'failed', error_message = $3, completed_at = now(), lease_id = null, lease_until = null
        where id = $1 and lease_id = $2 and status = 'running'";
}

/// A job in a worker's hands.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The job.
    pub job: Job,
    lease: Uuid,
}

fn job(c: &mut Columns) -> Result<Job, StoreError> {
    Ok(Job {
        id: c.take()?,
        created_at: c.take()?,
        updated_at: c.take()?,
        job_type: c.word()?,
        status: c.word()?,
        progress: c.take()?,
        result: c.take()?,
        error_message: c.take()?,
        started_at: c.take()?,
        completed_at: c.take()?,
        created_by: c.take()?,
        metadata: c.take()?,
        attempts: c.take()?,
    })
}

/// A page of the jobs.
pub async fn list(db: &Db, filter: &JobFilter, query: &ListQuery<JobSort>) -> Result<Page<Job>, StoreError> {
    let filter =
        vec![optional(filter.job_type, |t| text(t.as_str())), optional(filter.status, |s| text(s.as_str()))];
    LIST.page(db, query, filter, job).await
}

/// One job.
pub async fn get(db: &Db, job_id: JobId) -> Result<Option<Job>, StoreError> {
    db.first(GET, vec![id(job_id.0)], job).await
}

/// Asks for a job: for a person, whose doing is audited, or for the system.
pub async fn create(
    db: &Db,
    actor: Option<&Actor>,
    job_type: JobType,
    metadata: Option<&Metadata>,
) -> Result<Job, StoreError> {
    let params = vec![
        actor.map_or_else(|| text(""), Actor::setting),
        id(Uuid::now_v7()),
        text(job_type.as_str()),
        metadata.map_or(Ok(ParameterValue::DbNull), json)?,
        optional(actor, |a| id(a.user_id.0)),
    ];
    db.one(CREATE, params, job).await
}

/// Puts a failed job back to the start. `None`: there is no such job, or it has not failed.
pub async fn retry(db: &Db, actor: &Actor, job_id: JobId) -> Result<Option<Job>, StoreError> {
    db.first(RETRY, vec![actor.doing("retry").setting(), id(job_id.0)], job).await
}

/// Takes the oldest job of these types that waits, or whose worker let its lease run out, for `lease_s` seconds.
pub async fn claim(db: &Db, types: &[JobType], lease_s: i64) -> Result<Option<Claim>, StoreError> {
    let lease = Uuid::now_v7();
    let params = vec![texts(types), id(lease), lease_s.into(), MAX_ATTEMPTS.into()];
    Ok(db.first(CLAIM, params, job).await?.map(|job| Claim { job, lease }))
}

/// Tells how far a job has come (0 to 100 percent) and renews the lease. False: the job is somebody else's now; stop.
pub async fn progress(db: &Db, claim: &Claim, percent: i32, lease_s: i64) -> Result<bool, StoreError> {
    let params = vec![id(claim.job.id.0), id(claim.lease), percent.clamp(0, 100).into(), lease_s.into()];
    Ok(db.execute(PROGRESS, params).await? > 0)
}

/// Lays a job down that has come further and is not done; the next claim goes on with it. False: the job is somebody else's
/// now.
pub async fn pause(db: &Db, claim: &Claim) -> Result<bool, StoreError> {
    Ok(db.execute(PAUSE, vec![id(claim.job.id.0), id(claim.lease)]).await? > 0)
}

/// Completes a job with its result. False: the job is somebody else's now; nothing was written.
pub async fn finish(db: &Db, claim: &Claim, result: &serde_json::Value) -> Result<bool, StoreError> {
    Ok(db.execute(FINISH, vec![id(claim.job.id.0), id(claim.lease), json(result)?]).await? > 0)
}

/// Gives a job up with a reason for people. False: the job is somebody else's now; nothing was written.
pub async fn fail(db: &Db, claim: &Claim, reason: &str) -> Result<bool, StoreError> {
    let reason: String = reason.chars().filter(|c| *c != '\0').take(2000).collect();
    Ok(db.execute(FAIL, vec![id(claim.job.id.0), id(claim.lease), text(reason)]).await? > 0)
}
