//! Signatures of identity providers: ID tokens are JWTs (RFC 7519) that are signed with RS256 or ES256 by a key of the
//! provider's published set (JWK Set, RFC 7517). What a good signature says is `pm_domain::identity_provider`'s to judge.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jwt_compact::{
    Algorithm, AlgorithmExt, Empty, UntrustedToken,
    alg::{Rsa, StrongAlg, StrongKey},
    jwk::JsonWebKey,
};
use p256::ecdsa::{Signature, VerifyingKey, signature::Verifier};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

/// Most keys that are tried for a token which does not name its key.
const MAX_KEYS_TRIED: usize = 8;

/// First byte of a point of which both coordinates follow (SEC 1, section 2.3.3).
const UNCOMPRESSED_POINT: u8 = 4;

/// Why the signature of an ID token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenError {
    /// The token or the set of keys cannot be read.
    #[error("the ID token or the provider's keys cannot be read")]
    Malformed,
    /// It is signed in a way that is not accepted, or not at all.
    #[error("the ID token is not signed with RS256 or ES256")]
    Algorithm,
    /// The set lacks its key.
    #[error("the ID token is signed with a key that the provider does not publish")]
    UnknownKey,
    /// The signature is not of the key.
    #[error("the signature of the ID token is wrong")]
    Signature,
}

/// The claims of an ID token that is signed by a key of the provider's set. Nothing else of it is checked.
///
/// # Errors
/// Why it is not accepted.
pub fn verify<T: DeserializeOwned>(token: &str, keys: &str) -> Result<T, IdTokenError> {
    let untrusted = UntrustedToken::new(token).map_err(|_| IdTokenError::Malformed)?;
    let kind = match untrusted.algorithm() {
        "RS256" => "RSA",
        "ES256" => "EC",
        _ => return Err(IdTokenError::Algorithm),
    };
    let named = untrusted.header().key_id.as_deref();
    let keys = candidates(keys, kind, named)?;
    if keys.is_empty() {
        return Err(IdTokenError::UnknownKey);
    }
    let signed = token.rsplit_once('.').map_or("", |(signed, _)| signed);
    if !keys.iter().any(|key| is_signed_with(&untrusted, signed, key)) {
        return Err(IdTokenError::Signature);
    }
    let payload = token.split('.').nth(1).unwrap_or_default();
    let claims = BASE64_URL_SAFE_NO_PAD.decode(payload).map_err(|_| IdTokenError::Malformed)?;
    serde_json::from_slice(&claims).map_err(|_| IdTokenError::Malformed)
}

/// The keys of the set with which the token may be signed. Keys of kinds that are not known here are left out.
fn candidates(keys: &str, kind: &str, named: Option<&str>) -> Result<Vec<JsonWebKey<'static>>, IdTokenError> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Value>,
    }
    let set: Set = serde_json::from_str(keys).map_err(|_| IdTokenError::Malformed)?;
    let fits = |key: &Value| {
        key["kty"] == kind
            && key.get("use").is_none_or(|usage| usage == "sig")
            && named.is_none_or(|named| key["kid"] == named)
    };
    let read = |key| serde_json::from_value::<JsonWebKey<'static>>(key).ok();
    Ok(set.keys.into_iter().filter(fits).filter_map(read).take(MAX_KEYS_TRIED).collect())
}

fn is_signed_with(token: &UntrustedToken<'_>, signed: &str, key: &JsonWebKey<'_>) -> bool {
    match key {
        // a key of less than 2048 bits is none
        JsonWebKey::Rsa { .. } => <Rsa as Algorithm>::VerifyingKey::try_from(key)
            .ok()
            .and_then(|key| StrongKey::try_from(key).ok())
            .is_some_and(|key| StrongAlg(Rsa::rs256()).validator::<Empty>(&key).validate(token).is_ok()),
        JsonWebKey::EllipticCurve { curve, x, y, .. } if curve == "P-256" => {
            let point = [&[UNCOMPRESSED_POINT], &**x, &**y].concat();
            let key = VerifyingKey::from_sec1_bytes(&point);
            let signature = Signature::from_slice(token.signature_bytes());
            key.is_ok_and(|key| {
                signature.is_ok_and(|signature| key.verify(signed.as_bytes(), &signature).is_ok())
            })
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
