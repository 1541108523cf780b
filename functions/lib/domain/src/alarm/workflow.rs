//! What people may do with an alarm.

use crate::{
    alarm::is_closed,
    ticket::{AutoTicket, auto_ticket},
};
use pm_api::{
    AlarmKind, AlarmStatus, Severity, Timestamp, UserId,
    alarm::{Alarm, AlarmUpdate, StatusOrActive},
};

pub use pm_api::alarm::{SHELVE_MAX_S, SHELVE_MIN_S};

/// May an alarm go from `from` to `to`? Open → acknowledged → resolved, open → resolved; a resolved alarm stays so
/// (a new occurrence raises a new alarm). Staying is always allowed, so that a repeated request changes nothing.
#[must_use]
pub fn may_change(from: AlarmStatus, to: AlarmStatus) -> bool {
    from == to || (from != AlarmStatus::Resolved && to != AlarmStatus::Open)
}

/// How far a client's clock may be ahead, seconds.
const MAX_CLOCK_SKEW_S: i64 = 60;

/// Does a time that a client gives lie in the future?
#[must_use]
pub fn is_future(at: Timestamp, now: Timestamp) -> bool {
    at > now.plus_seconds(MAX_CLOCK_SKEW_S)
}

/// The status that is set on an alarm in the status `from`. An alarm that is active stays as it is by `active`.
fn status_after(from: AlarmStatus, set: Option<StatusOrActive>) -> AlarmStatus {
    match set {
        None => from,
        Some(StatusOrActive::Is(to)) => to,
        Some(StatusOrActive::Active) if is_closed(from) => AlarmStatus::Open,
        Some(StatusOrActive::Active) => from,
    }
}

/// What a person does to an alarm.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Sets what is given.
    Update(AlarmUpdate),
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

/// What an action makes of an alarm.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The alarm after the action.
    pub alarm: Alarm,
    /// What its history records.
    pub history: Vec<Entry>,
    /// Is its automatic ticket resolved too, once no other alarm of its case is open?
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

fn update(alarm: &Alarm, update: &AlarmUpdate, by: UserId, now: Timestamp) -> Result<Outcome, String> {
    let from = alarm.status;
    let to = status_after(from, update.status);
    if !may_change(from, to) {
        return Err(format!("An alarm cannot go from {from} to {to}"));
    }
    if !is_closed(to) && (update.verdict.is_some() || update.resolved_at.is_some()) {
        return Err("A verdict and a time of resolution belong to a resolved alarm".to_owned());
    }
    let mut after = Alarm { status: to, ..alarm.clone() };
    match update.status {
        Some(StatusOrActive::Is(AlarmStatus::Acknowledged)) => {
            after.acknowledged_at = alarm.acknowledged_at.or(Some(now));
            after.acknowledged_by = alarm.acknowledged_by.or(Some(by));
        }
        Some(StatusOrActive::Is(AlarmStatus::Resolved)) => {
            after.resolved_by = alarm.resolved_by.or(Some(by));
            after.shelved_until = None;
            // nothing but its resolution tells that the cause of a manual alarm is gone
            after.condition_active &= alarm.kind != AlarmKind::Manual.as_str();
        }
        Some(StatusOrActive::Is(AlarmStatus::Open) | StatusOrActive::Active) | None => {}
    }
    if is_closed(to) {
        after.resolved_at = update.resolved_at.or(alarm.resolved_at).or(Some(now));
    }
    let notes = update.resolution_notes.clone().map(String::from);
    after.resolution_notes = notes.clone().or(after.resolution_notes);
    after.verdict = update.verdict.or(alarm.verdict);
    after.metadata = update.metadata.clone().or(after.metadata);
    let moved = (from != to).then(|| Entry { change: to.as_str(), note: notes });
    let verdict = after.verdict.filter(|_| after.verdict != alarm.verdict);
    let found = verdict.map(|v| Entry { change: "verdict", note: Some(v.as_str().to_owned()) });
    Ok(Outcome {
        history: moved.into_iter().chain(found).collect(),
        resolves_ticket: is_closed(to) && !is_closed(from),
        alarm: after,
    })
}

