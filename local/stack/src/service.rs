//! One service of the stack as a child process: how it is started, when it is ready, how it ends.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use pm_migrations::connect;

/// A log larger than this is put aside when its service starts.
const LOG_LIMIT_BYTES: u64 = 16 * 1024 * 1024;
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// When a service counts as started.
#[derive(Clone, Debug)]
pub enum Ready {
    /// As soon as it runs.
    Running,
    /// Once it accepts TCP connections.
    Listens(SocketAddr),
    /// Once a GET of the path is answered 200.
    Answers(SocketAddr, &'static str),
    /// Once the database at the URL answers a query.
    Queries(String),
}

impl Ready {
    /// Whether it is so now.
    pub async fn is_met(&self) -> bool {
        match self {
            Self::Running => true,
            Self::Listens(address) => TcpStream::connect(address).await.is_ok(),
            Self::Answers(address, path) => {
                http_get(*address, path).await.is_ok_and(|(status, _)| status == 200)
            }
            Self::Queries(url) => match connect(url).await {
                Ok(client) => client.simple_query("select 1").await.is_ok(),
                Err(_) => false,
            },
        }
    }

    /// Waits until it is so, at most `limit`.
    pub async fn wait(&self, limit: Duration) -> bool {
        let end = Instant::now() + limit;
        while Instant::now() < end {
            if timeout(Duration::from_secs(5), self.is_met()).await == Ok(true) {
                return true;
            }
            sleep(Duration::from_millis(50)).await;
        }
        false
    }
}

/// How to run a service.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its name in messages and of its log file.
    pub name: &'static str,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// What its environment holds beyond this process's own.
    pub environment: Vec<(String, String)>,
    /// When it counts as started.
    pub ready: Ready,
    /// The signal that asks it to end.
    pub stop: Signal,
}

impl Service {
    /// A service that ends with this process and on SIGTERM.
    pub fn new(name: &'static str, program: impl Into<PathBuf>, ready: Ready) -> Self {
        let program: PathBuf = program.into();
        let arguments = ["--pdeathsig", "TERM", "--"].map(str::to_owned).into_iter();
        let arguments = arguments.chain([program.display().to_string()]).collect();
        Self {
            name,
            program: "setpriv".into(),
            arguments,
            environment: Vec::new(),
            ready,
            stop: Signal::TERM,
        }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<S: Into<String>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Adds an environment variable.
    #[must_use]
    pub fn env(mut self, key: &str, value: impl Into<String>) -> Self {
        self.environment.push((key.to_owned(), value.into()));
        self
    }

    /// Starts it in a process group of its own, with its output going to `logs/<name>.log`.
    pub fn spawn(&self, logs: &Path) -> Result<Running> {
        let log = open_log(&log_path(logs, self.name))?;
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("cannot share the log file")?)
            .stderr(log)
            .process_group(0)
            .kill_on_drop(true);
        let child = command.spawn().with_context(|| {
            format!("cannot run {} for the {}: is it installed and built?", self.program.display(), self.name)
        })?;
        let group =
            child.id().and_then(|id| Pid::from_raw(id.cast_signed())).context("the process is gone")?;
        Ok(Running { child, group, stop: self.stop })
    }
}

/// The log file of a service.
pub fn log_path(logs: &Path, service: &str) -> PathBuf {
    logs.join(format!("{service}.log"))
}

/// What the last line of a log that says anything says.
pub fn last_line(log: &Path) -> Option<String> {
    const TAIL_BYTES: u64 = 4096;
    let mut file = File::open(log).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES))).ok()?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail).ok()?;
    let text = String::from_utf8_lossy(&tail);
    text.lines().rev().find(|line| !line.trim().is_empty()).map(|line| pm_log::message(line.trim()))
}

/// The last line of a log, for a message.
pub fn last_line_quoted(log: &Path) -> String {
    match last_line(log) {
        Some(line) => format!("«{line}» (see {})", log.display()),
        None => format!("see {}", log.display()),
    }
}

fn open_log(path: &Path) -> Result<File> {
    if fs::metadata(path).is_ok_and(|meta| meta.len() > LOG_LIMIT_BYTES) {
        fs::rename(path, path.with_extension("log.1")).context("cannot put an old log aside")?;
    }
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("cannot write {}", path.display()))
}

/// A service that was started.
#[derive(Debug)]
pub struct Running {
    child: Child,
    group: Pid,
    stop: Signal,
}

impl Running {
    /// Its process id, which is also its group's.
    pub fn pid(&self) -> i32 {
        self.group.as_raw_nonzero().get()
    }

    /// Waits for its end.
    pub async fn wait(&mut self) -> String {
        match self.child.wait().await {
            Ok(status) => describe(status),
            Err(error) => format!("was lost ({error})"),
        }
    }

    /// Asks it to end; ends it and its children when that takes longer than `grace`.
    pub async fn end(mut self, grace: Duration) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        let _ = kill_process_group(self.group, self.stop);
        if timeout(grace, self.child.wait()).await.is_err() {
            self.kill();
            let _ = self.child.wait().await;
        }
    }

    /// Waits for the end of one that was killed.
    pub async fn reaped(mut self) {
        self.kill();
        let _ = self.child.wait().await;
    }

    /// Ends it and its children at once.
    pub fn kill(&self) {
        let _ = kill_process_group(self.group, Signal::KILL);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.kill();
        }
    }
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with exit code {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}

/// Status and body of a GET over a connection of its own.
pub async fn http_get(address: SocketAddr, path: &str) -> Result<(u16, String)> {
    let exchange = async {
        let stream = TcpStream::connect(address).await?;
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
        let request = Request::get(path)
            .header(header::HOST, address.to_string())
            .header(header::ACCEPT, "application/json")
            .body(Empty::<Bytes>::new())?;
        let answer = async {
            let response = sender.send_request(request).await?;
            let status = response.status().as_u16();
            let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect().await;
            let body = body.map_err(|error| anyhow!(error))?.to_bytes();
            anyhow::Ok((status, String::from_utf8_lossy(&body).into_owned()))
        };
        // the connection moves what the answer needs, and ends with it
        tokio::select! {
            answer = answer => answer,
            ended = connection => Err(ended.err().map_or_else(|| anyhow!("the connection ended"), Into::into)),
        }
    };
    timeout(ANSWER_LIMIT, exchange).await.with_context(|| format!("no answer in {ANSWER_LIMIT:?}"))?
}
