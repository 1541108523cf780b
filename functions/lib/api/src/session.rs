//! Sessions: where an account is signed in.

use crate::{
    Timestamp,
    input::{Flag, input},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A sign-in that goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Session {
    /// Identifier.
    pub id: Uuid,
    /// When the account signed in.
    pub created_at: Timestamp,
    /// When it was last used, exact to about a minute.
    pub last_used_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// The address it was last renewed from.
    pub ip_address: Option<String>,
    /// What it was last renewed by, in the words of the browser or program.
    pub user_agent: Option<String>,
    /// Is it the session of this request?
    pub is_current: bool,
}

/// How many sessions were ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SessionsEnded {
    /// Their number.
    pub ended: i64,
}

input! {
    /// Parameters of `DELETE /users/me/sessions`.
    EndSessions {
        optional {
            /// Let the session of this request go on.
            keep_current: Flag,
        }
    }
}
