//! Component notifier.
