//! Requests to the HTTP API: session, errors, and data that is kept up to date. Every method and path comes from the
//! table of routes ([`pm_api::route::request`]).

mod client;
mod error;
mod operation;
mod query;
mod session;

pub use client::Api;
pub use error::ApiError;
pub use operation::Received;
pub use query::{Phase, Query, Refresh};
pub use session::Session;
