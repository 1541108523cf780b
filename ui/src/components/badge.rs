//! Labels with a shape and, only when something is abnormal, a colour.

use super::icon::Icon;
use leptos::prelude::*;
use pm_api::{AlarmStatus, MachineStatus, Priority, ReadingStatus, Severity, TicketStatus, ticket::Ticket};
use pm_ui_core::text::title;

fn badge(class: &'static str, icon: Option<Icon>, word: &str) -> AnyView {
    view! { <span class=format!("badge {class}")>{icon.map(Icon::view)} {title(word)}</span> }.into_any()
}

/// Severity of an alarm.
#[must_use]
pub fn severity(severity: Severity) -> AnyView {
    match severity {
        Severity::Critical => badge("critical", Some(Icon::Critical), severity.as_str()),
        Severity::Warning => badge("warning", Some(Icon::Warning), severity.as_str()),
        Severity::Info => badge("info", Some(Icon::Info), severity.as_str()),
    }
}

/// Operating state of a machine.
#[must_use]
pub fn machine(status: MachineStatus) -> AnyView {
    match status {
        MachineStatus::Online => badge("calm", None, status.as_str()),
        MachineStatus::Offline => badge("off", Some(Icon::Offline), status.as_str()),
        MachineStatus::Maintenance => badge("info", Some(Icon::Wrench), status.as_str()),
        MachineStatus::Degraded => badge("warning", Some(Icon::Warning), status.as_str()),
    }
}

/// The status of a reading by its limits, or the class of a prediction.
#[must_use]
pub fn status(word: &str) -> AnyView {
    match word.parse::<ReadingStatus>() {
        Ok(ReadingStatus::Critical) => badge("critical", Some(Icon::Critical), word),
        Ok(ReadingStatus::Warning) => badge("warning", Some(Icon::Warning), word),
        Ok(ReadingStatus::Normal) => badge("calm", None, word),
        Err(_) => badge("off", None, word),
    }
}

/// Status of an alarm.
#[must_use]
pub fn alarm_status(status: AlarmStatus) -> AnyView {
    match status {
        AlarmStatus::Open => badge("open", None, "unacknowledged"),
        AlarmStatus::Acknowledged => badge("calm", Some(Icon::Check), status.as_str()),
        AlarmStatus::Resolved => badge("off", Some(Icon::CheckAll), status.as_str()),
    }
}

/// Status of a ticket.
#[must_use]
pub fn ticket_status(status: TicketStatus) -> AnyView {
    match status {
        TicketStatus::Open => badge("open", None, status.as_str()),
        TicketStatus::Assigned | TicketStatus::InProgress => badge("info", None, status.as_str()),
        TicketStatus::Resolved | TicketStatus::Closed | TicketStatus::Cancelled => {
            badge("off", None, status.as_str())
        }
    }
}

/// Priority of a ticket, with a colour until it is resolved.
#[must_use]
pub fn priority(ticket: &Ticket) -> AnyView {
    let priority = ticket.priority;
    match priority {
        _ if ticket.status >= TicketStatus::Resolved => badge("calm", None, priority.as_str()),
        Priority::Critical => badge("critical", Some(Icon::Critical), priority.as_str()),
        Priority::High => badge("warning", Some(Icon::Warning), priority.as_str()),
        Priority::Medium | Priority::Low => badge("calm", None, priority.as_str()),
    }
}
