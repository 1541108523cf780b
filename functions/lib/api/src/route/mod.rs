//! The routes of the API: one table ([`table`]) says for each its method, path, component, access, and what it takes and
//! gives. The web layer, the test of roles, openapi.json, the web page's client and spin.toml all follow from it.
//!
//! Deliberately absent: handlers (components), reading HTTP (pm-web), tokens (pm-auth).

mod access;
mod find;
pub mod operation;
pub mod permission;
mod table;

pub use access::{ADMIN, Access, ENGINEER, METRICS, PUBLIC, REGISTRATION, SERVICE, STREAM, TOKEN, VIEWER};
pub use find::{Match, PathParams, find, strip_api};
pub use operation::Operation;
pub use table::{Op, ROUTES, op};

use crate::Role;

/// One route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The operation it starts.
    pub op: Op,
    /// The component that serves it.
    pub component: &'static str,
    /// HTTP method.
    pub method: &'static str,
    /// Path; segments in braces are parameters.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// What it does, for people.
    pub summary: &'static str,
    /// Refusals that its type does not tell: status and reason.
    pub refusals: &'static [(u16, &'static str)],
}

impl Route {
    /// May a signed-in user with this built-in role and these permissions of custom roles use the route?
    #[must_use]
    pub fn allows(&self, role: Role, permissions: &[String]) -> bool {
        self.access.allows(role)
            || (!permissions.is_empty()
                && permission::of(self).is_some_and(|needed| permissions.contains(&needed)))
    }

    /// The path with its parameters in order. One without a value stays as it is.
    #[must_use]
    pub fn path_with(&self, parameters: &[&dyn std::fmt::Display]) -> String {
        let mut values = parameters.iter();
        let segments = self.path.split('/').map(|segment| match segment.starts_with('{') {
            true => values.next().map_or_else(|| segment.to_owned(), ToString::to_string),
            false => segment.to_owned(),
        });
        segments.collect::<Vec<_>>().join("/")
    }
}
