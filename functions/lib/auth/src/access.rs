//! What a route asks of its caller.

use pm_api::Role;

/// Access that a route asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// No token needed.
    Public,
    /// Any valid access token.
    Token,
    /// A valid access token of one of these roles.
    Roles(&'static [Role]),
    /// The service token of the native bridge.
    Service,
}

/// Administrators.
pub const ADMIN: Access = Access::Roles(&[Role::Admin]);
/// Engineers and above.
pub const ENGINEER: Access = Access::Roles(&[Role::Admin, Role::Engineer]);
/// Viewers and above.
pub const VIEWER: Access = Access::Roles(&[Role::Admin, Role::Engineer, Role::Viewer]);

impl Access {
    /// May a signed-in user of this role pass? (`Service` routes are for no user.)
    #[must_use]
    pub fn allows(self, role: Role) -> bool {
        match self {
            Self::Public | Self::Token => true,
            Self::Roles(roles) => roles.contains(&role),
            Self::Service => false,
        }
    }

    /// The refusal, as documented: `Access denied. Required roles: admin, engineer`.
    #[must_use]
    pub fn refusal(self) -> String {
        let names: Vec<_> = match self {
            Self::Roles(roles) => roles.iter().map(|r| r.as_str()).collect(),
            _ => Vec::new(),
        };
        format!("Access denied. Required roles: {}", names.join(", "))
    }
}
