//! Embeds the SQL files of this folder, so that one binary can bring any database up to date.

use std::{env, fmt::Write as _, fs, path::PathBuf};

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(std::io::Error::other)?);
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files: Vec<PathBuf> =
        fs::read_dir(&folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    files.retain(|path| path.file_name().is_some_and(|name| is_migration(&name.to_string_lossy())));
    files.sort();

    let mut code = String::from("&[\n");
    for path in &files {
        println!("cargo::rerun-if-changed={}", path.display());
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let path = path.canonicalize()?;
        writeln!(code, "    ({name:?}, include_str!({path:?})),").map_err(std::io::Error::other)?;
    }
    code.push_str("]\n");
    fs::write(PathBuf::from(env::var("OUT_DIR").map_err(std::io::Error::other)?).join("migrations.rs"), code)
}

/// NNNN_name.sql
fn is_migration(name: &str) -> bool {
    name.ends_with(".sql")
        && name.len() > 9
        && name.as_bytes()[..4].iter().all(u8::is_ascii_digit)
        && &name[4..5] == "_"
}
