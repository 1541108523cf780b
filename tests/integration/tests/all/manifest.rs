//! spin.toml, the components' imports, the route table and the host agree.

use anyhow::Result;
use pm_api::route::{Access, ROUTES};
use pm_host::{Host, Options};
use pm_migrations::GROUPS;
use pm_stack::paths::cache_dir;
use pm_test_support::manifest;
use std::collections::BTreeSet;

/// Loading compiles every component, and refuses an import that the host does not offer or a key it does not know.
async fn load() -> Result<Host> {
    let mut options = Options::new(cache_dir().join("host"));
    for group in GROUPS {
        options.variables.insert(format!("database_url_{group}"), "x".to_owned());
    }
    for name in ["jwt_secret", "service_token", "component_token"] {
        options.variables.insert(name.to_owned(), "x".repeat(32));
    }
    Host::load(manifest(), options).await
}

/// The component of a path by Spin's rule: segment by segment an exact one wins over `:name`, and that over `/...`.
fn component<'r>(routes: &[(&'r str, &'r str)], path: &str) -> Option<&'r str> {
    let rank = |route: &str| -> Option<Vec<u8>> {
        let mut given = path.split('/');
        let mut rank = Vec::new();
        for expected in route.split('/') {
            match (expected, given.next()) {
                ("...", _) => {
                    rank.push(0);
                    return Some(rank);
                }
                (expected, Some(segment)) if expected == segment => rank.push(2),
                (expected, Some(_)) if expected.starts_with(':') => rank.push(1),
                _ => return None,
            }
        }
        given.next().is_none().then_some(rank)
    };
    let ranked = routes.iter().filter_map(|(route, component)| Some((rank(route)?, *component)));
    ranked.max().map(|(_, component)| component)
}

#[tokio::test]
async fn every_route_leads_to_its_component() -> Result<()> {
    let host = load().await?;
    let routes: Vec<_> = host.routes().collect();
    for route in ROUTES {
        let path = route.path.replace(['{', '}'], "");
        assert_eq!(component(&routes, &path), Some(route.component), "{}", route.path);
        let under_api = component(&routes, &format!("/api{path}"));
        // the bridge alone calls these, by one address
        let expected = if route.access == Access::Service { "site" } else { route.component };
        assert_eq!(under_api, Some(expected), "/api{}", route.path);
    }
    let in_table: BTreeSet<_> = ROUTES.iter().map(|r| r.component).collect();
    let in_manifest: BTreeSet<_> = routes.iter().map(|(_, c)| *c).collect();
    assert_eq!(in_table, in_manifest);
    Ok(())
}

/// A component that does not get the variable allows no page of another origin, whatever the setting.
#[test]
fn every_component_with_routes_gets_the_allowed_origins() -> Result<()> {
    let text = std::fs::read_to_string(manifest())?;
    for component in ROUTES.iter().map(|r| r.component) {
        let variables = format!("[component.{component}.variables]\n");
        let block = text.split_once(&variables).map(|(_, rest)| rest.split("\n[").next().unwrap_or_default());
        let given =
            block.is_some_and(|b| b.contains("cors_allowed_origins = \"{{ cors_allowed_origins }}\""));
        assert!(given, "spin.toml does not give cors_allowed_origins to {component}");
    }
    Ok(())
}
