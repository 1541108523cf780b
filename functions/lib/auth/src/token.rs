//! Access and refresh tokens: HS256 JWTs (RFC 7519). Claims as documented (`sub` is the mail address, `type` is
//! `access` or `refresh`), plus issuer, audience, the user's id and role, the session that they belong to (`family`), and
//! `jti` where a token works once.

use chrono::{DateTime, Duration, Utc};
use jwt_compact::{
    AlgorithmExt, Claims, Header, TimeOptions, UntrustedToken,
    alg::{Hs256, Hs256Key},
};
use pm_api::{Role, UserId};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use std::time::SystemTime;
use uuid::Uuid;

/// Life of a stream ticket, seconds.
pub const TICKET_S: u64 = 60;
/// Life of a token by which a browser is known to have signed in before, days.
pub const DEVICE_DAYS: u64 = 365;
/// Life of a token for a sign-in that was begun, minutes.
pub const SIGN_IN_MINUTES: u64 = 10;
/// Fewest bytes of a signing secret.
pub const MIN_SECRET_BYTES: usize = 32;

const ISSUER: &str = "predictive-maintenance";
const ACCESS_AUDIENCE: &str = "predictive-maintenance-api";
const REFRESH_AUDIENCE: &str = "predictive-maintenance-refresh";
const STREAM_AUDIENCE: &str = "predictive-maintenance-stream";
const DEVICE_AUDIENCE: &str = "predictive-maintenance-device";
const SIGN_IN_AUDIENCE: &str = "predictive-maintenance-sign-in";
const CLOCK_TOLERANCE: Duration = Duration::seconds(5);
const MAX_TOKEN_BYTES: usize = 4096;

/// Why a token was refused. The caller learns no more than that.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TokenError {
    /// Malformed, forged, expired, or of another kind.
    #[error("invalid token")]
    Invalid,
    /// The signing secret is shorter than [`MIN_SECRET_BYTES`].
    #[error("the signing secret must have at least 32 bytes")]
    WeakSecret,
}

/// What opened the way for a request. It is good as long as the database says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Credential {
    /// A session: a sign-in and what descends from it.
    Session(Uuid),
    /// An API key.
    ApiKey(Uuid),
}

/// A signed-in user, as an access token states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The user.
    pub user_id: UserId,
    /// What the token descends from.
    pub credential: Credential,
    /// Mail address.
    pub email: String,
    /// Role when the token was issued; in a request, the present one.
    pub role: Role,
    /// What custom roles permit besides, likewise.
    pub permissions: Vec<String>,
}

/// What a refresh token states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshClaims {
    /// The user.
    pub user_id: UserId,
    /// The login it descends from.
    pub family_id: Uuid,
    /// This token.
    pub token_id: Uuid,
}

/// A sign-in by an identity provider that was begun: what comes back with the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingSignIn {
    /// The provider's name.
    pub provider: String,
    /// This sign-in. It works once, and the provider's token repeats it.
    pub id: Uuid,
    /// What the browser that began it shows the counterpart of (RFC 7636).
    pub challenge: String,
}

/// The claims of every token of ours, with those of its kind.
#[derive(Serialize, Deserialize)]
struct Stated<K> {
    iss: String,
    aud: String,
    sub: String,
    #[serde(rename = "type")]
    kind: String,
    uid: UserId,
    #[serde(flatten)]
    of_kind: K,
}

