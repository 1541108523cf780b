//! Escalation: when whom to tell of a case until somebody answers.
//!
//! Everything is planned from what is stored: when the escalation began, and which steps were done. So a step that became due
//! while nothing ran is done as soon as something runs again, and no step is done twice.

use crate::alarm::suppression::Suppression;
use pm_api::{MachineId, Severity, Timestamp, escalation::EscalationChain};
use std::collections::BTreeSet;

/// How the alarms of a case stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaseState {
    /// Alarms that are open and not shelved: they wait for an answer.
    pub waiting: i64,
    /// Alarms that are shelved and not resolved.
    pub shelved: i64,
    /// Alarms that are not resolved.
    pub unresolved: i64,
    /// What suppresses alarms of the machine now.
    pub suppression: Option<Suppression>,
}

/// Why an escalation ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Every alarm of the case is resolved.
    Resolved,
    /// What is not resolved is acknowledged.
    Acknowledged,
    /// What waits is shelved.
    Shelved,
    /// The machine is under maintenance.
    Suppressed,
}

impl End {
    /// Text form, as stored and shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Resolved => "resolved",
            Self::Acknowledged => "acknowledged",
            Self::Shelved => "shelved",
            Self::Suppressed => "machine under maintenance",
        }
    }
}

/// Why nobody has to be told of a case any more; `None`: it waits for an answer.
#[must_use]
pub fn end(case: &CaseState) -> Option<End> {
    if case.unresolved == 0 {
        Some(End::Resolved)
    } else if case.suppression.is_some() {
        Some(End::Suppressed)
    } else if case.waiting > 0 {
        None
    } else if case.shelved > 0 {
        Some(End::Shelved)
    } else {
        Some(End::Acknowledged)
    }
}

/// A case that may need an escalation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate<'c> {
    /// The machine.
    pub machine_id: MachineId,
    /// Its class.
    pub machine_class: Option<&'c str>,
    /// The highest severity of the alarms that wait.
    pub severity: Severity,
    /// When the newest of them was raised.
    pub raised_at: Timestamp,
}

/// The chain of a case: of those that are in use, for its severity and for its machine, the most specific one; of those the
/// one for the gravest alarms, then the oldest.
#[must_use]
pub fn choose<'c>(chains: &'c [EscalationChain], case: &Candidate<'_>) -> Option<&'c EscalationChain> {
    let counts = |chain: &&EscalationChain| {
        let scope = match (chain.machine_id, &chain.machine_class) {
            (Some(machine), _) => machine == case.machine_id,
            (None, Some(class)) => case.machine_class == Some(class.as_str()),
            (None, None) => true,
        };
        scope
            && case.severity >= chain.minimum_severity
            && chain.active_since.is_some_and(|since| since <= case.raised_at)
    };
    let specific = |chain: &EscalationChain| (chain.machine_id.is_some(), chain.machine_class.is_some());
    chains.iter().filter(counts).min_by_key(|chain| {
        let rank = (specific(chain), chain.minimum_severity);
        (std::cmp::Reverse(rank), chain.created_at, chain.id)
    })
}

/// A step in a round: round 0 is the first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    /// The repetition.
    pub repetition: i64,
    /// The index of the step.
    pub step: i64,
}

/// What is due.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Due {
    /// The steps to do now, in order.
    pub now: Vec<Slot>,
    /// When to look again; `None`: everything is done.
    pub next: Option<Timestamp>,
}

