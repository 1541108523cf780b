//! The only place that knows Spin's HTTP.
