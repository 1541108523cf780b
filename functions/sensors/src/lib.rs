//! Component sensors.
