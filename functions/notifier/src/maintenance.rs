//! Upkeep of what was measured: roll-ups, counts, clearing after deletions, retention. Each is bounded, so a tick stays
//! short.

use crate::tasks::Tasks;
use pm_domain::{clock::Task, settings::Key};
use pm_store::{
    Db, deletion,
    rollup::{self, Class},
    setting,
};
use pm_web::now;

/// Time for roll-ups in one tick, milliseconds.
const ROLL_UP_MS: i32 = 300;
/// Rows of deleted sensors that one tick removes.
const CLEARED_ROWS: i32 = 20_000;
/// Time for removing them, milliseconds.
const CLEARING_MS: i32 = 1000;
/// The settings that say for how many days each class is kept.
const RETENTION: [(Class, Key); 5] = [
    (Class::Readings, Key::RetentionRawDays),
    (Class::Minutes, Key::RetentionMinuteDays),
    (Class::Hours, Key::RetentionHourDays),
    (Class::Predictions, Key::RetentionPredictionDays),
    (Class::Waveforms, Key::RetentionWaveformDays),
];

pub(crate) async fn run(db: &Db, tasks: &mut Tasks<'_>) {
    tasks.ended(Task::RollUps, rollup::roll_up(db, ROLL_UP_MS, now()).await);
    tasks.ended(Task::Counts, rollup::count_up(db, now()).await);
    tasks.ended(Task::Clearing, deletion::clear(db, CLEARED_ROWS, CLEARING_MS).await);
    if tasks.is_due(Task::Retention)
        && let Some(settings) =
            tasks.ended(Task::Retention, setting::read(db, &RETENTION.map(|(_, key)| key)).await)
    {
        for (class, key) in RETENTION {
            tasks.ended(Task::Retention, rollup::drop_old(db, class, settings.integer(key)).await);
        }
    }
}
