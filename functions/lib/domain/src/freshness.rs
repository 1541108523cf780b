//! Live, late or impossible: a reading's time against the present.

use crate::duration::DAY_S;
use pm_api::{
    Timestamp,
    ingest::{LATE_AFTER_S, MAX_FUTURE_S},
};

/// How a reading's time stands to the present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Of now: judged, scored, may raise alarms.
    Live,
    /// Of the past: stored, raises no live alarm.
    Late,
    /// Beyond what clocks may differ: refused.
    Future,
}

/// How far back the scorer reads for a sensor that it has not scored yet, seconds.
pub const FIRST_WINDOW_S: i64 = DAY_S;
/// How far back the cycles of a machine with a network are read, seconds.
pub const CYCLES_S: i64 = 365 * DAY_S;

/// Readings before this are late.
#[must_use]
pub fn late_before(now: Timestamp) -> Timestamp {
    now.plus_seconds(-LATE_AFTER_S)
}

/// Earliest time that can be stored: 1970-01-01.
const EARLIEST: Timestamp = Timestamp(0);

/// Sorts a reading's time. Times before 1970 are as impossible as far-future ones.
#[must_use]
pub fn freshness(time: Timestamp, now: Timestamp) -> Freshness {
    if time > now.plus_seconds(MAX_FUTURE_S) || time < EARLIEST {
        Freshness::Future
    } else if time < late_before(now) {
        Freshness::Late
    } else {
        Freshness::Live
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges() {
        let now = Timestamp(1_800_000_000_000_000);
        for (offset_s, expected) in [
            (0, Freshness::Live),
            (MAX_FUTURE_S, Freshness::Live),
            (MAX_FUTURE_S + 1, Freshness::Future),
            (-LATE_AFTER_S, Freshness::Live),
            (-LATE_AFTER_S - 1, Freshness::Late),
            (i64::MIN / Timestamp::SECOND, Freshness::Future),
        ] {
            assert_eq!(freshness(now.plus_seconds(offset_s), now), expected, "{offset_s}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_reading_only_gets_later(offset_s in -2 * MAX_FUTURE_S..2 * MAX_FUTURE_S, wait_s in 0_i64..4 * MAX_FUTURE_S) {
            let now = Timestamp(1_800_000_000_000_000);
            let order = |f| match f { Freshness::Future => 0, Freshness::Live => 1, Freshness::Late => 2 };
            let time = now.plus_seconds(offset_s);
            proptest::prop_assert!(order(freshness(time, now)) <= order(freshness(time, now.plus_seconds(wait_s))));
            proptest::prop_assert_eq!(freshness(time, now) == Freshness::Late, time < late_before(now));
        }
    }
}
