//! Alarms (terms of ISA-18.2).
//!
//! [`machine::step`] is the alarm state machine: what a condition of a sensor does to the alarm of its cause.
//! [`workflow::act`] is what people do to an alarm. [`need`] is the order in which alarms need attention.
//! All are pure: the caller reads the state, asks, and writes what was decided only if the state is still the same.

pub mod machine;
pub mod need;
pub mod workflow;

use pm_api::AlarmStatus;

/// Is an alarm in this state closed? A closed alarm stays as it is, and the next condition of its cause raises a new one.
#[must_use]
pub fn is_closed(status: AlarmStatus) -> bool {
    status == AlarmStatus::Resolved
}
