//! The alarm state machine: what a condition does to the alarm of its cause.
//!
//! A cause is a machine, a sensor and a kind (limit or prediction). It has at most one alarm that is not closed:
//!
//! | alarm of the cause | condition | the alarm is |
//! |---|---|---|
//! | none | was seen | raised |
//! | open or acknowledged | was seen, graver than the alarm | escalated |
//! | open or acknowledged | holds again after it had ended | returned |
//! | open or acknowledged | was seen and has ended | ended, and counted |
//! | open or acknowledged | was seen | repeated |
//! | open or acknowledged | has ended | ended |
//! | none | has ended | not touched |

use crate::ticket::{self, AutoTicket};
use pm_api::{
    PredictionId, ReadingStatus, Severity, Timestamp,
    alarm_engine::{Condition, ConditionKind},
};

/// What is known of a cause.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Its alarm that is not closed.
    pub alarm: Option<OpenAlarm>,
    /// The class that its last condition reported.
    pub reported: ReadingStatus,
}

/// An alarm that is open or acknowledged.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenAlarm {
    /// Highest severity since it was raised.
    pub severity: Severity,
    /// For people; of the reading that gave the severity.
    pub message: String,
    /// Does the condition hold?
    pub condition_active: bool,
    /// How often the condition was seen.
    pub occurrences: i64,
    /// When it was last seen.
    pub last_seen_at: Timestamp,
    /// The last prediction behind it, for kind `prediction`.
    pub prediction_id: Option<PredictionId>,
}

/// The answer of the state machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The state after the condition.
    pub next: State,
    /// What must be done besides storing the state.
    pub effects: Effects,
}

impl Step {
    /// What the alarm's history notes beside the change: the new severity of an escalation.
    #[must_use]
    pub fn note(&self) -> Option<&'static str> {
        let alarm = self.next.alarm.as_ref()?;
        (self.effects.change == Some(Change::Escalated)).then(|| alarm.severity.as_str())
    }
}

/// What a condition causes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Effects {
    /// What happened to the alarm; `None`: nothing.
    pub change: Option<Change>,
    /// The newest value beyond the limit, in the sensor's unit.
    pub value: Option<f64>,
    /// The ticket that the alarm opens, unless its case has one.
    pub ticket: Option<AutoTicket>,
    /// The priority that the tickets of the alarm's case get at least, those that are not closed.
    pub ticket_priority: Option<pm_api::Priority>,
    /// Events about the prediction itself.
    pub prediction_events: Vec<PredictionEvent>,
}

/// What a condition did to an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Raised,
    /// It was counted once more.
    Repeated,
    /// It got a higher severity.
    Escalated,
    /// Its condition holds again.
    Returned,
    /// Its condition does not hold any more.
    ConditionEnded,
}

impl Change {
    /// The word in the alarm's history and in its event; a repetition is in neither.
    #[must_use]
    pub fn recorded(self) -> Option<&'static str> {
        match self {
            Self::Raised => Some("raised"),
            Self::Escalated => Some("escalated"),
            Self::Returned => Some("returned"),
            Self::ConditionEnded => Some("condition ended"),
            Self::Repeated => None,
        }
    }

    /// The name of the alarm's event.
    #[must_use]
    pub fn event(self) -> Option<&'static str> {
        match self {
            Self::Raised => Some("alarm.created"),
            Self::Escalated | Self::Returned | Self::ConditionEnded => Some("alarm.updated"),
            Self::Repeated => None,
        }
    }
}

/// An event about a prediction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PredictionEvent {
    /// A sensor left normal.
    Anomaly,
    /// A sensor became critical.
    Critical,
}

impl PredictionEvent {
    /// The name of the event.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anomaly => "prediction.anomaly",
            Self::Critical => "prediction.critical",
        }
    }
}

