//! How often something may fail: failures under a key (an account or an address) are counted in a window, and too many of
//! them block the key for a time.

use crate::duration::MINUTE_S;
use pm_api::Timestamp;

/// Length of the window in which failures are counted, seconds.
const WINDOW_S: i64 = 15 * MINUTE_S;
/// Registrations from one address in the window before it is blocked.
pub const MAX_REGISTRATIONS_PER_ADDRESS: i32 = 20;
/// Password resets from one address in the window before it is blocked.
pub const MAX_RESETS_PER_ADDRESS: i32 = 20;
/// Mails for one account with a link to reset its password, in the window; more are not sent.
pub const MAX_RESET_MAILS_PER_ACCOUNT: i32 = 3;
/// Shortest block, seconds.
const MIN_BLOCK_S: i64 = 30;
/// Longest block, seconds.
const MAX_BLOCK_S: i64 = 15 * MINUTE_S;

/// The failures under one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failures {
    /// How many there are in the window.
    pub count: i32,
    /// When the window began: with its first failure.
    pub window_started_at: Timestamp,
    /// Until when the key is blocked.
    pub blocked_until: Option<Timestamp>,
}

impl Failures {
    /// After one more failure, of which `allowed` in a window do not block.
    #[must_use]
    pub fn with_one_more(known: Option<Self>, allowed: i32, now: Timestamp) -> Self {
        let running = known.filter(|known| known.window_started_at >= now.plus_seconds(-WINDOW_S));
        let count = running.map_or(1, |running| running.count.saturating_add(1));
        Self {
            count,
            window_started_at: running.map_or(now, |running| running.window_started_at),
            blocked_until: block_s(count, allowed)
                .map(|seconds| now.plus_seconds(seconds))
                .max(known.and_then(|known| known.blocked_until)),
        }
    }

    /// For how long the key is still blocked, whole seconds; 0 if it is not.
    #[must_use]
    pub fn blocked_s(&self, now: Timestamp) -> i64 {
        let left_us = self.blocked_until.map_or(0, |until| until.0.saturating_sub(now.0)).max(0);
        left_us.div_euclid(Timestamp::SECOND) + i64::from(left_us % Timestamp::SECOND > 0)
    }
}

/// Seconds to block after the given number of failures: none below `allowed`, then doubling from 30 s to 15 min.
fn block_s(failures: i32, allowed: i32) -> Option<i64> {
    let over = failures.checked_sub(allowed)?;
    (over >= 0).then(|| MAX_BLOCK_S.min(MIN_BLOCK_S << over.min(5)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_block_doubles_with_every_failure_up_to_a_quarter_of_an_hour() {
        let blocks: Vec<_> = [0, 9, 10, 11, 12, 14, 15, 1000].map(|n| block_s(n, 10)).into();
        assert_eq!(blocks, [None, None, Some(30), Some(60), Some(120), Some(480), Some(900), Some(900)]);
    }

    #[test]
    fn a_window_lasts_a_quarter_of_an_hour_from_its_first_failure() {
        let at = |seconds: i64| Timestamp(0).plus_seconds(seconds);
        let first = Failures::with_one_more(None, 10, at(0));
        assert_eq!(first, Failures { count: 1, window_started_at: at(0), blocked_until: None });
        let last = Failures::with_one_more(Some(first), 10, at(WINDOW_S));
        assert_eq!((last.count, last.window_started_at), (2, at(0)));
        let next = Failures::with_one_more(Some(last), 10, at(WINDOW_S + 1));
        assert_eq!((next.count, next.window_started_at), (1, at(WINDOW_S + 1)));
    }

    #[test]
    fn the_rest_of_a_block_is_given_in_whole_seconds() {
        let blocked = |until: i64| Failures {
            count: 1,
            window_started_at: Timestamp(0),
            blocked_until: Some(Timestamp(until)),
        };
        for (until, seconds) in [(0, 0), (1, 1), (1_000_000, 1), (1_000_001, 2), (-5, 0)] {
            assert_eq!(blocked(until).blocked_s(Timestamp(0)), seconds, "{until}");
        }
    }

    proptest! {
        #[test]
        fn failures_count_within_the_window_only_and_block_from_the_allowed_number_on(
            waits_s in prop::collection::vec(0_i64..2 * WINDOW_S, 1..60),
            allowed in 1_i32..20,
        ) {
            let mut now = Timestamp(0);
            let mut times = Vec::new();
            let mut known = None;
            for wait_s in waits_s {
                now = now.plus_seconds(wait_s);
                times.push(now);
                let failures = Failures::with_one_more(known, allowed, now);
                let started = failures.window_started_at;
                let in_window = times.iter().filter(|at| **at >= started).count();
                prop_assert!(started >= now.plus_seconds(-WINDOW_S) && started <= now);
                // several failures may have the same time as the first of a window
                prop_assert!(usize::try_from(failures.count)? <= in_window);
                let blocked_before = known.and_then(|known: Failures| known.blocked_until);
                prop_assert!(failures.blocked_until >= blocked_before, "a failure made a block shorter");
                if failures.count >= allowed {
                    prop_assert!((MIN_BLOCK_S..=MAX_BLOCK_S).contains(&failures.blocked_s(now)));
                } else {
                    prop_assert_eq!(failures.blocked_until, blocked_before);
                }
                known = Some(failures);
            }
        }
    }
}
