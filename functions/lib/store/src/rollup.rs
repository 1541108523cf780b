//! Work of the clock: roll-ups, counts, retention. Each is one bounded statement; see the functions in the schema.

use crate::{Db, StoreError, statement::statements, value::text};

statements! {
    ROLL_UP = "select roll_up($1)";
    COUNT_UP = "select count_up()::text";
    DROP_OLD = "select drop_old($1, $2)";
}

/// Rolls up what has changed in minutes that have ended, for about `budget_ms`; returns how many changes were taken.
pub async fn roll_up(db: &Db, budget_ms: i32) -> Result<i64, StoreError> {
    db.one(ROLL_UP, vec![budget_ms.into()], |c| c.take()).await
}

/// Counts what is asked for all the time.
pub async fn count_up(db: &Db) -> Result<(), StoreError> {
    db.execute(COUNT_UP, vec![]).await.map(drop)
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
}

impl Class {
    fn as_str(self) -> &'static str {
        match self {
            Self::Readings => "readings",
            Self::Minutes => "readings_1m",
            Self::Hours => "readings_1h",
            Self::Predictions => "predictions",
        }
    }
}

/// Drops what lies `keep_days` (1 to 36,500) before the newest of a class; returns how many chunks are gone.
///
/// # Errors
/// [`StoreError::Unavailable`] if others hold the chunks for longer than two seconds: later, then.
pub async fn drop_old(db: &Db, class: Class, keep_days: i32) -> Result<i32, StoreError> {
    db.one(DROP_OLD, vec![text(class.as_str()), keep_days.into()], |c| c.take()).await
}
