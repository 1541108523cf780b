//! Permissions: names for groups of routes, derived from the route table, that custom roles are made of.
//!
//! A permission is `<resource>.<read|write>`: the first segment of the path (of a path that another product prescribes: that
//! of the routes which do the same), and whether the method only reads. Where
//! such a group has routes of several levels, the routes above its lowest level have the name of their lowest role
//! appended (`ai.read`, `ai.read.engineer`). So all routes of a permission ask for the same roles, and a built-in role
//! permits either all of them or none. Routes for every signed-in user need no permission; a group of nothing
//! else still has its name, and every role has it.

use super::{Access, ROUTES, Route};
use crate::Role;
use std::{collections::BTreeSet, sync::LazyLock};

/// Is it a permission that no custom role can carry, because its holder could become an administrator by it?
#[must_use]
pub fn is_reserved(permission: &str) -> bool {
    ["roles.write", "users.write"].iter().any(|reserved| permission.starts_with(reserved))
}

fn group(route: &Route) -> (&'static str, &'static str) {
    let resource = match route.path {
        // other products prescribe these paths
        "/v2/write" | "/write" => "sensor-data",
        path => path.trim_start_matches('/').split('/').next().unwrap_or_default(),
    };
    (resource, if route.method == "GET" { "read" } else { "write" })
}

/// The permission of this route; none for public routes and the bridge's.
#[must_use]
pub fn of(route: &Route) -> Option<String> {
    if matches!(route.access, Access::Public | Access::Service) {
        return None;
    }
    let (resource, verb) = group(route);
    let level = route.access.lowest_role();
    let lowest =
        ROUTES.iter().filter(|r| group(r) == (resource, verb)).filter_map(|r| r.access.lowest_role()).min();
    match level {
        Some(level) if Some(level) != lowest => Some(format!("{resource}.{verb}.{level}")),
        _ => Some(format!("{resource}.{verb}")),
    }
}

/// Every permission, by name.
#[must_use]
pub fn all() -> &'static BTreeSet<String> {
    static ALL: LazyLock<BTreeSet<String>> = LazyLock::new(|| ROUTES.iter().filter_map(of).collect());
    &ALL
}

/// The permissions that a custom role can carry, by name.
pub fn grantable() -> impl Iterator<Item = &'static str> {
    all().iter().map(String::as_str).filter(|permission| !is_reserved(permission))
}

/// What a built-in role permits: the permissions all of whose routes it opens.
#[must_use]
pub fn of_role(role: Role) -> BTreeSet<String> {
    let closed: BTreeSet<_> = ROUTES.iter().filter(|r| !r.access.allows(role)).filter_map(of).collect();
    all().difference(&closed).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_built_in_role_opens_exactly_what_its_permissions_open() {
        for role in Role::ALL {
            let permissions = of_role(*role);
            for route in ROUTES {
                let Some(permission) = of(route).filter(|_| route.access != Access::Token) else { continue };
                let name = format!("{role} {} {}", route.method, route.path);
                assert_eq!(route.access.allows(*role), permissions.contains(&permission), "{name}");
            }
        }
    }

    #[test]
    fn a_permission_opens_its_routes_and_no_others() {
        let held = ["alarms.write".to_owned()];
        for route in ROUTES {
            let opened = route.allows(Role::Operator, &held);
            let expected =
                route.access.allows(Role::Operator) || of(route).as_deref() == Some("alarms.write");
            assert_eq!(opened, expected, "{} {}", route.method, route.path);
            assert!(route.access != Access::Service || !route.allows(Role::Admin, &held));
        }
        assert!(ROUTES.iter().any(|r| !r.access.allows(Role::Operator) && r.allows(Role::Operator, &held)));
    }

    #[test]
    fn permissions_have_the_documented_names() {
        let all = all();
        for name in ["machines.read", "machines.write", "alarms.write", "audit.read", "settings.write"] {
            assert!(all.contains(name), "{name} is not in {all:?}");
        }
        let reserved: Vec<_> = all.iter().filter(|name| is_reserved(name)).collect();
        assert_eq!(reserved, ["roles.write", "users.write"]);
    }
}
