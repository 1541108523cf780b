//! The UI's bundle, mounted at `/ui`.

use http::{HeaderMap, StatusCode};
use pm_web::{Answer, Files, text};

const PAGE: &str = "index.html";
static BUNDLE: Files = Files::new(
    "/ui",
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data: blob:; frame-src blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
);

/// Serves a file of the bundle; a path that is none is a page of the UI, unless it looks like a file.
pub(crate) fn serve(path: &str, headers: &HeaderMap) -> Answer {
    let page = || {
        let looks_like_file = path.rsplit('/').next().is_some_and(|last| last.contains('.'));
        if looks_like_file { None } else { BUNDLE.serve(PAGE, headers) }
    };
    match BUNDLE.serve(path, headers).or_else(page) {
        Some(answer) => answer,
        None if BUNDLE.built() => text(StatusCode::NOT_FOUND, "no such file"),
        None => text(StatusCode::SERVICE_UNAVAILABLE, "The web UI has not been built: run ./pm build"),
    }
}
