//! Units of time, in seconds.

/// A minute.
pub const MINUTE_S: i64 = 60;
/// An hour.
pub const HOUR_S: i64 = 60 * MINUTE_S;
/// A day.
pub const DAY_S: i64 = 24 * HOUR_S;
