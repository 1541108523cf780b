//! What accounts may do now: a token says only what its account might do when it was issued.

use crate::{Refusal, database::database};
use pm_api::UserId;
use pm_store::{
    Db,
    user::{self, Standing},
};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long an answer of the database is believed. Changes ask anew (`Call::actor`).
const BELIEVED: Duration = Duration::from_secs(10);
/// Accounts kept in mind; of more, all are forgotten.
const MOST_KNOWN: usize = 1000;

static KNOWN: Mutex<BTreeMap<UserId, (Instant, Option<Standing>)>> = Mutex::new(BTreeMap::new());

/// What an account may do, or none when it is gone or inactive: as it was at most ten seconds ago if that is `enough`,
/// else as of now.
pub(crate) async fn recent(
    user_id: UserId,
    enough: impl FnOnce(&Standing) -> bool,
) -> Result<Option<Standing>, Refusal> {
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner).get(&user_id).cloned();
    if let Some((asked, Some(standing))) = known
        && asked.elapsed() < BELIEVED
        && enough(&standing)
    {
        return Ok(Some(standing));
    }
    // what was given meanwhile counts at once
    current(&database().await?, user_id).await
}

/// What an account may do as of now.
pub(crate) async fn current(db: &Db, user_id: UserId) -> Result<Option<Standing>, Refusal> {
    let asked = Instant::now();
    let standing = user::standing(db, user_id).await?;
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if known.len() >= MOST_KNOWN {
        known.clear();
    }
    known.insert(user_id, (asked, standing.clone()));
    Ok(standing)
}
