//! All SQL of the functions: one function per statement, beside the type of its rows.
//!
//! Invariants: a change is one statement (CTEs where it touches several tables), because a connection that is dropped
//! inside a transaction goes back to the pool with the transaction open; a change made for a person names its
//! [`Actor`], and triggers write the audit log from it; every statement is listed in [`all_statements`], and a test
//! prepares each on the migrated schema; the statements of a list are built from one description of it (`list`).
//!
//! Deliberately absent: rules (pm-domain), HTTP (pm-web), migrations (they run natively, as the schema's owner).

mod catalogue;
mod closed;
mod db;
mod error;
mod list;
mod registration;
mod statement;
mod value;

pub mod alarm;
pub mod alarm_change;
pub mod alarm_engine;
pub mod alarm_notice;
pub mod alarm_overdue;
pub mod alarm_rule;
pub mod api_key;
pub mod attachment;
pub mod audit;
pub mod backtest;
pub mod clock;
pub mod comment;
pub mod dashboard;
pub mod dead_letter;
pub mod deletion;
pub mod delivery;
pub mod escalation;
pub mod escalation_chain;
pub mod event;
pub mod event_stream;
pub mod health;
pub mod housekeeping;
pub mod idempotency;
pub mod identity;
pub mod import;
pub mod ingest;
pub mod job;
pub mod machine;
pub mod mail;
pub mod maintenance;
pub mod mapping;
pub mod metrics;
pub mod model;
pub mod notice;
pub mod notice_channel;
pub mod on_call;
pub mod password_reset;
pub mod prediction;
pub mod rate;
pub mod reading;
pub mod reading_export;
pub mod reference;
pub mod remaining_life;
pub mod report;
pub mod report_content;
pub mod report_schedule;
pub mod reset;
pub mod role;
pub mod rollup;
pub mod scorer_figures;
pub mod scoring;
pub mod sensor;
pub mod session;
pub mod setting;
pub mod shadow;
pub mod throttle;
pub mod ticket;
pub mod totp;
pub mod trend;
pub mod user;
pub mod vibration;
pub mod webhook;

pub use catalogue::all_statements;
pub use db::{Actor, Db};
pub use error::StoreError;
