//! Counts that are used again for as long as the setting `dashboard.cache_s` allows. They are the same for every caller.

use pm_api::Timestamp;
use pm_domain::settings::Key;
use pm_store::{Db, StoreError, setting};
use pm_web::{Call, Refusal, now};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// The setting itself is read again after this time, seconds.
const SETTING_S: i64 = 10;

/// A value, and until when it is used.
type Entry<T> = (Timestamp, T);

/// The last counts of one kind, by the period that they are about.
pub(crate) struct Cache<T>(Mutex<BTreeMap<i64, Entry<T>>>);

impl<T: Clone> Cache<T> {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// The counts for a period of `hours`: cached ones that are not too old, else new ones.
    pub(crate) async fn get(
        &self,
        call: &Call,
        hours: i64,
        count: impl AsyncFnOnce(&Db) -> Result<T, StoreError>,
    ) -> Result<T, Refusal> {
        if let Some(counts) = fresh(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&hours)) {
            return Ok(counts);
        }
        let db = call.db().await?;
        let counts = count(&db).await?;
        let seconds = seconds(&db).await?;
        if seconds > 0 {
            let entry = (now().plus_seconds(seconds), counts.clone());
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(hours, entry);
        }
        Ok(counts)
    }
}

/// How long counts are used, seconds.
async fn seconds(db: &Db) -> Result<i64, StoreError> {
    static SECONDS: Mutex<Option<Entry<i64>>> = Mutex::new(None);
    if let Some(seconds) = fresh(SECONDS.lock().unwrap_or_else(PoisonError::into_inner).as_ref()) {
        return Ok(seconds);
    }
    let seconds = setting::read(db, &[Key::DashboardCacheS]).await?.integer(Key::DashboardCacheS);
    *SECONDS.lock().unwrap_or_else(PoisonError::into_inner) = Some((now().plus_seconds(SETTING_S), seconds));
    Ok(seconds)
}

fn fresh<T: Clone>(entry: Option<&Entry<T>>) -> Option<T> {
    entry.filter(|(until, _)| now() < *until).map(|(_, value)| value.clone())
}
