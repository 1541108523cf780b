//! Alarms (terms of ISA-18.2).
//!
//! [`machine::step`] is the alarm state machine: what a condition of a sensor does to the alarm of its cause.
//! [`case::place`] says which alarms of a machine belong to one trouble, and what becomes of its ticket.
//! [`suppression::suppression`] says why a machine's conditions raise no alarm now. [`rule`] is how readings become conditions.
//! [`backtest`] asks the same functions about stored readings. [`workflow::act`] is what people do to an alarm. [`need`] is the order
//! in which alarms need attention.
//! All are pure: the caller reads the state, asks, and writes what was decided only if the state is still the same.

pub mod backtest;
pub mod case;
pub mod condition;
pub mod fault;
pub mod machine;
pub mod monitored;
pub mod need;
pub mod rule;
pub mod suppression;
pub mod workflow;

use pm_api::{AlarmStatus, Timestamp, alarm::StatusOrActive};

/// Is an alarm in this state closed? A closed alarm stays as it is, and the next condition of its cause raises a new one.
#[must_use]
pub fn is_closed(status: AlarmStatus) -> bool {
    status == AlarmStatus::Resolved
}

/// The states that a filter wants: all without one. An alarm is active as long as it is not closed.
pub fn wanted_statuses(filter: Option<StatusOrActive>) -> impl Iterator<Item = AlarmStatus> {
    AlarmStatus::ALL.iter().copied().filter(move |status| match filter {
        None => true,
        Some(StatusOrActive::Active) => !is_closed(*status),
        Some(StatusOrActive::Is(wanted)) => *status == wanted,
    })
}

/// When the condition of an alarm ended; `None`: it holds. `ended_at`: when the history last recorded its end. While the
/// condition holds, only the resolution ends it; nothing lasts beyond that.
#[must_use]
pub fn condition_end(
    condition_active: bool,
    ended_at: Option<Timestamp>,
    last_seen_at: Timestamp,
    resolved_at: Option<Timestamp>,
) -> Option<Timestamp> {
    if condition_active {
        return resolved_at;
    }
    let ended = ended_at.unwrap_or(last_seen_at);
    Some(resolved_at.map_or(ended, |resolved| ended.min(resolved)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use AlarmStatus::{Acknowledged, Open, Resolved};
    use proptest::prelude::*;

    #[test]
    fn a_filter_wants_one_status_or_all_that_are_not_closed() {
        let wanted = |filter| wanted_statuses(filter).collect::<Vec<_>>();
        assert_eq!(wanted(None), AlarmStatus::ALL);
        assert_eq!(wanted(Some(StatusOrActive::Active)), [Open, Acknowledged]);
        assert_eq!(wanted(Some(Resolved.into())), [Resolved]);
    }

    proptest! {
        #[test]
        fn a_condition_ends_at_the_resolution_at_the_latest(
            active in any::<bool>(), ended in prop::option::of(0_i64..100), seen in 0_i64..100,
            resolved in prop::option::of(0_i64..100),
        ) {
            let end = condition_end(active, ended.map(Timestamp), Timestamp(seen), resolved.map(Timestamp));
            prop_assert_eq!(end.is_none(), active && resolved.is_none());
            if let (Some(end), Some(resolved)) = (end, resolved) {
                prop_assert!(end.0 <= resolved);
                prop_assert!(!active || end.0 == resolved);
            }
        }
    }
}
