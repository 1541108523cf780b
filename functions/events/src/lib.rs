//! Component events.
