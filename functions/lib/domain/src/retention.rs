//! For how long things are kept. What was measured is kept as the settings `retention.*` say, the rest as it stands here.

use crate::duration::{DAY_S, HOUR_S, MINUTE_S};
use pm_api::Timestamp;

/// The log of deliveries to webhooks, days.
pub const DELIVERIES_D: i64 = 30;
/// Mails that were sent or given up, days.
pub const MAILS_D: i64 = 30;
/// Events of the outbox that every consumer has read, days.
pub const EVENTS_D: i64 = 7;
/// Logins that have ended, days.
pub const SESSIONS_D: i64 = 7;
/// API keys that have ended, days.
pub const API_KEYS_D: i64 = 90;
/// Links to reset a password that have expired, days.
pub const PASSWORD_RESETS_D: i64 = 1;
/// Failed logins, days.
pub const LOGIN_FAILURES_D: i64 = 1;
/// The last report of a bridge that is gone, days.
pub const BRIDGE_REPORTS_D: i64 = 7;
/// Counts of requests of a client, minutes.
pub const REQUEST_COUNTS_MIN: i64 = 2;
/// Tokens that work once and were used, minutes: longer than any of them lives.
pub const SPENT_TOKENS_MIN: i64 = 15;
/// Idempotency keys, days.
pub const IDEMPOTENCY_KEYS_D: i64 = 1;
/// Imports of history, with the parts that were not stored, days.
pub const IMPORTS_D: i64 = 30;
/// Suppressed conditions are listed for so long, days.
pub const SUPPRESSED_CONDITIONS_D: i64 = 90;
/// Escalations of resolved cases, with the log of their notices, days.
pub const ESCALATIONS_D: i64 = 365;
/// A request with an idempotency key that has no answer after so long was given up, seconds.
pub const REPEATED_REQUEST_S: i64 = MINUTE_S;
/// Dead letters at most; the oldest go first.
pub const MAX_DEAD_LETTERS: i64 = 20_000;
/// A report that was begun and is not complete after so long is given up, seconds.
pub const UNFINISHED_REPORT_S: i64 = HOUR_S;
/// An object in the store that no attachment followed after so long is removed, seconds.
pub const UNATTACHED_OBJECT_S: i64 = HOUR_S;

/// What a deleted sensor left behind is removed once more after so long, seconds: a statement that was running when it was
/// deleted may have stored something since.
pub const DELETION_SETTLES_S: i64 = 5 * MINUTE_S;

/// Before which times things are removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cutoffs {
    /// Deliveries that were planned before.
    pub deliveries: Timestamp,
    /// Mails that were finished before.
    pub mails: Timestamp,
    /// Events that were written before.
    pub events: Timestamp,
    /// Logins that ended before.
    pub sessions: Timestamp,
    /// API keys that ended before.
    pub api_keys: Timestamp,
    /// Links that expired before.
    pub password_resets: Timestamp,
    /// Windows of failed logins that began before.
    pub login_failures: Timestamp,
    /// Reports of bridges before.
    pub bridge_reports: Timestamp,
    /// Requests counted before.
    pub request_counts: Timestamp,
    /// Tokens used before.
    pub spent_tokens: Timestamp,
    /// Idempotency keys that were given before.
    pub idempotency_keys: Timestamp,
    /// Imports that were begun before.
    pub imports: Timestamp,
    /// Suppressed conditions that were last seen before.
    pub suppressed_conditions: Timestamp,
    /// Escalations whose case was resolved before.
    pub escalations: Timestamp,
}

/// Before which times things are removed now.
#[must_use]
pub fn cutoffs(now: Timestamp) -> Cutoffs {
    let days = |days: i64| now.plus_seconds(-days * DAY_S);
    Cutoffs {
        deliveries: days(DELIVERIES_D),
        mails: days(MAILS_D),
        events: days(EVENTS_D),
        sessions: days(SESSIONS_D),
        api_keys: days(API_KEYS_D),
        password_resets: days(PASSWORD_RESETS_D),
        login_failures: days(LOGIN_FAILURES_D),
        bridge_reports: days(BRIDGE_REPORTS_D),
        request_counts: now.plus_seconds(-REQUEST_COUNTS_MIN * MINUTE_S),
        spent_tokens: now.plus_seconds(-SPENT_TOKENS_MIN * MINUTE_S),
        idempotency_keys: days(IDEMPOTENCY_KEYS_D),
        imports: days(IMPORTS_D),
        suppressed_conditions: days(SUPPRESSED_CONDITIONS_D),
        escalations: days(ESCALATIONS_D),
    }
}

/// Before which time measured data may be dropped. It goes by the newest data and not by the clock, so that a clock that
/// jumps ahead drops nothing. Readings stay until they are rolled up: `unrolled` is the oldest minute that is not.
#[must_use]
pub fn edge(newest: Timestamp, keep_days: i64, unrolled: Option<Timestamp>) -> Timestamp {
    let edge = newest.plus_seconds(-keep_days.saturating_mul(DAY_S));
    unrolled.map_or(edge, |minute| edge.min(minute))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_cutoff_lies_in_the_past() {
        let now = Timestamp(1_800_000_000_000_000);
        let c = cutoffs(now);
        for cutoff in [
            c.deliveries,
            c.mails,
            c.events,
            c.sessions,
            c.api_keys,
            c.password_resets,
            c.login_failures,
            c.bridge_reports,
            c.request_counts,
            c.spent_tokens,
            c.idempotency_keys,
        ] {
            assert!(cutoff < now);
        }
        assert_eq!(now.seconds_since(c.events), 7.0 * 86_400.0);
    }

    proptest! {
        #[test]
        fn what_is_younger_or_not_rolled_up_stays(
            newest_s in 0_i64..2_000_000_000, keep_days in 1_i64..40_000, unrolled_s in prop::option::of(0_i64..2_000_000_000),
        ) {
            let at = |s: i64| Timestamp(s * Timestamp::SECOND);
            let unrolled = unrolled_s.map(at);
            let edge = edge(at(newest_s), keep_days, unrolled);
            prop_assert!(at(newest_s).seconds_since(edge) >= (keep_days * DAY_S) as f64);
            prop_assert!(unrolled.is_none_or(|minute| edge <= minute));
            prop_assert!(edge == at(newest_s).plus_seconds(-keep_days * DAY_S) || Some(edge) == unrolled);
        }
    }
}
