//! The one-machine stack and the local host.
//!
//! Purpose: everything that a bare machine lacks to run and test the application. [`stack`] brings a private
//! TimescaleDB, an MQTT broker, the migrations, secrets and demo data, and keeps the parts running; [`host`] runs the
//! components of `spin.toml` where the `spin` command is not installed.
//!
//! Invariants: every process that is started here ends with the one that started it, and no other process is touched;
//! no secret has a default; a failed start is told in one sentence that says what to do.
//!
//! Deliberately absent: anything a production deployment needs beyond one machine, and any rule of the application.

pub mod host;
pub mod stack;
