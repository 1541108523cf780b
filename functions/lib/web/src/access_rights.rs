//! What accounts may do now: a token says only what its account was allowed when it was issued.

use crate::{Refusal, database::database};
use pm_api::UserId;
use pm_store::{
    Db,
    user::{self, AccessRights},
};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long the rights that were read are used. A change reads them again (`Call::actor`).
const CACHE_TTL: Duration = Duration::from_secs(10);
/// Accounts in the cache; before one more, it is cleared.
const MAX_CACHED_ACCOUNTS: usize = 1000;

static CACHE: Mutex<BTreeMap<UserId, (Instant, Option<AccessRights>)>> = Mutex::new(BTreeMap::new());

/// What an account may do, or none when it is gone or inactive: as it was at most ten seconds ago if that is `enough`,
/// else as of now.
pub(crate) async fn recent(
    user_id: UserId,
    enough: impl FnOnce(&AccessRights) -> bool,
) -> Result<Option<AccessRights>, Refusal> {
    let known = CACHE.lock().unwrap_or_else(PoisonError::into_inner).get(&user_id).cloned();
    if let Some((asked, Some(rights))) = known
        && asked.elapsed() < CACHE_TTL
        && enough(&rights)
    {
        return Ok(Some(rights));
    }
    // rights that were given since then count at once
    current(&database().await?, user_id).await
}

/// What an account may do as of now.
pub(crate) async fn current(db: &Db, user_id: UserId) -> Result<Option<AccessRights>, Refusal> {
    let asked = Instant::now();
    let rights = user::access_rights(db, user_id).await?;
    let mut known = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    if known.len() >= MAX_CACHED_ACCOUNTS {
        known.clear();
    }
    known.insert(user_id, (asked, rights.clone()));
    Ok(rights)
}
