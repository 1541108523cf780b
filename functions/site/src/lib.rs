//! Component `site`: the UI's files and the front door. It serves whatever no other component claims.
//!
//! Invariants: a file is served with the ETag of its manifest entry and in an encoding the browser takes; files with a
//! hash in their name may be kept for ever; a page of the UI is any path under `/app` that is no file. `/` answers a
//! browser with the UI and a script with the system information. An unknown path is the documented 404.
//! Deliberately absent: compression (the bundler has done it), directory listings.

mod file;
mod front;

use pm_web::{Answer, Request, other_method, serve_rest, unknown_path};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve_rest("site", request, |request| async move { answer(&request) }).await
}

fn answer(request: &Request) -> Answer {
    let path = request.uri().path();
    let readable = request.method() == "GET" || request.method() == "HEAD";
    let page = match path.strip_prefix("/app") {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => Some(rest.trim_start_matches('/')),
        _ => None,
    };
    match (path, page) {
        ("/" | "/api" | "/api/", _) if readable => front::door(request.headers()),
        (_, Some(page)) if readable => file::serve(page, request.headers()),
        ("/" | "/api" | "/api/", _) | (_, Some(_)) => other_method(request, &["GET"]),
        _ => unknown_path(path),
    }
}