/// Applies a condition to the state of its cause.
#[must_use]
pub fn step(state: &State, condition: &Condition, now: Timestamp) -> Step {
    let seen = condition.occurrences > 0;
    let (alarm, change) = match &state.alarm {
        None if seen => (Some(raised(condition)), Some(Change::Raised)),
        Some(alarm) if seen => {
            let next = repeated(alarm, condition);
            let change = change(alarm, &next);
            (Some(next), Some(change))
        }
        Some(alarm) if alarm.condition_active && !condition.still_active => {
            (Some(OpenAlarm { condition_active: false, ..alarm.clone() }), Some(Change::ConditionEnded))
        }
        unchanged => (unchanged.clone(), None),
    };
    let reported = class(condition);
    let (ticket, ticket_priority) = match change {
        Some(Change::Raised) => (ticket::auto_ticket(condition.severity, &condition.message, now), None),
        Some(Change::Escalated) => (None, ticket::auto_priority(condition.severity)),
        _ => (None, None),
    };
    let effects = Effects {
        change,
        value: seen.then_some(condition.value),
        ticket,
        ticket_priority,
        prediction_events: prediction_events(condition.kind, state.reported, reported),
    };
    Step { next: State { alarm, reported }, effects }
}

/// What a condition does that would raise an alarm while its machine is under maintenance: nothing. It is as if it had not
/// been reported, so it is reported again and raises its alarm when the maintenance has ended.
#[must_use]
pub fn suppressed(state: &State) -> Step {
    Step { next: state.clone(), effects: Effects::default() }
}

fn raised(condition: &Condition) -> OpenAlarm {
    OpenAlarm {
        severity: condition.severity,
        message: condition.message.clone(),
        condition_active: condition.still_active,
        occurrences: i64::from(condition.occurrences),
        last_seen_at: condition.time,
        prediction_id: condition.prediction_id,
    }
}

/// A condition that was seen joins the alarm of its cause.
fn repeated(alarm: &OpenAlarm, condition: &Condition) -> OpenAlarm {
    let graver = condition.severity > alarm.severity;
    OpenAlarm {
        severity: alarm.severity.max(condition.severity),
        message: if graver { &condition.message } else { &alarm.message }.clone(),
        condition_active: condition.still_active,
        occurrences: alarm.occurrences.saturating_add(i64::from(condition.occurrences)),
        last_seen_at: alarm.last_seen_at.max(condition.time),
        prediction_id: condition.prediction_id.or(alarm.prediction_id),
    }
}

fn change(before: &OpenAlarm, after: &OpenAlarm) -> Change {
    match (before.condition_active, after.condition_active) {
        _ if after.severity > before.severity => Change::Escalated,
        (false, true) => Change::Returned,
        (true, false) => Change::ConditionEnded,
        _ => Change::Repeated,
    }
}

/// The class that a condition reports: normal once it has ended.
fn class(condition: &Condition) -> ReadingStatus {
    match condition.severity {
        _ if !condition.still_active => ReadingStatus::Normal,
        Severity::Info => ReadingStatus::Normal,
        Severity::Warning => ReadingStatus::Warning,
        Severity::Critical => ReadingStatus::Critical,
    }
}

