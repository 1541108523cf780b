//! Roles (`/roles`): the four built-in ones, and named sets of permissions that users may hold besides.

use crate::{
    RoleId, Timestamp,
    input::{Many, Patch, Refused, Scalar, Text, input, read_as_scalar},
    route::permission,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

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

/// A permission that a custom role can carry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Permission(pub String);

impl Scalar for Permission {
    fn read(value: &Value) -> Result<Self, Refused> {
        let Text(name) = Text::<1, 64>::read(value)?;
        if permission::is_reserved(&name) {
            let message = format!("'{name}' is for administrators: its holder could become one");
            return Err(Refused::new("value_error", message));
        }
        if !permission::all().contains(&name) {
            let known: Vec<_> = permission::grantable().collect();
            let message = format!("'{name}' is no permission. Input should be '{}'", known.join("', '"));
            return Err(Refused::new("enum", message));
        }
        Ok(Self(name))
    }
}

read_as_scalar!(Permission);

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Permission {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Permission".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<_> = permission::grantable().collect();
        schemars::json_schema!({
            "type": "string", "enum": names, "description": "A permission that a custom role can carry."
        })
    }
}

/// Permissions of a custom role.
pub type PermissionList = Many<Permission, 0, 1000>;

input! {
    /// Body of `POST /roles`.
    NewRole {
        required {
            /// Name, unique without regard to case.
            name: Text<1, 64>,
        }
        optional {
            /// What it is for.
            description: Text<0, 2000>,
            /// What it permits beyond a user's built-in role; nothing unless given.
            permissions: PermissionList,
        }
    }
    /// Body of `PATCH /roles/{role_id}`: what to change.
    RoleChange {
        optional {
            /// Name, unique without regard to case.
            name: Text<1, 64>,
            /// Everything that it permits from now on.
            permissions: PermissionList,
        }
        patch {
            /// What it is for; null removes it.
            description: Text<0, 2000>,
        }
    }
    /// Body of `POST` (add) and `PATCH /roles/{role_id}/permissions` (replace).
    Permissions {
        required {
            /// The permissions.
            permissions: PermissionList,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_custom_role_carries_known_permissions_only_and_none_that_makes_administrators() {
        let kind = |name: &str| Permission::read(&name.into()).map_err(|refused| refused.kind);
        assert_eq!(kind("audit.read"), Ok(Permission("audit.read".to_owned())));
        for (bad, expected) in [
            ("users.write", "value_error"),
            ("roles.write", "value_error"),
            ("coffee.make", "enum"),
            ("", "string_too_short"),
        ] {
            assert_eq!(kind(bad), Err(expected), "{bad}");
        }
        assert!(permission::grantable().all(|name| kind(name).is_ok()));
    }
}
