//! spin.toml, which says what Spin runs: [`manifest`] writes it from the table of routes (pm-api) and the table of
//! [`components`]. `./pm manifest` writes the file; a test compares it.
//!
//! Invariants: each route of the table leads to its component; a component gets the variables and addresses that its routes
//! and calls need, and no others.
//!
//! Deliberately absent: reading spin.toml (local/host).

mod components;
mod triggers;

use components::{Component, FALLBACK, GROUPS, PRIVATE, VARIABLES};
use pm_api::route::{Access, ROUTES};
use std::fmt::Write;

const HEAD: &str = r#"# What Spin runs. Written by `./pm manifest` from functions/lib/api/src/route/table.rs and
# functions/lib/manifest/src/components.rs: change those, not this file.
spin_manifest_version = 2

[application]
name = "predictive-maintenance"
version = "1.0.0"
description = "Predictive maintenance: readings, anomalies, alarms, tickets"

"#;

/// The text of spin.toml.
#[must_use]
pub fn manifest() -> String {
    let mut text = HEAD.to_owned() + "[variables]\n";
    for variable in VARIABLES {
        let value = variable.default.map_or("required = true".to_owned(), |d| format!("default = \"{d}\""));
        let secret = if variable.secret { ", secret = true" } else { "" };
        let _ = writeln!(
            text,
            "{} = {{ {value}{secret}, description = \"{}\" }}",
            variable.name, variable.description
        );
    }
    for (heading, components) in GROUPS {
        let _ = write!(text, "\n# ---- {heading} {}\n", "-".repeat(110_usize.saturating_sub(heading.len())));
        for component in *components {
            write_component(&mut text, component);
        }
    }
    text
}

fn write_component(text: &mut String, component: &Component) {
    let Component { name, purpose, .. } = component;
    let _ = write!(text, "\n# {name}: {purpose}\n");
    for route in routes(name) {
        let _ = write!(text, "[[trigger.http]]\nroute = {route}\ncomponent = \"{name}\"\n\n");
    }
    let file = name.replace('-', "_");
    let _ = write!(text, "[component.{name}]\nsource = \"target/wasm32-wasip2/wasm/{file}.wasm\"\n");
    let hosts = hosts(component);
    if !hosts.is_empty() {
        let _ = writeln!(text, "allowed_outbound_hosts = [{}]", quoted(&hosts));
    }
    if let Some((source, destination)) = component.files {
        let _ = writeln!(text, "files = [{{ source = \"{source}\", destination = \"{destination}\" }}]");
    }
    let _ = write!(
        text,
        "[component.{name}.build]\ncommand = \"cargo build --target wasm32-wasip2 --profile wasm -p {name}\"\n\
         watch = [\"functions/{name}/src/**/*.rs\", \"functions/lib/*/src/**/*.rs\", \"Cargo.toml\"]\n\
         [component.{name}.variables]\n"
    );
    if let Some(group) = component.database {
        let _ = writeln!(text, "database_url = \"{{{{ database_url_{group} }}}}\"");
    }
    for variable in variables(component) {
        let _ = writeln!(text, "{variable} = \"{{{{ {variable} }}}}\"");
    }
}

/// Its routes as TOML values.
fn routes(name: &str) -> Vec<String> {
    if PRIVATE.contains(&name) {
        return vec!["{ private = true }".to_owned()];
    }
    let mut routes: Vec<_> = triggers::of(name).into_iter().map(|route| format!("\"{route}\"")).collect();
    if name == FALLBACK {
        routes.push("\"/...\"".to_owned());
    }
    routes
}

fn quoted(texts: &[String]) -> String {
    texts.iter().map(|text| format!("\"{text}\"")).collect::<Vec<_>>().join(", ")
}

/// Where it may connect to.
fn hosts(component: &Component) -> Vec<String> {
    let database = component.database.map(|_| "{{ database_host }}".to_owned());
    let calls = component.calls.iter().map(|called| format!("http://{called}.spin.internal"));
    let others = component.reaches.iter().map(|&host| host.to_owned());
    database.into_iter().chain(calls).chain(others).collect()
}

