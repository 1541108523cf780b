//! What a form changed, as the body of a `PATCH`: field names come from the type, so that they are spelled once.

use pm_api::ticket::Ticket;
use pm_domain::ticket::check_change;
use serde::Serialize;
use serde_json::{Map, Value};

/// The fields of `new` that differ from `old`.
#[must_use]
pub fn changes<T: Serialize>(old: &T, new: &T) -> Map<String, Value> {
    let (Ok(Value::Object(old)), Ok(Value::Object(new))) =
        (serde_json::to_value(old), serde_json::to_value(new))
    else {
        return Map::new();
    };
    new.into_iter().filter(|(name, value)| old.get(name) != Some(value)).collect()
}

/// The changes that take a ticket from `now` back to `before`; empty where the workflow does not allow that step.
#[must_use]
pub fn way_back(now: &Ticket, before: &Ticket) -> Map<String, Value> {
    match check_change(now.status, before.status, before.assignee.as_deref()) {
        Ok(()) => changes(now, before),
        Err(_) => Map::new(),
    }
}

/// The text of a form's field as a value that may be absent.
#[must_use]
pub fn given(text: &str) -> Option<String> {
    Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A number typed by a person, with a point or a comma; `Err` holds what could not be read.
pub fn number(text: &str) -> Result<Option<f64>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let read = text.replace(',', ".").parse::<f64>().ok().filter(|n| n.is_finite());
    read.map(Some).ok_or_else(|| format!("«{text}» is no number"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pm_api::{
        MachineId, Priority, ReadingStatus, TicketId, TicketStatus, Timestamp, sensor::LatestReading,
    };

    #[test]
    fn changes_holds_only_the_fields_that_differ() {
        let old = LatestReading { timestamp: Timestamp(1), value: 1.0, status: ReadingStatus::Normal };
        let new = LatestReading { value: 2.5, ..old.clone() };
        let body = changes(&old, &new);
        assert_eq!(serde_json::to_string(&body).unwrap(), r#"{"value":2.5}"#);
        assert!(changes(&old, &old).is_empty());
    }

    #[test]
    fn way_back_is_empty_where_the_workflow_does_not_lead_back() {
        use TicketStatus::{Assigned, Closed, InProgress, Open, Resolved};
        let open = Ticket {
            machine_id: MachineId(Default::default()),
            alarm_id: None,
            title: "Seal".to_owned(),
            priority: Priority::Low,
            assignee: None,
            description: None,
            due_at: None,
            auto_created: false,
            metadata: None,
            id: TicketId(Default::default()),
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
            status: Open,
            resolution_notes: None,
            closing_code: None,
            assigned_to: None,
            due_date: None,
        };
        let taken = Ticket {
            status: InProgress,
            assignee: Some("eng@example.com".to_owned()),
            due_at: Some(Timestamp(1)),
            priority: Priority::High,
            ..open.clone()
        };
        // fields that were empty become empty again
        assert_eq!(
            Value::from(way_back(&taken, &open)),
            serde_json::json!({"status": "open", "assignee": null, "due_at": null, "priority": "low"})
        );
        let at = |status| Ticket { status, ..taken.clone() };
        assert_eq!(
            Value::from(way_back(&at(Resolved), &at(InProgress))),
            serde_json::json!({"status": "in_progress"})
        );
        assert!(way_back(&at(Resolved), &at(Assigned)).is_empty());
        assert!(way_back(&at(Closed), &at(Resolved)).is_empty());
    }

    #[test]
    fn number_accepts_point_and_comma_and_refuses_other_text() {
        assert_eq!(number(" 4,5 "), Ok(Some(4.5)));
        assert_eq!(number(""), Ok(None));
        assert!(number("hot").is_err());
        assert!(number("inf").is_err());
    }
}
