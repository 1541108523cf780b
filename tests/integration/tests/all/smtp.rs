//! A real SMTP server on loopback, with TLS and a login.

use anyhow::{Context, Result};
use serde_json::Value;
use std::{
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// How its connections are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tls {
    StartTls,
    FromTheStart,
}

/// The server; it ends when dropped.
pub(crate) struct MailServer {
    port: u16,
    authority: PathBuf,
    mails: Arc<Mutex<Vec<Value>>>,
    _process: Child,
    _folder: tempfile::TempDir,
}

impl MailServer {
    pub(crate) async fn start(tls: Tls) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        std::fs::write(&certificate, made.cert.pem())?;
        std::fs::write(&key, made.signing_key.serialize_pem())?;
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/smtp_server.py");
        let mode = if tls == Tls::StartTls { "starttls" } else { "tls" };
        let mut process = Command::new("python3")
            .args([script, mode])
            .args([&certificate, &key])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("cannot run python3")?;
        let mut lines = BufReader::new(process.stdout.take().context("no output")?).lines();
        let port =
            lines.next_line().await?.context("the SMTP server did not start: ./pm test fetches aiosmtpd")?;
        let mails = Arc::new(Mutex::new(Vec::new()));
        let kept = mails.clone();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let mail = serde_json::from_str(&line).unwrap_or(Value::String(line));
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(mail);
            }
        });
        Ok(Self { port: port.parse()?, authority: certificate, mails, _process: process, _folder: folder })
    }

    /// The documented variables with which the bridge uses it.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        [
            ("EMAIL_SMTP_HOST", "localhost".to_owned()),
            ("EMAIL_SMTP_PORT", self.port.to_string()),
            ("EMAIL_SMTP_USER", "pm".to_owned()),
            ("EMAIL_SMTP_PASS", "pass word".to_owned()),
            ("EMAIL_FROM", "Plant <plant@example.org>".to_owned()),
            ("PM_SMTP_CA", self.authority.display().to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// The same as one address, which says how connections are protected.
    pub(crate) fn url(&self, tls: Tls) -> String {
        let scheme = if tls == Tls::FromTheStart { "smtps" } else { "smtp" };
        format!("{scheme}://pm:pass%20word@localhost:{}", self.port)
    }

    pub(crate) fn mails(&self) -> Vec<Value> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for a mail to this recipient, at most 30 s.
    pub(crate) async fn mail_to(&self, recipient: &str) -> Result<Value> {
        let end = Instant::now() + Duration::from_secs(30);
        while Instant::now() < end {
            if let Some(mail) = self.mails().into_iter().find(|m| m["to"][0] == recipient) {
                return Ok(mail);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("no mail to {recipient}; there are {:?}", self.mails())
    }
}
