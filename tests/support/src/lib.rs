//! Support of tests that need real services.
//!
//! Purpose: [`database()`] gives a fresh migrated database of a server that all tests of this machine share; [`Stack`] is a
//! whole stack on free ports; [`schema`] writes down what the migrations give.
//!
//! Invariants: whatever a test gets is gone when it is dropped; nothing outside the tests' own folders is touched.
//!
//! Deliberately absent: anything that a shipped program uses.

use std::fs::OpenOptions;
use std::io::Write;

mod database;
pub mod schema;
mod stack;

pub use database::{Database, database, empty_database, stop_server};
pub use stack::{Broker, GATEWAY_PASSWORD, ProxyPorts, Stack, StackOptions, manifest};

/// Says that a test cannot be run on this machine: here, and in the closing lines of `./pm test`, which names a file for it
/// in `PM_TEST_SKIPPED`.
pub fn skipped(test: &str, why: &str) -> std::io::Result<()> {
    eprintln!("skipped: {test}: {why}");
    match std::env::var_os("PM_TEST_SKIPPED") {
        Some(file) => writeln!(OpenOptions::new().create(true).append(true).open(file)?, "{test}: {why}"),
        None => Ok(()),
    }
}
