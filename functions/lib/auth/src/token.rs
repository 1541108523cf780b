//! Access and refresh tokens: HS256 JWTs (RFC 7519). Claims as documented (`sub` is the mail address, `type` is
//! `access` or `refresh`), plus issuer, audience, the user's id and role, and for refresh tokens `jti` and family.

use jwt_simple::prelude::{
    Claims, Duration, HS256Key, JWTClaims, MACLike, VerificationOptions, coarsetime::Clock,
};
use pm_api::{Role, UserId};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use uuid::Uuid;

/// Life of a stream ticket, seconds.
pub const TICKET_S: u64 = 60;
/// Fewest bytes of a signing secret.
pub const MIN_SECRET_BYTES: usize = 32;

const ISSUER: &str = "predictive-maintenance";
const ACCESS_AUDIENCE: &str = "predictive-maintenance-api";
const REFRESH_AUDIENCE: &str = "predictive-maintenance-refresh";
const STREAM_AUDIENCE: &str = "predictive-maintenance-stream";
const CLOCK_TOLERANCE_S: u64 = 5;
const LONGEST_TOKEN_BYTES: usize = 4096;

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

/// A signed-in user, as an access token states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The user.
    pub user_id: UserId,
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

#[derive(Serialize, Deserialize)]
struct AccessCustom {
    #[serde(rename = "type")]
    kind: String,
    uid: UserId,
    role: Role,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    perms: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct RefreshCustom {
    #[serde(rename = "type")]
    kind: String,
    uid: UserId,
    family: Uuid,
}

/// Signs and checks tokens.
pub struct Signer {
    key: HS256Key,
}

impl Signer {
    /// A signer with the given secret.
    ///
    /// # Errors
    /// [`TokenError::WeakSecret`] for a secret under [`MIN_SECRET_BYTES`].
    pub fn new(secret: &str) -> Result<Self, TokenError> {
        if secret.len() < MIN_SECRET_BYTES {
            return Err(TokenError::WeakSecret);
        }
        Ok(Self { key: HS256Key::from_bytes(secret.as_bytes()) })
    }

    /// Issues an access token for some minutes.
    ///
    /// # Errors
    /// [`TokenError::Invalid`] if the claims cannot be written.
    pub fn access(&self, who: &Identity, minutes: u64) -> Result<String, TokenError> {
        self.identity_token(who, "access", ACCESS_AUDIENCE, Duration::from_mins(minutes))
    }

    /// Issues a ticket that opens an event stream and nothing else.
    ///
    /// # Errors
    /// [`TokenError::Invalid`] if the claims cannot be written.
    pub fn ticket(&self, who: &Identity) -> Result<String, TokenError> {
        self.identity_token(who, "ticket", STREAM_AUDIENCE, Duration::from_secs(TICKET_S))
    }

    fn identity_token(
        &self,
        who: &Identity,
        kind: &str,
        audience: &str,
        life: Duration,
    ) -> Result<String, TokenError> {
        let custom = AccessCustom {
            kind: kind.into(),
            uid: who.user_id,
            role: who.role,
            perms: who.permissions.clone(),
        };
        let claims = Claims::with_custom_claims(custom, life)
            .with_issuer(ISSUER)
            .with_audience(audience)
            .with_subject(&who.email);
        self.key.authenticate(claims).map_err(|_| TokenError::Invalid)
    }

    /// Issues a refresh token for some days. (The login it belongs to ends when the database says so.)
    ///
    /// # Errors
    /// [`TokenError::Invalid`] if the claims cannot be written.
    pub fn refresh(&self, email: &str, what: &RefreshClaims, days: u64) -> Result<String, TokenError> {
        let custom = RefreshCustom { kind: "refresh".into(), uid: what.user_id, family: what.family_id };
        let claims = Claims::with_custom_claims(custom, Duration::from_days(days))
            .with_issuer(ISSUER)
            .with_audience(REFRESH_AUDIENCE)
            .with_subject(email)
            .with_jwt_id(what.token_id);
        self.key.authenticate(claims).map_err(|_| TokenError::Invalid)
    }

