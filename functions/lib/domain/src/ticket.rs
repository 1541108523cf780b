//! The ticket that an alarm opens, and the workflow of every ticket.

use crate::duration::HOUR_S;
use pm_api::{Priority, Severity, TicketStatus, Timestamp};

/// Hours until an automatic ticket is due.
pub const AUTO_TICKET_DUE_H: i64 = 4;
/// Whom an automatic ticket is assigned to.
pub const AUTO_TICKET_ASSIGNEE: &str = "maintenance@factory.local";

/// A ticket to open for an alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutoTicket {
    /// `Alarm {SEVERITY} - {first 40 characters of the alarm's message}`, without what would end in the air.
    pub title: String,
    /// Critical for a critical alarm, else high.
    pub priority: Priority,
    /// When the work should be done.
    pub due_at: Timestamp,
}

/// The priority of the ticket for an alarm of this severity; none for information, which opens no ticket.
#[must_use]
pub fn auto_priority(severity: Severity) -> Option<Priority> {
    match severity {
        Severity::Info => None,
        Severity::Warning => Some(Priority::High),
        Severity::Critical => Some(Priority::Critical),
    }
}

/// The ticket for an alarm of this severity that is raised now.
#[must_use]
pub fn auto_ticket(severity: Severity, message: &str, now: Timestamp) -> Option<AutoTicket> {
    let priority = auto_priority(severity)?;
    let start: String = message.chars().take(40).collect();
    let title =
        format!("Alarm {} - {}", severity.as_str().to_uppercase(), start.trim_end_matches([' ', ':', ',']));
    Some(AutoTicket { title, priority, due_at: now.plus_seconds(AUTO_TICKET_DUE_H * HOUR_S) })
}

/// May a ticket go from `from` to `to`? The work goes open → (assigned) → in progress → resolved → closed. Until it is
/// resolved it may be cancelled or given back; what has ended may be opened again, and what was resolved but does not
/// hold goes back to work. Staying is always allowed, so that a repeated request changes nothing.
#[must_use]
pub fn may_change(from: TicketStatus, to: TicketStatus) -> bool {
    use TicketStatus::{Assigned, Cancelled, Closed, InProgress, Open, Resolved};
    from == to
        || match from {
            Open => matches!(to, Assigned | InProgress | Resolved | Cancelled),
            Assigned => matches!(to, Open | InProgress | Resolved | Cancelled),
            InProgress => matches!(to, Open | Assigned | Resolved | Cancelled),
            Resolved => matches!(to, Open | InProgress | Closed),
            Closed | Cancelled => to == Open,
        }
}

/// Is a ticket in this state closed: has the work on it ended?
#[must_use]
pub fn is_closed(status: TicketStatus) -> bool {
    matches!(status, TicketStatus::Resolved | TicketStatus::Closed | TicketStatus::Cancelled)
}

/// Why a ticket cannot go from `from` to `to`, if so; `assignee` is the assignee after the change.
///
/// # Errors
/// A sentence for people.
pub fn check_change(from: TicketStatus, to: TicketStatus, assignee: Option<&str>) -> Result<(), String> {
    if !may_change(from, to) {
        return Err(format!("A ticket cannot go from {from} to {to}"));
    }
    if to == TicketStatus::Assigned && from != to && assignee.is_none() {
        return Err("A ticket is assigned to somebody: give an assignee".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use TicketStatus::{Assigned, Cancelled, Closed, InProgress, Open, Resolved};

    #[test]
    fn legal_changes() {
        let legal: Vec<_> = TicketStatus::ALL
            .iter()
            .flat_map(|&from| TicketStatus::ALL.iter().map(move |&to| (from, to)))
            .filter(|&(from, to)| from != to && may_change(from, to))
            .collect();
        assert_eq!(
            legal,
            [
                (Open, Assigned),
                (Open, InProgress),
                (Open, Resolved),
                (Open, Cancelled),
                (Assigned, Open),
                (Assigned, InProgress),
                (Assigned, Resolved),
                (Assigned, Cancelled),
                (InProgress, Open),
                (InProgress, Assigned),
                (InProgress, Resolved),
                (InProgress, Cancelled),
                (Resolved, Open),
                (Resolved, InProgress),
                (Resolved, Closed),
                (Closed, Open),
                (Cancelled, Open),
            ]
        );
    }

    #[test]
    fn every_state_can_be_reached_and_left() {
        for &state in TicketStatus::ALL {
            let others = || TicketStatus::ALL.iter().filter(move |&&other| other != state);
            assert!(others().any(|&to| may_change(state, to)), "{state} is a dead end");
            assert!(others().any(|&from| may_change(from, state)), "{state} cannot be reached");
            assert!(may_change(state, state));
        }
    }

    #[test]
    fn assigned_means_to_somebody() {
        assert!(check_change(Open, Assigned, None).is_err());
        assert_eq!(check_change(Open, Assigned, Some("eng@example.com")), Ok(()));
        assert_eq!(check_change(Assigned, Assigned, None), Ok(()));
        assert!(check_change(Open, Closed, Some("eng@example.com")).is_err());
    }

    #[test]
    fn documented_example() {
        let now = Timestamp(0);
        let ticket = auto_ticket(Severity::Warning, "CapSensor reported -1.0 C", now);
        assert_eq!(
            ticket,
            Some(AutoTicket {
                title: "Alarm WARNING - CapSensor reported -1.0 C".to_owned(),
                priority: Priority::High,
                due_at: Timestamp(4 * 3600 * Timestamp::SECOND),
            })
        );
        assert_eq!(auto_ticket(Severity::Info, "x", now), None);
        let long = auto_ticket(Severity::Critical, &"ü".repeat(60), now).map(|t| t.title.chars().count());
        assert_eq!(long, Some("Alarm CRITICAL - ".len() + 40));
    }
}
