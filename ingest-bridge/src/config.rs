//! Configuration, by flags or environment.

use crate::payload::{MachineTopics, sparkplug::NAMESPACE};
use anyhow::{Context, anyhow, bail, ensure};
use clap::{Args, Parser};
use hyper_rustls::ConfigBuilderExt;
use percent_encoding::percent_decode_str;
use pm_api::ingest::MAX_BATCH_READINGS;
use rumqttc::{MqttOptions, TlsConfiguration, Transport};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use url::Url;
use uuid::Uuid;

/// Start of client ids that the bridge makes. With 128 random bits they have more than the 23 characters that every broker
/// of MQTT 3.1.1 must take; all known ones take 65,535 bytes.
const CLIENT_ID_PREFIX: &str = "pm-bridge-";

/// The MQTT bridge: takes sensor messages from a broker, posts them in batches to the ingest function, and
/// acknowledges them once they are committed or safe on disk.
#[derive(Debug, Clone, Parser)]
#[command(version)]
pub struct Config {
    /// Broker: mqtt://[user:password@]host[:port], or mqtts:// for TLS
    #[arg(long, env = "MQTT_URL", default_value = "mqtt://127.0.0.1:1883", hide_env_values = true)]
    pub mqtt_url: String,
    /// Certificates for TLS
    #[command(flatten)]
    pub mqtt_tls: TlsFiles,
    /// Topic filters, separated by commas
    #[arg(
        long,
        env = "MQTT_TOPICS",
        value_delimiter = ',',
        default_value = "factory/#,edge/#,sensors/+/telemetry,spBv1.0/#"
    )]
    pub mqtt_topics: Vec<String>,
    /// Topics that name their machine, as in factory/+/+/{machine}/#, separated by commas: values that a message on one of
    /// them gives for another machine become dead letters [default: none, any topic may speak for any machine]
    #[arg(long, env = "MQTT_MACHINE_TOPICS", value_delimiter = ',')]
    pub mqtt_machine_topics: Vec<String>,
    /// Group of bridges that share the messages of the topics (a shared subscription); each sees all of Sparkplug B
    #[arg(long, env = "MQTT_SHARE", value_name = "GROUP")]
    pub mqtt_share: Option<String>,
    /// Name of the persistent session; a bridge must keep it, two bridges must not share it, and no one else
    /// should know it [default: a random one, kept in PM_SPOOL_DIR]
    #[arg(long, env = "MQTT_CLIENT_ID", hide_env_values = true)]
    pub mqtt_client_id: Option<String>,
    /// Address of the functions
    #[arg(long, env = "PM_INGEST_URL", default_value = "http://127.0.0.1:8000")]
    pub ingest_url: Url,
    /// Token that the functions know as service_token
    #[arg(long, env = "PM_SERVICE_TOKEN", hide_env_values = true)]
    pub service_token: String,
    /// Folder for batches that cannot be posted
    #[arg(long, env = "PM_SPOOL_DIR", default_value = "pm-spool", value_name = "FOLDER")]
    pub spool_dir: PathBuf,
    /// Most that the spool may take, in MiB
    #[arg(long, env = "PM_SPOOL_MAX_MB", default_value_t = 1024, value_parser = clap::value_parser!(u64).range(8..))]
    pub spool_max_mb: u64,
    /// Most that messages may take in memory, in MiB
    #[arg(long, env = "PM_QUEUE_MAX_MB", default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..65_536))]
    pub queue_max_mb: u64,
    /// Most readings in a batch
    #[arg(long, env = "PM_BATCH_MAX", default_value_t = 2000, value_parser = clap::value_parser!(u64).range(1..=MAX_BATCH_READINGS as u64))]
    pub batch_max: u64,
    /// Longest time that a batch stays open, in ms
    #[arg(long, env = "PM_BATCH_MS", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub batch_ms: u64,
    /// Batches posted side by side; messages of one machine stay in order
    #[arg(long, env = "PM_LANES", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=64))]
    pub lanes: u64,
    /// Where /health/live and /health/ready are answered [default: nowhere]
    #[arg(long, env = "PM_HEALTH_LISTEN", value_name = "ADDRESS")]
    pub health_listen: Option<SocketAddr>,
    /// How mail is sent
    #[command(flatten)]
    pub mail: MailConfig,
}

