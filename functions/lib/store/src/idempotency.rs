//! Requests with an `Idempotency-Key`, and their answers.

use crate::{
    Db, StoreError,
    statement::statements,
    value::{bytes, id, text},
};
use pm_api::UserId;
use pm_domain::retention::REPEATED_REQUEST_S;
use spin_sdk::pg::ParameterValue;

statements! {
    CLAIM = "
        with claimed as (
            insert into idempotency_keys as k (user_id, key, fingerprint) values ($1, $2, $3)
            on conflict (user_id, key) do update set fingerprint = excluded.fingerprint, created_at = now()
            where k.status is null and k.created_at < now() - $4::int8 * interval '1 second'
            returning fingerprint)
        select true, fingerprint, null::int4, null::bytea from claimed
        union all
        select false, fingerprint, status, body from idempotency_keys
        where user_id = $1 and key = $2 and not exists (select from claimed)";
    COMPLETE = "update idempotency_keys set status = $3, body = $4 where user_id = $1 and key = $2";
    RELEASE = "delete from idempotency_keys where user_id = $1 and key = $2 and status is null";
}

/// A request that may be sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who sent it.
    pub user_id: UserId,
    /// The key that its sender gave it.
    pub key: String,
    /// A hash of what it asks for.
    pub fingerprint: i64,
}

/// What is known of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Nothing: it is to be done now.
    New,
    /// It is being done.
    Running,
    /// Its key was given to another request.
    OfAnother,
    /// It was done: status and body of the answer.
    Done(i32, Vec<u8>),
}

impl Request {
    fn key(&self) -> Vec<ParameterValue> {
        vec![id(self.user_id.0), text(self.key.as_str())]
    }
}

/// Takes a request on, unless it was taken on before. One that has no answer after a minute was given up.
pub async fn claim(db: &Db, request: &Request) -> Result<Claim, StoreError> {
    let mut params = request.key();
    params.extend([request.fingerprint.into(), REPEATED_REQUEST_S.into()]);
    let known = db.first(CLAIM, params, |c| {
        Ok((c.take::<bool>()?, c.take::<i64>()?, c.take::<Option<i32>>()?, c.take::<Option<Vec<u8>>>()?))
    });
    Ok(match known.await? {
        Some((true, ..)) => Claim::New,
        Some((_, fingerprint, ..)) if fingerprint != request.fingerprint => Claim::OfAnother,
        Some((_, _, Some(status), body)) => Claim::Done(status, body.unwrap_or_default()),
        // without a row: it was taken on at the same moment
        Some((_, _, None, _)) | None => Claim::Running,
    })
}

/// Keeps the answer of a request.
pub async fn complete(db: &Db, request: &Request, status: i32, body: &[u8]) -> Result<(), StoreError> {
    let mut params = request.key();
    params.extend([status.into(), bytes(body)]);
    db.execute(COMPLETE, params).await.map(drop)
}

/// Forgets a request that was refused.
pub async fn release(db: &Db, request: &Request) -> Result<(), StoreError> {
    db.execute(RELEASE, request.key()).await.map(drop)
}
