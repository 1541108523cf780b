//! Maintenance tickets.

use crate::input::{CommaSeparated, Flag, Text, input};
use crate::list::MAX_SEARCH_CHARS;
use crate::{AlarmId, MachineId, Metadata, Priority, TicketId, TicketStatus, Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// A maintenance ticket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Ticket {
    /// The machine.
    pub machine_id: MachineId,
    /// The alarm that opened it, if one did.
    pub alarm_id: Option<AlarmId>,
    /// Short text.
    pub title: String,
    /// Urgency.
    pub priority: Priority,
    /// Mail address of whoever works on it.
    pub assignee: Option<String>,
    /// Long text.
    pub description: Option<String>,
    /// When it should be done.
    pub due_at: Option<Timestamp>,
    /// Opened by the system?
    pub auto_created: bool,
    /// Free object.
    pub metadata: Option<Metadata>,
    /// Identifier.
    pub id: TicketId,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Workflow state.
    pub status: TicketStatus,
    /// What was done.
    pub resolution_notes: Option<String>,
}

/// Body of `POST /tickets`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewTicket {
    /// The machine; it must exist.
    pub machine_id: MachineId,
    /// Short text, 1 to 200 characters.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 200)))]
    pub title: String,
    /// The alarm it is about; it must be the machine's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm_id: Option<AlarmId>,
    /// Urgency; default medium.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Mail address of whoever works on it; `assigned_to` is accepted too.
    #[serde(default, skip_serializing_if = "Option::is_none", alias = "assigned_to")]
    #[cfg_attr(feature = "schema", schemars(length(max = 320)))]
    pub assignee: Option<String>,
    /// Long text, at most 10,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(length(max = 10_000)))]
    pub description: Option<String>,
    /// When it should be done; `due_date` is accepted too.
    #[serde(default, skip_serializing_if = "Option::is_none", alias = "due_date")]
    pub due_at: Option<Timestamp>,
    /// Opened by a system rather than by a person; default false. One such ticket per alarm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_created: Option<bool>,
    /// Free object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

/// Body of `PATCH /tickets/{id}`. What is absent stays; null empties what may be empty.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TicketUpdate {
    /// New state, by the workflow; `in-progress` is accepted too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<TicketStatus>,
    /// Short text, 1 to 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 200)))]
    pub title: Option<String>,
    /// Urgency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Mail address of whoever works on it; `assigned_to` is accepted too.
    #[serde(default, skip_serializing_if = "Option::is_none", alias = "assigned_to")]
    #[cfg_attr(feature = "schema", schemars(length(max = 320)))]
    pub assignee: Option<String>,
    /// Long text, at most 10,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(length(max = 10_000)))]
    pub description: Option<String>,
    /// When it should be done; `due_date` is accepted too.
    #[serde(default, skip_serializing_if = "Option::is_none", alias = "due_date")]
    pub due_at: Option<Timestamp>,
    /// What was done, at most 4,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(length(max = 4000)))]
    pub resolution_notes: Option<String>,
    /// Replaces the free object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

/// One entry of `GET /tickets/{id}/history`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TicketTransition {
    /// Its place in the order of changes.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// `status`, `assignee`, `priority` or `due_at`.
    pub field: String,
    /// Value before; absent when the ticket was opened or had none.
    pub was: Option<String>,
    /// Value after.
    pub is_now: Option<String>,
    /// Resolution notes, with a status that ends the work.
    pub note: Option<String>,
    /// Who; absent: the system.
    pub by_user: Option<UserId>,
    /// The user's name.
    pub by_name: Option<String>,
    /// The user's mail address.
    pub by_email: Option<String>,
}

input! {
    /// Filters of `GET /tickets`.
    TicketFilter {
        optional {
            /// In one of these states.
            status: CommaSeparated<TicketStatus, 6>,
            /// Of this urgency.
            priority: Priority,
            /// Of this machine.
            machine_id: MachineId,
            /// About this alarm.
            alarm_id: AlarmId,
            /// Assigned to this address.
            assignee: Text<0, 320>,
            /// That should have ended and have not, or all others.
            overdue: Flag,
            /// Opened by the system, or by people.
            auto_created: Flag,
            /// Opened at or after.
            start_date: Timestamp,
            /// Opened before.
            end_date: Timestamp,
            /// With this text in title or description.
            q: Text<0, MAX_SEARCH_CHARS>,
        }
    }
}
