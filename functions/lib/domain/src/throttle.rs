//! How often something may be tried. Attempts or failures under a key are counted in a window. Too many registrations or
//! password resets block their key for a time.
//!
//! Logins are counted before the password is looked at: for an account as tried from one address, or from one browser that
//! has signed in to it before, and for an address as a whole. So one person cannot shut another one out of an account, and
//! an address that many people share is not closed. Too many attempts are slowed down: the next one waits for its turn.
//! Only an attempt whose turn is further away than [`MAX_WAIT_MS`] is refused.

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
/// Longest time that an attempt waits for its turn, milliseconds. Old clients give up a login after 3 s.
pub const MAX_WAIT_MS: i64 = 2000;

/// How far apart attempts are once there were too many, milliseconds: after the first one too many, after the second, …;
/// the last figure holds for all further ones.
pub type Spacing = &'static [i64];

/// Attempts to sign in to one account from one address, or by one browser. They end at four in a minute.
pub const ACCOUNT_SPACING: Spacing = &[500, 1000, 2000, 4000, 8000, 15_000];
/// Attempts to sign in from one address to any account. Two in a second leave a processor time for others.
pub const ADDRESS_SPACING: Spacing = &[500];

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

    /// Before an attempt is made, of which `allowed` in a window follow each other at once: the attempts with this one, and
    /// the time that it waits for its turn, milliseconds.
    ///
    /// # Errors
    /// Seconds after which to try again, if its turn is too far away. It does not count then.
    pub fn attempt(
        known: Option<Self>,
        allowed: i32,
        spacing: Spacing,
        now: Timestamp,
    ) -> Result<(Self, u64), i64> {
        let turn = known.and_then(|known| known.blocked_until).map_or(now, |turn| turn.max(now));
        let wait_ms = (turn.0 - now.0).div_euclid(Timestamp::SECOND / 1000);
        if wait_ms > MAX_WAIT_MS {
            return Err((wait_ms - MAX_WAIT_MS).div_euclid(1000) + 1);
        }
        let counted = Self::with_one_more(known, i32::MAX, now);
        let spacing_us = spacing_ms(counted.count, allowed, spacing) * (Timestamp::SECOND / 1000);
        let next = Timestamp(turn.0 + spacing_us);
        Ok((Self { blocked_until: Some(next), ..counted }, wait_ms.unsigned_abs()))
    }

    /// Without one attempt, which succeeded.
    #[must_use]
    pub fn with_one_less(self) -> Self {
        Self { count: (self.count - 1).max(0), ..self }
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

/// The time after an attempt until the next one has its turn, milliseconds: none below `allowed` attempts.
fn spacing_ms(attempts: i32, allowed: i32, spacing: Spacing) -> i64 {
    let over = usize::try_from(i64::from(attempts) - i64::from(allowed)).ok();
    over.and_then(|over| spacing.get(over).or(spacing.last())).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn attempts_are_slowed_down_step_by_step() {
        let steps = [1, 9, 10, 11, 13, 15, 1000, i32::MAX].map(|n| spacing_ms(n, 10, ACCOUNT_SPACING));
        assert_eq!(steps, [0, 0, 500, 1000, 4000, 15_000, 15_000, 15_000]);
        assert_eq!(spacing_ms(i32::MIN, i32::MAX, ADDRESS_SPACING), 0);
        let turn_in = |ms: i64| Failures {
            count: 20,
            window_started_at: Timestamp(0),
            blocked_until: Some(Timestamp(ms * 1000)),
        };
        let waits = [-5, 0, 1999, 2000, 2001, 3000, 15_000].map(|ms| {
            Failures::attempt(Some(turn_in(ms)), 10, ACCOUNT_SPACING, Timestamp(0))
                .map(|(_, wait_ms)| wait_ms)
        });
        assert_eq!(waits, [Ok(0), Ok(0), Ok(1999), Ok(2000), Err(1), Err(2), Err(14)]);
        assert_eq!(turn_in(0).with_one_less().count, 19);
    }

    /// The turns of those attempts at these times (milliseconds) that are let through.
    fn let_through(times_ms: &[i64], allowed: i32) -> Vec<i64> {
        let (mut known, mut through) = (None, Vec::new());
        for at_ms in times_ms {
            if let Ok((failures, wait_ms)) =
                Failures::attempt(known, allowed, ACCOUNT_SPACING, Timestamp(at_ms * 1000))
            {
                known = Some(failures);
                through.push(at_ms + wait_ms as i64);
            }
        }
        through
    }

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
        fn many_attempts_are_few_guesses_and_a_patient_user_gets_in(
            mut times_ms in prop::collection::vec(0_i64..WINDOW_S * 1000, 1..2000),
            allowed in 3_i32..20,
        ) {
            times_ms.sort_unstable();
            let through = let_through(&times_ms, allowed);
            let most = i64::from(allowed) + ACCOUNT_SPACING.len() as i64 + WINDOW_S / 15;
            prop_assert!(through.len() as i64 <= most, "{} of {}", through.len(), times_ms.len());
            prop_assert!(through.is_sorted());
            let last = through.last().copied().unwrap_or_default().max(times_ms[times_ms.len() - 1]);
            times_ms.push(last + 15_000);
            prop_assert!(let_through(&times_ms, allowed).len() > through.len());
        }

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
