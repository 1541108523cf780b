//! Upkeep of what was measured: roll-ups, counts, clearing after deletions, retention. Each is bounded, so a tick stays
//! short, and each may fail: the next tick goes on.

use pm_domain::{retention::RETENTION_EVERY_S, settings::Key};
use pm_store::{
    Db, StoreError, deletion,
    rollup::{self, Class},
    setting,
};

/// Time for roll-ups in one tick, milliseconds.
const ROLL_UP_MS: i32 = 300;
/// Rows of deleted sensors that one tick removes.
const CLEARED_ROWS: i32 = 20_000;
/// The settings that say for how many days each class is kept.
const KEPT: [(Class, Key); 4] = [
    (Class::Readings, Key::RetentionRawDays),
    (Class::Minutes, Key::RetentionMinuteDays),
    (Class::Hours, Key::RetentionHourDays),
    (Class::Predictions, Key::RetentionPredictionDays),
];

pub(crate) async fn run(db: &Db) {
    tell("roll-up", rollup::roll_up(db, ROLL_UP_MS).await);
    tell("counts", rollup::count_up(db).await);
    tell("clearing", deletion::clear(db, CLEARED_ROWS).await);
    match rollup::is_due(db, "retention", RETENTION_EVERY_S).await {
        Ok(true) => retain(db).await,
        other => tell("retention", other),
    }
}

/// Drops what is older than the settings say.
async fn retain(db: &Db) {
    let settings = match setting::read(db, &KEPT.map(|(_, key)| key)).await {
        Ok(settings) => settings,
        Err(error) => return tell("retention", Err::<(), _>(error)),
    };
    for (class, key) in KEPT {
        // a number that no setting can have keeps everything
        let days = i32::try_from(settings.integer(key)).unwrap_or(i32::MAX);
        tell("retention", rollup::drop_old(db, class, days).await);
    }
}

fn tell<T>(task: &str, done: Result<T, StoreError>) {
    if let Err(error) = done {
        pm_web::log_error(&format!("{task} waits for the next tick: {error}"));
    }
}
