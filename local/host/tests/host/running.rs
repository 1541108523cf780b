//! A host on a free port, and a small HTTP client.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use pm_host::{Host, Limits, Options};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, oneshot};
use tokio::task::JoinHandle;

/// The probe's file, built if it is not there yet or its source is newer.
pub fn probe() -> &'static Path {
    static PROBE: OnceLock<PathBuf> = OnceLock::new();
    PROBE.get_or_init(|| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let file = target.join("wasm32-wasip2/wasm/host_probe.wasm");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/probe");
        let changed = |path: &Path| fs::metadata(path).and_then(|about| about.modified()).ok();
        let parts = ["Cargo.toml", "src/lib.rs", "src/database.rs"];
        let newest = parts.iter().filter_map(|part| changed(&source.join(part))).max();
        if changed(&file) < newest {
            let status = Command::new(env!("CARGO"))
                .args([
                    "build",
                    "--quiet",
                    "--target",
                    "wasm32-wasip2",
                    "--profile",
                    "wasm",
                    "-p",
                    "host-probe",
                ])
                .current_dir(env!("CARGO_MANIFEST_DIR"))
                .env("CARGO_TARGET_DIR", target)
                .status();
            assert!(status.unwrap().success(), "the probe does not build");
        }
        file
    })
}

/// A folder of its own for one test.
pub fn folder() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("host-{}-{number}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// A manifest with the probe as component `probe` under `/probe/...`; `extra` follows in its table.
pub fn manifest(extra: &str) -> String {
    format!(
        "spin_manifest_version = 2\n[application]\nname = \"test\"\n[[trigger.http]]\nroute = \"/probe/...\"\n\
         component = \"probe\"\n[component.probe]\nsource = {:?}\n{extra}\n",
        probe().display().to_string()
    )
}

/// Everything that hosts of this process have logged so far.
pub fn log() -> String {
    String::from_utf8_lossy(&LOG.lock().unwrap()).into_owned()
}

/// Waits until the log has a line with all of `words`.
pub async fn logged(words: &[&str]) {
    for _ in 0..100 {
        if log().lines().any(|line| words.iter().all(|word| line.contains(word))) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nothing like {words:?} was logged in:\n{}", log());
}

static LOG: std::sync::Mutex<Vec<u8>> = std::sync::Mutex::new(Vec::new());

struct Log;

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Options with a cache that all tests share.
pub fn options() -> Options {
    Options::new(Path::new(env!("CARGO_TARGET_TMPDIR")).join("host-cache"))
}

/// Loads a manifest in a folder of its own.
pub async fn load(manifest: &str, options: Options) -> anyhow::Result<Host> {
    let path = folder().join("spin.toml");
    fs::write(&path, manifest).unwrap();
    load_at(&path, options).await
}

async fn load_at(path: &Path, options: Options) -> anyhow::Result<Host> {
    // One at a time, so that a component is compiled once and then found in the cache.
    static LOADING: Mutex<()> = Mutex::const_new(());
    let _alone = LOADING.lock().await;
    Host::load(path, options).await
}

/// A host that answers requests until it is dropped or stopped.
pub struct Running {
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    /// Starts a host with usual limits.
    pub async fn start(manifest: &str) -> Self {
        Self::start_with(manifest, options()).await
    }

    /// Starts a host with low limits of memory and time.
    pub async fn start_limited(manifest: &str) -> Self {
        let limits = Limits { memory_bytes: 64 << 20, cpu: Duration::from_millis(500), ..Limits::default() };
        Self::start_within(manifest, limits).await
    }

    /// Starts a host with these limits.
    pub async fn start_within(manifest: &str, limits: Limits) -> Self {
        Self::start_with(manifest, Options { limits, ..options() }).await
    }

    /// Starts a host.
    pub async fn start_with(manifest: &str, options: Options) -> Self {
        Self::serve(load(manifest, options).await.unwrap()).await
    }

    /// Starts a host from a manifest that is already in its folder.
    pub async fn start_at(path: &Path, options: Options) -> Self {
        Self::serve(load_at(path, options).await.unwrap()).await
    }

    async fn serve(host: Host) -> Self {
        // Only the first of all tests sets it.
        _ = tracing_subscriber::fmt().with_ansi(false).with_writer(|| Log).try_init();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            host.serve(vec![listener], async {
                _ = stopped.await;
            })
            .await
        });
        Self { address, stop: Some(stop), task }
    }

    /// Asks the host to end.
    pub fn stop(&mut self) {
        drop(self.stop.take());
    }

    /// Waits for the host's end.
    pub async fn ended(mut self) {
        self.stop();
        self.task.await.unwrap().unwrap();
    }

    /// A connection on which these bytes were sent.
    pub async fn raw(&self, bytes: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes.as_bytes()).await.unwrap();
        stream
    }

    /// Sends a request on a connection of its own and gives the answer as it comes.
    pub async fn send(&self, method: &str, path: &str, body: impl Into<Bytes>) -> Response<Incoming> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "example.test")
            .header("spin-client-addr", "forged")
            .body(Full::new(body.into()))
            .unwrap();
        sender.send_request(request).await.unwrap()
    }

    /// The status and text of an answer to GET.
    pub async fn get(&self, path: &str) -> (StatusCode, String) {
        text(self.send("GET", path, "").await).await
    }

    /// The text of a successful answer to GET.
    pub async fn ok(&self, path: &str) -> String {
        let (status, text) = self.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        text
    }

    /// The text of a successful answer to POST.
    pub async fn post(&self, path: &str, body: &str) -> String {
        let (status, text) = text(self.send("POST", path, body.to_owned()).await).await;
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        text
    }
}

/// The status and text of a response.
pub async fn text(response: Response<Incoming>) -> (StatusCode, String) {
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}
