//! Which component answers a path, and the headers that Spin adds to its requests.
//!
//! Precedence is Spin's own: the same `routefinder` crate over the same patterns, so an exact route wins over a named
//! segment, and that over the longest matching `/...`.

use super::manifest::{HttpTrigger, Route};
use anyhow::{Result, anyhow};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::collections::HashMap;
use std::net::SocketAddr;

/// All public routes.
#[derive(Debug)]
pub(crate) struct Router(routefinder::Router<Target>);

#[derive(Debug, Clone)]
struct Target {
    component: String,
    route: String,
    pattern: String,
}

/// A path's component and what the pattern captured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RouteMatch {
    /// The component's id.
    pub(crate) component: String,
    /// The route as Spin writes it in `spin-matched-route`.
    route: String,
    /// The route as it stands in the manifest.
    pattern: String,
    /// What `/...` matched, with its leading slash.
    tail: String,
    /// Values of `:named` segments.
    named: Vec<(String, String)>,
}

impl Router {
    /// Takes the public routes in the order of the manifest; of two equal ones the later wins, as in Spin.
    ///
    /// # Errors
    /// A pattern that cannot be read.
    pub(crate) fn new(triggers: &[HttpTrigger]) -> Result<Self> {
        let mut order: Vec<&str> = Vec::new();
        let mut components: HashMap<&str, &str> = HashMap::new();
        for trigger in triggers {
            let Route::Public(pattern) = &trigger.route else { continue };
            match components.insert(pattern, &trigger.component) {
                None => order.push(pattern),
                Some(replaced) => {
                    tracing::error!(route = %pattern, replaced, component = %trigger.component, "a route is declared twice");
                }
            }
        }
        let mut router = routefinder::Router::new();
        for pattern in order {
            let component = components[pattern].to_owned();
            let route = absolute(pattern);
            let spec =
                route.strip_suffix("/...").map_or_else(|| route.clone(), |prefix| format!("{prefix}/*"));
            let target = Target { component: component.clone(), route, pattern: pattern.to_owned() };
            router
                .add(spec, target)
                .map_err(|error| anyhow!("the route {pattern:?} of {component:?}: {error}"))?;
        }
        Ok(Self(router))
    }

    /// The component for a path.
    #[must_use]
    pub(crate) fn find(&self, path: &str) -> Option<RouteMatch> {
        let found = self.0.best_match(path)?;
        let target = found.handler().clone();
        let captures = found.captures();
        let tail = match captures.wildcard() {
            None => String::new(),
            Some(tail) => match (tail.is_empty(), path.ends_with('/')) {
                (true, false) => String::new(),
                (true, true) => "/".to_owned(),
                (false, false) => format!("/{tail}"),
                (false, true) => format!("/{tail}/"),
            },
        };
        let named = captures.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Some(RouteMatch {
            component: target.component,
            route: target.route,
            pattern: target.pattern,
            tail,
            named,
        })
    }

    /// Every route with its component.
    pub(crate) fn routes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(_, target)| (target.pattern.as_str(), target.component.as_str()))
    }
}

impl RouteMatch {
    /// The route as it stands in the manifest.
    #[must_use]
    pub(crate) fn pattern(&self) -> &str {
        &self.pattern
    }

    /// The match of a request that another component sent to `component`.
    #[must_use]
    pub(crate) fn chained(component: &str, path: &str) -> Self {
        Self {
            component: component.to_owned(),
            route: "/...".to_owned(),
            pattern: "/...".to_owned(),
            tail: path.to_owned(),
            named: Vec::new(),
        }
    }

    /// Sets the `spin-*` request headers, replacing any that the client sent.
    pub(crate) fn set_headers(
        &self,
        headers: &mut HeaderMap,
        host: &str,
        path: &PathAndQuery,
        client: SocketAddr,
    ) {
        let mut set = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        set(HeaderName::from_static("spin-path-info"), &self.tail);
        set(HeaderName::from_static("spin-full-url"), &format!("http://{host}{path}"));
        set(HeaderName::from_static("spin-matched-route"), &self.route);
        set(HeaderName::from_static("spin-base-path"), "/");
        set(HeaderName::from_static("spin-raw-component-route"), &self.pattern);
        let prefix = self.pattern.strip_suffix("/...").unwrap_or(&self.pattern);
        set(HeaderName::from_static("spin-component-route"), prefix);
        set(HeaderName::from_static("spin-client-addr"), &client.to_string());
        for (name, value) in &self.named {
            if let Ok(name) = HeaderName::try_from(format!("spin-path-match-{}", name.replace('_', "-"))) {
                set(name, value);
            }
        }
    }
}

/// With a leading slash and without one trailing slash.
fn absolute(pattern: &str) -> String {
    let pattern = pattern.strip_suffix('/').unwrap_or(pattern);
    if pattern.is_empty() || pattern.starts_with('/') { pattern.to_owned() } else { format!("/{pattern}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router(routes: &[(&str, &str)]) -> Router {
        let trigger = |(route, component): &(&str, &str)| HttpTrigger {
            id: String::new(),
            route: Route::Public((*route).to_owned()),
            component: (*component).to_owned(),
            executor: None,
        };
        Router::new(&routes.iter().map(trigger).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn the_most_exact_route_wins() {
        let router = router(&[
            ("/...", "all"),
            ("/users/...", "users"),
            ("/users/login", "auth"),
            ("/machines/:id/sensors", "sensors"),
            ("/machines/...", "machines"),
            ("/", "root"),
        ]);
        for (path, component) in [
            ("/", "root"),
            ("/other", "all"),
            ("/users", "users"),
            ("/users/7", "users"),
            ("/users/login", "auth"),
            ("/users/login/x", "users"),
            ("/machines/m1", "machines"),
            ("/machines/m1/sensors", "sensors"),
        ] {
            assert_eq!(router.find(path).map(|found| found.component).as_deref(), Some(component), "{path}");
        }
    }

    #[test]
    fn headers_say_what_matched() {
        let router = router(&[("/items/:item_id/...", "items")]);
        let found = router.find("/items/42/a/b").unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("spin-client-addr", HeaderValue::from_static("forged"));
        let path = PathAndQuery::from_static("/items/42/a/b?x=1");
        found.set_headers(&mut headers, "localhost:3000", &path, "10.0.0.1:5".parse().unwrap());
        for (name, value) in [
            ("spin-path-info", "/a/b"),
            ("spin-full-url", "http://localhost:3000/items/42/a/b?x=1"),
            ("spin-matched-route", "/items/:item_id/..."),
            ("spin-component-route", "/items/:item_id"),
            ("spin-path-match-item-id", "42"),
            ("spin-client-addr", "10.0.0.1:5"),
        ] {
            assert_eq!(headers[name], value, "{name}");
        }
    }

    #[test]
    fn nothing_matches_without_a_route() {
        assert!(router(&[("/a", "a")]).find("/b").is_none());
    }
}