/// How mail is sent. Without a server, none is.
#[derive(Debug, Clone, Default, Args)]
pub struct MailConfig {
    /// SMTP server: smtps://[user:password@]host[:465], or smtp://…[:587] for STARTTLS (smtp://…?tls=none without)
    #[arg(long, env = "PM_SMTP_URL", hide_env_values = true)]
    pub smtp_url: Option<String>,
    /// Host of the SMTP server
    #[arg(long, env = "EMAIL_SMTP_HOST")]
    pub email_smtp_host: Option<String>,
    /// Port: 465 means TLS from the start, others STARTTLS [default: 587]
    #[arg(long, env = "EMAIL_SMTP_PORT")]
    pub email_smtp_port: Option<String>,
    /// User
    #[arg(long, env = "EMAIL_SMTP_USER")]
    pub email_smtp_user: Option<String>,
    /// Password
    #[arg(long, env = "EMAIL_SMTP_PASS", hide_env_values = true)]
    pub email_smtp_pass: Option<String>,
    /// Sender of all mails [default: the user]
    #[arg(long, env = "EMAIL_FROM")]
    pub email_from: Option<String>,
    /// Certificate authority of the SMTP server (PEM); without it, the system's
    #[arg(long, env = "PM_SMTP_CA", value_name = "FILE")]
    pub smtp_ca: Option<PathBuf>,
}

impl Config {
    /// The client id: the one that is configured, else the one that the spool folder keeps, which is random. Whoever knows
    /// it can take over the session at a broker without accounts, with every message that waits there.
    ///
    /// # Errors
    /// The spool folder cannot be used.
    pub fn client_id(&self) -> anyhow::Result<String> {
        if let Some(id) = &self.mqtt_client_id {
            return Ok(id.clone());
        }
        let path = self.spool_dir.join("client-id");
        if let Ok(id) = fs::read_to_string(&path)
            && !id.trim().is_empty()
        {
            return Ok(id.trim().to_owned());
        }
        let id = format!("{CLIENT_ID_PREFIX}{}", Uuid::new_v4().simple());
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
        file.and_then(|mut file| file.write_all(id.as_bytes()).and_then(|()| file.sync_all()))
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(id)
    }

    /// By which name the bridge is shown: the host's, with a mark that tells bridges of one host apart and does not betray
    /// the client id.
    #[must_use]
    pub fn name(&self, client_id: &str) -> String {
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let mark = format!("{:x}", Sha256::digest(client_id));
        format!("{}-{}", if host.trim().is_empty() { "local" } else { host.trim() }, &mark[..8])
    }

    /// Checks what the flags' own rules cannot.
    ///
    /// # Errors
    /// One sentence that says what to change.
    pub fn check(&self) -> anyhow::Result<()> {
        ensure!(
            !self.service_token.is_empty(),
            "PM_SERVICE_TOKEN is empty; give the functions' service_token"
        );
        ensure!(
            matches!(self.ingest_url.scheme(), "http" | "https") && self.ingest_url.has_host(),
            "PM_INGEST_URL must start with http:// or https://, not {}:",
            self.ingest_url.scheme()
        );
        ensure!(
            self.mqtt_client_id.as_ref().is_none_or(|id| !id.trim().is_empty()),
            "MQTT_CLIENT_ID is empty; a persistent session needs a name"
        );
        ensure!(
            self.spool_max_mb >= 4 * self.lanes,
            "PM_SPOOL_MAX_MB must be at least 4 for each of PM_LANES"
        );
        if let Some(group) = &self.mqtt_share {
            ensure!(
                !group.is_empty() && !group.contains(['/', '+', '#']),
                "MQTT_SHARE: {group:?} is no name of a group: it has no /, + or #"
            );
        }
        self.machine_topics()?;
        for topic in &self.mqtt_topics {
            ensure!(rumqttc::valid_filter(topic), "MQTT_TOPICS: {topic:?} is not a topic filter");
        }
        Ok(())
    }

