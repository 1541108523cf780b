//! Counts that are reused for as long as the setting `dashboard.cache_s` allows. They are the same for every caller.

use http::{HeaderValue, StatusCode};
use pm_api::Timestamp;
use pm_auth::Op;
use pm_domain::settings::Key;
use pm_store::{Db, StoreError, setting};
use pm_web::{Call, Outcome, Refusal, bytes_reply, now};
use serde::Serialize;
use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, PoisonError},
};

/// The setting itself is looked up this often, seconds.
const SETTING_S: i64 = 10;
const JSON: HeaderValue = HeaderValue::from_static("application/json");

#[derive(Default)]
struct Kept {
    answers: HashMap<(Op, i64), (Timestamp, Vec<u8>)>,
    seconds: Option<(Timestamp, i64)>,
}

static KEPT: LazyLock<Mutex<Kept>> = LazyLock::new(Mutex::default);

/// The answer of an operation for a span of `hours`: a kept one that is not too old, else a new one.
pub(crate) async fn answer<T: Serialize>(
    call: &Call,
    op: Op,
    hours: i64,
    count: impl AsyncFnOnce(&Db) -> Result<T, StoreError>,
) -> Outcome {
    if let Some(body) = kept(|kept| fresh(kept.answers.get(&(op, hours))).cloned()) {
        return Ok(bytes_reply(StatusCode::OK, JSON, body));
    }
    let db = call.db().await?;
    let counts = count(&db).await?;
    let body = serde_json::to_vec(&counts).map_err(|e| Refusal::Internal(e.to_string()))?;
    let seconds = seconds(&db).await?;
    if seconds > 0 {
        let until = now().plus_seconds(seconds);
        kept(|kept| kept.answers.insert((op, hours), (until, body.clone())));
    }
    Ok(bytes_reply(StatusCode::OK, JSON, body))
}

async fn seconds(db: &Db) -> Result<i64, StoreError> {
    if let Some(seconds) = kept(|kept| fresh(kept.seconds.as_ref()).copied()) {
        return Ok(seconds);
    }
    let seconds = setting::read(db, &[Key::DashboardCacheS]).await?.integer(Key::DashboardCacheS);
    kept(|kept| kept.seconds = Some((now().plus_seconds(SETTING_S), seconds)));
    Ok(seconds)
}

fn fresh<V>(entry: Option<&(Timestamp, V)>) -> Option<&V> {
    entry.filter(|(until, _)| now() < *until).map(|(_, value)| value)
}

fn kept<R>(act: impl FnOnce(&mut Kept) -> R) -> R {
    act(&mut KEPT.lock().unwrap_or_else(PoisonError::into_inner))
}
