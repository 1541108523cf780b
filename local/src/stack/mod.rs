//! The one-machine stack: database, broker, host, bridge and simulator as processes of one supervisor.

pub mod broker;
pub mod cluster;
pub mod migrate;
pub mod part;
pub mod paths;
pub mod ports;
pub mod secrets;
pub mod supervisor;

pub use migrate::{Outcome, migrate};
