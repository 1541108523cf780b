//! Comments on alarms and tickets.

use crate::input::{Text, input};
use crate::{CommentId, Resource, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A comment on an alarm or a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Comment {
    /// Identifier.
    pub id: CommentId,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// alarm or ticket.
    pub resource_type: Resource,
    /// The alarm or ticket.
    pub resource_id: Uuid,
    /// Who wrote it.
    pub user_id: UserId,
    /// The text.
    pub content: String,
    /// For engineers and administrators only.
    pub is_internal: bool,
    /// The author's name.
    pub author_name: Option<String>,
    /// The author's mail address.
    pub author_email: String,
}

input! {
    /// Body of `POST /alarms/{id}/comments` and `POST /tickets/{id}/comments`. The path says what the comment is about;
    /// `resource_type` and `resource_id`, which older clients send, must be valid if given and change nothing.
    NewComment {
        required {
            /// The text.
            content: Text<1, 10_000>,
        }
        optional {
            /// For engineers and administrators only; false unless given.
            is_internal: bool,
            /// alarm or ticket.
            resource_type: Resource,
            /// An id.
            resource_id: Uuid,
        }
    }
    /// Body of `PATCH /alarms/{id}/comments/{comment_id}` and of the same route for tickets: what is left out stays as it
    /// is.
    CommentUpdate {
        optional {
            /// The text.
            content: Text<1, 10_000>,
            /// For engineers and administrators only.
            is_internal: bool,
        }
    }
}
