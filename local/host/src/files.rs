//! What a component may read: `files` of the manifest, always read-only.
//!
//! Folders with a destination are mounted as they are; files and patterns are copied into a folder of the cache, under
//! their own relative paths, as `spin up` does.

use super::manifest::{FileMount, PlacedFiles};
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Component as Part, Path, PathBuf};

/// A folder and its name in the component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mount {
    /// On this machine.
    pub(crate) source: PathBuf,
    /// In the component.
    pub(crate) destination: String,
}

/// Where copies for one component of the application in `application_dir` are kept.
#[must_use]
pub(crate) fn staging_dir(cache_dir: &Path, application_dir: &Path, component: &str) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    application_dir.canonicalize().unwrap_or_else(|_| application_dir.to_owned()).hash(&mut hasher);
    cache_dir.join("files").join(format!("{:016x}", hasher.finish())).join(component)
}

/// Resolves the mounts of one component.
///
/// # Errors
/// A source that does not exist, leaves the application's folder, or matches nothing.
pub(crate) fn mounts(files: &[FileMount], application_dir: &Path, staging_dir: &Path) -> Result<Vec<Mount>> {
    let mut mounts = Vec::new();
    let mut copies = Vec::new();
    for entry in files {
        match entry {
            FileMount::Placed(placed) => {
                ensure!(
                    placed.destination.starts_with('/'),
                    "files: {:?} is not an absolute path",
                    placed.destination
                );
                let source = application_dir.join(relative(&placed.source)?);
                if source.is_dir() {
                    mounts.push(Mount { source, destination: placed.destination.clone() });
                } else {
                    copies.push(copy_of(placed, source)?);
                }
            }
            FileMount::Pattern(pattern) => copies.extend(matches(pattern, application_dir)?),
        }
    }
    if copies.is_empty() {
        return Ok(mounts);
    }
    if mounts.iter().any(|mount| mount.destination == "/") {
        bail!(
            "files: a folder at \"/\" cannot be joined with single files; give one of them another destination"
        );
    }
    if staging_dir.exists() {
        fs::remove_dir_all(staging_dir).with_context(|| format!("cannot clear {}", staging_dir.display()))?;
    }
    for (source, target) in copies {
        let target = staging_dir.join(target);
        fs::create_dir_all(target.parent().context("a file has no folder")?)?;
        fs::copy(&source, &target).with_context(|| format!("cannot copy {}", source.display()))?;
    }
    mounts.push(Mount { source: staging_dir.to_owned(), destination: "/".to_owned() });
    Ok(mounts)
}

fn copy_of(placed: &PlacedFiles, source: PathBuf) -> Result<(PathBuf, PathBuf)> {
    ensure!(source.is_file(), "files: {} does not exist", source.display());
    Ok((source, relative(placed.destination.trim_start_matches('/'))?))
}

fn matches(pattern: &str, application_dir: &Path) -> Result<Vec<(PathBuf, PathBuf)>> {
    let absolute = application_dir.join(relative(pattern)?);
    let absolute = absolute.to_str().context("files: the path is not UTF-8")?;
    let mut found = Vec::new();
    for path in glob::glob(absolute).with_context(|| format!("files: {pattern:?}"))? {
        let path = path?;
        if path.is_file() {
            found.push((path.clone(), path.strip_prefix(application_dir)?.to_owned()));
        }
    }
    ensure!(!found.is_empty() || pattern.contains('*'), "files: {pattern:?} matches nothing");
    Ok(found)
}

fn relative(path: &str) -> Result<PathBuf> {
    let path = Path::new(path);
    let inside = path.components().all(|part| matches!(part, Part::Normal(_) | Part::CurDir));
    ensure!(inside, "files: {} leaves the application's folder", path.display());
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(source: &str, destination: &str) -> FileMount {
        FileMount::Placed(PlacedFiles { source: source.to_owned(), destination: destination.to_owned() })
    }

    #[test]
    fn patterns_are_copied_and_folders_mounted() {
        let folder = std::env::temp_dir().join(format!("pm-host-files-{}", std::process::id()));
        let (application, staging) = (folder.join("application"), folder.join("staging"));
        fs::create_dir_all(application.join("assets/deep")).unwrap();
        fs::write(application.join("assets/a.txt"), "a").unwrap();
        fs::write(application.join("assets/deep/b.txt"), "b").unwrap();
        fs::write(application.join("assets/deep/c.css"), "c").unwrap();
        let found = |files: &[FileMount]| mounts(files, &application, &staging);

        let pattern = || FileMount::Pattern("assets/**/*.txt".to_owned());
        let copied = found(&[pattern(), placed("assets", "/assets-too")]).unwrap();
        assert_eq!(
            copied[0],
            Mount { source: application.join("assets"), destination: "/assets-too".to_owned() }
        );
        assert_eq!(copied[1], Mount { source: staging.clone(), destination: "/".to_owned() });
        assert_eq!(fs::read_to_string(staging.join("assets/deep/b.txt")).unwrap(), "b");
        assert!(!staging.join("assets/deep/c.css").exists());

        assert!(found(&[FileMount::Pattern("absent.txt".to_owned())]).is_err());
        assert!(found(&[FileMount::Pattern("../outside.txt".to_owned())]).is_err());
        assert!(found(&[placed("assets", "relative")]).is_err());
        assert!(found(&[pattern(), placed("assets", "/")]).is_err());
        fs::remove_dir_all(&folder).unwrap();
    }
}
