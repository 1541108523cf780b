//! Support of tests that need real parts.
//!
//! Purpose: [`database()`] gives a fresh migrated database of a server that all tests of this machine share; [`Stack`] is a
//! whole stack on free ports; [`schema`] writes down what the migrations give.
//!
//! Invariants: whatever a test gets is gone when it is dropped; nothing outside the tests' own folders is touched.
//!
//! Deliberately absent: anything that a shipped program uses.

mod database;
pub mod schema;
mod stack;

pub use database::{Database, database, empty_database, stop_server};
pub use stack::{Broker, Detours, Stack, StackOptions, manifest};
