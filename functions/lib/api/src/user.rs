//! Users and tokens.

use crate::{
    Role, Timestamp, UserId,
    input::{FieldFault, Flag, MAX_MAIL_ADDRESS_CHARS, MailAddress, Many, Patch, Secret, Text, input},
    list::MAX_SEARCH_CHARS,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Fewest characters of a new password that the setting `password.min_length` may ask for.
pub const MIN_PASSWORD_CHARS: usize = 8;
/// Most characters of a password.
pub const MAX_PASSWORD_CHARS: usize = 1000;

/// A new password. The setting `password.min_length` may ask for more characters.
pub type NewPassword = Secret<MIN_PASSWORD_CHARS, MAX_PASSWORD_CHARS>;

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
    /// Is it an account of programs? It has API keys and no password.
    #[serde(default)]
    pub is_service: bool,
    /// Does a sign-in ask for a second factor?
    #[serde(default)]
    pub second_factor: bool,
}

fn yes() -> bool {
    true
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
    /// Body of `POST /users`.
    NewUser {
        required {
            /// Mail address; the login name.
            email: MailAddress,
        }
        optional {
            /// At least as many characters as the setting `password.min_length` says. An administrator leaves it out: then a
            /// mail invites the person to choose one. A password that an administrator gives has to be changed first.
            password: NewPassword,
            /// An account of programs, without password: it uses API keys. For administrators.
            is_service: Flag,
            /// Name for people.
            full_name: Text<0, 200>,
            /// Built-in role; «operator» unless given. Only administrators may give another.
            role: Role,
        }
    }
    /// Body of `PATCH /users/me`: what to change.
    ProfileChange check no_password {
        optional {
            /// Refused: `POST /users/change-password` asks for the current password.
            password: Secret<0, 1000>,
        }
        patch {
            /// Name for people; null removes it.
            full_name: Text<0, 200>,
        }
    }
    /// Body of `PATCH /users/{user_id}`: what to change.
    UserChange {
        optional {
            /// Built-in role.
            role: Role,
            /// Can the account be used? False ends its logins.
            is_active: bool,
            /// A new password; ends the account's logins.
            password: NewPassword,
            /// Names of all custom roles that the account holds from now on.
            custom_roles: Many<Text<1, 64>, 0, 1000>,
        }
        patch {
            /// Name for people; null removes it.
            full_name: Text<0, 200>,
        }
    }
    /// Body of `POST /users/change-password`.
    PasswordChange {
        required {
            /// The password until now.
            current_password: Secret<1, 1000>,
            /// The new one.
            new_password: NewPassword,
        }
    }
    /// Body of `POST /users/password-reset/request`.
    PasswordResetRequest {
        required {
            /// Mail address of the account.
            email: Text<1, MAX_MAIL_ADDRESS_CHARS>,
        }
    }
    /// Body of `POST /users/password-reset/confirm`.
    PasswordResetConfirm {
        required {
            /// The token of the mailed link; works once, for ten minutes.
            token: Secret<1, 200>,
            /// The new password.
            new_password: NewPassword,
        }
    }
    /// Body of `POST /users/login`, form-encoded.
    LoginForm {
        required {
            /// Mail address of the account.
            username: Text<0, MAX_MAIL_ADDRESS_CHARS>,
            /// Its password.
            password: Secret<0, MAX_PASSWORD_CHARS>,
        }
        optional {
            /// The code of the second factor, or a recovery code, where the account has one.
            code: Text<0, 64>,
        }
    }
    /// Body of `POST /users/refresh` and `POST /users/logout`.
    RefreshRequest {
        required {
            /// The refresh token.
            refresh_token: Secret<1, 5000>,
        }
    }
}

fn no_password(change: &ProfileChange) -> Result<(), FieldFault> {
    let message = "Use POST /users/change-password, which asks for the current password";
    match change.password {
        Some(_) => Err(FieldFault::new("password", message, Value::Null)),
        None => Ok(()),
    }
}