/// The variables that it may read, by the order of [`VARIABLES`].
fn variables(component: &Component) -> Vec<&'static str> {
    let own = || ROUTES.iter().filter(|route| route.component == component.name);
    let is_private = PRIVATE.contains(&component.name);
    let for_users = own().any(|route| !matches!(route.access, Access::Service | Access::Public))
        || (component.database.is_some() && own().any(|route| route.access == Access::Public));
    // the internal routes of a component take the bridge's token and that of other components
    let calls_routes = component.calls.iter().any(|called| !PRIVATE.contains(called));
    let serves_bridge = own().any(|route| route.access == Access::Service);
    let needs = |name: &str| match name {
        "jwt_secret" | "requests_per_minute" | "trusted_proxies" => for_users,
        "cors_allowed_origins" => !is_private,
        "service_token" | "service_token_previous" => serves_bridge,
        "component_token" => serves_bridge || calls_routes,
        _ => component.variables.contains(&name),
    };
    VARIABLES.iter().map(|variable| variable.name).filter(|name| needs(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn parsed() -> toml::Table {
        manifest().parse().expect("spin.toml is TOML")
    }

    #[test]
    fn the_checked_in_file_is_what_the_tables_give() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../spin.toml");
        let text = std::fs::read_to_string(path).unwrap_or_default();
        assert!(text == manifest(), "spin.toml is not what the tables give: run ./pm manifest");
    }

    #[test]
    fn each_component_of_the_route_table_is_listed_once() {
        let listed: Vec<_> = GROUPS.iter().flat_map(|(_, components)| *components).map(|c| c.name).collect();
        let distinct: BTreeSet<_> = listed.iter().copied().collect();
        assert_eq!(listed.len(), distinct.len(), "{listed:?}");
        let mut expected: BTreeSet<_> = ROUTES.iter().map(|route| route.component).collect();
        expected.extend(PRIVATE);
        assert_eq!(distinct, expected);
    }

    /// How specific a Spin route is for a path, segment by segment: a literal (2) before a parameter (1) before the rest (0).
    fn specificity(route: &str, path: &str) -> Option<Vec<u8>> {
        let mut given = path.split('/');
        let mut found = Vec::new();
        for expected in route.split('/') {
            if expected == "..." {
                found.push(0);
                return Some(found);
            }
            match given.next()? {
                segment if segment == expected => found.push(2),
                _ if expected.starts_with(':') => found.push(1),
                _ => return None,
            }
        }
        given.next().is_none().then_some(found)
    }

    #[test]
    fn each_route_of_the_table_leads_to_its_component() {
        let manifest = parsed();
        let triggers = manifest["trigger"]["http"].as_array().expect("a list");
        let component = |path: &str| {
            let routes =
                triggers.iter().filter_map(|t| Some((t["route"].as_str()?, t["component"].as_str()?)));
            let matching =
                routes.filter_map(|(route, component)| Some((specificity(route, path)?, component)));
            matching.max_by(|a, b| a.0.cmp(&b.0)).map(|(_, component)| component)
        };
        for route in ROUTES {
            let path = route.path.replace(['{', '}'], "~");
            assert_eq!(component(&path), Some(route.component), "{path}");
            if route.access != Access::Service {
                let path = format!("/api{}", path.trim_end_matches('/'));
                assert_eq!(component(&path), Some(route.component), "{path}");
            }
        }
        assert_eq!(component("/no/such/path"), Some(FALLBACK));
    }

    #[test]
    fn a_component_reads_only_variables_that_exist() {
        let known: BTreeSet<_> = VARIABLES.iter().map(|variable| variable.name).collect();
        for component in GROUPS.iter().flat_map(|(_, components)| *components) {
            assert!(component.variables.iter().all(|name| known.contains(name)), "{}", component.name);
        }
    }
}
