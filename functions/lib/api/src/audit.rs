//! The audit log (`/audit/logs`).

use crate::input::{Text, input};
use crate::list::MAX_SEARCH_CHARS;
use crate::{Timestamp, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// One entry of the audit log. Entries are never changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AuditEntry {
    /// Identifier.
    pub id: Uuid,
    /// When it happened.
    pub created_at: Timestamp,
    /// The same; entries are never changed.
    pub updated_at: Timestamp,
    /// Who did it; nobody for a failed login of an unknown account.
    pub user_id: Option<UserId>,
    /// The user's mail address as it is now; none if the account is gone.
    pub user_email: Option<String>,
    /// create, update, delete, login, login_failed, logout, password_change, acknowledge, resolve, …
    pub action_type: String,
    /// What kind of thing it was done to: user, machine, sensor, alarm, ticket, setting, …
    pub resource_type: String,
    /// Which one.
    pub resource_id: Option<String>,
    /// A sentence, where the rest does not say enough.
    pub details: Option<String>,
    /// `before` and `after` of what changed; secrets are left out or masked.
    pub metadata: Option<Value>,
    /// Where the request came from.
    pub ip_address: Option<String>,
    /// What sent it.
    pub user_agent: Option<String>,
}

input! {
    /// Filters of `GET /audit/logs`.
    AuditFilter {
        optional {
            /// Done by this user.
            user_id: UserId,
            /// What was done: create, update, delete, login, …
            action_type: Text<0, 200>,
            /// To which kind of thing.
            resource_type: Text<0, 200>,
            /// To which one.
            resource_id: Text<0, 200>,
            /// Not earlier than this.
            start_date: Timestamp,
            /// Not later than this.
            end_date: Timestamp,
            /// With this text anywhere in it.
            q: Text<0, MAX_SEARCH_CHARS>,
        }
    }
}