#[derive(Serialize, Deserialize)]
struct Access {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    family: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    api_key: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jti: Option<Uuid>,
    role: Role,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    perms: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Device {
    jti: Uuid,
}

#[derive(Serialize, Deserialize)]
struct SignIn {
    jti: Uuid,
    challenge: String,
}

#[derive(Serialize, Deserialize)]
struct Refresh {
    jti: Uuid,
    family: Uuid,
}

fn times() -> TimeOptions<impl Fn() -> DateTime<Utc>> {
    TimeOptions::new(CLOCK_TOLERANCE, || SystemTime::now().into())
}

/// A life that is too long to be written down is as long as can be.
fn life(unit: Duration, count: u64) -> Duration {
    i32::try_from(count).ok().and_then(|count| unit.checked_mul(count)).unwrap_or(Duration::days(36_500))
}

/// Signs and checks tokens.
pub struct Signer {
    keys: Vec<Key>,
}

/// A key and its name, which stands in the header of every token that it signs.
struct Key {
    id: String,
    key: Hs256Key,
}

impl Key {
    /// The name follows from the secret, so that it is the same everywhere, and tells nothing of it.
    fn new(secret: &str) -> Self {
        let id = format!("{:x}", Sha256::digest(format!("kid:{secret}")));
        Self { id: id[..16].to_owned(), key: Hs256Key::new(secret) }
    }
}

impl Signer {
    /// A signer with one secret or several, separated by commas: the first signs, all of them are good for checking. So
    /// a secret is replaced without ending anybody's session.
    ///
    /// # Errors
    /// [`TokenError::WeakSecret`] for a secret under [`MIN_SECRET_BYTES`].
    pub fn new(secrets: &str) -> Result<Self, TokenError> {
        let secrets: Vec<&str> = secrets.split(',').map(str::trim).collect();
        if secrets.iter().any(|secret| secret.len() < MIN_SECRET_BYTES) {
            return Err(TokenError::WeakSecret);
        }
        Ok(Self { keys: secrets.into_iter().map(Key::new).collect() })
    }

    /// Issues an access token for some minutes.
    ///
    /// # Errors
    /// [`TokenError::Invalid`] if the claims cannot be written.
    pub fn access(&self, who: &Identity, minutes: u64) -> Result<String, TokenError> {
        self.identity_token(who, None, "access", ACCESS_AUDIENCE, life(Duration::minutes(1), minutes))
    }

    /// Issues a ticket that opens one event stream and nothing else. That it works once is for the database to say, by
    /// `ticket_id`.
    ///
    /// # Errors
    /// [`TokenError::Invalid`] if the claims cannot be written.
    pub fn ticket(&self, who: &Identity, ticket_id: Uuid) -> Result<String, TokenError> {
        self.identity_token(
            who,
            Some(ticket_id),
            "ticket",
            STREAM_AUDIENCE,
            life(Duration::seconds(1), TICKET_S),
        )
    }

    fn identity_token(
        &self,
        who: &Identity,
        jti: Option<Uuid>,
        kind: &str,
        audience: &str,
        life: Duration,
    ) -> Result<String, TokenError> {
        let (family, api_key) = match who.credential {
            Credential::Session(family) => (Some(family), None),
            Credential::ApiKey(key) => (None, Some(key)),
        };
        let stated = Stated {
            iss: ISSUER.into(),
            aud: audience.into(),
            sub: who.email.clone(),
            kind: kind.into(),
            uid: who.user_id,
            of_kind: Access { family, api_key, jti, role: who.role, perms: who.permissions.clone() },
        };
        self.sign(stated, life)
    }

    /// Issues a token by which a browser is known to have signed in to this account. It opens nothing.
    ///
    /// # Errors
    /// [`TokenError::Invalid`] if the claims cannot be written.
    pub fn device(&self, user_id: UserId, device_id: Uuid) -> Result<String, TokenError> {
        let stated = Stated {
            iss: ISSUER.into(),
            aud: DEVICE_AUDIENCE.into(),
            sub: String::new(),
            kind: "device".into(),
            uid: user_id,
            of_kind: Device { jti: device_id },
        };
        self.sign(stated, life(Duration::days(1), DEVICE_DAYS))
    }

    /// Issues a token for a sign-in by an identity provider that was begun. It opens nothing. That it works once is for the
    /// database to say.
    ///
    /// # Errors
    /// [`TokenError::Invalid`] if the claims cannot be written.
    pub fn sign_in(&self, pending: &PendingSignIn) -> Result<String, TokenError> {
        let stated = Stated {
            iss: ISSUER.into(),
            aud: SIGN_IN_AUDIENCE.into(),
            sub: pending.provider.clone(),
            kind: "sign-in".into(),
            // who it will be is not known yet
            uid: UserId(Uuid::nil()),
            of_kind: SignIn { jti: pending.id, challenge: pending.challenge.clone() },
        };
        self.sign(stated, life(Duration::minutes(1), SIGN_IN_MINUTES))
    }

