//! Component users.