    /// The topics that name their machine.
    ///
    /// # Errors
    /// One sentence that says what to change.
    pub fn machine_topics(&self) -> anyhow::Result<MachineTopics> {
        let given: Vec<_> =
            self.mqtt_machine_topics.iter().filter(|topic| !topic.trim().is_empty()).collect();
        MachineTopics::read(&given).map_err(|why| anyhow!("MQTT_MACHINE_TOPICS: {why}"))
    }

    /// The topic filters to subscribe to. Sparkplug B is never shared: the meaning of its data is in births, which every
    /// bridge must see, and a reading that two bridges deliver is stored once.
    #[must_use]
    pub fn filters(&self) -> Vec<String> {
        let shared = |topic: &String| match &self.mqtt_share {
            Some(group) if !topic.starts_with(NAMESPACE) => format!("$share/{group}/{topic}"),
            _ => topic.clone(),
        };
        self.mqtt_topics.iter().map(shared).collect()
    }

    /// How to reach the broker.
    ///
    /// # Errors
    /// One sentence that says what to change.
    pub fn broker(&self, client_id: &str) -> anyhow::Result<MqttOptions> {
        mqtt_options(&self.mqtt_url, &self.mqtt_tls, client_id)
    }
}

/// Certificates for a broker behind TLS, all PEM.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct TlsFiles {
    /// Certificate authority of the broker (PEM); without it, the system's
    #[arg(long = "ca", env = "MQTT_CA", value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Certificate that we show to the broker (PEM); needs MQTT_CA and MQTT_CLIENT_KEY
    #[arg(long = "client-cert", env = "MQTT_CLIENT_CERT", value_name = "FILE")]
    pub certificate: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long = "client-key", env = "MQTT_CLIENT_KEY", value_name = "FILE")]
    pub key: Option<PathBuf>,
}

impl TlsFiles {
    fn transport(&self) -> anyhow::Result<Transport> {
        let pem = |name: &'static str, file: &PathBuf| {
            let text = fs::read(file).with_context(|| format!("cannot read {name} {}", file.display()));
            text.map(|text| (name, text))
        };
        let client_auth = match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => {
                Some((pem("MQTT_CLIENT_CERT", certificate)?, pem("MQTT_CLIENT_KEY", key)?))
            }
            (None, None) => None,
            _ => bail!("MQTT_CLIENT_CERT and MQTT_CLIENT_KEY belong together: give both"),
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder =
            rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let builder = match &self.ca {
            Some(ca) => {
                let mut roots = rustls::RootCertStore::empty();
                for certificate in certificates(&pem("MQTT_CA", ca)?)? {
                    roots.add(certificate).context("MQTT_CA holds no authority")?;
                }
                builder.with_root_certificates(roots)
            }
            None => {
                ensure!(client_auth.is_none(), "MQTT_CLIENT_CERT needs MQTT_CA, the authority of the broker");
                builder.with_native_roots().context("the system's certificates cannot be read")?
            }
        };
        let config = match client_auth {
            Some((certificate, (name, key))) => {
                let key =
                    PrivateKeyDer::from_pem_slice(&key).with_context(|| format!("{name} holds no key"))?;
                builder.with_client_auth_cert(certificates(&certificate)?, key)?
            }
            None => builder.with_no_client_auth(),
        };
        Ok(Transport::tls_with_config(TlsConfiguration::Rustls(Arc::new(config))))
    }

    fn is_empty(&self) -> bool {
        self.ca.is_none() && self.certificate.is_none() && self.key.is_none()
    }
}

fn certificates((name, pem): &(&str, Vec<u8>)) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let all = all.with_context(|| format!("{name} is not PEM"))?;
    ensure!(!all.is_empty(), "{name} holds no certificate");
    Ok(all)
}

