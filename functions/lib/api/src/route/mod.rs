//! The routes of the API: one table ([`table`]) says for each its method, path, component, access, and what it takes and
//! gives. The web layer, the test of roles, openapi.json, the web page's client and spin.toml all follow from it.
//!
//! Deliberately absent: handlers (components), reading HTTP (pm-web), tokens (pm-auth).

mod access;
mod find;
pub mod operation;
pub mod permission;
mod request;
mod table;

pub use access::{
    ADMIN, Access, ENGINEER, METRICS, PUBLIC, REGISTRATION, SERVICE, STREAM, TOKEN, TOKEN_PARAMETER, VIEWER,
};
pub use find::{Match, PathParams, find, strip_api};
pub use operation::Operation;
pub use request::{Request, RequestLine, request, url_encoded};
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

/// A parameter of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathParameter {
    /// Its name.
    pub name: &'static str,
    /// Is it a UUID?
    pub is_id: bool,
}

impl Route {
    /// May a signed-in user with this built-in role and these permissions of custom roles use the route?
    #[must_use]
    pub fn allows(&self, role: Role, permissions: &[String]) -> bool {
        self.access.allows(role)
            || (!permissions.is_empty()
                && permission::of(self).is_some_and(|needed| permissions.contains(&needed)))
    }

    /// The parameters of its path.
    pub fn path_parameters(&self) -> impl Iterator<Item = PathParameter> {
        self.path
            .split('/')
            .filter_map(|step| step.strip_prefix('{')?.strip_suffix('}'))
            .map(|name| PathParameter { name, is_id: name.ends_with("_id") })
    }

    /// May a client send a request again, with the header `Idempotency-Key`, if it did not get the answer?
    #[must_use]
    pub fn is_repeatable(&self) -> bool {
        self.method == "POST" && ["alarms", "comments", "tickets"].contains(&self.component)
    }
}
