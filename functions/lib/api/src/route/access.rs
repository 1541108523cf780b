//! What a route asks of its caller.

use crate::Role;

/// Parameter of the query that may hold the token of a [`Access::Stream`] route.
pub const TOKEN_PARAMETER: &str = "token";

/// Access that a route asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// No token needed.
    Public,
    /// Any valid access token.
    Token,
    /// A valid access token of one of these roles.
    Roles(&'static [Role]),
    /// Administrators, or anybody while the setting `registration.policy` is «open». The handler looks at the setting.
    Registration,
    /// Any valid access token, or a stream ticket; either may stand in the query.
    Stream,
    /// Engineers and above, or the token of whoever scrapes metrics.
    Metrics,
    /// The service token of the native bridge.
    Service,
}

/// Everybody, without a token.
pub const PUBLIC: Access = Access::Public;
/// Any signed-in user.
pub const TOKEN: Access = Access::Token;
/// See [`Access::Registration`].
pub const REGISTRATION: Access = Access::Registration;
/// See [`Access::Stream`].
pub const STREAM: Access = Access::Stream;
/// See [`Access::Metrics`].
pub const METRICS: Access = Access::Metrics;
/// The bridge, and our own components.
pub const SERVICE: Access = Access::Service;
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
            Self::Public | Self::Token | Self::Stream => true,
            Self::Roles(_) | Self::Metrics | Self::Registration => self.roles().contains(&role),
            Self::Service => false,
        }
    }

    /// The lowest role that may pass; none where no role is asked for.
    #[must_use]
    pub fn lowest_role(self) -> Option<Role> {
        self.roles().iter().copied().min()
    }

    /// The roles it names.
    #[must_use]
    pub fn roles(self) -> &'static [Role] {
        match self {
            Self::Roles(roles) => roles,
            Self::Metrics => &[Role::Admin, Role::Engineer],
            Self::Registration => &[Role::Admin],
            Self::Public | Self::Token | Self::Stream | Self::Service => &[],
        }
    }

    /// The refusal, as documented: `Access denied. Required roles: admin, engineer`.
    #[must_use]
    pub fn refusal(self) -> String {
        let names: Vec<_> = self.roles().iter().map(|r| r.as_str()).collect();
        format!("Access denied. Required roles: {}", names.join(", "))
    }
}
