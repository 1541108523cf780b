//! The rules of the product: when a reading is a warning, what happens to an alarm ([`alarm::machine`] is its state
//! machine), what ticket follows, which change of state is legal, who is told, what is kept for how long.
//!
//! Invariants: no input or output, no clock (the present is an argument), no knowledge of HTTP or SQL. Every rule
//! is a plain function over plain values, so each is tested by a table or a property.
//!
//! Deliberately absent: scoring (pm-model), roles (pm-auth).

pub mod address;
pub mod alarm;
pub mod alarm_notice;
pub mod alarm_summary;
pub mod attachment;
pub mod clock;
pub mod condition;
pub mod csv;
pub mod cycle;
pub mod discussion;
pub mod duration;
pub mod escalation;
pub mod escalation_target;
pub mod false_alarms;
pub mod freshness;
pub mod held;
pub mod identity_provider;
pub mod limits;
pub mod mail;
pub mod notice;
pub mod on_call;
pub mod password;
pub mod payload;
pub mod provider_documents;
pub mod proxy;
pub mod quota;
pub mod rate;
pub mod reading;
pub mod registration;
pub mod reliability;
pub mod report;
pub mod report_content;
pub mod retention;
pub mod retry;
pub mod rollup;
pub mod schedule;
pub mod session;
pub mod settings;
pub mod sign_in;
pub mod signal;
pub mod target;
pub mod throttle;
pub mod ticket;
pub mod timeline;
pub mod trend;
pub mod unit;
pub mod webhook;
pub mod webhook_check;
pub mod zone;
