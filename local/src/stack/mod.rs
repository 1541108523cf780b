//! The one-machine stack: database, broker, host, bridge and simulator as processes of one supervisor.

pub mod backup;
pub mod broker;
pub mod cluster;
pub mod data;
pub mod migrate;
pub mod part;
pub mod paths;
pub mod ports;
pub mod progress;
pub mod schema;
pub mod secrets;
pub mod seed;
pub mod supervisor;
mod test_stack;
pub mod testing;
pub mod up;

pub use migrate::{Outcome, migrate};
