//! The ticket that an alarm opens, and the workflow of every ticket.

use crate::duration::HOUR_S;
use pm_api::{
    ClosingCode, Priority, RestartReason, SensorId, Severity, TicketStatus, Timestamp,
    input::Text,
    ticket::{Ticket, TicketUpdate},
};

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

/// May a ticket go from `from` to `to`? The work goes open → (assigned) → in progress → resolved → closed; what is in
/// progress may be closed at once. Until it is resolved it may be cancelled or given back; what has ended may be opened
/// again, and what was resolved but does not hold goes back to work. Staying is always allowed, so that a repeated request changes nothing.
#[must_use]
pub fn may_change(from: TicketStatus, to: TicketStatus) -> bool {
    use TicketStatus::{Assigned, Cancelled, Closed, InProgress, Open, Resolved};
    from == to
        || match from {
            Open => matches!(to, Assigned | InProgress | Resolved | Cancelled),
            Assigned => matches!(to, Open | InProgress | Resolved | Cancelled),
            InProgress => matches!(to, Open | Assigned | Resolved | Closed | Cancelled),
            Resolved => matches!(to, Open | InProgress | Closed),
            Closed | Cancelled => to == Open,
        }
}

/// Is a ticket in this state closed: has the work on it ended?
#[must_use]
pub fn is_closed(status: TicketStatus) -> bool {
    matches!(status, TicketStatus::Resolved | TicketStatus::Closed | TicketStatus::Cancelled)
}

/// The assignee that a text names; a blank text names no one.
#[must_use]
pub fn assignee(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|name| !name.is_empty())
}

/// Checks a change of a ticket against the workflow.
///
/// # Errors
/// Why it is not allowed, for people.
pub fn check_update(ticket: &Ticket, update: &TicketUpdate) -> Result<(), String> {
    let from = ticket.status;
    let to = update.status.unwrap_or(from);
    let after = update.assignee.clone().after(ticket.assignee.clone().map(Text));
    if update.closing_code.given().is_some() && !is_closed(to) {
        return Err("A closing code belongs to a ticket whose work has ended".to_owned());
    }
    check_change(from, to, after.as_deref().and_then(assignee))
}

/// Healthy references that begin anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restart {
    /// Why.
    pub reason: RestartReason,
    /// Of this sensor; absent: of all of the machine's.
    pub sensor_id: Option<SensorId>,
}

/// The references that begin anew with the closing code that a change gives; `sensor` is the one whose alarm the ticket is about.
/// A code that the ticket has already begins nothing.
///
/// # Errors
/// Why the code does not fit, for people.
pub fn restart(
    ticket: &Ticket,
    update: &TicketUpdate,
    sensor: Option<SensorId>,
) -> Result<Option<Restart>, String> {
    let given = update.closing_code.given().copied().filter(|code| ticket.closing_code != Some(*code));
    match (given, sensor) {
        (Some(ClosingCode::Overhaul), _) => {
            Ok(Some(Restart { reason: RestartReason::Overhaul, sensor_id: None }))
        }
        (Some(ClosingCode::SensorReplaced), Some(sensor)) => {
            Ok(Some(Restart { reason: RestartReason::SensorReplaced, sensor_id: Some(sensor) }))
        }
        (Some(ClosingCode::SensorReplaced), None) => {
            Err("closing_code: the ticket is about no sensor's alarm, so it \
             does not say which sensor was replaced; say it on the sensor's page"
                .to_owned())
        }
        (Some(ClosingCode::Repaired | ClosingCode::PartReplaced | ClosingCode::NoFaultFound) | None, _) => {
            Ok(None)
        }
    }
}

/// Checks a change of state against the workflow; `assignee` is whoever has the ticket after it.
///
/// # Errors
/// Why it is not allowed, for people.
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
    use pm_api::{MachineId, TicketId, input::Patch};
    use uuid::Uuid;

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
                (InProgress, Closed),
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
    fn a_closing_code_belongs_to_an_end_and_starts_references_once() {
        let code = |code: ClosingCode, status: Option<TicketStatus>| TicketUpdate {
            status,
            closing_code: Patch::Set(code),
            ..TicketUpdate::default()
        };
        let open = ticket(None);
        assert!(check_update(&open, &code(ClosingCode::Overhaul, None)).is_err());
        assert_eq!(check_update(&open, &code(ClosingCode::Overhaul, Some(Resolved))), Ok(()));
        let sensor = SensorId(Uuid::from_u128(7));
        let overhaul = Restart { reason: RestartReason::Overhaul, sensor_id: None };
        let replaced = Restart { reason: RestartReason::SensorReplaced, sensor_id: Some(sensor) };
        for (given, about, expected) in [
            (ClosingCode::Overhaul, None, Some(overhaul)),
            (ClosingCode::Overhaul, Some(sensor), Some(overhaul)),
            (ClosingCode::SensorReplaced, Some(sensor), Some(replaced)),
            (ClosingCode::Repaired, Some(sensor), None),
        ] {
            assert_eq!(restart(&open, &code(given, Some(Resolved)), about), Ok(expected), "{given}");
            let has_it = Ticket { closing_code: Some(given), ..open.clone() };
            assert_eq!(restart(&has_it, &code(given, None), about), Ok(None), "{given} again");
        }
        assert!(restart(&open, &code(ClosingCode::SensorReplaced, Some(Resolved)), None).is_err());
        assert_eq!(restart(&open, &TicketUpdate::default(), None), Ok(None));
    }

    fn ticket(name: Option<&str>) -> Ticket {
        Ticket {
            machine_id: MachineId(Uuid::nil()),
            alarm_id: None,
            title: "Seal".to_owned(),
            priority: Priority::Low,
            assignee: name.map(str::to_owned),
            description: None,
            due_at: None,
            auto_created: false,
            metadata: None,
            id: TicketId(Uuid::nil()),
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
            status: Open,
            resolution_notes: None,
            closing_code: None,
            assigned_to: None,
            due_date: None,
        }
    }

    #[test]
    fn a_change_is_checked_with_the_assignee_that_it_leaves() {
        let to_assigned = |assignee: Patch<Text<0, 320>>| TicketUpdate {
            status: Some(Assigned),
            assignee,
            ..TicketUpdate::default()
        };
        for (before, change, allowed) in [
            (Some("a@b.c"), Patch::Absent, true),
            (Some("a@b.c"), Patch::Clear, false),
            (Some("a@b.c"), Patch::Set(" ".into()), false),
            (None, Patch::Absent, false),
            (None, Patch::Set("a@b.c".into()), true),
        ] {
            assert_eq!(
                check_update(&ticket(before), &to_assigned(change.clone())).is_ok(),
                allowed,
                "{before:?} {change:?}"
            );
        }
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
