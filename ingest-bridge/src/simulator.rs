//! A plant that does not exist: machines with realistic signals and faults that develop.
//!
//! Invariants: a signal is a pure function of seed, machine, sensor, time and faults ([`signal`]), so that the same two
//! weeks can be made again anywhere, in any order; a healthy machine stays inside its documented ranges and below its
//! warning limits.
//!
//! Deliberately absent: physics. Signals have the features that the models use (trend, noise that remembers, a daily
//! cycle, load shared by the sensors of a machine, faults that grow), not the machines' inner workings.

pub mod fault;
pub mod message;
pub mod plant;
pub mod publish;
pub mod replay;
pub mod signal;