/// What is due of an escalation that began at `started_at` and did the steps `done`.
#[must_use]
pub fn due(chain: &EscalationChain, started_at: Timestamp, done: &BTreeSet<Slot>, now: Timestamp) -> Due {
    let mut open: Vec<(Timestamp, Slot)> = (0..=chain.repeats)
        .flat_map(|repetition| {
            chain.steps.iter().zip(0..).map(move |(step, number)| {
                let after_s = repetition * chain.repeat_every_s + step.after_s.0;
                (started_at.plus_seconds(after_s), Slot { repetition, step: number })
            })
        })
        .filter(|(_, slot)| !done.contains(slot))
        .collect();
    open.sort_unstable();
    let (due, later): (Vec<_>, Vec<_>) = open.into_iter().partition(|(at, _)| *at <= now);
    Due { now: due.into_iter().map(|(_, slot)| slot).collect(), next: later.first().map(|(at, _)| *at) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pm_api::{EscalationChainId, escalation::EscalationStep, input::Whole};
    use proptest::prelude::*;
    use uuid::Uuid;

    const BEGIN: Timestamp = Timestamp(1_800_000_000_000_000);

    fn chain(number: u128, after_s: &[i64], repeat_every_s: i64, repeats: i64) -> EscalationChain {
        let step = |after: &i64| EscalationStep {
            after_s: Whole(*after),
            user_id: None,
            schedule_id: None,
            role: None,
            channel_id: None,
            mail: None,
        };
        EscalationChain {
            id: EscalationChainId(Uuid::from_u128(number)),
            created_at: BEGIN,
            updated_at: BEGIN,
            name: String::new(),
            active_since: Some(BEGIN),
            machine_id: None,
            machine_class: None,
            minimum_severity: Severity::Warning,
            steps: after_s.iter().map(step).collect(),
            repeat_every_s,
            repeats,
        }
    }

    #[test]
    fn a_case_waits_until_it_is_answered() {
        let state = |waiting, shelved, unresolved, suppression| CaseState {
            waiting,
            shelved,
            unresolved,
            suppression,
        };
        for (case, expected) in [
            (state(1, 0, 1, None), None),
            (state(1, 1, 2, None), None),
            (state(0, 0, 1, None), Some(End::Acknowledged)),
            (state(0, 1, 1, None), Some(End::Shelved)),
            (state(0, 0, 0, None), Some(End::Resolved)),
            (state(1, 0, 1, Some(Suppression::Maintenance)), Some(End::Suppressed)),
            (state(0, 0, 0, Some(Suppression::Maintenance)), Some(End::Resolved)),
        ] {
            assert_eq!(end(&case), expected, "{case:?}");
        }
    }

    #[test]
    fn the_most_specific_chain_counts() {
        let machine = MachineId(Uuid::from_u128(7));
        let all = chain(1, &[0], 60, 0);
        let graver = EscalationChain { minimum_severity: Severity::Critical, ..chain(2, &[0], 60, 0) };
        let class = EscalationChain { machine_class: Some("pump".to_owned()), ..chain(3, &[0], 60, 0) };
        let own = EscalationChain {
            machine_id: Some(machine),
            minimum_severity: Severity::Critical,
            ..chain(4, &[0], 60, 0)
        };
        let unused =
            EscalationChain { active_since: None, machine_id: Some(machine), ..chain(5, &[0], 60, 0) };
        let chains = [all.clone(), graver, class, own, unused];
        let case = |machine_id, machine_class, severity, raised_at| Candidate {
            machine_id,
            machine_class,
            severity,
            raised_at,
        };
        let chosen = |case| choose(&chains, &case).map(|c| c.id.0.as_u128());
        let other = MachineId(Uuid::from_u128(8));
        assert_eq!(chosen(case(other, None, Severity::Warning, BEGIN)), Some(1));
        assert_eq!(chosen(case(other, None, Severity::Critical, BEGIN)), Some(2));
        assert_eq!(chosen(case(other, Some("pump"), Severity::Critical, BEGIN)), Some(3));
        assert_eq!(chosen(case(machine, Some("pump"), Severity::Critical, BEGIN)), Some(4));
        assert_eq!(chosen(case(machine, Some("pump"), Severity::Warning, BEGIN)), Some(3));
        assert_eq!(chosen(case(machine, None, Severity::Info, BEGIN)), None);
        assert_eq!(
            chosen(case(machine, None, Severity::Critical, BEGIN.plus_seconds(-1))),
            None,
            "raised before"
        );
    }

    #[test]
    fn steps_and_their_repetitions_are_due_by_time() {
        let chain = chain(1, &[0, 300], 1800, 1);
        let slot = |repetition, step| Slot { repetition, step };
        let mut done = BTreeSet::new();
        for (after_s, expected, next_s) in [
            (0, vec![slot(0, 0)], Some(300)),
            (299, vec![], Some(300)),
            (300, vec![slot(0, 1)], Some(1800)),
            // nothing ran for a while
            (2200, vec![slot(1, 0), slot(1, 1)], None),
            (9000, vec![], None),
        ] {
            let found = due(&chain, BEGIN, &done, BEGIN.plus_seconds(after_s));
            assert_eq!(
                found,
                Due { now: expected, next: next_s.map(|s| BEGIN.plus_seconds(s)) },
                "{after_s}"
            );
            done.extend(found.now);
        }
    }

    proptest! {
        #[test]
        fn whenever_it_is_asked_every_step_is_done_once_and_none_early(
            after_s in prop::collection::vec(0..500_i64, 1..6), repeat_every_s in 2..900_i64, repeats in 0..4_i64,
            pauses in prop::collection::vec(0..700_i64, 1..40),
        ) {
            let chain = chain(1, &after_s, repeat_every_s, repeats);
            let (mut done, mut now) = (BTreeSet::new(), BEGIN);
            let mut next = Some(BEGIN);
            for pause in pauses.into_iter().chain([10_000]) {
                now = now.plus_seconds(pause);
                let found = due(&chain, BEGIN, &done, now);
                prop_assert!(found.now.is_empty() || next.is_some_and(|at| at <= now), "the time to look again is kept");
                for slot in &found.now {
                    let planned = slot.repetition * repeat_every_s + after_s[slot.step as usize];
                    prop_assert!(BEGIN.plus_seconds(planned) <= now, "not early");
                    prop_assert!(done.insert(*slot), "not twice");
                }
                prop_assert!(found.next.is_none_or(|at| at > now));
                next = found.next;
            }
            prop_assert_eq!(done.len() as i64, after_s.len() as i64 * (repeats + 1));
            prop_assert_eq!(next, None);
        }
    }
}
