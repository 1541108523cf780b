//! What may fail or be attempted only a limited number of times: logins, password checks, registrations, password resets.

use pm_domain::{
    settings::{Key, Values},
    throttle::{Failures, MAX_REGISTRATIONS_PER_ADDRESS, MAX_RESETS_PER_ADDRESS},
};
use pm_store::{Db, session::account_key, throttle};
use pm_web::{Call, Refusal, now};

/// How often the failures of a key are read before the caller is refused: others count under the same key at the same time.
const MAX_ATTEMPTS: u32 = 20;

/// Settings that [`AttemptLimits::of_login`] needs.
pub(crate) const LOGIN_SETTINGS: [Key; 2] = [Key::LoginAccountFailures, Key::LoginAddressFailures];

/// Keys under which failed attempts are counted, each with the number that is allowed within a window.
pub(crate) struct AttemptLimits(Vec<(String, i32)>);

impl AttemptLimits {
    /// Failed passwords of an account, and from the caller's address.
    pub(crate) fn of_login(call: &Call, email: &str, settings: &Values) -> Self {
        let allowed = |key| i32::try_from(settings.integer(key)).unwrap_or(i32::MAX);
        Self(vec![
            (account_key(email), allowed(Key::LoginAccountFailures)),
            (by_address(call, "address"), allowed(Key::LoginAddressFailures)),
        ])
    }

    /// Registrations from the caller's address.
    pub(crate) fn of_registration(call: &Call) -> Self {
        Self(vec![(by_address(call, "register"), MAX_REGISTRATIONS_PER_ADDRESS)])
    }

    /// Password resets, asked for or confirmed, from the caller's address.
    pub(crate) fn of_reset(call: &Call) -> Self {
        Self(vec![(by_address(call, "reset"), MAX_RESETS_PER_ADDRESS)])
    }

    /// Refuses if any of them has to wait.
    pub(crate) async fn check(&self, db: &Db) -> Result<(), Refusal> {
        let keys: Vec<_> = self.0.iter().map(|(key, _)| key.as_str()).collect();
        let now = now();
        let blocked_s = throttle::read(db, &keys).await?.iter().map(|failures| failures.blocked_s(now)).max();
        match blocked_s {
            Some(seconds) if seconds > 0 => Err(Refusal::TooManyRequests(seconds)),
            _ => Ok(()),
        }
    }

    /// Counts an attempt.
    pub(crate) async fn count(&self, db: &Db) -> Result<(), Refusal> {
        for (key, allowed) in &self.0 {
            count(db, key, *allowed).await?;
        }
        Ok(())
    }
}

/// Counts an attempt under a key, of which `allowed` in a window do not block it.
pub(crate) async fn count(db: &Db, key: &str, allowed: i32) -> Result<Failures, Refusal> {
    for _ in 0..MAX_ATTEMPTS {
        let known = throttle::read(db, &[key]).await?.pop();
        let failures = Failures::with_one_more(known, allowed, now());
        if throttle::write(db, key, known, failures).await? {
            return Ok(failures);
        }
    }
    Err(Refusal::TooManyRequests(1))
}

fn by_address(call: &Call, what: &str) -> String {
    format!("{what}:{}", call.client_address().unwrap_or_default())
}
