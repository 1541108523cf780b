//! Tokens, signatures of identity providers, one-time passwords: who is asking.
//!
//! Invariants: a token is only accepted for the purpose it was issued for (`type` and audience are checked, not just the
//! signature); keys come from the caller, none has a default.
//!
//! Deliberately absent: the table of routes and its access (pm-api), passwords (component `auth`), sessions in the
//! database (pm-store), HTTP (pm-web).

pub mod id_token;
pub mod token;
pub mod totp;
