//! Bodies of requests about comments.

use pm_api::{Resource, comment::CommentUpdate};
use pm_web::{Fields, Refusal};
use uuid::Uuid;

const LONGEST: usize = 10_000;

pub(crate) struct NewComment {
    pub(crate) content: String,
    pub(crate) is_internal: bool,
}

/// Older clients say once more what the comment is about; that must be well-formed and is not used.
pub(crate) fn new_comment(mut fields: Fields) -> Result<NewComment, Refusal> {
    let _ = fields.word::<Resource>("resource_type");
    let _ = fields.id::<Uuid>("resource_id");
    let content = fields.required_text("content", LONGEST);
    let is_internal = fields.boolean("is_internal").unwrap_or(false);
    fields.end().map(|()| NewComment { content, is_internal })
}

pub(crate) fn comment_change(mut fields: Fields) -> Result<CommentUpdate, Refusal> {
    let content = fields.text("content", LONGEST).flatten();
    if content.as_ref().is_some_and(|c| c.trim().is_empty()) {
        fields.refuse("string_too_short", "content", "String should have at least 1 character");
    }
    let is_internal = fields.boolean("is_internal");
    fields.end().map(|()| CommentUpdate { content, is_internal })
}
