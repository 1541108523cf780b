//! What may be tried only so often: logins, password checks, registrations, password resets.

use pm_domain::{
    settings::{Key, Values},
    throttle::{ADDRESS_RESETS, MAX_REGISTRATIONS_PER_ADDRESS, WINDOW_S, block_s},
};
use pm_store::{Db, session::account_key, throttle};
use pm_web::{Call, Refusal};

/// Settings that [`Tries::of_login`] needs.
pub(crate) const LOGIN_SETTINGS: [Key; 2] = [Key::LoginAccountFailures, Key::LoginAddressFailures];

/// Tries under some keys, each with the number that is allowed within a window.
pub(crate) struct Tries(Vec<(String, i32)>);

impl Tries {
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
        Self(vec![(by_address(call, "reset"), ADDRESS_RESETS)])
    }

    /// Refuses if any of them has to wait.
    pub(crate) async fn check(&self, db: &Db) -> Result<(), Refusal> {
        let keys: Vec<_> = self.0.iter().map(|(key, _)| key.clone()).collect();
        match throttle::blocked_s(db, &keys).await? {
            0 => Ok(()),
            seconds => Err(Refusal::TooManyRequests(seconds)),
        }
    }

    /// Counts a try.
    pub(crate) async fn count(&self, db: &Db) -> Result<(), Refusal> {
        for (key, allowed) in &self.0 {
            let failures = throttle::failed(db, key, WINDOW_S).await?;
            if let Some(seconds) = block_s(failures, *allowed) {
                throttle::block(db, key, seconds).await?;
            }
        }
        Ok(())
    }
}

fn by_address(call: &Call, what: &str) -> String {
    format!("{what}:{}", call.client_address().unwrap_or_default())
}
