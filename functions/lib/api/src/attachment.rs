//! Files attached to alarms and tickets.

use crate::input::input;
use crate::{AttachmentId, Resource, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A file, without its content. It is sent as `multipart/form-data` with a part `file`; `resource_type` and
/// `resource_id` stand in the query or in form fields, or are said by the path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Attachment {
    /// Identifier.
    pub id: AttachmentId,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// The uploader's name for it, without folders and control characters.
    pub filename: String,
    /// The generated name under which it is stored.
    pub file_path: String,
    /// Media type, found by the content.
    pub content_type: String,
    /// Length, bytes.
    pub file_size: i64,
    /// SHA-256 of the content, hexadecimal.
    pub sha256: String,
    /// general, alarm or ticket.
    pub resource_type: Resource,
    /// The alarm or ticket.
    pub resource_id: Option<Uuid>,
    /// Who stored it; absent: an account that is gone.
    pub uploaded_by: Option<UserId>,
}

input! {
    /// Parameters of `POST /attachments`.
    AttachmentTarget {
        optional {
            /// What it belongs to; general unless given.
            resource_type: Resource,
            /// The alarm or ticket.
            resource_id: Uuid,
        }
    }
    /// Filters of `GET /attachments`.
    AttachmentFilter {
        optional {
            /// Belonging to things of this kind.
            resource_type: Resource,
            /// Belonging to this alarm or ticket.
            resource_id: Uuid,
            /// Stored by this user.
            uploaded_by: UserId,
        }
    }
}
