//! Component dashboard.
