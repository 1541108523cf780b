//! One hash over everything the bundle is made from.

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Hash of the UI's sources, the crates of ours it shares, the lock file and this program, in hex.
pub(crate) fn hash(root: &Path, ui: &Path) -> Result<String> {
    let mut files = Vec::new();
    for folder in ["src", "core/src", "styles", "static", "bundle/src"] {
        collect(&ui.join(folder), &mut files)?;
    }
    collect(&root.join("functions/lib/api/src"), &mut files)?;
    files.extend([
        ui.join("index.html"),
        ui.join("Cargo.toml"),
        root.join("Cargo.toml"),
        root.join("Cargo.lock"),
    ]);
    files.sort();
    let mut hasher = Sha256::new();
    for file in files {
        let content = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        hasher.update(file.strip_prefix(root)?.to_string_lossy().as_bytes());
        hasher.update(content.len().to_le_bytes());
        hasher.update(content);
    }
    Ok(hex(&hasher.finalize()))
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
