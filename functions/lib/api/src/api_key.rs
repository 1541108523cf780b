//! API keys: what programs show instead of a token.

use crate::{
    Timestamp,
    input::{Many, Text, Whole, input},
    role::Permission,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What every API key begins with.
pub const API_KEY_PREFIX: &str = "pmk_";
/// Longest life of an API key, days.
pub const MAX_API_KEY_DAYS: i64 = 730;

/// An API key; never the key itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ApiKey {
    /// Identifier.
    pub id: Uuid,
    /// When it was made.
    pub created_at: Timestamp,
    /// What it is for.
    pub name: String,
    /// How the key begins.
    pub prefix: String,
    /// What it may be used for, as far as its account may do it.
    pub permissions: Vec<String>,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// When it was last used, exact to about a minute.
    pub last_used_at: Option<Timestamp>,
}

/// A new API key. The key is shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewApiKeyShown {
    /// What is stored of it.
    #[serde(flatten)]
    pub stored: ApiKey,
    /// The key, for the header `Authorization: Bearer …`.
    pub key: String,
}

input! {
    /// Body of `POST /users/me/api-keys` and `POST /users/{user_id}/api-keys`.
    NewApiKey {
        required {
            /// What it is for.
            name: Text<1, 100>,
            /// What it may be used for: permissions as `GET /roles` lists them. Those that manage accounts and roles
            /// (`users.write`, `roles.write`) are not given to keys.
            permissions: Many<Permission, 0, 200>,
        }
        optional {
            /// Days until it ends; 90 unless given.
            valid_days: Whole<1, MAX_API_KEY_DAYS>,
        }
    }
}
