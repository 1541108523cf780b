//! Component `site`: the UI's files and the front door. It serves whatever no other component claims.
//!
//! Invariants: a file is served with the ETag of its manifest entry and in an encoding the browser takes; files with a
//! hash in their name may be kept for ever; a page of the UI is any path under `/app` that is no file. `/` answers a
//! browser with the UI and a script with the system information. An unknown path is the documented 404.
//! Deliberately absent: compression (the bundler has done it), directory listings.

mod file;
mod front;

use pm_api::route;
use pm_web::{Answer, Request, handlers, other_method, serve, serve_rest, unknown_path};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    if route::strip_api(request.uri().path()) == "/" {
        serve("site", request, handlers! { SystemInformation => front::door }).await
    } else {
        serve_rest("site", request, |request| async move { answer(&request) }).await
    }
}

fn answer(request: &Request) -> Answer {
    let path = request.uri().path();
    let readable = request.method() == "GET" || request.method() == "HEAD";
    match path.strip_prefix("/app") {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => {
            let page = rest.trim_start_matches('/');
            if readable { file::serve(page, request.headers()) } else { other_method(request, &["GET"]) }
        }
        _ => unknown_path(path),
    }
}
