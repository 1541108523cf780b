//! Rules about the source code that the compiler cannot check.

use anyhow::Result;
use pm_domain::settings::DEFINITIONS;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// A setting's value can be read by its [`pm_domain::settings::Key`] only: a setting that no code names is not obeyed.
#[test]
fn every_setting_is_read_by_a_component() -> Result<()> {
    let mut read = BTreeSet::new();
    for (path, code) in code()? {
        if !path.ends_with("lib/domain/src/settings/table.rs") {
            let names = code.match_indices("Key::").map(|(at, key)| &code[at + key.len()..]);
            let name = |rest: &str| rest.split(|c: char| !c.is_alphanumeric()).next().map(str::to_owned);
            read.extend(names.filter_map(name));
        }
    }
    let unread: Vec<_> = DEFINITIONS
        .iter()
        .filter(|known| !read.contains(&format!("{:?}", known.id)))
        .map(|k| k.key)
        .collect();
    assert!(unread.is_empty(), "no component reads {unread:?}");
    Ok(())
}

/// The log of a component is one JSON object a line: everything is written by pm-web.
#[test]
fn components_write_to_the_log_through_pm_web_only() -> Result<()> {
    for (path, code) in code()? {
        // native programs
        if path.ends_with("lib/openapi/src/main.rs") || path.ends_with("lib/manifest/src/main.rs") {
            continue;
        }
        for name in ["print!", "println!", "eprint!", "eprintln!", "dbg!"] {
            let used = code.match_indices(name).any(|(at, _)| !code[..at].ends_with(char::is_alphanumeric));
            assert!(!used, "{} uses {name}", path.display());
        }
    }
    Ok(())
}

/// The Rust files of components and their libraries, each without its unit tests.
fn code() -> Result<Vec<(PathBuf, String)>> {
    let functions = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../functions").canonicalize()?;
    let mut files = Vec::new();
    collect(&functions, &mut files)?;
    Ok(files)
}

fn collect(folder: &Path, files: &mut Vec<(PathBuf, String)>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if !path.ends_with("tests") {
                collect(&path, files)?;
            }
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
            let text = fs::read_to_string(&path)?;
            files.push((path, text.split("#[cfg(test)]").next().unwrap_or_default().to_owned()));
        }
    }
    Ok(())
}
