//! Requests to the HTTP API: session, errors, and data that is kept up to date.

mod client;
mod error;
mod operation;
mod query;
mod session;

pub use client::{Api, Page};
pub use error::ApiError;
pub use query::{Phase, Query, Refresh};
pub use session::Session;
