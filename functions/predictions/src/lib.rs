//! Component predictions.
