//! Between Spin's HTTP and our handlers: finds the route, checks the caller, reads path, query and body, and turns
//! results and refusals into answers.
//!
//! Invariants: a request reaches a handler only through the route table of pm-api, after its access was checked and
//! it was counted among its client's;
//! every answer that is not a stream has a content-length (without one a chunked answer waits for a delayed
//! acknowledgement), security headers and the request's id; a request is one JSON line of the log, and what is logged
//! meanwhile carries the same id; an internal error's text goes to the log, never to the caller; bad input is answered 422 with the
//! field's name.
//!
//! Deliberately absent: SQL (pm-store), rules (pm-domain).

mod access_rights;
mod address;
mod call;
mod chain;
mod cors;
mod credentials;
mod database;
mod denied;
mod external;
mod file;
mod finish;
mod ignored;
mod input;
mod legacy;
mod packed;
mod paging;
mod rate;
mod refusal;
mod repeat;
mod reply;
mod serve;
mod stream;
mod trace;
mod trace_context;
mod variable;

pub use call::{Call, Query, Watch};
pub use chain::{ChainError, Component, ingest, send};
pub use database::database;
pub use external::{ExternalResponse, get_external, post_external};
pub use file::Files;
pub use input::{Give, Given, Input, ReadBody, SignedIn, Stored, Taken, read_form, run};
pub use packed::unpack;
pub use paging::json_page;
pub use refusal::{Refusal, unknown_path};
pub use reply::{Answer, NO_STORE, bytes as bytes_reply, empty, json, text};
pub use serve::{Outcome, other_method, serve, serve_private, serve_rest, serve_up_to};
pub use spin_sdk::{http::Request, http_service};
pub use stream::{Feed, csv, spawn, stream};
pub use trace::{log_error, log_warning, traceparent};
pub use variable::variable;

use pm_api::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// The present.
#[must_use]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
