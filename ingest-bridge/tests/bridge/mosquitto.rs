//! Debian's mosquitto on a loopback port of its own, behind TLS with certificates made for the test.

use crate::broker::free_port;
use anyhow::{Context, ensure};
use pm_bridge::config::TlsFiles;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A running broker that only lets in who shows a certificate of its authority; killed when dropped.
pub(crate) struct Mosquitto {
    process: Child,
    folder: tempfile::TempDir,
    /// Its address.
    pub url: String,
}

impl Mosquitto {
    /// Makes certificates and starts the broker.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let at = |name: &str| folder.path().join(name).display().to_string();
        authority(folder.path())?;
        certificate(folder.path(), "broker", "subjectAltName=IP:127.0.0.1")?;
        certificate(folder.path(), "client", "extendedKeyUsage=clientAuth")?;
        let port = free_port()?;
        let configuration = format!(
            "listener {port} 127.0.0.1\ncafile {}\ncertfile {}\nkeyfile {}\nrequire_certificate true\n\
             use_identity_as_username true\nallow_anonymous false\nmax_queued_messages 0\n\
             max_inflight_messages 0\nuser root\n",
            at("ca.pem"),
            at("broker.pem"),
            at("broker.key"),
        );
        std::fs::write(folder.path().join("mosquitto.conf"), configuration)?;
        let program =
            ["/usr/sbin/mosquitto", "/usr/bin/mosquitto"].into_iter().find(|p| Path::new(p).exists());
        let program = program.context("mosquitto is not installed: apt-get install -y mosquitto")?;
        let process =
            Command::new(program).args(["-c", &at("mosquitto.conf")]).stderr(Stdio::null()).spawn()?;
        let broker = Self { process, folder, url: format!("mqtts://127.0.0.1:{port}") };
        for _ in 0..500 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(broker);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        anyhow::bail!("mosquitto does not listen")
    }

    /// The path of a file such as `client.key`.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What a client needs to be let in.
    pub(crate) fn tls(&self) -> TlsFiles {
        TlsFiles {
            ca: Some(self.file("ca.pem")),
            certificate: Some(self.file("client.pem")),
            key: Some(self.file("client.key")),
        }
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn openssl(folder: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    let made = Command::new("openssl")
        .current_dir(folder)
        .args(arguments)
        .output()
        .context("openssl is not installed: apt-get install -y openssl")?;
    ensure!(made.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&made.stderr));
    Ok(())
}

fn authority(folder: &Path) -> anyhow::Result<()> {
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    let rest = ["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=plant authority", "-days", "2"];
    openssl(folder, &[["req", "-x509"].as_slice(), &key, &rest].concat())
}

fn certificate(folder: &Path, name: &str, extension: &str) -> anyhow::Result<()> {
    let (key, request) = (format!("{name}.key"), format!("{name}.csr"));
    let (pem, extensions) = (format!("{name}.pem"), format!("{name}.ext"));
    std::fs::write(folder.join(&extensions), extension)?;
    let subject = format!("/CN={name}");
    let new = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    openssl(folder, &[new.as_slice(), &["-keyout", &key, "-out", &request, "-subj", &subject]].concat())?;
    let sign = ["x509", "-req", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2"];
    openssl(folder, &[sign.as_slice(), &["-in", &request, "-out", &pem, "-extfile", &extensions]].concat())
}
