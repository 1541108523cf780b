//! The daily summary that users can have mailed: alarms that were raised, that are not resolved, and that were resolved.

use crate::{
    mail::{Rendered, SummaryPart, summary_page},
    notice::is_about,
};
use pm_api::{AlarmId, AlarmStatus, MachineId, Severity, notification::Preferences};

/// Most alarms that each part of a summary lists.
const MAX_LISTED: usize = 25;

/// An alarm of the last day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummaryAlarm {
    /// Identifier.
    pub id: AlarmId,
    /// Severity.
    pub severity: Severity,
    /// What it says.
    pub message: String,
    /// Name of the machine.
    pub machine: String,
    /// What people have done about it.
    pub status: AlarmStatus,
    /// Was it raised in the last day?
    pub is_new: bool,
    /// Was it resolved in the last day?
    pub is_resolved: bool,
    /// The machine.
    pub machine_id: MachineId,
    /// Its class.
    pub machine_class: Option<String>,
}

/// The mail for a user. `alarms`: the most severe and newest first.
#[must_use]
pub fn mail(alarms: &[SummaryAlarm], preferences: &Preferences, product_url: &str) -> Rendered {
    let own: Vec<_> = alarms
        .iter()
        .filter(|a| is_about(preferences, Some(a.machine_id), a.machine_class.as_deref()))
        .filter(|a| a.severity >= preferences.minimum_severity)
        .collect();
    let open = |a: &SummaryAlarm| a.status != AlarmStatus::Resolved;
    let part = |name: &'static str, is_in: &dyn Fn(&SummaryAlarm) -> bool| {
        let all: Vec<_> = own.iter().filter(|a| is_in(a)).collect();
        let line = |a: &&&SummaryAlarm| {
            let link = (!product_url.is_empty()).then(|| format!("{product_url}/app/alarms/{}", a.id));
            (format!("{} · {} · {}", a.severity.as_str().to_uppercase(), a.machine, a.message), link)
        };
        SummaryPart { name, total: all.len(), lines: all.iter().take(MAX_LISTED).map(line).collect() }
    };
    let parts = [
        part("Raised", &|a| a.is_new),
        part("Not resolved", &open),
        part("Resolved", &|a| a.is_resolved && !open(a)),
    ];
    let [raised, left, resolved] = parts.each_ref().map(|part| part.total);
    let title = format!("Alarms of the last day: {raised} raised, {left} not resolved, {resolved} resolved");
    summary_page(&title, &parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::DEFAULT_PREFERENCES;
    use uuid::Uuid;

    fn alarm(number: u128, severity: Severity, status: AlarmStatus, is_new: bool) -> SummaryAlarm {
        SummaryAlarm {
            id: AlarmId(Uuid::from_u128(number)),
            severity,
            message: format!("alarm {number} <b>"),
            machine: "Press".to_owned(),
            status,
            is_new,
            is_resolved: status == AlarmStatus::Resolved,
            machine_id: MachineId(Uuid::from_u128(number)),
            machine_class: None,
        }
    }

    #[test]
    fn a_summary_counts_and_lists_what_the_user_wants() {
        let alarms = [
            alarm(1, Severity::Critical, AlarmStatus::Open, true),
            alarm(2, Severity::Warning, AlarmStatus::Acknowledged, false),
            alarm(3, Severity::Warning, AlarmStatus::Resolved, true),
            alarm(4, Severity::Info, AlarmStatus::Open, true),
        ];
        let all = mail(&alarms, &DEFAULT_PREFERENCES, "https://pm.example");
        assert_eq!(all.subject, "Alarms of the last day: 2 raised, 2 not resolved, 1 resolved");
        assert!(all.text.contains("https://pm.example/app/alarms/00000000-0000-0000-0000-000000000001"));
        assert!(!all.text.contains("alarm 4"), "below the minimum severity");
        assert!(all.html.contains("alarm 1 &lt;b&gt;") && !all.html.contains("1 <b>"), "{}", all.html);
        let one = Preferences { machine_ids: vec![MachineId(Uuid::from_u128(2))], ..DEFAULT_PREFERENCES };
        assert_eq!(
            mail(&alarms, &one, "").subject,
            "Alarms of the last day: 0 raised, 1 not resolved, 0 resolved"
        );
    }
}
