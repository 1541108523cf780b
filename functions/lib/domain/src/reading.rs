//! What a reading may do: be evaluated, only be stored, or not even that.

use crate::freshness::{AHEAD_REASON, Freshness, freshness};
use pm_api::{Quality, Timestamp};

/// Reason for the dead letter of a value that differs from the stored one of the same sensor and time.
pub const CONFLICT_REASON: &str =
    "value: another value at this time is stored for the sensor; this one is not stored";

/// What came with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// When it was measured.
    pub time: Timestamp,
    /// Its quality, as the sender says.
    pub quality: Quality,
    /// Did the sender mark it as historical?
    pub historical: bool,
    /// Is `time` the time of receipt?
    pub dated_on_receipt: bool,
}

/// What becomes of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It is not stored, for this reason.
    Refused(&'static str),
    /// It is stored.
    Stored {
        /// Its quality. Only good ones are evaluated, scored and summed up.
        quality: Quality,
        /// It is history: stored and summed up, and it starts and ends no alarm.
        history: bool,
        /// What the sender has to be told of.
        notice: Option<&'static str>,
    },
}

/// Decides on a value. `newest` is the time of the newest reading of its sensor that was evaluated.
///
/// History is what is late, marked by the sender as historical, or not newer than what was evaluated. A time of receipt is
/// by the bridge's clock, so it says nothing about the sender's.
#[must_use]
pub fn admit(claim: Claim, newest: Option<Timestamp>, now: Timestamp) -> Admission {
    let freshness = match freshness(claim.time, now) {
        Freshness::Refused(fault) => return Admission::Refused(fault.reason()),
        Freshness::Ahead if claim.dated_on_receipt => Freshness::Live,
        freshness => freshness,
    };
    let ahead = freshness == Freshness::Ahead;
    let quality = if claim.quality == Quality::Good && ahead { Quality::Clock } else { claim.quality };
    let history =
        freshness == Freshness::Late || claim.historical || newest.is_some_and(|newest| claim.time <= newest);
    Admission::Stored { quality, history, notice: ahead.then_some(AHEAD_REASON) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pm_api::ingest::{LATE_AFTER_S, MAX_FUTURE_S};
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

    fn claim(offset_s: i64) -> Claim {
        Claim {
            time: NOW.plus_seconds(offset_s),
            quality: Quality::Good,
            historical: false,
            dated_on_receipt: false,
        }
    }

    fn stored(claim: Claim, newest_s: Option<i64>) -> Option<(Quality, bool)> {
        match admit(claim, newest_s.map(|s| NOW.plus_seconds(s)), NOW) {
            Admission::Stored { quality, history, .. } => Some((quality, history)),
            Admission::Refused(_) => None,
        }
    }

    #[test]
    fn what_is_old_is_history() {
        for (claim, newest_s, history) in [
            (claim(0), None, false),
            (claim(0), Some(-1), false),
            (claim(0), Some(0), true),
            (claim(-30), Some(-1), true),
            (claim(-30), Some(-31), false),
            (claim(-LATE_AFTER_S - 1), None, true),
            (Claim { historical: true, ..claim(0) }, None, true),
        ] {
            assert_eq!(stored(claim, newest_s), Some((Quality::Good, history)), "{claim:?} {newest_s:?}");
        }
    }

    #[test]
    fn a_clock_that_is_ahead_is_marked_and_named() {
        assert_eq!(stored(claim(60), None), Some((Quality::Clock, false)));
        assert_eq!(stored(Claim { dated_on_receipt: true, ..claim(60) }, None), Some((Quality::Good, false)));
        assert_eq!(stored(Claim { quality: Quality::Bad, ..claim(60) }, None), Some((Quality::Bad, false)));
        assert!(
            matches!(admit(claim(60), None, NOW), Admission::Stored { notice: Some(r), .. } if r.contains("clock"))
        );
        assert!(matches!(admit(claim(700), None, NOW), Admission::Refused(r) if r.contains("clock")));
        assert_eq!(
            admit(claim(0), None, NOW),
            Admission::Stored { quality: Quality::Good, history: false, notice: None }
        );
    }

    proptest! {
        #[test]
        fn nothing_ahead_of_the_allowance_is_evaluated(offset_s in -2 * MAX_FUTURE_S..2 * MAX_FUTURE_S) {
            let evaluated = matches!(stored(claim(offset_s), None), Some((Quality::Good, false)));
            let allowed = -LATE_AFTER_S..=crate::freshness::CLOCK_ALLOWANCE_S;
            prop_assert_eq!(evaluated, allowed.contains(&offset_s));
        }
    }
}
