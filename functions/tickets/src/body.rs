//! Bodies of requests about tickets. The names that an old front end sends (`assigned_to`, `due_date`) are accepted.

use pm_api::Priority;
use pm_store::ticket::{TicketChange, TicketFields};
use pm_web::{Fields, Presence, Refusal};

const TITLE: usize = 200;
const DESCRIPTION: usize = 10_000;
const NOTES: usize = 4000;
/// Longest mail address (RFC 5321: 64 + 1 + 255).
const ADDRESS: usize = 320;
const METADATA: &[&str] = &["metadata", "metadata_json"];

/// The fields of a new ticket; `None` if its machine is missing, which `fields` remembers.
pub(crate) fn new_ticket(fields: &mut Fields) -> Option<TicketFields> {
    let machine_id = fields.required_id("machine_id");
    let new = TicketFields {
        machine_id: machine_id?,
        alarm_id: fields.id("alarm_id"),
        title: fields.required_text("title", TITLE),
        priority: fields.word("priority").unwrap_or(Priority::Medium),
        assignee: assignee(fields).flatten(),
        description: fields.text("description", DESCRIPTION).flatten(),
        due_at: due_at(fields).flatten(),
        auto_created: fields.boolean("auto_created").unwrap_or(false),
        metadata: fields.object(METADATA).flatten(),
    };
    Some(new)
}

pub(crate) fn ticket_change(mut fields: Fields) -> Result<TicketChange, Refusal> {
    let title = fields.text("title", TITLE).flatten();
    if title.as_ref().is_some_and(|t| t.trim().is_empty()) {
        fields.refuse("string_too_short", "title", "String should have at least 1 character");
    }
    let change = TicketChange {
        status: fields.word("status"),
        title,
        priority: fields.word("priority"),
        assignee: assignee(&mut fields),
        description: fields.text("description", DESCRIPTION),
        due_at: due_at(&mut fields),
        resolution_notes: fields.text("resolution_notes", NOTES),
        metadata: fields.object(METADATA),
    };
    fields.end().map(|()| change)
}

/// Blank means nobody.
fn assignee(fields: &mut Fields) -> Presence<String> {
    let given = fields.text("assignee", ADDRESS).or_else(|| fields.text("assigned_to", ADDRESS))?;
    Some(given.map(|a| a.trim().to_owned()).filter(|a| !a.is_empty()))
}

fn due_at(fields: &mut Fields) -> Presence<pm_api::Timestamp> {
    fields.time("due_at").or_else(|| fields.time("due_date"))
}
