//! From a method and a path to a route.

use super::{ROUTES, Route};

/// Each path is also served under this one.
pub const API_PREFIX: &str = "/api";

/// Parameters of a matched path, in the order of the path.
pub type PathParams<'p> = Vec<(&'static str, &'p str)>;

/// What a request's method and path lead to.
#[derive(Debug, PartialEq, Eq)]
pub enum Match<'p> {
    /// A route.
    Found(&'static Route, PathParams<'p>),
    /// The path is known, the method is not.
    OtherMethod(Vec<&'static str>),
    /// No such path.
    Unknown,
}

/// Finds the route for a method and path. A leading `/api` and a trailing slash are ignored. A fixed segment wins
/// over a parameter (`/users/me` over `/users/{user_id}`).
#[must_use]
pub fn find<'p>(method: &str, path: &'p str) -> Match<'p> {
    let path = strip_api(path);
    let matching: Vec<_> =
        ROUTES.iter().filter_map(|route| matches(route.path, path).map(|params| (route, params))).collect();
    // what a fixed path does not know is not looked for among ids
    let fewest = matching.iter().map(|(_, params)| params.len()).min();
    let mut methods = Vec::new();
    for (route, params) in matching {
        if Some(params.len()) == fewest {
            if route.method == method {
                return Match::Found(route, params);
            }
            methods.push(route.method);
        }
    }
    if methods.is_empty() { Match::Unknown } else { Match::OtherMethod(methods) }
}

/// The path without a leading `/api`.
#[must_use]
pub fn strip_api(path: &str) -> &str {
    match path.strip_prefix(API_PREFIX) {
        Some("") => "/",
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    }
}

fn matches<'p>(pattern: &'static str, path: &'p str) -> Option<PathParams<'p>> {
    // every pattern begins with a fixed segment, and most with another letter
    if pattern.as_bytes().get(1) != path.as_bytes().get(1) {
        return None;
    }
    let mut params = Vec::new();
    let mut segments = path.trim_end_matches('/').split('/');
    for expected in pattern.trim_end_matches('/').split('/') {
        let given = segments.next()?;
        match expected.strip_prefix('{').and_then(|e| e.strip_suffix('}')) {
            Some(name) if !given.is_empty() => params.push((name, given)),
            None if expected == given => {}
            _ => return None,
        }
    }
    segments.next().is_none().then_some(params)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::{Access, Op};

    fn op(method: &str, path: &str) -> Option<Op> {
        match find(method, path) {
            Match::Found(route, _) => Some(route.op),
            _ => None,
        }
    }

    #[test]
    fn routing() {
        assert_eq!(op("GET", "/"), Some(Op::SystemInformation));
        assert_eq!(op("GET", "/api"), Some(Op::SystemInformation));
        assert_eq!(find("PUT", "/"), Match::OtherMethod(vec!["GET"]));
        assert_eq!(op("GET", "/machines"), Some(Op::ListMachines));
        assert_eq!(op("GET", "/machines/"), Some(Op::ListMachines));
        assert_eq!(op("GET", "/api/machines"), Some(Op::ListMachines));
        assert_eq!(op("GET", "/users/me"), Some(Op::GetMe));
        assert_eq!(op("GET", "/apimachines"), None);
        assert_eq!(find("GET", "/machines/x/y/z"), Match::Unknown);
        assert_eq!(find("PUT", "/health"), Match::OtherMethod(vec!["GET"]));
        assert_eq!(find("DELETE", "/users/refresh"), Match::OtherMethod(vec!["POST"]));
        let Match::Found(_, params) = find("GET", "/alarms/prediction/7") else { panic!("not found") };
        assert_eq!(params, [("prediction_id", "7")]);
    }

    #[test]
    fn no_two_routes_are_the_same() {
        for (i, a) in ROUTES.iter().enumerate() {
            assert!(!a.path.starts_with("/{"), "{}", a.path);
            for b in &ROUTES[..i] {
                assert!(a.method != b.method || a.path != b.path, "{} {}", a.method, a.path);
                assert_ne!(a.op, b.op);
                // the host routes by path alone
                assert!(a.path != b.path || a.component == b.component, "{}", a.path);
            }
        }
    }

    #[test]
    fn only_these_routes_are_open() {
        let open: Vec<_> = ROUTES.iter().filter(|r| r.access == Access::Public).map(|r| r.path).collect();
        assert_eq!(
            open,
            [
                "/health",
                "/health/live",
                "/health/ready",
                "/status",
                "/",
                "/users/login",
                "/users/sign-in/providers",
                "/users/sign-in/providers/{provider}",
                "/users/sign-in",
                "/users/refresh",
                "/users/password-reset/request",
                "/users/password-reset/confirm",
                "/ws/updates",
                "/openapi.json",
                "/docs",
                "/docs/{file}",
                "/redoc"
            ]
        );
    }
}
