//! A PostgreSQL cluster of our own with TimescaleDB in it: programs found or fetched, data folder, server command.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::paths::{cache_dir, make_dir, make_passage, require_free_space, server_account};
use crate::service::last_line_quoted;

/// Fetches and unpacks TimescaleDB; see its head.
const FETCH_SCRIPT: &str = include_str!("../timescale.sh");

/// The name of the cluster's owner, a superuser, and of the database of a stack.
pub const OWNER: &str = "postgres";
/// The database of a stack.
pub const DATABASE: &str = "pm";

/// PostgreSQL's programs, with TimescaleDB.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The folder of `postgres`, `initdb`, `psql`, `pg_dump`.
    pub bin: PathBuf,
    /// Whether they are Debian's Apache-2 edition from the cache.
    pub private: bool,
}

impl Programs {
    /// An installed PostgreSQL that offers the extension, else the private one, which is fetched when it is not in the
    /// cache yet. Blocks while it fetches; `tell` hears that it does.
    pub fn find_or_fetch(tell: impl Fn(&str)) -> Result<Self> {
        if let Some(bin) = installed() {
            return Ok(Self { bin, private: false });
        }
        let root = cache_dir().join("timescaledb");
        if !root.join(".stamp").exists() {
            make_passage(&cache_dir())?;
            require_free_space(&cache_dir(), 600, "set PM_CACHE_DIR to a folder on another disk")?;
            tell("fetching TimescaleDB from the Debian archive (41 MB, once)");
        }
        let output = Command::new("bash")
            .args(["-c", FETCH_SCRIPT, "timescale.sh"])
            .arg(&root)
            .stdin(Stdio::null())
            .output()
            .context("cannot run bash: install it")?;
        let message = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            tracing::debug!(%message, "timescale.sh failed");
            bail!("{}", message.trim().lines().last().unwrap_or("fetching TimescaleDB failed"));
        }
        let bin = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
        ensure!(
            bin.join("postgres").exists(),
            "{} holds no PostgreSQL: remove {} and start again",
            bin.display(),
            root.display()
        );
        Ok(Self { bin, private: true })
    }

    /// The path of one program.
    pub fn path(&self, program: &str) -> PathBuf {
        self.bin.join(program)
    }
}

/// The programs of the newest installed PostgreSQL that offers timescaledb.
fn installed() -> Option<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            let control = format!("/usr/share/postgresql/{name}/extension/timescaledb.control");
            let bin = Path::new("/usr/lib/postgresql").join(&name).join("bin");
            (Path::new(&control).exists() && bin.join("initdb").exists()).then_some((name.parse().ok()?, bin))
        })
        .collect();
    versions.sort();
    versions.pop().map(|(_, bin)| bin)
}

/// One cluster: a data folder, the port it listens on at 127.0.0.1 and its owner's password.
#[derive(Clone)]
pub struct Cluster {
    programs: Programs,
    data: PathBuf,
    port: u16,
    password: String,
    durable: bool,
}

impl Cluster {
    /// Describes a cluster; nothing is touched yet. A cluster that is not `durable` is for tests: quick, and lost with
    /// the machine's power.
    pub fn new(programs: Programs, data: PathBuf, port: u16, password: String, durable: bool) -> Self {
        Self { programs, data, port, password, durable }
    }

    /// The address of `database` for the owner.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{OWNER}:{}@127.0.0.1:{}/{database}", self.password, self.port)
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// PostgreSQL's programs.
    pub fn programs(&self) -> &Programs {
        &self.programs
    }

