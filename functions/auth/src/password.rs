//! Passwords: bcrypt (Provos, Mazières 1999), cost 12 unless set otherwise.

use base64::{Engine, prelude::BASE64_STANDARD};
use pm_api::input::FieldFault;
use pm_domain::{
    password::{self, Owner},
    settings::{Key, Values},
};
use pm_web::{Refusal, variable};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// bcrypt takes no more bytes. A longer password is hashed by SHA-256 first.
const MAX_BCRYPT_BYTES: usize = 72;

/// The cost for new hashes.
async fn cost() -> Result<u32, Refusal> {
    let cost = variable("bcrypt_cost").await?;
    let valid = cost.parse().ok().filter(|c| (4..=31).contains(c));
    valid.ok_or_else(|| Refusal::Internal(format!("variable bcrypt_cost is {cost:?}, not 4 to 31")))
}

/// What bcrypt gets.
fn for_bcrypt(password: &str) -> Cow<'_, str> {
    if password.len() > MAX_BCRYPT_BYTES {
        BASE64_STANDARD.encode(Sha256::digest(password.as_bytes())).into()
    } else {
        password.into()
    }
}

pub(crate) async fn hash(password: &str) -> Result<String, Refusal> {
    bcrypt::hash(&*for_bcrypt(password), cost().await?).map_err(|e| Refusal::Internal(format!("bcrypt: {e}")))
}

/// Is it the password? Without a hash (no such account) it takes as long and is not.
pub(crate) async fn verify(password: &str, hash: Option<&str>) -> Result<bool, Refusal> {
    match hash {
        Some(hash) => bcrypt::verify(&*for_bcrypt(password), hash)
            .map_err(|e| Refusal::Internal(format!("bcrypt: {e}"))),
        None => {
            self::hash(password).await?;
            Ok(false)
        }
    }
}

/// Why a new password in this field of the body is refused; the fault does not repeat it. Needs the setting
/// `password.min_length`.
pub(crate) fn fault(
    field: &'static str,
    password: &str,
    owner: Owner<'_>,
    settings: &Values,
) -> Option<FieldFault> {
    let refused = password::check(password, settings.integer(Key::PasswordMinLength), owner).err()?;
    Some(FieldFault { field, refused, input: Value::Null })
}

/// The same as a refusal of the request.
pub(crate) fn check(
    field: &'static str,
    password: &str,
    owner: Owner<'_>,
    settings: &Values,
) -> Result<(), Refusal> {
    fault(field, password, owner, settings).map_or(Ok(()), |fault| Err(Refusal::in_body(vec![fault])))
}
