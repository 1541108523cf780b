//! Component site.
