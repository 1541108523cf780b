//! Comments on alarms and tickets.

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

/// Body of `POST /alarms/{id}/comments` and `POST /tickets/{id}/comments`. What it is about is said by the path;
/// `resource_type` and `resource_id`, which older clients send, must be valid if given and change nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewComment {
    /// The text, 1 to 10,000 characters.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 10_000)))]
    pub content: String,
    /// For engineers and administrators only; default false.
    #[serde(default)]
    pub is_internal: bool,
    /// alarm or ticket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<Resource>,
    /// An id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<Uuid>,
}

/// Body of `PATCH /alarms/{id}/comments/{comment_id}` and its sibling for tickets.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CommentUpdate {
    /// The text, 1 to 10,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 10_000)))]
    pub content: Option<String>,
    /// For engineers and administrators only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_internal: Option<bool>,
}