    /// Issues a refresh token for some days. (The login it belongs to ends when the database says so.)
    ///
    /// # Errors
    /// [`TokenError::Invalid`] if the claims cannot be written.
    pub fn refresh(&self, email: &str, what: &RefreshClaims, days: u64) -> Result<String, TokenError> {
        let stated = Stated {
            iss: ISSUER.into(),
            aud: REFRESH_AUDIENCE.into(),
            sub: email.into(),
            kind: "refresh".into(),
            uid: what.user_id,
            of_kind: Refresh { jti: what.token_id, family: what.family_id },
        };
        self.sign(stated, life(Duration::days(1), days))
    }

    fn sign<K: Serialize>(&self, stated: Stated<K>, life: Duration) -> Result<String, TokenError> {
        let mut claims = Claims::new(stated).set_duration_and_issuance(&times(), life);
        claims.not_before = claims.issued_at;
        let signing = self.keys.first().ok_or(TokenError::WeakSecret)?;
        let header = Header::empty().with_token_type("JWT").with_key_id(signing.id.as_str());
        Hs256.token(&header, &claims, &signing.key).map_err(|_| TokenError::Invalid)
    }

    /// Checks an access token.
    ///
    /// # Errors
    /// [`TokenError::Invalid`] for anything but an unexpired access token of ours.
    pub fn check_access(&self, token: &str) -> Result<Identity, TokenError> {
        self.check_identity(token, "access", ACCESS_AUDIENCE).map(|(identity, _)| identity)
    }

    /// Checks a stream ticket; gives its id too. (Whether it was used before is for the database to say.)
    ///
    /// # Errors
    /// [`TokenError::Invalid`] for anything but an unexpired stream ticket of ours.
    pub fn check_ticket(&self, token: &str) -> Result<(Identity, Uuid), TokenError> {
        let (identity, jti) = self.check_identity(token, "ticket", STREAM_AUDIENCE)?;
        Ok((identity, jti.ok_or(TokenError::Invalid)?))
    }

    /// Checks a device token: gives the id of the browser that has signed in to this account before.
    ///
    /// # Errors
    /// [`TokenError::Invalid`] for anything but an unexpired device token for this account.
    pub fn check_device(&self, token: &str, user_id: UserId) -> Result<Uuid, TokenError> {
        let stated: Stated<Device> = self.verify(token, "device", DEVICE_AUDIENCE)?;
        if stated.uid == user_id { Ok(stated.of_kind.jti) } else { Err(TokenError::Invalid) }
    }

    /// Checks the token of a sign-in that was begun. (Whether it was used before is for the database to say.)
    ///
    /// # Errors
    /// [`TokenError::Invalid`] for anything but an unexpired token of such a sign-in.
    pub fn check_sign_in(&self, token: &str) -> Result<PendingSignIn, TokenError> {
        let stated: Stated<SignIn> = self.verify(token, "sign-in", SIGN_IN_AUDIENCE)?;
        let SignIn { jti, challenge } = stated.of_kind;
        Ok(PendingSignIn { provider: stated.sub, id: jti, challenge })
    }

    fn check_identity(
        &self,
        token: &str,
        kind: &str,
        audience: &str,
    ) -> Result<(Identity, Option<Uuid>), TokenError> {
        let stated: Stated<Access> = self.verify(token, kind, audience)?;
        let of_kind = stated.of_kind;
        let credential = match (of_kind.family, of_kind.api_key) {
            (Some(family), None) => Credential::Session(family),
            (None, Some(key)) => Credential::ApiKey(key),
            _ => return Err(TokenError::Invalid),
        };
        let identity = Identity {
            user_id: stated.uid,
            credential,
            email: stated.sub,
            role: of_kind.role,
            permissions: of_kind.perms,
        };
        Ok((identity, of_kind.jti))
    }

