//! Component health.
