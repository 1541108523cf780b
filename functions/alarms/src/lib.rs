//! Component alarms.
