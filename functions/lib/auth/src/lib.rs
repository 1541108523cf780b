//! Who may do what: the table of every route with the access it asks for, and the tokens that prove who is asking.
//!
//! Invariants: a route that is not in [`route::ROUTES`] cannot be served (the web layer dispatches by the table); a
//! token is only accepted for the purpose it was issued for (`type` and audience are checked, not just the
//! signature); keys come from the caller, none has a default.
//!
//! Deliberately absent: passwords (component `auth`), sessions in the database (pm-store), HTTP (pm-web).

pub mod access;
pub mod permission;
pub mod route;
pub mod token;

pub use access::Access;
pub use route::{Op, ROUTES, Route};
