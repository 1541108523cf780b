//! A reading's time against the server's clock.
//!
//! | time of the reading | it is |
//! |---|---|
//! | before 2001 | refused: the sender's clock is not set |
//! | more than five minutes ago | late: stored as history |
//! | up to ten seconds ahead | live; what is known of its sensor advances to the server's now only |
//! | up to ten minutes ahead | stored with quality `clock` |
//! | further ahead | refused: the sender's clock or its time zone is wrong |

use crate::duration::DAY_S;
use pm_api::{
    Timestamp,
    ingest::{LATE_AFTER_S, MAX_FUTURE_S},
};

/// How a reading's time stands to the present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Of now: evaluated, scored, may raise alarms.
    Live,
    /// Of the past: stored, raises no live alarm.
    Late,
    /// Further ahead than clocks may differ: stored, and marked.
    Ahead,
    /// Not stored.
    Refused(ClockFault),
}

/// What a time says about the clock that it is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockFault {
    /// It counts from its start or from an epoch.
    NotSet,
    /// It is ahead by more than can be stored.
    FarAhead,
}

impl ClockFault {
    /// For people.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::NotSet => "timestamp: before 2001, so the clock of the sender is not set",
            Self::FarAhead => {
                "timestamp: more than ten minutes in the future: the clock of the sender is ahead, or it sends local time \
                 without a time zone"
            }
        }
    }
}

/// Told once per sender whose readings are [`Freshness::Ahead`].
pub const AHEAD_REASON: &str = "timestamp: more than ten seconds in the future, so the clock of the sender is ahead; the \
     reading is stored with the quality «clock» and is not evaluated";

/// How far the clocks of senders may be ahead of the server's, seconds.
pub const CLOCK_ALLOWANCE_S: i64 = 10;

/// How far back the scorer reads for a sensor that it has not scored yet, seconds.
pub const FIRST_WINDOW_S: i64 = DAY_S;
/// How far back the cycles of a machine with a network are read, seconds.
pub const CYCLES_S: i64 = 365 * DAY_S;

/// Clocks that are not set count from 1970 or 1980, from their start, or from the first second of 2000: 2001-01-01.
pub const EARLIEST: Timestamp = Timestamp(978_307_200 * Timestamp::SECOND);

/// Readings before this are late.
#[must_use]
pub fn late_before(now: Timestamp) -> Timestamp {
    now.plus_seconds(-LATE_AFTER_S)
}

/// Sorts a reading's time.
#[must_use]
pub fn freshness(time: Timestamp, now: Timestamp) -> Freshness {
    if time < EARLIEST {
        Freshness::Refused(ClockFault::NotSet)
    } else if time > now.plus_seconds(MAX_FUTURE_S) {
        Freshness::Refused(ClockFault::FarAhead)
    } else if time > now.plus_seconds(CLOCK_ALLOWANCE_S) {
        Freshness::Ahead
    } else if time < late_before(now) {
        Freshness::Late
    } else {
        Freshness::Live
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

    #[test]
    fn edges() {
        for (offset_s, expected) in [
            (0, Freshness::Live),
            (CLOCK_ALLOWANCE_S, Freshness::Live),
            (CLOCK_ALLOWANCE_S + 1, Freshness::Ahead),
            (MAX_FUTURE_S, Freshness::Ahead),
            (MAX_FUTURE_S + 1, Freshness::Refused(ClockFault::FarAhead)),
            (-LATE_AFTER_S, Freshness::Live),
            (-LATE_AFTER_S - 1, Freshness::Late),
            (i64::MIN / Timestamp::SECOND, Freshness::Refused(ClockFault::NotSet)),
        ] {
            assert_eq!(freshness(NOW.plus_seconds(offset_s), NOW), expected, "{offset_s}");
        }
    }

    #[test]
    fn clocks_that_were_never_set_are_recognised() {
        for unset in [
            "1970-01-01T00:00:00Z",
            // seconds since its start, read as a time
            "1970-01-12T13:46:40Z",
            "1980-01-06T00:00:17Z",
            "2000-01-01T00:03:12Z",
        ] {
            let time = unset.parse().unwrap_or_default();
            assert_eq!(freshness(time, NOW), Freshness::Refused(ClockFault::NotSet), "{unset}");
        }
        for fault in [ClockFault::NotSet, ClockFault::FarAhead] {
            assert!(fault.reason().starts_with("timestamp: ") && fault.reason().contains("clock"));
        }
    }

    proptest::proptest! {
        #[test]
        fn a_reading_only_gets_later(offset_s in -2 * MAX_FUTURE_S..2 * MAX_FUTURE_S, wait_s in 0_i64..4 * MAX_FUTURE_S) {
            let order = |f| match f {
                Freshness::Refused(_) => 0,
                Freshness::Ahead => 1,
                Freshness::Live => 2,
                Freshness::Late => 3,
            };
            let time = NOW.plus_seconds(offset_s);
            proptest::prop_assert!(order(freshness(time, NOW)) <= order(freshness(time, NOW.plus_seconds(wait_s))));
            proptest::prop_assert_eq!(freshness(time, NOW) == Freshness::Late, time < late_before(NOW));
        }
    }
}
