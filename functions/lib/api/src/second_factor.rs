//! Second factors: codes of an authenticator app (RFC 6238), and recovery codes.

use crate::{
    Timestamp,
    input::{Secret, Text, input},
};
use serde::{Deserialize, Serialize};

/// The second factor of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SecondFactor {
    /// Since when a sign-in asks for a code; absent: it does not.
    pub confirmed_at: Option<Timestamp>,
    /// How many recovery codes are left.
    pub recovery_codes_left: i64,
    /// Must the account have one?
    pub is_required: bool,
}

/// What an authenticator app needs to know. It is shown until the first code was given.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SecondFactorSecret {
    /// The secret in base 32, to be typed.
    pub secret: String,
    /// The same as an address (`otpauth://`), to be opened by an app or shown as a picture.
    pub uri: String,
}

/// Codes that each work once instead of a code of the app. They are shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RecoveryCodes {
    /// The codes.
    pub recovery_codes: Vec<String>,
}

input! {
    /// Body of `POST /users/me/second-factor` and `POST /users/me/second-factor/remove`.
    CurrentPassword {
        required {
            /// The account's password.
            current_password: Secret<1, 1000>,
        }
    }
    /// Body of `POST /users/me/second-factor/confirm`.
    SecondFactorCode {
        required {
            /// The code that the app shows.
            code: Text<1, 64>,
        }
    }
}
