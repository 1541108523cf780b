//! Which paths lead to a component.
//!
//! Spin sends a request to the component with the longest matching route: `/...` matches any rest, `:name` one segment. A
//! component that serves all of a path's first segment, or the segment alone, gets the whole segment, so that it also
//! answers what does not exist there. Others get the shortest of their paths.

use pm_api::route::{Access, ROUTES, Route};
use std::collections::BTreeSet;

fn segments(path: &str) -> Vec<String> {
    let plain = |segment: &str| match segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')) {
        Some(name) => format!(":{name}"),
        None => segment.to_owned(),
    };
    path.trim_start_matches('/').split('/').map(plain).collect()
}

/// The component to which everything below a first segment belongs.
fn owner(first: &str) -> Option<&'static str> {
    let below = |route: &&Route| segments(route.path)[0] == first;
    let components: BTreeSet<_> = ROUTES.iter().filter(below).map(|route| route.component).collect();
    let alone = ROUTES.iter().filter(below).find(|route| segments(route.path).len() == 1);
    let alone = alone.map(|route| route.component);
    if components.len() == 1 { components.into_iter().next() } else { alone }
}

/// The Spin routes of a component, without `/api`, in the order of the table.
fn routes(component: &str) -> Vec<String> {
    let own: Vec<_> = ROUTES.iter().filter(|route| route.component == component).collect();
    let paths: BTreeSet<_> = own.iter().map(|route| segments(route.path)).collect();
    let mut all = Vec::new();
    for route in own {
        let path = segments(route.path);
        let is_first_segment = owner(&path[0]) == Some(component);
        let served = if is_first_segment { path[..1].to_vec() } else { path };
        // a shorter path of the component covers it
        if !is_first_segment && (1..served.len()).any(|length| paths.contains(&served[..length])) {
            continue;
        }
        let has_more = paths.iter().any(|path| path.len() > served.len() && path.starts_with(&served));
        let text = format!("/{}{}", served.join("/"), if has_more { "/..." } else { "" });
        if !all.contains(&text) && text != "/" {
            all.push(text);
        }
    }
    all
}

/// The Spin routes of a component: each as documented and below `/api`; what only other parts of the system call stands
/// nowhere else.
pub(crate) fn of(component: &str) -> Vec<String> {
    let internal = |path: &str| {
        let mut at = ROUTES.iter().filter(|route| route.component == component);
        at.any(|route| route.access == Access::Service && path.starts_with(route.path))
    };
    let both = |path: String| {
        if internal(&path) { vec![path] } else { vec![path.clone(), format!("/api{path}")] }
    };
    routes(component).into_iter().flat_map(both).collect()
}