/// Leaving normal is one event, becoming critical another.
fn prediction_events(kind: ConditionKind, from: ReadingStatus, to: ReadingStatus) -> Vec<PredictionEvent> {
    if kind != ConditionKind::Prediction {
        return Vec::new();
    }
    [(PredictionEvent::Anomaly, ReadingStatus::Warning), (PredictionEvent::Critical, ReadingStatus::Critical)]
        .into_iter()
        .filter(|&(_, reached)| from < reached && to >= reached)
        .map(|(event, _)| event)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use Change::{ConditionEnded, Escalated, Raised, Repeated, Returned};
    use pm_api::{MachineId, SensorId};
    use proptest::prelude::*;
    use uuid::Uuid;

    const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

    fn condition(occurrences: u32, severity: Severity, still_active: bool) -> Condition {
        Condition {
            machine_id: MachineId(Uuid::nil()),
            sensor_id: SensorId(Uuid::nil()),
            kind: ConditionKind::Threshold,
            occurrences,
            severity,
            still_active,
            value: 1.0,
            time: NOW,
            evaluated_through: NOW,
            message: format!("reported {severity}"),
            prediction_id: None,
        }
    }

    fn seen(severity: Severity) -> Condition {
        condition(1, severity, true)
    }

    fn ended() -> Condition {
        condition(0, Severity::Info, false)
    }

    fn none() -> State {
        State { alarm: None, reported: ReadingStatus::Normal }
    }

    /// The changes that a series of conditions gives.
    fn changes(conditions: &[Condition]) -> Vec<Option<Change>> {
        let mut state = none();
        let of = |condition| {
            let step = step(&state, condition, NOW);
            state = step.next;
            step.effects.change
        };
        conditions.iter().map(of).collect()
    }

    #[test]
    fn the_table_of_changes() {
        use Severity::{Critical, Warning};
        for (conditions, expected) in [
            (vec![ended()], vec![None]),
            (vec![seen(Warning)], vec![Some(Raised)]),
            (vec![seen(Warning), seen(Warning)], vec![Some(Raised), Some(Repeated)]),
            (vec![seen(Warning), seen(Critical)], vec![Some(Raised), Some(Escalated)]),
            (vec![seen(Critical), seen(Warning)], vec![Some(Raised), Some(Repeated)]),
            (vec![seen(Warning), ended(), ended()], vec![Some(Raised), Some(ConditionEnded), None]),
            (
                vec![seen(Warning), ended(), seen(Warning)],
                vec![Some(Raised), Some(ConditionEnded), Some(Returned)],
            ),
            (vec![seen(Warning), condition(2, Warning, false)], vec![Some(Raised), Some(ConditionEnded)]),
            (vec![seen(Warning), condition(2, Critical, false)], vec![Some(Raised), Some(Escalated)]),
            (
                vec![condition(2, Warning, false), condition(1, Warning, false)],
                vec![Some(Raised), Some(Repeated)],
            ),
        ] {
            assert_eq!(changes(&conditions), expected, "{conditions:?}");
        }
    }

    #[test]
    fn an_escalation_takes_the_message_and_raises_the_tickets() {
        let raised = step(&none(), &seen(Severity::Warning), NOW);
        assert_eq!(raised.effects.ticket.map(|t| t.priority), Some(pm_api::Priority::High));
        let escalated = step(&raised.next, &seen(Severity::Critical), NOW);
        assert_eq!(escalated.next.alarm.map(|a| a.message), Some("reported critical".to_owned()));
        assert_eq!(escalated.effects.ticket, None);
        assert_eq!(escalated.effects.ticket_priority, Some(pm_api::Priority::Critical));
    }

    #[test]
    fn prediction_events_tell_of_each_class_that_is_reached() {
        use PredictionEvent::{Anomaly, Critical};
        for (from, to, expected) in [
            ("normal", "normal", &[][..]),
            ("normal", "warning", &[Anomaly]),
            ("normal", "critical", &[Anomaly, Critical]),
            ("warning", "critical", &[Critical]),
            ("warning", "warning", &[]),
            ("critical", "warning", &[]),
            ("critical", "normal", &[]),
        ] {
            let class = |word: &str| word.parse::<ReadingStatus>().expect("a class");
            let (from, to) = (class(from), class(to));
            assert_eq!(prediction_events(ConditionKind::Prediction, from, to), expected, "{from} {to}");
            assert_eq!(prediction_events(ConditionKind::Threshold, from, to), []);
        }
    }

    fn any_severity() -> impl Strategy<Value = Severity> {
        prop::sample::select(Severity::ALL)
    }

    fn any_condition() -> impl Strategy<Value = Condition> {
        (0_u32..4, any_severity(), any::<bool>(), any::<bool>(), -1000_i64..1000).prop_map(
            |(occurrences, severity, still_active, prediction, offset_s)| Condition {
                kind: if prediction { ConditionKind::Prediction } else { ConditionKind::Threshold },
                prediction_id: prediction
                    .then(|| PredictionId(Uuid::from_u128(offset_s.unsigned_abs().into()))),
                time: NOW.plus_seconds(offset_s),
                ..condition(occurrences, severity, still_active)
            },
        )
    }

    fn any_state() -> impl Strategy<Value = State> {
        let alarm = (any_severity(), any::<bool>(), 1_i64..1000, -1000_i64..1000).prop_map(
            |(severity, condition_active, occurrences, offset_s)| OpenAlarm {
                severity,
                message: format!("was {severity}"),
                condition_active,
                occurrences,
                last_seen_at: NOW.plus_seconds(offset_s),
                prediction_id: None,
            },
        );
        (prop::option::of(alarm), prop::sample::select(ReadingStatus::ALL))
            .prop_map(|(alarm, reported)| State { alarm, reported })
    }

    proptest! {
        #[test]
        fn an_alarm_only_grows_until_it_is_closed(state in any_state(), condition in any_condition()) {
            let Step { next, effects } = step(&state, &condition, NOW);
            if let Some(before) = &state.alarm {
                let after = next.alarm.as_ref().expect("a condition closes no alarm");
                prop_assert!(after.severity >= before.severity);
                prop_assert!(after.last_seen_at >= before.last_seen_at);
                prop_assert_eq!(after.occurrences, before.occurrences + i64::from(condition.occurrences));
                prop_assert_eq!(after.message != before.message, after.severity > before.severity);
                prop_assert_eq!(effects.change.is_none(), after == before && condition.occurrences == 0);
            } else {
                prop_assert_eq!(next.alarm.is_some(), condition.occurrences > 0);
                prop_assert_eq!(effects.change, next.alarm.as_ref().map(|_| Raised));
            }
            if effects.change.is_some() {
                prop_assert_eq!(next.alarm.map(|a| a.condition_active), Some(condition.still_active));
            }
        }

        #[test]
        fn a_new_alarm_opens_a_ticket_and_an_escalation_none(state in any_state(), condition in any_condition()) {
            let Effects { change, ticket, ticket_priority, .. } = step(&state, &condition, NOW).effects;
            prop_assert_eq!(ticket.is_some(), change == Some(Raised) && condition.severity > Severity::Info);
            prop_assert_eq!(ticket_priority.is_some(), change == Some(Escalated));
            if let Some(ticket) = ticket {
                prop_assert_eq!(Some(ticket.priority), ticket::auto_priority(condition.severity));
                prop_assert!(ticket.due_at > NOW);
            }
        }

        #[test]
        fn a_step_depends_on_the_clock_only_for_the_due_time(
            state in any_state(), condition in any_condition(), later_s in 0_i64..1_000_000,
        ) {
            let (a, mut b) = (step(&state, &condition, NOW), step(&state, &condition, NOW.plus_seconds(later_s)));
            if let Some(ticket) = &mut b.effects.ticket {
                ticket.due_at = ticket.due_at.plus_seconds(-later_s);
            }
            prop_assert_eq!(a, b);
        }

        #[test]
        fn the_same_condition_again_tells_nobody(state in any_state(), condition in any_condition()) {
            let once = step(&state, &condition, NOW).next;
            let again = step(&once, &condition, NOW).effects;
            prop_assert_eq!(again.change.and_then(Change::recorded), None);
            prop_assert_eq!(again.change.and_then(Change::event), None);
            prop_assert_eq!(again.prediction_events, vec![]);
        }

        #[test]
        fn a_batch_counts_like_its_parts(state in any_state(), a in any_condition(), b in any_condition()) {
            let apart = step(&step(&state, &a, NOW).next, &b, NOW).next;
            let highest = if b.severity > a.severity { &b } else { &a };
            let whole = Condition {
                occurrences: a.occurrences + b.occurrences,
                severity: highest.severity,
                message: highest.message.clone(),
                time: a.time.max(b.time),
                ..b.clone()
            };
            let together = step(&state, &whole, NOW).next;
            if a.occurrences > 0 && b.occurrences > 0 {
                let of = |s: &State| s.alarm.as_ref().map(|a| {
                    (a.severity, a.message.clone(), a.occurrences, a.condition_active, a.last_seen_at)
                });
                prop_assert_eq!(of(&apart), of(&together));
            }
        }
    }
}
