//! One hash over everything the bundle is made from.

use crate::compile::cargo;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The crate of the program.
const PROGRAM: &str = "pm-ui";

/// Hash of the program's crates of this workspace, the page's other files, the lock file and this program, in hex.
pub(crate) fn hash(root: &Path, ui: &Path) -> Result<String> {
    let mut files = vec![ui.join("index.html"), root.join("Cargo.toml"), root.join("Cargo.lock")];
    for folder in ["styles", "static", "bundle/src"] {
        collect(&ui.join(folder), &mut files)?;
    }
    for folder in program_crates(root)? {
        files.push(folder.join("Cargo.toml"));
        collect(&folder.join("src"), &mut files)?;
    }
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

/// Folders of the crates of this workspace that the program is built from, as cargo resolves them.
fn program_crates(root: &Path) -> Result<BTreeSet<PathBuf>> {
    let output = cargo(root)
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(["--filter-platform", "wasm32-unknown-unknown"])
        .output()
        .context("cannot start cargo")?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let list = |value: &'_ Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    // a crate of this workspace has no source
    let packages = list(&metadata["packages"]);
    let own: BTreeMap<_, _> = packages
        .iter()
        .filter(|package| package["source"].is_null())
        .map(|package| (text(&package["id"]), text(&package["manifest_path"])))
        .collect();
    let nodes = list(&metadata["resolve"]["nodes"]);
    let needs: BTreeMap<_, _> =
        nodes.iter().map(|node| (text(&node["id"]), list(&node["dependencies"]))).collect();
    let program = packages.iter().find(|package| package["name"] == PROGRAM).context("no crate pm-ui")?;
    let (mut folders, mut waiting) = (BTreeSet::new(), vec![text(&program["id"])]);
    while let Some(id) = waiting.pop() {
        let Some(manifest) = own.get(&id) else { continue };
        let folder = Path::new(manifest).parent().context("a manifest lies in a folder")?;
        if folders.insert(folder.to_path_buf()) {
            waiting.extend(needs.get(&id).into_iter().flatten().map(text));
        }
    }
    Ok(folders)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_crate_of_the_workspace_in_the_program_is_an_input() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace");
        let crates = program_crates(&root).expect("cargo metadata");
        let crates: Vec<_> = crates.iter().filter_map(|folder| folder.strip_prefix(&root).ok()).collect();
        // pm-ui names pm-domain only through pm-ui-core
        for folder in ["ui", "ui/core", "functions/lib/api", "functions/lib/domain"] {
            assert!(crates.contains(&Path::new(folder)), "{folder} is not among {crates:?}");
        }
        assert!(!crates.contains(&Path::new("functions/lib/store")), "{crates:?}");
    }
}
