//! Passwords: bcrypt (Provos, Mazières 1999), cost 12 unless set otherwise.

use pm_web::{Fields, Refusal, variable};

/// Fewest characters of a new password.
const SHORTEST: usize = 8;
/// bcrypt takes no more than 72 bytes.
const LONGEST_BYTES: usize = 72;

/// The cost for new hashes.
pub(crate) async fn cost() -> Result<u32, Refusal> {
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

/// A new password from a body; too short or too long is refused by name.
pub(crate) fn new(fields: &mut Fields, name: &str) -> String {
    let password = fields.required_text(name, 1000);
    if !password.is_empty() && password.chars().count() < SHORTEST {
        fields.refuse_secret(
            "string_too_short",
            name,
            format!("Password should have at least {SHORTEST} characters"),
        );
    } else if password.len() > LONGEST_BYTES {
        fields.refuse_secret(
            "string_too_long",
            name,
            format!("Password should have at most {LONGEST_BYTES} bytes"),
        );
    }
    password
}