    /// Checks an access token.
    ///
    /// # Errors
    /// [`TokenError::Invalid`] for anything but an unexpired access token of ours.
    pub fn check_access(&self, token: &str) -> Result<Identity, TokenError> {
        self.check_identity(token, "access", ACCESS_AUDIENCE)
    }

    /// Checks a stream ticket.
    ///
    /// # Errors
    /// [`TokenError::Invalid`] for anything but an unexpired stream ticket of ours.
    pub fn check_ticket(&self, token: &str) -> Result<Identity, TokenError> {
        self.check_identity(token, "ticket", STREAM_AUDIENCE)
    }

    fn check_identity(&self, token: &str, kind: &str, audience: &str) -> Result<Identity, TokenError> {
        let claims: JWTClaims<AccessCustom> = self.verify(token, audience)?;
        match claims.subject {
            Some(email) if claims.custom.kind == kind => Ok(Identity {
                user_id: claims.custom.uid,
                email,
                role: claims.custom.role,
                permissions: claims.custom.perms,
            }),
            _ => Err(TokenError::Invalid),
        }
    }

    /// Checks a refresh token (whether it is still the current one of its family is for the database to say).
    ///
    /// # Errors
    /// [`TokenError::Invalid`] for anything but an unexpired refresh token of ours.
    pub fn check_refresh(&self, token: &str) -> Result<RefreshClaims, TokenError> {
        let claims: JWTClaims<RefreshCustom> = self.verify(token, REFRESH_AUDIENCE)?;
        let token_id = claims.jwt_id.and_then(|id| Uuid::parse_str(&id).ok());
        match (claims.custom.kind.as_str(), token_id) {
            ("refresh", Some(token_id)) => {
                Ok(RefreshClaims { user_id: claims.custom.uid, family_id: claims.custom.family, token_id })
            }
            _ => Err(TokenError::Invalid),
        }
    }

    fn verify<C: Serialize + for<'de> Deserialize<'de>>(
        &self,
        token: &str,
        audience: &str,
    ) -> Result<JWTClaims<C>, TokenError> {
        Clock::update();
        let options = VerificationOptions {
            allowed_issuers: Some(HashSet::from([ISSUER.to_owned()])),
            allowed_audiences: Some(HashSet::from([audience.to_owned()])),
            time_tolerance: Some(Duration::from_secs(CLOCK_TOLERANCE_S)),
            max_token_length: Some(LONGEST_TOKEN_BYTES),
            ..VerificationOptions::default()
        };
        self.key.verify_token::<C>(token, Some(options)).map_err(|_| TokenError::Invalid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn who() -> Identity {
        Identity {
            user_id: UserId(Uuid::from_u128(7)),
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
        let ticket = signer.ticket(&who())?;
        assert_eq!(signer.check_ticket(&ticket), Ok(who()));
        for other in [&access, &refresh_token] {
            assert_eq!(signer.check_ticket(other), Err(TokenError::Invalid));
        }
        assert_eq!(signer.check_access(&ticket), Err(TokenError::Invalid));
        assert_eq!(signer.check_refresh(&ticket), Err(TokenError::Invalid));
        Ok(())
    }

    #[test]
    fn foreign_and_broken_tokens() -> Result<(), TokenError> {
        let signer = Signer::new(SECRET)?;
        let foreign = Signer::new(&SECRET.to_uppercase())?.access(&who(), 60)?;
        let none = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.";
        let long = "a".repeat(LONGEST_TOKEN_BYTES + 1);
        for token in [foreign.as_str(), "", ".", "..", "é", none, &long] {
            assert_eq!(signer.check_access(token), Err(TokenError::Invalid), "{token}");
        }
        assert!(matches!(Signer::new("short"), Err(TokenError::WeakSecret)));
        Ok(())
    }
}
