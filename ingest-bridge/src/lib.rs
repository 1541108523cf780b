//! The MQTT bridge: sensor messages in, batches to the ingest function out.
//!
//! Invariants:
//! - A message is acknowledged only after everything in it is committed by ingest or fsynced to the spool, in the order
//!   of arrival, and only on the connection it came on. So a bridge may be killed at any point.
//! - Every value of a message ends as a reading, as a name in the report of ignored fields, or in a dead letter with a
//!   reason.
//! - Batches of one machine are posted one after the other, in the order of arrival.
//! - Memory and disk are bounded: when both are full, the broker keeps the messages.
//!
//! Deliberately absent: thresholds, alarms, registration of machines (all in the functions), and deduplication (the
//! functions store a repeated reading once, by sensor and time).
//!
//! Walk: [`session`] receives → [`payload`] parses → [`lane`] gathers ([`batch`]), posts ([`deliver`]) or spools
//! ([`spool`]) → [`ack`] reports to the session. [`receipt_times`] dates messages without a time of their own, once.
//! [`simulator`] publishes messages.

pub mod ack;
pub mod batch;
pub mod bridge;
pub mod config;
pub mod deliver;
pub mod health;
pub mod ignored;
pub mod lane;
pub mod mail;
pub mod mappings;
pub mod oversize;
pub mod payload;
pub mod probe;
pub mod receipt_times;
pub mod session;
pub mod simulator;
pub mod spool;
pub mod tick;

/// Starts the log of a program, and gives the TLS library its cryptography.
pub fn start_program(name: &'static str) {
    pm_log::start(name, "info");
    // another one that is there already serves as well
    let _ = rustls::crypto::ring::default_provider().install_default();
}
