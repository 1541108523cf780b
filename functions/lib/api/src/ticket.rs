//! Maintenance tickets.

use crate::{AlarmId, MachineId, Metadata, Priority, TicketId, TicketStatus, Timestamp};
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
