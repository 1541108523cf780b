//! Maintenance tickets.

use crate::input::{CommaSeparated, Flag, Patch, Text, input};
use crate::list::MAX_SEARCH_CHARS;
use crate::{AlarmId, ClosingCode, MachineId, Metadata, Priority, TicketId, TicketStatus, Timestamp, UserId};
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
    /// What was found and done, as one of a few words; only of a ticket whose work has ended.
    #[serde(default)]
    pub closing_code: Option<ClosingCode>,
    /// `assignee` under the name that older clients know.
    #[serde(default)]
    pub assigned_to: Option<String>,
    /// `due_at` under the name that older clients know.
    #[serde(default)]
    pub due_date: Option<Timestamp>,
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
    /// Body of `POST /tickets`.
    NewTicket {
        required {
            /// The machine; it must exist.
            machine_id: MachineId,
            /// Short text.
            title: Text<1, 200>,
        }
        optional {
            /// The alarm it is about; it must be the machine's.
            alarm_id: AlarmId,
            /// Urgency; medium unless given.
            priority: Priority,
            /// Mail address of whoever works on it; `assigned_to` is accepted too. Blank: no one.
            assignee: Text<0, 320>,
            /// Long text.
            description: Text<0, 10_000>,
            /// When it should be done; `due_date` is accepted too.
            due_at: Timestamp,
            /// Opened by a system rather than by a person; false unless given. One such ticket per alarm.
            auto_created: bool,
            /// Free object; `metadata_json` is the same.
            metadata: Metadata,
        }
    }
    /// Body of `PATCH /tickets/{id}`: what is left out stays as it is.
    TicketUpdate {
        optional {
            /// New state, by the workflow; `in-progress` is accepted too.
            status: TicketStatus,
            /// Short text.
            title: Text<1, 200>,
            /// Urgency.
            priority: Priority,
        }
        patch {
            /// Mail address of whoever works on it. Blank: no one. `assigned_to` is accepted too; blank, it changes nothing.
            assignee: Text<0, 320>,
            /// Long text.
            description: Text<0, 10_000>,
            /// When it should be done. `due_date` is accepted too; blank, it changes nothing.
            due_at: Timestamp,
            /// What was done.
            resolution_notes: Text<0, 4000>,
            /// What was found and done, with a state in which the work has ended. `sensor_replaced` starts the reference of the
            /// sensor anew whose alarm the ticket is about, `overhaul` those of all sensors of the machine.
            closing_code: ClosingCode,
            /// Replaces the free object; `metadata_json` is the same.
            metadata: Metadata,
        }
    }
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
