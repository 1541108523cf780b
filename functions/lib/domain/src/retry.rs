//! When to try again what failed outside: deliveries to webhooks and mails.
//!
//! Exponential back-off with full jitter (M. Brooker, «Exponential Backoff And Jitter», AWS Architecture Blog, 2015):
//! the pause before retry n is drawn evenly from zero to a cap that triples from 10 s to a day. Fourteen retries take
//! three days on average, which is what the Standard Webhooks guidelines recommend.

use pm_api::{Timestamp, webhook};

/// Retries after the first attempt before giving up.
pub const MAX_RETRIES: i32 = webhook::MAX_RETRIES as i32;
/// Cap of the first pause, seconds.
const FIRST_CAP_S: f64 = 10.0;
/// By how much the cap grows.
const PAUSE_GROWTH_FACTOR: f64 = 3.0;
/// Largest cap, seconds.
const MAX_PAUSE_S: f64 = 86_400.0;

/// Seconds to wait after the given number of failed attempts; `None`: give up. `retries` is how many retries the
/// receiver wants at most, `random` is drawn evenly from [0, 1).
#[must_use]
pub fn delay_s(failed_attempts: i32, retries: i32, random: f64) -> Option<f64> {
    (failed_attempts <= retries.min(MAX_RETRIES)).then(|| cap_s(failed_attempts) * random.clamp(0.0, 1.0))
}

/// How often a mail is tried, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowed {
    /// Attempts.
    pub attempts: i32,
    /// After this it is of no use any more.
    pub until: Timestamp,
}

/// When a mail whose attempt failed is tried again; `None`: it is given up, because the error is permanent, or its attempts
/// or its time are used up.
#[must_use]
pub fn next_mail_attempt(
    failed_attempts: i32,
    permanent: bool,
    allowed: Allowed,
    now: Timestamp,
    random: f64,
) -> Option<Timestamp> {
    if permanent || failed_attempts >= allowed.attempts {
        return None;
    }
    let delay_s = delay_s(failed_attempts, MAX_RETRIES, random)?;
    let next = Timestamp(now.0.saturating_add((delay_s * Timestamp::SECOND as f64) as i64));
    (next <= allowed.until).then_some(next)
}

/// The longest pause after so many failed attempts, seconds.
fn cap_s(failed_attempts: i32) -> f64 {
    MAX_PAUSE_S.min(FIRST_CAP_S * PAUSE_GROWTH_FACTOR.powi(failed_attempts.max(1) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn all_retries_take_three_days_on_average() {
        let mean_s: f64 = (1..=MAX_RETRIES).filter_map(|n| delay_s(n, MAX_RETRIES, 0.5)).sum();
        assert!((70.0..76.0).contains(&(mean_s / 3600.0)), "{} h", mean_s / 3600.0);
    }

    #[test]
    fn caps_triple_up_to_a_day() {
        let caps: Vec<_> = [1, 2, 3, 9, 10, 14].map(|n| delay_s(n, MAX_RETRIES, 1.0)).into();
        assert_eq!(caps, [10.0, 30.0, 90.0, 65_610.0, 86_400.0, 86_400.0].map(Some));
    }

    #[test]
    fn retries_end_after_the_schedule_or_the_wanted_number() {
        assert_eq!(delay_s(MAX_RETRIES + 1, MAX_RETRIES, 0.0), None);
        assert_eq!(delay_s(MAX_RETRIES + 1, 100, 0.0), None, "nobody gets more than the schedule has");
        assert_eq!((delay_s(3, 3, 0.0), delay_s(4, 3, 0.0), delay_s(1, 0, 0.0)), (Some(0.0), None, None));
    }

    proptest! {
        #[test]
        fn a_mail_is_tried_as_often_and_as_long_as_allowed(
            failed in 1..20_i32, attempts in 1..20_i32, left_s in -100_i64..500_000, permanent: bool, random in 0.0..1.0f64,
        ) {
            let now = Timestamp(1_800_000_000_000_000);
            let allowed = Allowed { attempts, until: now.plus_seconds(left_s) };
            match next_mail_attempt(failed, permanent, allowed, now, random) {
                Some(next) => {
                    prop_assert!(!permanent && failed < attempts && failed <= MAX_RETRIES);
                    prop_assert!(now <= next && next <= allowed.until);
                }
                None => prop_assert!(
                    permanent || failed >= attempts || failed > MAX_RETRIES || cap_s(failed) * random >= left_s as f64
                ),
            }
        }

        #[test]
        fn a_pause_is_between_zero_and_its_cap(n in 1..=MAX_RETRIES, random in 0.0..1.0f64) {
            let pause = delay_s(n, MAX_RETRIES, random).unwrap_or(-1.0);
            prop_assert!((0.0..=MAX_PAUSE_S).contains(&pause));
            prop_assert!(pause <= delay_s(n, MAX_RETRIES, 1.0).unwrap_or(0.0));
        }
    }
}
