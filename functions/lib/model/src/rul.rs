//! Remaining useful life, with an interval that holds nine of ten true values.
//!
//! [`trend`] extrapolates the level of any sensor that has a limit and needs no failures to learn from. [`model`] is a
//! network that learned from machines of one kind that ran to failure; it looks at several sensors over the last
//! operating cycles, made comparable by [`window`]. Training is in `models/trainer`.

pub mod condition;
mod curve;
pub mod model;
pub mod network;
pub mod trend;
pub mod window;
