//! Files of the bundle, mounted read-only at `/ui`.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use pm_api::assets::{Asset, AssetManifest};
use pm_web::{Answer, bytes_reply, empty, text};
use std::sync::OnceLock;

const ROOT: &str = "/ui";
const PAGE: &str = "index.html";
/// What a page of ours may load and do.
const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/// Serves a file of the bundle; a path that is none is a page of the UI, unless it looks like a file.
pub(crate) fn serve(path: &str, headers: &HeaderMap) -> Answer {
    let Some(manifest) = manifest() else {
        return text(StatusCode::SERVICE_UNAVAILABLE, "The web UI has not been built: run ./pm build");
    };
    let looks_like_file = path.rsplit('/').next().is_some_and(|last| last.contains('.'));
    let (name, asset) = match manifest.files.get_key_value(path) {
        Some(found) => found,
        None if looks_like_file => return text(StatusCode::NOT_FOUND, "no such file"),
        None => match manifest.files.get_key_value(PAGE) {
            Some(page) => page,
            None => return text(StatusCode::SERVICE_UNAVAILABLE, "The web UI is incomplete: run ./pm build"),
        },
    };
    let mut answer = if unchanged(asset, headers) {
        empty(StatusCode::NOT_MODIFIED)
    } else {
        content(name, asset, headers)
    };
    let cache = if asset.immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
    let fixed = [
        (header::CACHE_CONTROL, cache),
        (header::VARY, "accept-encoding"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    for (name, value) in fixed {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    set(&mut answer, header::ETAG, &asset.etag);
    answer
}

fn content(name: &str, asset: &Asset, headers: &HeaderMap) -> Answer {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let takes = |encoding: &str| {
        accepted.split(',').any(|a| {
            let mut parts = a.split(';');
            let named = parts.next().is_some_and(|n| n.trim().eq_ignore_ascii_case(encoding));
            named && !parts.any(|p| p.trim() == "q=0")
        })
    };
    let encoding =
        ["br", "gzip"].into_iter().find_map(|e| Some((e, asset.encodings.get(e).filter(|_| takes(e))?)));
    let file = encoding.map_or(name, |(_, file)| file);
    let Ok(body) = std::fs::read(format!("{ROOT}/{file}")) else {
        eprintln!("{file} stands in the manifest but cannot be read");
        return text(StatusCode::INTERNAL_SERVER_ERROR, "the file cannot be read");
    };
    let kind = HeaderValue::from_str(&asset.content_type);
    let mut answer = bytes_reply(
        StatusCode::OK,
        kind.unwrap_or(HeaderValue::from_static("application/octet-stream")),
        body,
    );
    if let Some((encoding, _)) = encoding {
        set(&mut answer, header::CONTENT_ENCODING, encoding);
    }
    answer
}

fn unchanged(asset: &Asset, headers: &HeaderMap) -> bool {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok()).unwrap_or_default();
    known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == asset.etag || tag.trim() == "*")
}

fn set(answer: &mut Answer, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}

/// The bundle's manifest, read once per instance.
fn manifest() -> Option<&'static AssetManifest> {
    static MANIFEST: OnceLock<AssetManifest> = OnceLock::new();
    if let Some(manifest) = MANIFEST.get() {
        return Some(manifest);
    }
    let text = std::fs::read(format!("{ROOT}/assets.json")).ok()?;
    let manifest = serde_json::from_slice(&text).ok()?;
    Some(MANIFEST.get_or_init(|| manifest))
}
