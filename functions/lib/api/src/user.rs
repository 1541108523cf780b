//! Users and tokens.

use crate::{Role, Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// A user account; never with its password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Identifier.
    pub id: UserId,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Mail address; the login name.
    pub email: String,
    /// Name for people.
    pub full_name: Option<String>,
    /// What the user may do.
    pub role: Role,
    /// Newest successful login.
    pub last_login: Option<Timestamp>,
}

/// Answer of login and refresh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenPair {
    /// JWT for the `Authorization` header, valid for 60 minutes.
    pub access_token: String,
    /// JWT for `POST /users/refresh`, valid for 30 days and once.
    pub refresh_token: String,
    /// Always «bearer».
    pub token_type: String,
}

/// Body of `POST /users/refresh` and `POST /users/logout`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshRequest {
    /// The refresh token.
    pub refresh_token: String,
}
