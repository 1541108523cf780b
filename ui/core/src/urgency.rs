//! The order of the alarm queue.

use pm_api::{AlarmStatus, Severity, alarm::Alarm};
use std::cmp::{Ordering, Reverse};

/// Orders the alarm queue: unacknowledged before acknowledged before resolved, then the highest severity, then alarms
/// whose condition still holds, then the newest.
#[must_use]
pub fn by_urgency(a: &Alarm, b: &Alarm) -> Ordering {
    let key = |alarm: &Alarm| {
        (
            alarm.status,
            Reverse(alarm.severity),
            Reverse(alarm.condition_active),
            Reverse(alarm.triggered_at),
            Reverse(alarm.id),
        )
    };
    key(a).cmp(&key(b))
}

/// Is the alarm not resolved yet?
#[must_use]
pub fn is_active(alarm: &Alarm) -> bool {
    alarm.status != AlarmStatus::Resolved
}

/// The highest severity among active alarms, if there are any.
#[must_use]
pub fn highest_severity<'a>(alarms: impl IntoIterator<Item = &'a Alarm>) -> Option<Severity> {
    alarms.into_iter().filter(|alarm| is_active(alarm)).map(|alarm| alarm.severity).max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pm_api::{AlarmId, MachineId, Timestamp};

    fn alarm(status: AlarmStatus, severity: Severity, at: i64) -> Alarm {
        Alarm {
            machine_id: "00000000-0000-0000-0000-000000000000".parse::<MachineId>().unwrap(),
            sensor_id: None,
            prediction_id: None,
            severity,
            message: String::new(),
            triggered_at: Timestamp(at),
            metadata: None,
            id: "00000000-0000-0000-0000-000000000000".parse::<AlarmId>().unwrap(),
            created_at: Timestamp(at),
            updated_at: Timestamp(at),
            status,
            resolved_at: None,
            kind: "threshold".to_owned(),
            occurrences: 1,
            condition_active: true,
            last_seen_at: Timestamp(at),
            acknowledged_at: None,
            acknowledged_by: None,
            resolution_notes: None,
            resolved_by: None,
            verdict: None,
            shelved_until: None,
            shelved_by: None,
            shelve_reason: None,
            case_id: "00000000-0000-0000-0000-000000000000".parse::<AlarmId>().unwrap(),
        }
    }

    #[test]
    fn unacknowledged_and_severe_alarms_come_first() {
        let mut queue = [
            alarm(AlarmStatus::Resolved, Severity::Critical, 9),
            alarm(AlarmStatus::Open, Severity::Warning, 1),
            alarm(AlarmStatus::Acknowledged, Severity::Critical, 8),
            alarm(AlarmStatus::Open, Severity::Warning, 2),
            alarm(AlarmStatus::Open, Severity::Critical, 1),
        ];
        queue.sort_by(by_urgency);
        let order: Vec<_> =
            queue.iter().map(|a| (a.status.as_str(), a.severity.as_str(), a.triggered_at.0)).collect();
        assert_eq!(
            order,
            [
                ("open", "critical", 1),
                ("open", "warning", 2),
                ("open", "warning", 1),
                ("acknowledged", "critical", 8),
                ("resolved", "critical", 9),
            ]
        );
        assert_eq!(highest_severity(&queue), Some(Severity::Critical));
        assert_eq!(highest_severity(&queue[4..]), None);
    }
}
