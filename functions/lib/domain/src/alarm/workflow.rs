//! What people may do with an alarm.

use crate::{
    alarm::is_closed,
    ticket::{AutoTicket, auto_ticket},
};
use pm_api::{AlarmKind, AlarmStatus, Metadata, Severity, Timestamp, UserId, Verdict, alarm::Alarm};

pub use pm_api::alarm::{SHELVE_MAX_S, SHELVE_MIN_S};

/// May an alarm go from `from` to `to`? Open → acknowledged → resolved, open → resolved; a resolved alarm stays so
/// (a new occurrence raises a new alarm). Staying is always allowed, so that a repeated request changes nothing.
#[must_use]
pub fn may_change(from: AlarmStatus, to: AlarmStatus) -> bool {
    from == to || (from != AlarmStatus::Resolved && to != AlarmStatus::Open)
}

/// What a person does to an alarm.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Sets what is given.
    Update(Update),
    /// Keeps the alarm out of sight for a limited time (ISA-18.2).
    Shelve {
        /// How long, seconds.
        duration_s: i64,
        /// Why.
        reason: String,
    },
    /// Ends the shelving.
    Unshelve,
}

/// Fields of an alarm that a person sets; `None` leaves a field as it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Update {
    /// New status.
    pub status: Option<AlarmStatus>,
    /// What was found.
    pub notes: Option<String>,
    /// What the cause turned out to be; for a closed alarm.
    pub verdict: Option<Verdict>,
    /// When it was resolved, for a closed alarm; absent: now.
    pub resolved_at: Option<Timestamp>,
    /// Replaces the free object.
    pub metadata: Option<Metadata>,
}

/// What an action makes of an alarm.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The alarm after the action.
    pub alarm: Alarm,
    /// What its history records.
    pub history: Vec<Entry>,
    /// Is its automatic ticket resolved too?
    pub resolves_ticket: bool,
}

/// A line of an alarm's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What happened, by the words of [`pm_api::alarm::AlarmTransition`].
    pub change: &'static str,
    /// Notes, the verdict or the reason.
    pub note: Option<String>,
}

/// What `action`, done by `by`, makes of the alarm; `None`: it changes nothing.
///
/// # Errors
/// Why it is not allowed, for people.
pub fn act(alarm: &Alarm, action: &Action, by: UserId, now: Timestamp) -> Result<Option<Outcome>, String> {
    match action {
        Action::Update(update) => self::update(alarm, update, by, now).map(Some),
        Action::Shelve { .. } if is_closed(alarm.status) => {
            Err("A resolved alarm cannot be shelved".to_owned())
        }
        Action::Shelve { duration_s, reason } => Ok(Some(Outcome {
            alarm: Alarm {
                shelved_until: Some(now.plus_seconds(*duration_s)),
                shelved_by: Some(by),
                shelve_reason: Some(reason.clone()),
                ..alarm.clone()
            },
            history: vec![Entry { change: "shelved", note: Some(reason.clone()) }],
            resolves_ticket: false,
        })),
        Action::Unshelve if alarm.shelved_until.is_none() => Ok(None),
        Action::Unshelve => Ok(Some(Outcome {
            alarm: Alarm { shelved_until: None, shelved_by: None, shelve_reason: None, ..alarm.clone() },
            history: vec![Entry { change: "unshelved", note: None }],
            resolves_ticket: false,
        })),
    }
}

fn update(alarm: &Alarm, update: &Update, by: UserId, now: Timestamp) -> Result<Outcome, String> {
    let from = alarm.status;
    let to = update.status.unwrap_or(from);
    if !may_change(from, to) {
        return Err(format!("An alarm cannot go from {from} to {to}"));
    }
    if !is_closed(to) && (update.verdict.is_some() || update.resolved_at.is_some()) {
        return Err("A verdict and a time of resolution belong to a resolved alarm".to_owned());
    }
    let mut after = Alarm { status: to, ..alarm.clone() };
    match update.status {
        Some(AlarmStatus::Acknowledged) => {
            after.acknowledged_at = alarm.acknowledged_at.or(Some(now));
            after.acknowledged_by = alarm.acknowledged_by.or(Some(by));
        }
        Some(AlarmStatus::Resolved) => {
            after.resolved_by = alarm.resolved_by.or(Some(by));
            after.shelved_until = None;
            // only its resolution shows that the cause of a manual alarm is gone
            after.condition_active &= alarm.kind != AlarmKind::Manual.as_str();
        }
        Some(AlarmStatus::Open) | None => {}
    }
    if is_closed(to) {
        after.resolved_at = update.resolved_at.or(alarm.resolved_at).or(Some(now));
    }
    after.resolution_notes = update.notes.clone().or(after.resolution_notes);
    after.verdict = update.verdict.or(alarm.verdict);
    after.metadata = update.metadata.clone().or(after.metadata);
    let moved = (from != to).then(|| Entry { change: to.as_str(), note: update.notes.clone() });
    let verdict = after.verdict.filter(|_| after.verdict != alarm.verdict);
    let found = verdict.map(|v| Entry { change: "verdict", note: Some(v.as_str().to_owned()) });
    Ok(Outcome {
        history: moved.into_iter().chain(found).collect(),
        resolves_ticket: is_closed(to) && !is_closed(from),
        alarm: after,
    })
}