    /// Creates the data folder, once.
    pub fn init(&self) -> Result<()> {
        let version_file = self.data.join("PG_VERSION");
        if version_file.exists() {
            return self.check_version(&version_file);
        }
        let parent = self.data.parent().context("the data folder has no parent")?;
        if let Some(above) = parent.parent().filter(|above| !above.exists()) {
            make_passage(above)?;
        }
        make_passage(parent)?;
        require_free_space(parent, 1024, "choose a folder on another disk with --data-dir")?;
        make_dir(&self.data)?;
        fs::set_permissions(&self.data, fs::Permissions::from_mode(0o700))
            .context("cannot protect the data folder")?;
        let password_file = self.data.with_extension("initpw");
        let _ = fs::remove_file(&password_file);
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&password_file)
            .and_then(|mut file| writeln!(file, "{}", self.password))
            .with_context(|| format!("cannot write {}", password_file.display()))?;
        if let Some((user, group)) = server_account()? {
            chown(&self.data, Some(user), Some(group))
                .context("cannot hand the data folder to the database's account")?;
            chown(&password_file, Some(user), Some(group)).context("cannot hand over the password file")?;
        }
        let mut command = as_server(&self.programs.path("initdb"))?;
        command.arg("-D").arg(&self.data).arg("--pwfile").arg(&password_file);
        command.args([
            "-U",
            OWNER,
            "-A",
            "scram-sha-256",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-instructions",
        ]);
        if !self.durable {
            command.arg("--no-sync");
        }
        let output = command.output().context("cannot run initdb")?;
        let _ = fs::remove_file(&password_file);
        if !output.status.success() {
            let message = String::from_utf8_lossy(&output.stderr);
            let _ = fs::remove_dir_all(&self.data);
            bail!(
                "cannot create the database in {}: {}",
                self.data.display(),
                message.trim().lines().last().unwrap_or_default()
            );
        }
        Ok(())
    }

    fn check_version(&self, version_file: &Path) -> Result<()> {
        let found = fs::read_to_string(version_file)
            .with_context(|| format!("cannot read {}", version_file.display()))?;
        let output = as_server(&self.programs.path("postgres"))?
            .arg("--version")
            .output()
            .context("cannot run postgres")?;
        let message = String::from_utf8_lossy(&output.stdout);
        let ours = message.split_whitespace().nth(2).unwrap_or_default();
        ensure!(
            ours.split('.').next() == Some(found.trim()),
            "the database in {} was made by PostgreSQL {}, but this is {ours}: run ./pm reset to start with an empty one",
            self.data.display(),
            found.trim()
        );
        Ok(())
    }

    /// The server as a foreground program that ends with the process that started it.
    pub fn server(&self) -> Result<(PathBuf, Vec<String>)> {
        let postgres = self.programs.path("postgres").display().to_string();
        let mut arguments = vec!["--pdeathsig".to_owned(), "INT".to_owned()];
        if let Some((user, group)) = server_account()? {
            arguments.extend([
                format!("--reuid={user}"),
                format!("--regid={group}"),
                "--clear-groups".to_owned(),
            ]);
        }
        arguments.extend(["--".to_owned(), postgres, "-D".to_owned(), self.data.display().to_string()]);
        for setting in self.settings() {
            arguments.extend(["-c".to_owned(), setting]);
        }
        Ok((PathBuf::from("setpriv"), arguments))
    }

    /// Starts the server in the background, where it outlives this process; no-op when it runs.
    pub fn start_detached(&self) -> Result<()> {
        if self.is_running()? {
            return Ok(());
        }
        let options: Vec<String> =
            self.settings().into_iter().map(|setting| format!("-c {setting}")).collect();
        let status = self
            .pg_ctl()?
            .args(["-w", "-t", "60", "-o", &options.join(" "), "-l"])
            .arg(self.data.join("server.log"))
            .arg("start")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .context("cannot run pg_ctl")?;
        ensure!(
            status.success(),
            "the database did not start: {}",
            last_line_quoted(&self.data.join("server.log"))
        );
        Ok(())
    }

    /// Stops a server that runs in the background; no-op when it does not run.
    pub fn stop_detached(&self) -> Result<()> {
        if !self.is_running()? {
            return Ok(());
        }
        let status = self.pg_ctl()?.args(["-m", "fast", "-w", "stop"]).stdout(Stdio::null()).status();
        ensure!(
            status.context("cannot run pg_ctl")?.success(),
            "the database in {} did not stop",
            self.data.display()
        );
        Ok(())
    }

    /// Whether a server runs on the data folder.
    pub fn is_running(&self) -> Result<bool> {
        if !self.data.join("PG_VERSION").exists() {
            return Ok(false);
        }
        let status = self.pg_ctl()?.arg("status").stdout(Stdio::null()).stderr(Stdio::null()).status();
        Ok(status.context("cannot run pg_ctl")?.success())
    }

    fn pg_ctl(&self) -> Result<Command> {
        let mut command = as_server(&self.programs.path("pg_ctl"))?;
        command.arg("-D").arg(&self.data);
        Ok(command)
    }

    fn settings(&self) -> Vec<String> {
        let mut settings = vec![
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={}", self.port),
            "unix_socket_directories=".to_owned(),
            "shared_preload_libraries=timescaledb".to_owned(),
            "timescaledb.telemetry_level=off".to_owned(),
            "max_connections=300".to_owned(),
            "max_wal_size=2GB".to_owned(),
            // a query may lock every chunk
            "max_locks_per_transaction=256".to_owned(),
            "jit=off".to_owned(),
        ];
        if self.programs.private || !self.durable {
            // The Apache edition has no jobs to run, only one that fails.
            settings.push("timescaledb.max_background_workers=0".to_owned());
        }
        if !self.durable {
            settings
                .extend(["fsync=off", "synchronous_commit=off", "full_page_writes=off"].map(str::to_owned));
        }
        settings
    }
}

/// A command under the account that may run the database, with nothing of this process's environment.
pub fn as_server(program: &Path) -> Result<Command> {
    let mut command = match server_account()? {
        None => Command::new(program),
        Some((user, group)) => {
            let mut command = Command::new("setpriv");
            command.arg(format!("--reuid={user}")).arg(format!("--regid={group}"));
            command.args(["--clear-groups", "--"]).arg(program);
            command
        }
    };
    command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C").current_dir("/").stdin(Stdio::null());
    Ok(command)
}