    /// Checks a refresh token (whether it is still the current one of its family is for the database to say).
    ///
    /// # Errors
    /// [`TokenError::Invalid`] for anything but an unexpired refresh token of ours.
    pub fn check_refresh(&self, token: &str) -> Result<RefreshClaims, TokenError> {
        let stated: Stated<Refresh> = self.verify(token, "refresh", REFRESH_AUDIENCE)?;
        let Refresh { jti, family } = stated.of_kind;
        Ok(RefreshClaims { user_id: stated.uid, family_id: family, token_id: jti })
    }

    fn verify<K: DeserializeOwned>(
        &self,
        token: &str,
        kind: &str,
        audience: &str,
    ) -> Result<Stated<K>, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Invalid);
        }
        let untrusted = UntrustedToken::new(token).map_err(|_| TokenError::Invalid)?;
        // a token of before keys had names may be any key's
        let named = untrusted.header().key_id.as_deref();
        let mut keys = self.keys.iter().filter(|key| named.is_none_or(|id| id == key.id));
        let token = keys.find_map(|key| Hs256.validator::<Stated<K>>(&key.key).validate(&untrusted).ok());
        let (_, claims) = token.ok_or(TokenError::Invalid)?.into_parts();
        let times = times();
        let begun = claims.not_before.is_none() || claims.validate_maturity(&times).is_ok();
        let ended = claims.validate_expiration(&times).is_err();
        let stated = claims.custom;
        let ours = stated.iss == ISSUER && stated.aud == audience && stated.kind == kind;
        if ours && begun && !ended { Ok(stated) } else { Err(TokenError::Invalid) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    use hmac::{Hmac, Mac};
    use sha2::Sha256;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn who() -> Identity {
        Identity {
            user_id: UserId(Uuid::from_u128(7)),
            credential: Credential::Session(Uuid::from_u128(1)),
            email: "a@example.com".into(),
            role: Role::Viewer,
            permissions: vec!["alarms.write".into()],
        }
    }

    fn refresh() -> RefreshClaims {
        RefreshClaims { user_id: who().user_id, family_id: Uuid::from_u128(1), token_id: Uuid::from_u128(2) }
    }

    #[test]
    fn each_token_serves_its_own_purpose() -> Result<(), TokenError> {
        let signer = Signer::new(SECRET)?;
        let (access, refresh_token) =
            (signer.access(&who(), 60)?, signer.refresh("a@example.com", &refresh(), 30)?);
        assert_eq!(signer.check_access(&access), Ok(who()));
        assert_eq!(signer.check_refresh(&refresh_token), Ok(refresh()));
        assert_eq!(signer.check_access(&refresh_token), Err(TokenError::Invalid));
        assert_eq!(signer.check_refresh(&access), Err(TokenError::Invalid));
        let ticket = signer.ticket(&who(), Uuid::from_u128(9))?;
        assert_eq!(signer.check_ticket(&ticket), Ok((who(), Uuid::from_u128(9))));
        for other in [&access, &refresh_token] {
            assert_eq!(signer.check_ticket(other), Err(TokenError::Invalid));
        }
        assert_eq!(signer.check_access(&ticket), Err(TokenError::Invalid));
        assert_eq!(signer.check_refresh(&ticket), Err(TokenError::Invalid));
        let device = signer.device(who().user_id, Uuid::from_u128(3))?;
        assert_eq!(signer.check_device(&device, who().user_id), Ok(Uuid::from_u128(3)));
        assert_eq!(signer.check_device(&device, UserId(Uuid::from_u128(8))), Err(TokenError::Invalid));
        assert_eq!(signer.check_access(&device), Err(TokenError::Invalid));
        for other in [&access, &refresh_token, &ticket] {
            assert_eq!(signer.check_device(other, who().user_id), Err(TokenError::Invalid));
        }
        let pending = PendingSignIn {
            provider: "plant".to_owned(),
            id: Uuid::from_u128(5),
            challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned(),
        };
        let sign_in = signer.sign_in(&pending)?;
        assert_eq!(signer.check_sign_in(&sign_in), Ok(pending));
        assert_eq!(signer.check_access(&sign_in), Err(TokenError::Invalid));
        for other in [&access, &refresh_token, &ticket, &device] {
            assert_eq!(signer.check_sign_in(other), Err(TokenError::Invalid));
        }
        let with_key = Identity { credential: Credential::ApiKey(Uuid::from_u128(4)), ..who() };
        assert_eq!(signer.check_access(&signer.access(&with_key, 1)?), Ok(with_key));
        Ok(())
    }

    #[test]
    fn foreign_and_broken_tokens_are_refused() -> Result<(), TokenError> {
        let signer = Signer::new(SECRET)?;
        let foreign = Signer::new(&SECRET.to_uppercase())?.access(&who(), 60)?;
        let none = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.";
        let long = "a".repeat(MAX_TOKEN_BYTES + 1);
        for token in [foreign.as_str(), "", ".", "..", "é", none, &long] {
            assert_eq!(signer.check_access(token), Err(TokenError::Invalid), "{token}");
        }
        assert!(matches!(Signer::new("short"), Err(TokenError::WeakSecret)));
        Ok(())
    }

    #[test]
    fn a_new_key_signs_and_the_former_ones_stay_good() -> Result<(), TokenError> {
        let [first, second, third] = ["a", "b", "c"].map(|letter| letter.repeat(MIN_SECRET_BYTES));
        let old = Signer::new(&first)?.access(&who(), 60)?;
        let rotated = Signer::new(&format!("{second},{first}"))?;
        assert_eq!(rotated.check_access(&old), Ok(who()));
        let new = rotated.access(&who(), 60)?;
        assert_eq!(Signer::new(&second)?.check_access(&new), Ok(who()), "the first of several keys signs");
        assert_eq!(Signer::new(&first)?.check_access(&new), Err(TokenError::Invalid));
        let again = Signer::new(&format!("{third},{second}"))?;
        assert_eq!(again.check_access(&new), Ok(who()));
        assert_eq!(again.check_access(&old), Err(TokenError::Invalid), "its key is gone");
        let header =
            BASE64_URL_SAFE_NO_PAD.decode(new.split('.').next().unwrap_or_default()).unwrap_or_default();
        let header: serde_json::Value = serde_json::from_slice(&header).unwrap_or_default();
        assert!(
            header["kid"].as_str().is_some_and(|kid| kid.len() == 16 && !second.contains(kid)),
            "{header}"
        );
        assert!(matches!(Signer::new(&format!("{first},short")), Err(TokenError::WeakSecret)));
        assert!(matches!(Signer::new(&format!("{first},")), Err(TokenError::WeakSecret)));
        Ok(())
    }

    /// Made by another library, with the secret of these tests.
    fn made_elsewhere(exp: i64) -> Result<String, TokenError> {
        let claims = serde_json::json!({
            "iss": ISSUER, "aud": ACCESS_AUDIENCE, "sub": "a@example.com", "iat": 1_700_000_000, "exp": exp,
            "type": "access", "uid": who().user_id, "role": "viewer", "perms": ["alarms.write"],
            "family": Uuid::from_u128(1),
        });
        let part = |value: &serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed =
            format!("{}.{}", part(&serde_json::json!({"typ": "JWT", "alg": "HS256"})), part(&claims));
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).map_err(|_| TokenError::Invalid)?;
        mac.update(signed.as_bytes());
        Ok(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())))
    }

    #[test]
    fn a_token_is_an_rfc_7519_token_and_ends_when_it_says() -> Result<(), TokenError> {
        let signer = Signer::new(SECRET)?;
        assert_eq!(signer.check_access(&made_elsewhere(4_000_000_000)?), Ok(who()));
        assert_eq!(signer.check_access(&made_elsewhere(1_700_000_600)?), Err(TokenError::Invalid));
        Ok(())
    }
}
