//! The one-machine stack: database, broker, host, bridge and simulator as processes of one supervisor.
//!
//! Purpose: everything that a bare machine lacks to run the application: a private TimescaleDB, an MQTT broker, secrets,
//! demonstration data; backup and restore of the database.
//!
//! Invariants: every process that is started here ends with the one that started it, and no other process is touched;
//! no secret has a default; a failed start ends with one sentence that says what to do.
//!
//! Deliberately absent: anything a production deployment needs beyond one machine, and any rule of the application.

pub mod backup;
pub mod broker;
pub mod cluster;
pub mod data;
pub mod demo;
pub mod paths;
pub mod ports;
pub mod progress;
pub mod secrets;
pub mod service;
pub mod supervisor;
pub mod up;
