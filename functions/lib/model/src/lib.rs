//! Anomaly models in Burn: training, stored form, evaluation and explanation.
//!
//! A reading walks through: [`window`] (the newest 60 readings) → [`features`] (25 numbers, in the unit of the
//! sensor) → [`baseline`] (the same numbers relative to the sensor's own healthy past, so that one forest serves
//! sensors of any scale) → [`forest`] (Isolation Forest) → [`calibration`] (0 to 1) → [`rules`] (the sensor's
//! limits) → [`scorer`] (smoothing, classes with hysteresis, health) → [`rul`] (how long still) → [`explain`] (why).
//!
//! Invariants: nothing here reads a clock, a file that was not named, or a random source without a seed, so the same
//! readings give the same scores live, in replay, in training and in tests, one at a time or all at once. No
//! number that leaves is NaN or infinite. A state that cannot be read is started afresh, never an error.
//!
//! Deliberately absent: HTTP, SQL, and gradient training (that is in `models/trainer`; a component must stay small).

pub mod baseline;
pub mod calibration;
pub mod ceiling;
pub mod counter;
pub mod drift;
pub mod explain;
pub mod features;
pub mod flat;
pub mod forest;
pub mod gaussian;
pub mod generated;
pub mod history;
pub mod inject;
pub mod machine;
pub mod model;
pub mod reference;
pub mod relations;
pub mod request;
pub mod retrain;
pub mod rul;
pub mod rules;
pub mod score;
pub mod scorer;
pub mod sensitivity;
pub mod state;
pub mod stats;
pub mod track;
pub mod train;
pub mod window;

pub use model::{Model, ModelError};
pub use scorer::score_item;
