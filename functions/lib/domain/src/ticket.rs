//! The ticket that an alarm opens.

use pm_api::{Priority, Severity};

/// Hours until an automatic ticket is due.
pub const AUTO_TICKET_DUE_H: i64 = 4;
/// Whom an automatic ticket is assigned to.
pub const AUTO_TICKET_ASSIGNEE: &str = "maintenance@factory.local";

/// A ticket to open for an alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutoTicket {
    /// `Alarm {SEVERITY} - {first 40 characters of the alarm's message}`.
    pub title: String,
    /// Critical for a critical alarm, else high.
    pub priority: Priority,
}

/// The ticket for an alarm of this severity; none for information.
#[must_use]
pub fn auto_ticket(severity: Severity, message: &str) -> Option<AutoTicket> {
    let priority = match severity {
        Severity::Info => return None,
        Severity::Warning => Priority::High,
        Severity::Critical => Priority::Critical,
    };
    let start: String = message.chars().take(40).collect();
    Some(AutoTicket { title: format!("Alarm {} - {start}", severity.as_str().to_uppercase()), priority })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_example() {
        let ticket = auto_ticket(Severity::Warning, "CapSensor reported -1.0 C");
        assert_eq!(
            ticket,
            Some(AutoTicket {
                title: "Alarm WARNING - CapSensor reported -1.0 C".to_owned(),
                priority: Priority::High
            })
        );
        assert_eq!(auto_ticket(Severity::Info, "x"), None);
        let long = auto_ticket(Severity::Critical, &"ü".repeat(60)).map(|t| t.title.chars().count());
        assert_eq!(long, Some("Alarm CRITICAL - ".len() + 40));
    }
}
