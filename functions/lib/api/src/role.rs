//! Roles (`/roles`): the four built-in ones, and named sets of permissions that users may hold besides.

use crate::{RoleId, Timestamp};
use serde::{Deserialize, Serialize};

/// A role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RoleDetail {
    /// Identifier.
    pub id: RoleId,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Name, unique without regard to case.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What it permits: `<resource>.<read|write>`, with a level appended where a resource has routes of several
    /// levels (`ai.read.engineer`). A built-in role's list follows from the route table and cannot be changed. Routes
    /// that are open to every signed-in user need no permission.
    pub permissions: Vec<String>,
    /// Is it one of the four built-in roles? They can be neither changed nor deleted.
    pub is_system: bool,
    /// How many accounts hold it.
    pub members: i64,
}

/// Body of `POST /roles`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewRole {
    /// Name, 1 to 64 characters.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What it permits beyond a user's built-in role.
    pub permissions: Vec<String>,
}

/// Body of `PATCH /roles/{role_id}`: what to change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RoleChange {
    /// Name, 1 to 64 characters.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Everything that it permits from now on.
    pub permissions: Option<Vec<String>>,
}

/// Body of `POST` (add) and `PATCH /roles/{role_id}/permissions` (replace).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Permissions {
    /// The permissions.
    pub permissions: Vec<String>,
}
