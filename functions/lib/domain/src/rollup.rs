//! Roll-ups of readings by minute and hour, and counts of predictions by minute: which minutes are due, and which are
//! computed again because they may have changed.

use crate::duration::{DAY_S, HOUR_S, MINUTE_S};
use pm_api::{Timestamp, ingest::LATE_AFTER_S};

/// A minute is rolled up when it has ended for so long that its last readings are stored, seconds.
const SETTLING_S: i64 = 5;
/// A prediction is written at most so long after the time of its reading, seconds: it is made for live readings only, and
/// once more as long for the way.
pub const PREDICTED_WITHIN_S: i64 = 2 * LATE_AFTER_S;
/// The longest time for which predictions are counted, hours: the longest that the dashboard offers.
pub const MAX_COUNT_HOURS: i64 = 168;
/// Counts that the clock made are as good as new for so long, seconds; after that they are counted by the one who asks.
pub const COUNTS_FRESH_S: i64 = 15;
/// The counts of predictions by minute are as good as complete when they end so long ago at most, seconds.
pub const MINUTE_COUNTS_FRESH_S: i64 = 3 * MINUTE_S;
/// What the overview counts the predictions of, seconds.
pub const OVERVIEW_S: i64 = DAY_S;

/// The newest minute, by its begin, that may be rolled up: it has ended and settled.
#[must_use]
pub fn newest_ended(now: Timestamp) -> Timestamp {
    now.plus_seconds(-MINUTE_S - SETTLING_S)
}

/// Which minutes of predictions are counted, and which counts are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountWindow {
    /// The first minute that is counted; `None`: no minute has ended since the last count.
    pub from: Option<Timestamp>,
    /// The minute after the last that is counted: the one that runs.
    pub to: Timestamp,
    /// Counts of minutes before it are dropped.
    pub keep_from: Timestamp,
}

/// The minutes to count now: those that have ended since the last count, and those before it that late predictions may
/// have changed. `counted_to`: the newest minute that was counted.
#[must_use]
pub fn count_window(counted_to: Option<Timestamp>, now: Timestamp) -> CountWindow {
    let minute = MINUTE_S * Timestamp::SECOND;
    let running = Timestamp(now.0 - now.0.rem_euclid(minute));
    let complete = counted_to.is_some_and(|counted| counted >= running.plus_seconds(-MINUTE_S));
    // an hour is there before its first minute is needed
    let earliest = running.plus_seconds(-(MAX_COUNT_HOURS + 1) * HOUR_S);
    let changed = counted_to.map(|counted| counted.plus_seconds(-PREDICTED_WITHIN_S));
    CountWindow {
        from: (!complete).then(|| changed.map_or(earliest, |changed| changed.max(earliest))),
        to: running,
        keep_from: running.plus_seconds(-(MAX_COUNT_HOURS + 2) * HOUR_S),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(s: i64) -> Timestamp {
        Timestamp(s * Timestamp::SECOND)
    }

    #[test]
    fn a_minute_is_due_when_it_has_ended_and_settled() {
        let minute = 1_800_000_000;
        assert!(newest_ended(at(minute + 64)) < at(minute));
        assert_eq!(newest_ended(at(minute + 65)), at(minute));
    }

    proptest! {
        #[test]
        fn counting_again_and_again_counts_every_minute(steps in prop::collection::vec(1_i64..900, 1..40)) {
            let begin = 1_800_000_000;
            let (mut now, mut counted_to) = (begin, None);
            for step in steps {
                now += step;
                let window = count_window(counted_to, at(now));
                prop_assert_eq!(window.to, at(now - now % MINUTE_S));
                let Some(from) = window.from else {
                    prop_assert!(counted_to.is_some_and(|c| c >= at(now - now % MINUTE_S - MINUTE_S)));
                    continue;
                };
                prop_assert!(window.keep_from < from && from < window.to);
                if let Some(counted) = counted_to {
                    // no gap, and everything that a late prediction may have changed
                    prop_assert!(from <= Timestamp::plus_seconds(counted, -PREDICTED_WITHIN_S));
                } else {
                    prop_assert!(from <= window.to.plus_seconds(-MAX_COUNT_HOURS * HOUR_S));
                }
                counted_to = Some(window.to.plus_seconds(-MINUTE_S));
            }
        }
    }
}
