//! Where things lie: the cache outside the clone, the data folder, and folders that the database's account can enter.

use std::fs::{self, DirBuilder, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The folder of what is fetched once and shared by every clone.
///
/// `PM_CACHE_DIR`, else the user's cache. Programs in it are also run by the account that runs the database, so for
/// root, whose home nobody else may enter, it is `/var/cache/predictive-maintenance`.
pub fn cache_dir() -> PathBuf {
    if let Some(dir) = std::env::var_os("PM_CACHE_DIR") {
        return PathBuf::from(dir);
    }
    let home = std::env::var_os("HOME").map_or_else(|| PathBuf::from("/tmp"), PathBuf::from);
    let base = std::env::var_os("XDG_CACHE_HOME").map_or_else(|| home.join(".cache"), PathBuf::from);
    let dir = base.join("predictive-maintenance");
    if is_root() && !enterable_by_all(&dir) {
        PathBuf::from("/var/cache/predictive-maintenance")
    } else {
        dir
    }
}

/// Whether this process runs as root, under which PostgreSQL refuses to run.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Whether every existing folder on the way to `path` may be entered by any account.
pub fn enterable_by_all(path: &Path) -> bool {
    path.ancestors()
        .filter_map(|part| fs::metadata(part).ok())
        .all(|meta| meta.permissions().mode() & 0o001 != 0)
}

/// The folder of a database cluster that belongs to the data folder `data_dir`.
///
/// Normally inside it; for root in a place that the database's account cannot enter, under `/var/lib`.
pub fn cluster_dir(data_dir: &Path) -> PathBuf {
    let inside = data_dir.join("db");
    if !is_root() || enterable_by_all(&inside) {
        return inside;
    }
    let slug: String =
        data_dir.to_string_lossy().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    Path::new("/var/lib/predictive-maintenance").join(slug.trim_matches('-'))
}

/// The account under which the database server runs: user and group id; none when it is this process's own.
pub fn server_account() -> Result<Option<(u32, u32)>> {
    if !is_root() {
        return Ok(None);
    }
    let accounts = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
    let find = |wanted: &str| {
        accounts.lines().find_map(|line| {
            let mut fields = line.split(':');
            (fields.next()? == wanted).then_some(())?;
            Some((fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?))
        })
    };
    find("postgres").or_else(|| find("nobody")).map(Some).context(
        "PostgreSQL does not run as root and there is no account «postgres» or «nobody»: run as another user",
    )
}

/// Creates a folder and what leads to it.
pub fn make_dir(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("cannot create the folder {}", dir.display()))
}

/// Creates a folder that only this process's user can enter, and makes one that is there so.
pub fn make_private_dir(dir: &Path) -> Result<()> {
    make_dir_with_mode(dir, 0o700)
}

/// Creates a folder on the way to the database's files, which its account must be able to pass, though not to list.
pub fn make_passage(dir: &Path) -> Result<()> {
    make_dir_with_mode(dir, if is_root() { 0o711 } else { 0o700 })
}

fn make_dir_with_mode(dir: &Path, mode: u32) -> Result<()> {
    if let Some(parent) = dir.parent() {
        make_dir(parent)?;
    }
    let made = DirBuilder::new().mode(mode).create(dir);
    match made {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(error).with_context(|| format!("cannot create the folder {}", dir.display()))
        }
        // the process's mask may have taken something away
        _ if is_mine(dir) => fs::set_permissions(dir, Permissions::from_mode(mode))
            .with_context(|| format!("cannot set the permissions of {}", dir.display())),
        _ => Ok(()),
    }
}

/// Refuses to go on with less than `least_mib` MiB free where `dir` lies.
pub fn require_free_space(dir: &Path, least_mib: u64, instead: &str) -> Result<()> {
    let stat =
        rustix::fs::statvfs(dir).with_context(|| format!("cannot look at the disk of {}", dir.display()))?;
    let free_mib = stat.f_bavail.saturating_mul(stat.f_frsize) / (1024 * 1024);
    anyhow::ensure!(
        free_mib >= least_mib,
        "only {free_mib} MiB are free at {}, {least_mib} MiB are needed: free some space, or {instead}",
        dir.display()
    );
    Ok(())
}

/// Whether `path` belongs to this process's user.
pub fn is_mine(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.uid() == rustix::process::geteuid().as_raw())
}
