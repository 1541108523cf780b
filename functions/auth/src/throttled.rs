//! What may be attempted only a limited number of times: logins, password checks, registrations, password resets.

use pm_api::UserId;
use pm_domain::{
    settings::{Key, Values},
    throttle::{
        ACCOUNT_SPACING, ADDRESS_SPACING, Failures, MAX_REGISTRATIONS_PER_ADDRESS, MAX_RESETS_PER_ADDRESS,
        Spacing,
    },
};
use pm_store::{Db, audit, throttle};
use pm_web::{Call, Refusal, now};
use std::time::Duration;
use uuid::Uuid;

/// How often the failures of a key are read before the caller is refused: others count under the same key at the same time.
const MAX_ATTEMPTS: u32 = 40;

/// Settings that [`LoginAttempt`] needs.
pub(crate) const LOGIN_SETTINGS: [Key; 2] = [Key::LoginAccountFailures, Key::LoginAddressFailures];

/// An attempt to show that one knows a password. It is counted before the password is looked at.
pub(crate) struct LoginAttempt {
    /// The account, as tried from one address, or by a browser that has signed in to it before.
    account: (String, i32),
    /// The address; not for a browser that has signed in before.
    address: Option<(String, i32)>,
}

impl LoginAttempt {
    /// To sign in with this mail address; `device`: the browser, if it has signed in to the account before.
    pub(crate) fn new(call: &Call, email: &str, device: Option<Uuid>, settings: &Values) -> Self {
        let allowed = |key| i32::try_from(settings.integer(key)).unwrap_or(i32::MAX);
        let of_account = allowed(Key::LoginAccountFailures);
        match device {
            Some(device) => Self { account: (format!("device:{device}"), of_account), address: None },
            None => Self {
                account: (format!("{}:{email}", by_address(call, "login")), of_account),
                address: Some((by_address(call, "address"), allowed(Key::LoginAddressFailures))),
            },
        }
    }

    /// To complete a sign-in by an identity provider, from one address.
    pub(crate) fn by_provider(call: &Call, settings: &Values) -> Self {
        let allowed = i32::try_from(settings.integer(Key::LoginAddressFailures)).unwrap_or(i32::MAX);
        Self { account: (by_address(call, "provider"), allowed), address: None }
    }

    /// To confirm something with the password of one's own account.
    pub(crate) fn of_confirmation(user_id: UserId, settings: &Values) -> Self {
        let allowed = i32::try_from(settings.integer(Key::LoginAccountFailures)).unwrap_or(i32::MAX);
        Self { account: (format!("password:{user_id}"), allowed), address: None }
    }

    /// Counts the attempt and waits for its turn. The audit log gets an entry when attempts begin to be slowed down.
    pub(crate) async fn wait(&self, call: &Call, db: &Db, known: Option<UserId>) -> Result<(), Refusal> {
        // a flood is refused by reading one row; and what is refused for its account takes no turn of its address
        if let Some((address, allowed)) = &self.address {
            turn(db, address, *allowed, ADDRESS_SPACING).await?;
        }
        let keys = [(Some(&self.account), ACCOUNT_SPACING), (self.address.as_ref(), ADDRESS_SPACING)];
        let mut wait_ms = 0;
        for (key, spacing) in keys {
            let Some((key, allowed)) = key else { continue };
            let (counted, turn_in_ms) = take_turn(db, key, *allowed, spacing).await?;
            wait_ms = turn_in_ms.max(wait_ms);
            if counted.count == *allowed {
                let throttled = audit::Event {
                    action: "login_throttled",
                    resource_type: "user",
                    resource_id: known.map(|id| id.to_string()),
                    details: Some("Further attempts from there are slowed down".to_owned()),
                };
                audit::record_of(db, known, &call.origin(), throttled).await?;
            }
        }
        if wait_ms > 0 {
            spin_sdk::time::sleep(Duration::from_millis(wait_ms)).await;
        }
        Ok(())
    }

    /// The attempt succeeded: forgets those before it.
    pub(crate) async fn succeeded(&self, db: &Db) -> Result<(), Refusal> {
        throttle::forget(db, &self.account.0).await?;
        let Some((address, _)) = &self.address else { return Ok(()) };
        for _ in 0..MAX_ATTEMPTS {
            let Some(known) = throttle::read(db, &[address]).await?.pop() else { break };
            if throttle::write(db, address, Some(known), known.with_one_less()).await? {
                break;
            }
        }
        Ok(())
    }
}

/// Counts an attempt under a key; gives the time until its turn, milliseconds.
async fn take_turn(db: &Db, key: &str, allowed: i32, spacing: Spacing) -> Result<(Failures, u64), Refusal> {
    for _ in 0..MAX_ATTEMPTS {
        let (known, counted, turn_in_ms) = turn(db, key, allowed, spacing).await?;
        if throttle::write(db, key, known, counted).await? {
            return Ok((counted, turn_in_ms));
        }
    }
    Err(Refusal::TooManyRequests(1))
}

/// The attempts under a key, the same with one more, and the time until the turn of that one, milliseconds. Nothing is
/// written.
async fn turn(
    db: &Db,
    key: &str,
    allowed: i32,
    spacing: Spacing,
) -> Result<(Option<Failures>, Failures, u64), Refusal> {
    let known = throttle::read(db, &[key]).await?.pop();
    let attempt = Failures::attempt(known, allowed, spacing, now());
    let (counted, turn_in_ms) = attempt.map_err(Refusal::TooManyRequests)?;
    Ok((known, counted, turn_in_ms))
}

/// Keys under which failed attempts are counted, each with the number that is allowed within a window.
pub(crate) struct AttemptLimits(Vec<(String, i32)>);

impl AttemptLimits {
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
