//! The manifest that the UI's bundler writes beside its files and that the `site` component serves them by.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `assets.json` in the bundle's folder.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AssetManifest {
    /// File path inside the bundle (served under `/app/`) → how to serve it. `index.html` is the page for every
    /// address that names no file.
    pub files: BTreeMap<String, Asset>,
}

/// How to serve one file of the bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    /// Value for the header `content-type`.
    pub content_type: String,
    /// Value for the header `etag`, quoted; of the content before compression.
    pub etag: String,
    /// Is the content's hash part of the name, so that it never changes?
    pub immutable: bool,
    /// Length in bytes without compression.
    pub length: u64,
    /// Content encoding (`br`, `gzip`) → file path inside the bundle, smallest first where it matters.
    pub encodings: BTreeMap<String, String>,
}
