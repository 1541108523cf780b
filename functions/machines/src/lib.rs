//! Component machines.
