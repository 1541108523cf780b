//! Time series on a canvas: threshold lines, envelope, gaps, a crosshair shared by the charts of a group, zoom by
//! drag and by keyboard, and live readings that appear without a redraw being seen.
//!
//! Invariants: one drawing per animation frame however many things changed; what colour says, a label says too.

mod draw;
mod group;
mod range;
mod source;
mod view;

pub use draw::StatusTime;
pub use group::{Group, Span};
pub use range::{Range, RangePicker, ZoomedOut, start};
pub use source::{Limit, SensorSeries, limits};
pub use view::Chart;
