//! Component tickets.