/// What follows when a person raises an alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RaisedByHand {
    /// When it was acknowledged, if it begins so.
    pub acknowledged_at: Option<Timestamp>,
    /// What its history records.
    pub history: Vec<&'static str>,
    /// The ticket that it opens.
    pub ticket: Option<AutoTicket>,
}

/// What follows when a person raises an alarm now, open or acknowledged.
#[must_use]
pub fn raise(severity: Severity, message: &str, status: AlarmStatus, now: Timestamp) -> RaisedByHand {
    let acknowledged = status == AlarmStatus::Acknowledged;
    RaisedByHand {
        acknowledged_at: acknowledged.then_some(now),
        history: std::iter::once("raised").chain(acknowledged.then_some(status.as_str())).collect(),
        ticket: auto_ticket(severity, message, now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use AlarmStatus::{Acknowledged, Open, Resolved};
    use pm_api::{AlarmId, MachineId};
    use proptest::prelude::*;
    use uuid::Uuid;

    #[test]
    fn legal_changes() {
        let legal: Vec<_> = AlarmStatus::ALL
            .iter()
            .flat_map(|&from| AlarmStatus::ALL.iter().map(move |&to| (from, to)))
            .filter(|&(from, to)| from != to && may_change(from, to))
            .collect();
        assert_eq!(legal, [(Open, Acknowledged), (Open, Resolved), (Acknowledged, Resolved)]);
    }

    const NOW: Timestamp = Timestamp(1_800_000_000_000_000);
    const ANN: UserId = UserId(Uuid::from_u128(1));
    const BOB: UserId = UserId(Uuid::from_u128(2));

    fn alarm(status: AlarmStatus) -> Alarm {
        let earlier = NOW.plus_seconds(-60);
        let by = (status != Open).then_some(ANN);
        Alarm {
            machine_id: MachineId(Uuid::nil()),
            sensor_id: None,
            prediction_id: None,
            severity: Severity::Warning,
            message: "reported 93.5 °C".to_owned(),
            triggered_at: earlier,
            metadata: None,
            id: AlarmId(Uuid::nil()),
            created_at: earlier,
            updated_at: earlier,
            status,
            resolved_at: is_closed(status).then_some(earlier),
            kind: AlarmKind::Threshold.as_str().to_owned(),
            occurrences: 1,
            condition_active: true,
            last_seen_at: earlier,
            acknowledged_at: by.map(|_| earlier),
            acknowledged_by: by,
            resolution_notes: None,
            resolved_by: by.filter(|_| is_closed(status)),
            verdict: None,
            shelved_until: None,
            shelved_by: None,
            shelve_reason: None,
        }
    }

    fn to(status: AlarmStatus) -> Action {
        Action::Update(Update { status: Some(status), ..Update::default() })
    }

    fn done(alarm: &Alarm, action: &Action) -> Outcome {
        act(alarm, action, BOB, NOW).expect("allowed").expect("a change")
    }

    #[test]
    fn a_verdict_belongs_to_a_closed_alarm() {
        let verdict = |status| {
            Action::Update(Update { status, verdict: Some(Verdict::TrueFault), ..Update::default() })
        };
        for (from, status, allowed) in [
            (Open, None, false),
            (Acknowledged, None, false),
            (Resolved, None, true),
            (Open, Some(Acknowledged), false),
            (Open, Some(Resolved), true),
            (Acknowledged, Some(Resolved), true),
        ] {
            let outcome = act(&alarm(from), &verdict(status), BOB, NOW);
            assert_eq!(outcome.is_ok(), allowed, "{from} {status:?}");
        }
        assert_eq!(
            act(&alarm(Resolved), &to(Open), BOB, NOW),
            Err("An alarm cannot go from resolved to open".to_owned())
        );
    }

    #[test]
    fn who_acknowledged_and_resolved_first_stays() {
        let acknowledged = done(&alarm(Open), &to(Acknowledged)).alarm;
        assert_eq!((acknowledged.acknowledged_by, acknowledged.acknowledged_at), (Some(BOB), Some(NOW)));
        assert_eq!(done(&alarm(Acknowledged), &to(Acknowledged)).alarm, alarm(Acknowledged));
        let resolved = done(&acknowledged, &to(Resolved));
        assert_eq!((resolved.alarm.resolved_by, resolved.alarm.resolved_at), (Some(BOB), Some(NOW)));
        assert!(resolved.resolves_ticket);
        let again = done(&alarm(Resolved), &to(Resolved));
        assert_eq!((again.alarm, again.history, again.resolves_ticket), (alarm(Resolved), vec![], false));
    }

    #[test]
    fn resolving_ends_the_condition_of_a_manual_alarm_only() {
        assert!(done(&alarm(Open), &to(Resolved)).alarm.condition_active);
        let manual = Alarm { kind: AlarmKind::Manual.as_str().to_owned(), ..alarm(Open) };
        assert!(!done(&manual, &to(Resolved)).alarm.condition_active);
    }

    #[test]
    fn shelving_lasts_until_its_time_or_the_resolution() {
        let shelve = Action::Shelve { duration_s: 60, reason: "sensor is replaced".to_owned() };
        let shelved = done(&alarm(Open), &shelve).alarm;
        assert_eq!(shelved.shelved_until, Some(NOW.plus_seconds(60)));
        assert_eq!(done(&shelved, &Action::Unshelve).alarm, alarm(Open));
        assert_eq!(act(&alarm(Open), &Action::Unshelve, BOB, NOW), Ok(None));
        assert_eq!(done(&shelved, &to(Resolved)).alarm.shelved_until, None);
        assert!(act(&alarm(Resolved), &shelve, BOB, NOW).is_err());
    }

    #[test]
    fn an_alarm_raised_by_hand_may_begin_acknowledged() {
        let open = raise(Severity::Info, "noise", Open, NOW);
        assert_eq!((open.acknowledged_at, open.history, open.ticket), (None, vec!["raised"], None));
        let seen = raise(Severity::Critical, "leak", Acknowledged, NOW);
        assert_eq!((seen.acknowledged_at, seen.history), (Some(NOW), vec!["raised", "acknowledged"]));
        assert!(seen.ticket.is_some());
    }

    fn any_action() -> impl Strategy<Value = Action> {
        let update = (
            prop::option::of(prop::sample::select(AlarmStatus::ALL)),
            prop::option::of(Just("bearing".to_owned())),
            prop::option::of(prop::sample::select(Verdict::ALL)),
            prop::option::of((-1000_i64..0).prop_map(|s| NOW.plus_seconds(s))),
        );
        prop_oneof![
            update.prop_map(|(status, notes, verdict, resolved_at)| {
                Action::Update(Update { status, notes, verdict, resolved_at, metadata: None })
            }),
            (SHELVE_MIN_S..SHELVE_MAX_S)
                .prop_map(|duration_s| Action::Shelve { duration_s, reason: "noise".to_owned() }),
            Just(Action::Unshelve),
        ]
    }

    proptest! {
        #[test]
        fn an_alarm_stays_consistent(actions in prop::collection::vec(any_action(), 0..8)) {
            let mut alarm = alarm(Open);
            for action in actions {
                let Ok(Some(Outcome { alarm: after, history, resolves_ticket })) = act(&alarm, &action, BOB, NOW)
                else { continue };
                prop_assert!(may_change(alarm.status, after.status));
                prop_assert_eq!(is_closed(after.status), after.resolved_at.is_some());
                prop_assert_eq!(is_closed(after.status), after.resolved_by.is_some());
                prop_assert!(after.verdict.is_none() || is_closed(after.status));
                prop_assert!(after.shelved_until.is_none() || !is_closed(after.status) || alarm.shelved_until.is_some());
                prop_assert_eq!(resolves_ticket, is_closed(after.status) && !is_closed(alarm.status));
                let recorded = history.iter().any(|e| e.change == after.status.as_str());
                prop_assert_eq!(recorded, after.status != alarm.status);
                // what conditions decide stays theirs
                prop_assert_eq!((after.severity, after.occurrences), (alarm.severity, alarm.occurrences));
                alarm = after;
            }
        }
    }
}
