//! What the web UI decides without a browser: which address shows which page, where a value lies on a chart, how a
//! time is written, which alarm is most urgent. Pure functions with `now` as an argument, tested natively.
//!
//! Invariants: times are milliseconds since 1970 UTC as `f64` (the browser's number); nothing here fails on NaN or
//! on an empty series.
//!
//! Deliberately absent: the DOM, requests, state. Those are in pm-ui.

pub mod backoff;
pub mod change;
pub mod route;
pub mod scale;
pub mod series;
pub mod text;
pub mod urgency;
