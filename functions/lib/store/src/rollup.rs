//! Roll-ups, counts and retention, which the tick runs. Each is one bounded statement; see the functions in the schema.
//! What is due is decided by `pm_domain::rollup` and `pm_domain::retention`.

use crate::{
    Db, StoreError,
    statement::statements,
    value::{at, optional, text},
};
use pm_api::Timestamp;
use pm_domain::{
    retention::edge,
    rollup::{COUNTS_FRESH_S, OVERVIEW_S, count_window, newest_ended},
};

statements! {
    ROLL_UP = "select roll_up($1, epoch_us($2))";
    COUNTED_TO = "select max(bucket) at time zone 'utc' from predictions_1m";
    COUNT_UP = "select count_up(epoch_us($1), epoch_us($2), epoch_us($3), epoch_us($4), epoch_us($5))::text";
    NEWEST = "
        select newest_of($1) at time zone 'utc', (select min(minute) at time zone 'utc' from rollup_changes where $1 = 'readings')";
    DROP_OLD = "select drop_old($1, epoch_us($2))";
}

/// Rolls up what has changed in minutes that have ended, for about `budget_ms`; returns how many changes were taken.
pub async fn roll_up(db: &Db, budget_ms: i32, now: Timestamp) -> Result<i64, StoreError> {
    db.one(ROLL_UP, vec![budget_ms.into(), at(newest_ended(now))], |c| c.take()).await
}

/// Counts what is asked for all the time.
pub async fn count_up(db: &Db, now: Timestamp) -> Result<(), StoreError> {
    let window = count_window(db.one(COUNTED_TO, vec![], |c| c.take()).await?, now);
    let params = vec![
        optional(window.from, at),
        at(window.to),
        at(window.keep_from),
        at(window.to.plus_seconds(-OVERVIEW_S)),
        at(now.plus_seconds(COUNTS_FRESH_S)),
    ];
    db.execute(COUNT_UP, params).await.map(drop)
}

/// A class of data with a retention of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Readings.
    Readings,
    /// Roll-ups by minute.
    Minutes,
    /// Roll-ups by hour.
    Hours,
    /// Predictions.
    Predictions,
    /// Bursts of vibration samples.
    Waveforms,
}

impl Class {
    fn as_str(self) -> &'static str {
        match self {
            Self::Readings => "readings",
            Self::Minutes => "readings_1m",
            Self::Hours => "readings_1h",
            Self::Predictions => "predictions",
            Self::Waveforms => "waveforms",
        }
    }
}

/// Drops what lies `keep_days` (1 or more) before the newest of a class; returns how many chunks are gone.
///
/// # Errors
/// [`StoreError::Unavailable`] if others hold the chunks for longer than two seconds: later, then.
pub async fn drop_old(db: &Db, class: Class, keep_days: i64) -> Result<i32, StoreError> {
    let stored = db.one(NEWEST, vec![text(class.as_str())], |c| Ok((c.take()?, c.take()?)));
    let (newest, unrolled): (Option<Timestamp>, Option<Timestamp>) = stored.await?;
    let Some(newest) = newest else { return Ok(0) };
    let edge = edge(newest, keep_days, unrolled);
    db.one(DROP_OLD, vec![text(class.as_str()), at(edge)], |c| c.take()).await
}