/// The status that an alarm raised by hand begins with.
///
/// # Errors
/// Why it cannot, for people.
pub fn first_status(given: Option<StatusOrActive>) -> Result<AlarmStatus, &'static str> {
    match status_after(AlarmStatus::Open, given) {
        status if is_closed(status) => Err("An alarm begins open or acknowledged"),
        status => Ok(status),
    }
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
    use pm_api::{AlarmId, MachineId, Verdict, input::Text};
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
            case_id: AlarmId(Uuid::nil()),
        }
    }

    fn to(status: AlarmStatus) -> Action {
        Action::Update(AlarmUpdate { status: Some(status.into()), ..AlarmUpdate::default() })
    }

    fn done(alarm: &Alarm, action: &Action) -> Outcome {
        act(alarm, action, BOB, NOW).expect("allowed").expect("a change")
    }

    #[test]
    fn a_verdict_belongs_to_a_closed_alarm() {
        let verdict = |status: Option<AlarmStatus>| {
            let status = status.map(Into::into);
            Action::Update(AlarmUpdate {
                status,
                verdict: Some(Verdict::TrueFault),
                ..AlarmUpdate::default()
            })
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
    fn an_active_alarm_stays_as_it_is_by_active_and_a_closed_one_cannot_become_active() {
        let active =
            Action::Update(AlarmUpdate { status: Some(StatusOrActive::Active), ..AlarmUpdate::default() });
        for status in [Open, Acknowledged] {
            let outcome = done(&alarm(status), &active);
            assert_eq!((outcome.alarm, outcome.history), (alarm(status), vec![]));
        }
        assert!(act(&alarm(Resolved), &active, BOB, NOW).is_err());
    }

    #[test]
    fn an_alarm_raised_by_hand_begins_open_or_acknowledged() {
        assert_eq!(first_status(None), Ok(Open));
        assert_eq!(first_status(Some(StatusOrActive::Active)), Ok(Open));
        assert_eq!(first_status(Some(Acknowledged.into())), Ok(Acknowledged));
        assert!(first_status(Some(Resolved.into())).is_err());
    }

    #[test]
    fn a_clock_may_be_a_minute_ahead() {
        assert!(!is_future(NOW.plus_seconds(60), NOW));
        assert!(is_future(NOW.plus_seconds(61), NOW));
    }

    #[test]
    fn an_alarm_raised_by_hand_may_begin_acknowledged() {
        let open = raise(Severity::Info, "noise", Open, NOW);
        assert_eq!((open.acknowledged_at, open.history, open.ticket), (None, vec!["raised"], None));
        let seen = raise(Severity::Critical, "leak", Acknowledged, NOW);
        assert_eq!((seen.acknowledged_at, seen.history), (Some(NOW), vec!["raised", "acknowledged"]));
        assert!(seen.ticket.is_some());
    }

    fn any_status() -> impl Strategy<Value = StatusOrActive> {
        prop_oneof![
            Just(StatusOrActive::Active),
            prop::sample::select(AlarmStatus::ALL).prop_map(StatusOrActive::Is),
        ]
    }

    fn any_action() -> impl Strategy<Value = Action> {
        let update = (
            prop::option::of(any_status()),
            prop::option::of(Just(Text::<0, 4000>::from("bearing"))),
            prop::option::of(prop::sample::select(Verdict::ALL)),
            prop::option::of((-1000_i64..0).prop_map(|s| NOW.plus_seconds(s))),
        );
        prop_oneof![
            update.prop_map(|(status, resolution_notes, verdict, resolved_at)| {
                Action::Update(AlarmUpdate { status, resolution_notes, verdict, resolved_at, metadata: None })
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
                let told = history.iter().any(|e| e.change == after.status.as_str());
                prop_assert_eq!(told, after.status != alarm.status);
                // what conditions decide stays theirs
                prop_assert_eq!((after.severity, after.occurrences), (alarm.severity, alarm.occurrences));
                alarm = after;
            }
        }
    }
}
