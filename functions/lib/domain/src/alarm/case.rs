//! One case per trouble: which alarms of a machine belong together, and the one ticket that they share.
//!
//! A new alarm joins the case of an earlier alarm of its machine if
//!
//! | earlier alarm | the new one |
//! |---|---|
//! | of the same sensor, and not resolved | joins its case: another judgement of the same trouble |
//! | of the same sensor, resolved while its condition still held, and seen lately | joins its case: the trouble goes on |
//! | of another sensor, not resolved, and raised lately | joins its case: it follows from the same trouble |
//!
//! and begins a case of its own otherwise. A case has one ticket as long as the work on it goes on: an alarm that joins
//! lifts its priority, and a ticket that was resolved while the trouble goes on is opened again.

use crate::{alarm::machine::Step, duration::MINUTE_S, ticket::AutoTicket};
use pm_api::{AlarmId, Priority, SensorId, TicketId, TicketStatus, Timestamp, alarm_engine::Condition};

/// Alarms of one machine that follow each other within this time belong to one trouble, seconds.
pub const RELATED_WITHIN_S: i64 = 15 * MINUTE_S;

/// An alarm of the machine whose case a new one may join, with one of its tickets. An alarm with several tickets is there
/// once for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseAlarm {
    /// The alarm that began its case.
    pub case_id: AlarmId,
    /// The sensor.
    pub sensor_id: Option<SensorId>,
    /// Is it not resolved?
    pub open: bool,
    /// Does its condition hold, or did it when the alarm was resolved?
    pub condition_active: bool,
    /// When it was raised.
    pub triggered_at: Timestamp,
    /// When its condition was last seen.
    pub last_seen_at: Timestamp,
    /// One of its tickets.
    pub ticket: Option<CaseTicket>,
}

/// A ticket about an alarm of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaseTicket {
    /// Its identifier; `None`: it is opened together with the new alarm.
    pub ticket_id: Option<TicketId>,
    /// Its workflow state.
    pub status: TicketStatus,
    /// Its urgency.
    pub priority: Priority,
}

/// What becomes of a ticket of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TicketChange {
    /// The ticket.
    pub ticket_id: TicketId,
    /// Its state after it.
    pub status: TicketStatus,
    /// Its urgency after it.
    pub priority: Priority,
}

/// Where a new alarm belongs, and what becomes of the case's tickets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Placement {
    /// The case that the alarm joins; `None`: it begins one.
    pub joins: Option<AlarmId>,
    /// The ticket that it opens.
    pub ticket: Option<AutoTicket>,
    /// Tickets of the case that change.
    pub changes: Vec<TicketChange>,
}

/// The case that an alarm of this sensor joins when it is raised now.
#[must_use]
pub fn joined_case(alarms: &[CaseAlarm], sensor: SensorId, now: Timestamp) -> Option<AlarmId> {
    let recent = now.plus_seconds(-RELATED_WITHIN_S);
    let goes_on = |a: &&CaseAlarm| {
        a.sensor_id == Some(sensor) && (a.open || (a.condition_active && a.last_seen_at >= recent))
    };
    let related = |a: &&CaseAlarm| a.open && a.triggered_at >= recent;
    let newest = alarms.iter().filter(goes_on).max_by_key(|a| a.triggered_at);
    let newest = newest.or_else(|| alarms.iter().filter(related).max_by_key(|a| a.triggered_at));
    newest.map(|alarm| alarm.case_id)
}

/// Places an alarm that is raised now among the machine's alarms.
#[must_use]
pub fn place(alarms: &[CaseAlarm], condition: &Condition, step: &Step, now: Timestamp) -> Placement {
    let Some(case) = joined_case(alarms, condition.sensor_id, now) else {
        return Placement { ticket: step.effects.ticket.clone(), ..Placement::default() };
    };
    let Some(wanted) = step.effects.ticket.clone() else {
        return Placement { joins: Some(case), ..Placement::default() };
    };
    let tickets = || tickets_of(alarms, case);
    let in_work = tickets().any(|ticket| !crate::ticket::is_closed(ticket.status));
    let resolved = tickets().filter(|_| !in_work).find(|ticket| ticket.status == TicketStatus::Resolved);
    let reopened = resolved.and_then(|ticket| {
        Some(TicketChange {
            ticket_id: ticket.ticket_id?,
            status: TicketStatus::Open,
            priority: ticket.priority.max(wanted.priority),
        })
    });
    let changes: Vec<_> = lifted(alarms, case, wanted.priority).into_iter().chain(reopened).collect();
    let has_ticket = in_work || reopened.is_some();
    Placement { joins: Some(case), ticket: (!has_ticket).then_some(wanted), changes }
}

/// The tickets of a case that get at least this priority.
#[must_use]
pub fn lifted(alarms: &[CaseAlarm], case: AlarmId, priority: Priority) -> Vec<TicketChange> {
    tickets_of(alarms, case)
        .filter(|ticket| !crate::ticket::is_closed(ticket.status) && ticket.priority < priority)
        .filter_map(|ticket| {
            Some(TicketChange { ticket_id: ticket.ticket_id?, status: ticket.status, priority })
        })
        .collect()
}

fn tickets_of(alarms: &[CaseAlarm], case: AlarmId) -> impl Iterator<Item = &CaseTicket> {
    alarms.iter().filter(move |alarm| alarm.case_id == case).filter_map(|alarm| alarm.ticket.as_ref())
}

