//! The data folder of a stack: who runs it, its secrets, logs, spool, and the database cluster that belongs to it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::cluster::{Cluster, Programs};
use crate::paths::{cluster_dir, make_passage, make_private_dir, require_free_space};
use crate::ports::{free_port, holder_of};
use crate::secrets::{Secrets, rotate_keys, rotate_service_token};
use crate::supervisor::ServiceState;
use crate::up::Status;

/// How long `down` waits.
const STOP_LIMIT: Duration = Duration::from_secs(60);
const MIN_FREE_MIB: u64 = 512;

/// The data folder of a stack.
#[derive(Clone, Debug)]
pub struct DataDir {
    root: PathBuf,
}

impl DataDir {
    /// Creates it when it is not there.
    pub fn open(root: &Path) -> Result<Self> {
        make_passage(root)?;
        make_private_dir(&root.join("logs"))?;
        require_free_space(root, MIN_FREE_MIB, "choose a folder on another disk with --data-dir")?;
        let root = root.canonicalize().with_context(|| format!("cannot enter {}", root.display()))?;
        Ok(Self { root })
    }

    /// Logs, one per service.
    pub fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// Secrets, one per file.
    pub fn secrets(&self) -> PathBuf {
        self.root.join("secrets")
    }

    /// What the bridge could not deliver yet.
    pub fn spool(&self) -> PathBuf {
        self.root.join("spool")
    }

    fn lock_file(&self) -> Result<File> {
        let path = self.root.join("up.lock");
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        open.with_context(|| format!("cannot open {}", path.display()))
    }

    /// Makes this process the one that runs the stack, until the file is dropped.
    pub fn lock(&self) -> Result<File> {
        let mut file = self.lock_file()?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let pid = self.pid().map_or_else(String::new, |pid| format!(" (process {pid})"));
                bail!("the stack in {} runs already{pid}: stop it with ./pm down", self.root.display())
            }
            Err(TryLockError::Error(error)) => return Err(error).context("cannot lock the data folder"),
        }
        file.set_len(0)
            .and_then(|()| write!(file, "{}", std::process::id()))
            .context("cannot write the lock file")?;
        Ok(file)
    }

    fn pid(&self) -> Option<i32> {
        fs::read_to_string(self.root.join("up.lock")).ok()?.trim().parse().ok()
    }

    /// Whether a stack runs on this folder.
    pub fn is_running(&self) -> Result<bool> {
        match self.lock_file()?.try_lock() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(error).context("cannot lock the data folder"),
        }
    }

    /// Asks the stack that runs on this folder to end, and waits for it; returns whether there was one.
    pub fn stop(&self) -> Result<bool> {
        if !self.is_running()? {
            return Ok(false);
        }
        let pid = self
            .pid()
            .and_then(Pid::from_raw)
            .context("the lock file names no process: end pm-stack up yourself")?;
        kill_process(pid, Signal::TERM)
            .with_context(|| format!("cannot end process {pid:?}: run as its user"))?;
        let end = Instant::now() + STOP_LIMIT;
        while self.is_running()? {
            ensure!(
                Instant::now() < end,
                "process {pid:?} does not end: look into its logs, or end it with kill -9"
            );
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(true)
    }

    /// Makes a new key for signing tokens, and lets the stack that runs on this folder take it over; returns whether there
    /// is one.
    pub fn rotate_keys(&self) -> Result<bool> {
        rotate_keys(&self.secrets())?;
        self.take_over_secrets()
    }

    /// Makes a new service token and notifies the stack that runs on this folder; returns whether there is one. Without one
    /// the next start takes it.
    pub fn rotate_token(&self) -> Result<bool> {
        rotate_service_token(&self.secrets())?;
        self.take_over_secrets()
    }

    fn take_over_secrets(&self) -> Result<bool> {
        if !self.is_running()? {
            return Ok(false);
        }
        let pid = self.pid().and_then(Pid::from_raw).context("the lock file names no process")?;
        kill_process(pid, Signal::USR1).with_context(|| format!("cannot tell process {pid:?}"))?;
        Ok(true)
    }

    /// Writes what the host reads besides the application, in Spin's form: the networks that no component may connect to.
    pub fn write_runtime_config(&self, blocked_networks: &[String]) -> Result<PathBuf> {
        write_runtime_config(&self.root, blocked_networks)
    }

    /// Removes everything, the database too; nothing may run on it.
    pub fn remove(&self) -> Result<()> {
        ensure!(!self.is_running()?, "the stack runs: stop it first with ./pm down");
        if let Ok(secrets) = Secrets::load_or_make(&self.secrets())
            && cluster_dir(&self.root).exists()
        {
            self.cluster(&secrets, |_| {})?.stop_detached()?;
        }
        for folder in [cluster_dir(&self.root), self.root.clone()] {
            if folder.exists() {
                fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
            }
        }
        Ok(())
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// The cluster of this folder; fetches PostgreSQL when there is none.
    pub fn cluster(&self, secrets: &Secrets, tell: impl Fn(&str)) -> Result<Cluster> {
        let programs = Programs::find_or_fetch(tell)?;
        let data = cluster_dir(&self.root).join("data");
        let at =
            |port| Cluster::new(programs.clone(), data.clone(), port, secrets.database_owner.clone(), true);
        let port_file = self.root.join("db.port");
        let known = fs::read_to_string(&port_file).ok().and_then(|text| text.trim().parse().ok());
        if let Some(port) = known {
            let taken = holder_of(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).is_some();
            if !taken || at(port).is_running()? {
                return Ok(at(port));
            }
        }
        let port = free_port()?;
        fs::write(&port_file, port.to_string())
            .with_context(|| format!("cannot write {}", port_file.display()))?;
        Ok(at(port))
    }

    /// Writes the state of the running stack, for `status`.
    pub fn write_status(&self, http: &[SocketAddr], services: Vec<ServiceState>) -> Result<()> {
        let status = Status { pid: std::process::id(), http: http.to_vec(), services };
        let new = self.root.join("status.json.new");
        fs::write(&new, serde_json::to_vec_pretty(&status)?).context("cannot write status.json")?;
        fs::rename(&new, self.root.join("status.json")).context("cannot write status.json")
    }

    /// The state that the running stack wrote.
    pub fn read_status(&self) -> Option<Status> {
        serde_json::from_slice(&fs::read(self.root.join("status.json")).ok()?).ok()
    }

    /// Nothing runs any more.
    pub fn remove_status(&self) {
        let _ = fs::remove_file(self.root.join("status.json"));
    }
}

/// Writes a runtime configuration into a folder.
pub fn write_runtime_config(folder: &Path, blocked_networks: &[String]) -> Result<PathBuf> {
    let path = folder.join("runtime-config.toml");
    let text = format!("[outbound_networking]\nblock_networks = {blocked_networks:?}\n");
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}
