//! Passwords: bcrypt (Provos, Mazières 1999), cost 12 unless set otherwise.

use pm_domain::settings::{Key, Values};
use pm_web::{Fields, Refusal, variable};

/// bcrypt takes no more than 72 bytes.
const LONGEST_BYTES: usize = 72;

/// The cost for new hashes.
async fn cost() -> Result<u32, Refusal> {
    let cost = variable("bcrypt_cost").await?;
    let valid = cost.parse().ok().filter(|c| (4..=31).contains(c));
    valid.ok_or_else(|| Refusal::Internal(format!("variable bcrypt_cost is {cost:?}, not 4 to 31")))
}

pub(crate) async fn hash(password: &str) -> Result<String, Refusal> {
    bcrypt::hash(password, cost().await?).map_err(|e| Refusal::Internal(format!("bcrypt: {e}")))
}

/// Is it the password? Without a hash (no such account) it takes as long and is not.
pub(crate) async fn verify(password: &str, hash: Option<&str>) -> Result<bool, Refusal> {
    if password.len() > LONGEST_BYTES {
        return Ok(false);
    }
    match hash {
        Some(hash) => bcrypt::verify(password, hash).map_err(|e| Refusal::Internal(format!("bcrypt: {e}"))),
        None => {
            self::hash(password).await?;
            Ok(false)
        }
    }
}

/// A new password from a body; too short or too long is refused by name. Needs the setting `password.min_length`.
pub(crate) fn required(fields: &mut Fields, name: &str, settings: &Values) -> String {
    let password = fields.required_secret(name, 1000);
    if !password.is_empty() {
        check(fields, name, &password, settings);
    }
    password
}

/// Like [`required`], where it may be absent.
pub(crate) fn optional(fields: &mut Fields, name: &str, settings: &Values) -> Option<String> {
    let password = fields.secret(name, 1000).flatten()?;
    check(fields, name, &password, settings);
    Some(password)
}

fn check(fields: &mut Fields, name: &str, password: &str, settings: &Values) {
    let shortest = settings.integer(Key::PasswordMinLength);
    let too_short = usize::try_from(shortest).is_ok_and(|shortest| password.chars().count() < shortest);
    if too_short || password.trim().is_empty() {
        let why = format!("Password should have at least {shortest} characters");
        fields.refuse_secret("string_too_short", name, why);
    } else if password.len() > LONGEST_BYTES {
        let why = format!("Password should have at most {LONGEST_BYTES} bytes");
        fields.refuse_secret("string_too_long", name, why);
    }
}