/// The alarm as those that are placed after it see it.
#[must_use]
pub fn placed(alarm_id: AlarmId, condition: &Condition, placement: &Placement) -> CaseAlarm {
    CaseAlarm {
        case_id: placement.joins.unwrap_or(alarm_id),
        sensor_id: Some(condition.sensor_id),
        open: true,
        condition_active: condition.still_active,
        triggered_at: condition.time,
        last_seen_at: condition.time,
        ticket: placement.ticket.as_ref().map(|ticket| CaseTicket {
            ticket_id: None,
            status: TicketStatus::Open,
            priority: ticket.priority,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::machine::{State, step};
    use pm_api::{MachineId, ReadingStatus, Severity, alarm_engine::ConditionKind};
    use proptest::prelude::*;
    use uuid::Uuid;

    const NOW: Timestamp = Timestamp(1_800_000_000_000_000);
    const FIRST: AlarmId = AlarmId(Uuid::from_u128(1));

    fn sensor(number: u128) -> SensorId {
        SensorId(Uuid::from_u128(number))
    }

    fn ticket(status: TicketStatus, priority: Priority) -> CaseTicket {
        CaseTicket { ticket_id: Some(TicketId(Uuid::from_u128(9))), status, priority }
    }

    /// An open alarm of sensor 1, raised a minute ago, with a ticket of high priority.
    fn earlier() -> CaseAlarm {
        CaseAlarm {
            case_id: FIRST,
            sensor_id: Some(sensor(1)),
            open: true,
            condition_active: true,
            triggered_at: NOW.plus_seconds(-60),
            last_seen_at: NOW,
            ticket: Some(ticket(TicketStatus::Open, Priority::High)),
        }
    }

    fn condition(of: u128, severity: Severity) -> Condition {
        Condition {
            machine_id: MachineId(Uuid::nil()),
            sensor_id: sensor(of),
            kind: ConditionKind::Threshold,
            occurrences: 1,
            severity,
            still_active: true,
            value: 1.0,
            time: NOW,
            evaluated_through: NOW,
            message: "reported 1".to_owned(),
            prediction_id: None,
        }
    }

    fn placement(alarms: &[CaseAlarm], of: u128, severity: Severity) -> Placement {
        let condition = condition(of, severity);
        let raised = step(&State { alarm: None, reported: ReadingStatus::Normal }, &condition, NOW);
        place(alarms, &condition, &raised, NOW)
    }

    #[test]
    fn which_alarms_belong_together() {
        let long_ago = NOW.plus_seconds(-RELATED_WITHIN_S - 1);
        let old = || CaseAlarm { triggered_at: long_ago, ..earlier() };
        let resolved = || CaseAlarm { open: false, ..earlier() };
        for (what, alarm, of, joins) in [
            ("the same sensor, open", earlier(), 1, true),
            ("the same sensor, open for long", old(), 1, true),
            ("another sensor, raised lately", earlier(), 2, true),
            ("another sensor, raised long ago", old(), 2, false),
            ("the same sensor, resolved while its condition held", resolved(), 1, true),
            (
                "the same sensor, resolved after it",
                CaseAlarm { condition_active: false, ..resolved() },
                1,
                false,
            ),
            (
                "the same sensor, resolved long ago",
                CaseAlarm { last_seen_at: long_ago, ..resolved() },
                1,
                false,
            ),
            ("another sensor, resolved", resolved(), 2, false),
        ] {
            assert_eq!(joined_case(&[alarm], sensor(of), NOW).is_some(), joins, "{what}");
        }
    }

    #[test]
    fn a_case_has_one_ticket_while_its_work_goes_on() {
        use Priority::{Critical, High};
        use TicketStatus::{Cancelled, Closed, InProgress, Open, Resolved};
        let with = |status, priority| vec![CaseAlarm { ticket: Some(ticket(status, priority)), ..earlier() }];
        for (alarms, severity, opens, change) in [
            (vec![], Severity::Warning, true, None),
            (with(Open, High), Severity::Warning, false, None),
            (with(InProgress, High), Severity::Critical, false, Some((InProgress, Critical))),
            (with(Open, Critical), Severity::Warning, false, None),
            (with(Resolved, High), Severity::Warning, false, Some((Open, High))),
            (with(Closed, High), Severity::Warning, true, None),
            (with(Cancelled, High), Severity::Critical, true, None),
            (vec![CaseAlarm { ticket: None, ..earlier() }], Severity::Warning, true, None),
            (with(Resolved, High), Severity::Info, false, None),
        ] {
            let placement = placement(&alarms, 2, severity);
            assert_eq!(placement.ticket.is_some(), opens, "{alarms:?} {severity}");
            let changes: Vec<_> = placement.changes.iter().map(|c| (c.status, c.priority)).collect();
            assert_eq!(changes, change.into_iter().collect::<Vec<_>>(), "{alarms:?} {severity}");
        }
    }

    proptest! {
        #[test]
        fn a_burst_of_alarms_of_a_machine_is_one_case_with_one_ticket(
            sensors in prop::collection::vec((1_u128..9, prop::sample::select(vec![Severity::Warning, Severity::Critical])), 1..30),
        ) {
            let mut alarms = Vec::new();
            let mut tickets = 0;
            for (n, (of, severity)) in sensors.iter().enumerate() {
                let placement = placement(&alarms, *of, *severity);
                tickets += u32::from(placement.ticket.is_some());
                let id = AlarmId(Uuid::from_u128(n as u128 + 1));
                alarms.push(placed(id, &condition(*of, *severity), &placement));
            }
            prop_assert_eq!(tickets, 1);
            prop_assert!(alarms.iter().all(|alarm| alarm.case_id == FIRST));
        }

        #[test]
        fn no_priority_is_ever_lowered(
            before in prop::sample::select(Priority::ALL), wanted in prop::sample::select(Priority::ALL),
        ) {
            let alarms = [CaseAlarm { ticket: Some(ticket(TicketStatus::Open, before)), ..earlier() }];
            prop_assert!(lifted(&alarms, FIRST, wanted).iter().all(|change| change.priority > before));
        }
    }
}
