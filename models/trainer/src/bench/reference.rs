//! scikit-learn, asked for the same work: from PyPI, in a virtual environment of its own in the cache folder.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const SCRIPT: &str = include_str!("reference.py");
const VERSION: &str = "1.7.2";

/// A Python that has scikit-learn.
pub struct Reference {
    python: PathBuf,
    /// Version of scikit-learn.
    pub version: &'static str,
}

impl Reference {
    /// Finds it in the cache (`PM_CACHE_DIR`, else `~/.cache/predictive-maintenance`), or fetches it there.
    pub fn find() -> Result<Self> {
        let cache = std::env::var_os("PM_CACHE_DIR").map(PathBuf::from).or_else(|| {
            std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache/predictive-maintenance"))
        });
        let home = cache.context("neither PM_CACHE_DIR nor HOME is set")?.join("bench-python");
        let found = Self { python: home.join("bin/python"), version: VERSION };
        if found.works() {
            return Ok(found);
        }
        println!("fetching scikit-learn {VERSION} into {}", home.display());
        succeed(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
        let package = format!("scikit-learn=={VERSION}");
        succeed(Command::new(&found.python).args(["-m", "pip", "install", "-q", &package]))?;
        ensure!(found.works(), "scikit-learn {VERSION} does not start");
        Ok(found)
    }

    fn works(&self) -> bool {
        let check = format!("import sklearn, sys; sys.exit(sklearn.__version__ != '{VERSION}')");
        Command::new(&self.python).args(["-c", &check]).output().is_ok_and(|o| o.status.success())
    }

    /// Runs one task of the script on one thread; `data` is where the data sets lie.
    pub fn ask(&self, task: &str, data: &Path) -> Result<Value> {
        let output = Command::new(&self.python)
            .args(["-c", SCRIPT, task])
            .arg(data)
            .env("OMP_NUM_THREADS", "1")
            .env("OPENBLAS_NUM_THREADS", "1")
            // a setting that forces numpy's kernels down to an old processor would make the comparison unfair
            .env_remove("OPENBLAS_CORETYPE")
            .stderr(Stdio::piped())
            .output()
            .context("python")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "scikit-learn: {said}");
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{command:?}"))?;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}