/// Options for a connection to the broker at `url`.
///
/// # Errors
/// One sentence that says what to change.
pub fn mqtt_options(url: &str, tls: &TlsFiles, client_id: &str) -> anyhow::Result<MqttOptions> {
    // The address may hold a password: it is not repeated in messages.
    let url = Url::parse(url).context("MQTT_URL is not an address such as mqtt://broker:1883")?;
    let (encrypted, default_port) = match url.scheme() {
        "mqtt" | "tcp" => (false, 1883),
        "mqtts" | "ssl" => (true, 8883),
        other => bail!("MQTT_URL must start with mqtt:// or mqtts://, not {other}:"),
    };
    let host = url.host_str().context("MQTT_URL names no host")?.trim_matches(['[', ']']);
    let mut options = MqttOptions::new(client_id, host, url.port().unwrap_or(default_port));
    if !url.username().is_empty() {
        let decoded =
            |text| percent_decode_str(text).decode_utf8().context("MQTT_URL: user or password not UTF-8");
        options.set_credentials(decoded(url.username())?, decoded(url.password().unwrap_or_default())?);
    }
    if encrypted {
        options.set_transport(tls.transport()?);
    } else {
        ensure!(tls.is_empty(), "MQTT_CA or MQTT_CLIENT_CERT is given, but MQTT_URL is not mqtts://");
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_broker_address_gives_host_port_and_login() -> anyhow::Result<()> {
        let options = mqtt_options("mqtt://us%40r:p%3Aw@broker", &TlsFiles::default(), "c")?;
        assert_eq!(options.broker_address(), ("broker".to_owned(), 1883));
        let login = options.credentials().map(|l| (l.username, l.password));
        assert_eq!(login, Some(("us@r".to_owned(), "p:w".to_owned())));
        let options = mqtt_options("mqtt://[::1]:1999", &TlsFiles::default(), "c")?;
        assert_eq!(options.broker_address(), ("::1".to_owned(), 1999));
        for bad in ["broker:1883", "http://broker", "mqtt://", "nonsense"] {
            assert!(mqtt_options(bad, &TlsFiles::default(), "c").is_err(), "{bad}");
        }
        let ca = TlsFiles { ca: Some(PathBuf::from("/nonexistent.pem")), ..TlsFiles::default() };
        let half = TlsFiles { certificate: ca.ca.clone(), ..TlsFiles::default() };
        for files in [ca, half] {
            assert!(mqtt_options("mqtts://broker", &files, "c").is_err());
            assert!(mqtt_options("mqtt://broker", &files, "c").is_err());
        }
        Ok(())
    }

    #[test]
    fn the_client_id_is_random_kept_and_not_in_the_name() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let spool = folder.path().display().to_string();
        let given = ["ingest-bridge", "--service-token", "t", "--spool-dir", &spool];
        let config = Config::try_parse_from(given)?;
        let id = config.client_id()?;
        assert_eq!(config.client_id()?, id);
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &fs::metadata(folder.path().join("client-id"))?.permissions(),
        );
        assert_eq!(mode & 0o777, 0o600);
        let name = config.name(&id);
        assert!(!name.contains(&id) && !id.contains(&name), "{name} {id}");
        fs::remove_file(folder.path().join("client-id"))?;
        assert_ne!(config.client_id()?, id);
        let chosen = Config { mqtt_client_id: Some("chosen".to_owned()), ..config };
        assert_eq!(chosen.client_id()?, "chosen");
        Ok(())
    }

    #[test]
    fn flags_out_of_bounds_are_refused() {
        let parse = |extra: &[&str]| {
            let args = ["ingest-bridge", "--service-token", "t"].iter().chain(extra);
            Config::try_parse_from(args).map_err(anyhow::Error::from).and_then(|c| c.check().map(|()| c))
        };
        let topics = parse(&[]).map(|c| c.mqtt_topics).unwrap_or_default();
        assert_eq!(topics, ["factory/#", "edge/#", "sensors/+/telemetry", "spBv1.0/#"]);
        let shared = parse(&["--mqtt-share", "plant"]).map(|c| c.filters()).unwrap_or_default();
        assert_eq!(
            shared,
            [
                "$share/plant/factory/#",
                "$share/plant/edge/#",
                "$share/plant/sensors/+/telemetry",
                "spBv1.0/#"
            ]
        );
        for bad in [
            ["--service-token", ""],
            ["--ingest-url", "ftp://x"],
            ["--mqtt-topics", "a/#/b"],
            ["--mqtt-client-id", ""],
            ["--mqtt-machine-topics", "factory/#"],
            ["--batch-max", "10001"],
            ["--lanes", "0"],
            ["--mqtt-share", "a/b"],
            ["--spool-max-mb", "1"],
        ] {
            assert!(parse(&bad).is_err(), "{bad:?}");
        }
    }
}
