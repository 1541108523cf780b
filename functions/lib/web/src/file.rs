//! Files of a folder mounted read-only, compressed beforehand, as `assets.json` in it says ([`pm_api::assets`]).

use crate::{
    finish::{accepts, matches_tag},
    log_error,
    reply::{self, Answer, empty},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use pm_api::assets::{Asset, AssetManifest};
use std::sync::OnceLock;

/// A folder of files.
pub struct Files {
    root: &'static str,
    /// Value of `content-security-policy`: what a page of these may load and do.
    policy: &'static str,
    manifest: OnceLock<AssetManifest>,
}

impl Files {
    /// The files under `root`.
    #[must_use]
    pub const fn new(root: &'static str, policy: &'static str) -> Self {
        Self { root, policy, manifest: OnceLock::new() }
    }

    /// Has the folder been filled?
    #[must_use]
    pub fn built(&self) -> bool {
        self.manifest().is_some()
    }

    /// The file of this name, in an encoding the caller takes; none if there is no such file.
    #[must_use]
    pub fn serve(&self, name: &str, headers: &HeaderMap) -> Option<Answer> {
        let (name, asset) = self.manifest()?.files.get_key_value(name)?;
        let known = headers.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let mut answer = if matches_tag(known, &asset.etag) {
            empty(StatusCode::NOT_MODIFIED)
        } else {
            self.content(name, asset, headers)
        };
        let cache = if asset.immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
        let fixed = [
            (header::CACHE_CONTROL, cache),
            (header::VARY, "accept-encoding"),
            (header::REFERRER_POLICY, "same-origin"),
            (header::CONTENT_SECURITY_POLICY, self.policy),
        ];
        for (name, value) in fixed {
            answer.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        set(&mut answer, header::ETAG, &asset.etag);
        Some(answer)
    }

    fn content(&self, name: &str, asset: &Asset, headers: &HeaderMap) -> Answer {
        let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let encoding = ["br", "gzip"]
            .into_iter()
            .find_map(|e| Some((e, asset.encodings.get(e).filter(|_| accepts(accepted, e))?)));
        let file = encoding.map_or(name, |(_, file)| file);
        let Ok(body) = std::fs::read(format!("{}/{file}", self.root)) else {
            log_error(&format!("{}/{file} stands in the manifest but cannot be read", self.root));
            return reply::text(StatusCode::INTERNAL_SERVER_ERROR, "the file cannot be read");
        };
        let kind = HeaderValue::from_str(&asset.content_type);
        let mut answer = reply::bytes(
            StatusCode::OK,
            kind.unwrap_or(HeaderValue::from_static("application/octet-stream")),
            body,
        );
        if let Some((encoding, _)) = encoding {
            set(&mut answer, header::CONTENT_ENCODING, encoding);
        }
        answer
    }

    /// The folder's manifest, read once per instance.
    fn manifest(&self) -> Option<&AssetManifest> {
        if let Some(manifest) = self.manifest.get() {
            return Some(manifest);
        }
        let text = std::fs::read(format!("{}/assets.json", self.root)).ok()?;
        let manifest = serde_json::from_slice(&text).ok()?;
        Some(self.manifest.get_or_init(|| manifest))
    }
}

fn set(answer: &mut Answer, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}
