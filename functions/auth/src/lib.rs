//! Component auth.
