//! Component alarm-engine.
