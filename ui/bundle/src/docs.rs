//! The API's documentation: openapi.json, and its pages from our own few lines and from Swagger UI and Redoc as `./pm`
//! fetched them.

use crate::{
    inputs::hex,
    output::{Effort, Writer},
};
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::{env, fs, path::Path};

/// Where `./pm` put the packages' files.
const PACKAGES: &str = "PM_DOCS_PACKAGES";

/// Fills `functions/docs/files`; does nothing when nothing changed.
pub(crate) fn write(root: &Path) -> Result<()> {
    let files = root.join("functions/docs/files");
    fs::create_dir_all(&files)?;
    fs::write(files.join("openapi.json"), pm_openapi::document().to_string())?;
    write_pages(root, &files)
}

fn write_pages(root: &Path, files: &Path) -> Result<()> {
    let Some(packages) = env::var_os(PACKAGES) else {
        println!("docs: {PACKAGES} is not set, the pages are left as they are");
        return Ok(());
    };
    let mut contents = Vec::new();
    for folder in [root.join("functions/docs/pages"), packages.into()] {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry?.path();
            let name =
                path.file_name().and_then(|n| n.to_str()).context("a file name is no text")?.to_owned();
            contents.push((name, fs::read(&path)?));
        }
    }
    contents.sort();
    let mut hasher = Sha256::new();
    for (name, content) in &contents {
        hasher.update(name);
        hasher.update(content.len().to_le_bytes());
        hasher.update(content);
    }
    let inputs = hex(&hasher.finalize());
    let inputs_file = files.join(".inputs");
    if fs::read_to_string(&inputs_file).is_ok_and(|old| old == inputs) && files.join("assets.json").exists() {
        println!("docs: nothing changed");
        return Ok(());
    }
    let mut out = Writer::new("docs", files, Effort::Quick);
    for (name, content) in &contents {
        let extension = name.rsplit('.').next().unwrap_or_default();
        out.put(name.clone(), extension, content, false)?;
    }
    out.finish()?;
    fs::write(inputs_file, inputs)?;
    Ok(())
}
