//! Users and tokens.

use crate::input::{Flag, Text, input};
use crate::list::MAX_SEARCH_CHARS;
use crate::{Role, Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// A user account; never with its password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// Can the account be used?
    #[serde(default = "yes")]
    pub is_active: bool,
    /// Names of the custom roles that it holds besides.
    #[serde(default)]
    pub custom_roles: Vec<String>,
}

fn yes() -> bool {
    true
}

/// Body of `POST /users`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewUser {
    /// Mail address; the login name.
    pub email: String,
    /// At least as many characters as the setting `password.min_length` says, at most 72 bytes.
    pub password: String,
    /// Name for people.
    pub full_name: Option<String>,
    /// Built-in role; «operator» unless given. Only administrators may give another.
    pub role: Option<Role>,
}

/// Body of `PATCH /users/me`: what to change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProfileChange {
    /// Name for people; null removes it.
    pub full_name: Option<String>,
}

/// Body of `PATCH /users/{user_id}`: what to change.
#[derive(Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UserChange {
    /// Name for people; null removes it.
    pub full_name: Option<String>,
    /// Built-in role.
    pub role: Option<Role>,
    /// Can the account be used? False ends its logins.
    pub is_active: Option<bool>,
    /// A new password; ends the account's logins.
    pub password: Option<String>,
    /// Names of all custom roles that the account holds from now on.
    pub custom_roles: Option<Vec<String>>,
}

/// Body of `POST /users/change-password`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PasswordChange {
    /// The password until now.
    pub current_password: String,
    /// The new one.
    pub new_password: String,
}

/// Body of `POST /users/password-reset/request`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PasswordResetRequest {
    /// Mail address of the account.
    pub email: String,
}

/// Body of `POST /users/password-reset/confirm`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PasswordResetConfirm {
    /// The token of the mailed link; works once, for an hour.
    pub token: String,
    /// The new password.
    pub new_password: String,
}

/// Body of `POST /users/login`, form-encoded.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LoginForm {
    /// Mail address of the account.
    pub username: String,
    /// Its password.
    pub password: String,
}

/// Answer of requests that give nothing but a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Message {
    /// The sentence.
    pub message: String,
}

/// Answer of login and refresh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RefreshRequest {
    /// The refresh token.
    pub refresh_token: String,
}

input! {
    /// Filters of `GET /users`.
    UserFilter {
        optional {
            /// With this built-in role.
            role: Role,
            /// Accounts that can, or cannot, be used.
            is_active: Flag,
            /// With this text in address or name.
            q: Text<0, MAX_SEARCH_CHARS>,
        }
    }
}
