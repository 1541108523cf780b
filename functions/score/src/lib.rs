//! Component score.
