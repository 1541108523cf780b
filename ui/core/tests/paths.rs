//! The web page takes every path of the API from the table of routes.

use pm_api::route::ROUTES;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

fn sources(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sources(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

#[test]
fn no_path_of_the_api_is_written_in_the_page() -> io::Result<()> {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../src"), &mut files)?;
    assert!(files.len() > 50, "{} files", files.len());
    let mut begins: Vec<_> = ROUTES.iter().filter_map(|route| route.path.split('/').nth(1)).collect();
    begins.push("api");
    begins.retain(|segment| !segment.is_empty());
    for file in files {
        let text = fs::read_to_string(&file)?;
        for segment in &begins {
            for end in ["/", "?", "\"", "{"] {
                let written = format!("\"/{segment}{end}");
                assert!(!text.contains(&written), "{} holds {written}", file.display());
            }
        }
    }
    Ok(())
}
