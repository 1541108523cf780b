//! The forest in a component (`host-probe`) in the local host: started with a manifest of its own, asked over HTTP. It says itself
//! how long it took (`server-timing`), so that the host's share does not count.

use anyhow::{Context as _, Result, ensure};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A running host; dropping it ends it.
pub struct Component {
    host: Child,
    address: SocketAddr,
    folder: PathBuf,
}

impl Component {
    /// Starts it with the components and programs of the build folder (`./pm build`).
    pub fn start(models: &Path) -> Result<Self> {
        let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned());
        let target = Path::new(&target);
        let wasm = target.join("wasm32-wasip2/wasm/host_probe.wasm");
        let program = target.join("debug/pm-host");
        for needed in [&wasm, &program] {
            ensure!(needed.is_file(), "{} is not built", needed.display());
        }
        let folder = std::env::temp_dir().join(format!("pm-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let link = folder.join("models");
        if !link.exists() {
            std::os::unix::fs::symlink(models.canonicalize()?, &link)?;
        }
        let manifest = format!(
            "spin_manifest_version = 2\n[application]\nname = \"bench\"\n[[trigger.http]]\nroute = \"/...\"\n\
             component = \"probe\"\n[component.probe]\nsource = {:?}\nfiles = [{{ source = \"models\", destination = \"/models\" }}]\n",
            wasm.canonicalize()?.display().to_string()
        );
        std::fs::write(folder.join("spin.toml"), manifest)?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let host = Command::new(program)
            .arg("--manifest")
            .arg(folder.join("spin.toml"))
            .args(["--http", &address.to_string()])
            .arg("--cache-dir")
            .arg(folder.join("cache"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut component = Self { host, address, folder };
        let end = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(address).is_err() {
            ensure!(Instant::now() < end, "the host did not start");
            ensure!(component.host.try_wait()?.is_none(), "the host ended");
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(component)
    }

    /// Scores of rows of 25 numbers, and the component's own time in ms.
    pub fn score(&mut self, rows: &[f32]) -> Result<(Vec<f64>, f64)> {
        self.rows("/forest", rows)
    }

    /// Scores by a forest grown on the rows in the component, and the time that it took to grow, ms.
    pub fn fit(&mut self, rows: &[f32], seed: u64) -> Result<(Vec<f64>, f64)> {
        self.rows(&format!("/forest?fit={seed}"), rows)
    }

    fn rows(&mut self, path: &str, rows: &[f32]) -> Result<(Vec<f64>, f64)> {
        let body: Vec<u8> = rows.iter().flat_map(|number| number.to_le_bytes()).collect();
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nhost: probe\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        )?;
        stream.write_all(&body)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let split = answer.windows(4).position(|w| w == b"\r\n\r\n").context("no HTTP answer")?;
        let head = String::from_utf8_lossy(&answer[..split]).to_ascii_lowercase();
        ensure!(head.starts_with("http/1.1 200"), "{head}");
        let took = head.split("dur=").nth(1).and_then(|t| t.lines().next()).context("no server-timing")?;
        let scores = answer[split + 4..].as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes));
        Ok((scores.collect(), took.trim().parse()?))
    }
}

impl Drop for Component {
    fn drop(&mut self) {
        let _ = self.host.kill();
        let _ = self.host.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
