//! `up`: the whole stack on one machine, until it is asked to end.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use tokio::signal::unix::{SignalKind, signal};

use crate::cluster::{Cluster, DATABASE};
use crate::data::DataDir;
use crate::demo::{USERS, seed, users_with_known_passwords};
use crate::paths::cache_dir;
use crate::ports::require_free;
use crate::progress::Progress;
use crate::secrets::Secrets;
use crate::service::{Ready, Service};
use crate::supervisor::{ServiceState, Supervisor};
use pm_migrations::account::first_admin;
use pm_migrations::{GroupUrls, connect, enable_roles, migrate, sentence};

const DATABASE_START: Duration = Duration::from_secs(90);
/// The first start compiles every component.
const HOST_START: Duration = Duration::from_secs(600);
const REQUESTS_PER_MINUTE: &str = "SPIN_VARIABLE_REQUESTS_PER_MINUTE";
const SERVICE_START: Duration = Duration::from_secs(30);

/// What runs the components.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostKind {
    /// `pm-host`.
    Local,
    /// The `spin` command.
    Spin,
}

/// Options of [`run`].
#[derive(Clone, Debug)]
pub struct UpOptions {
    /// The application's manifest.
    pub manifest: PathBuf,
    /// Where data, secrets and logs lie.
    pub data_dir: PathBuf,
    /// Where HTTP is served.
    pub http: Vec<SocketAddr>,
    /// Where the embedded broker listens.
    pub mqtt: SocketAddr,
    /// Another broker, `mqtt://[user:password@]host:port`; then there is no embedded one.
    pub mqtt_url: Option<String>,
    /// Another database, for its owner; then there is no private one.
    pub database_url: Option<String>,
    /// That database for the functions; by default roles are made for them.
    pub app_database_url: Option<String>,
    /// Whether the simulator publishes.
    pub simulator: bool,
    /// Whether demonstration users and machines are added.
    pub demo: bool,
    /// What runs the components.
    pub host: HostKind,
}

impl UpOptions {
    /// Whether others than this machine reach the functions.
    fn is_public(&self) -> bool {
        self.http.iter().any(|address| !address.ip().is_loopback())
    }

    /// Refuses to offer to a network what is without protection.
    fn refuse_open_doors(&self) -> Result<()> {
        ensure!(
            !(self.demo && self.is_public()),
            "everybody knows the passwords of the demonstration users: listen on 127.0.0.1, or leave them out with \
             ./pm up --no-demo (PM_ADMIN_EMAIL and PM_ADMIN_PASSWORD make an administrator)"
        );
        ensure!(
            self.mqtt_url.is_some() || self.mqtt.ip().is_loopback(),
            "the embedded broker takes messages from anybody: listen on 127.0.0.1, or name a broker with MQTT_URL"
        );
        Ok(())
    }
}

/// What `status` and `down` read of a running stack.
#[derive(Debug, Serialize, Deserialize)]
pub struct Status {
    /// Process id of the supervisor.
    pub pid: u32,
    /// Where HTTP is served.
    pub http: Vec<SocketAddr>,
    /// What is known of each service.
    pub services: Vec<ServiceState>,
}

/// Starts everything, says so, and ends everything on SIGINT, SIGTERM or SIGHUP.
pub async fn run(options: UpOptions) -> Result<()> {
    let progress = Progress::default();
    let data = DataDir::open(&options.data_dir)?;
    let _lock = data.lock()?;
    ensure!(!options.http.is_empty(), "--http names no address: give at least one, as in 127.0.0.1:8000");
    for address in &options.http {
        require_free(*address, "--http")?;
    }
    if options.mqtt_url.is_none() {
        require_free(options.mqtt, "--mqtt, or use that broker with MQTT_URL")?;
    }
    options.refuse_open_doors()?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut renewed = signal(SignalKind::user_defined1())?;
    let mut supervisor = Supervisor::new(data.logs());
    let began = Instant::now();
    let mut changes = supervisor.changes();
    let result = tokio::select! {
        result = start(&options, &data, &mut supervisor, &progress) => result.map(|()| true),
        _ = interrupt.recv() => Ok(false),
        _ = terminate.recv() => Ok(false),
        _ = hangup.recv() => Ok(false),
    };
    if matches!(result, Ok(true)) {
        greet(&options, began.elapsed());
        data.write_status(&options.http, supervisor.states())?;
        loop {
            tokio::select! {
                _ = interrupt.recv() => break,
                _ = terminate.recv() => break,
                _ = hangup.recv() => break,
                _ = renewed.recv() => renew(&data, &supervisor).await?,
                changed = changes.changed() => {
                    changed.context("the supervisor is gone")?;
                    data.write_status(&options.http, supervisor.states())?;
                }
            }
        }
    }
    progress.now("stopping", "every service");
    supervisor.stop().await;
    data.remove_status();
    progress.done("stopped", "every service has ended");
    result.map(|_| ())
}

/// Gives host and bridge, in this order, the new secrets. The host accepts both service tokens for now, so
/// the bridge is refused at no time; while one of them starts, messages wait.
async fn renew(data: &DataDir, supervisor: &Supervisor) -> Result<()> {
    let secrets = Secrets::load_or_make(&data.secrets())?;
    let token = secrets.service_token.as_str();
    let previous = secrets.service_token_previous.as_deref().unwrap_or_default();
    let of_host = [
        ("SPIN_VARIABLE_SERVICE_TOKEN", token),
        ("SPIN_VARIABLE_SERVICE_TOKEN_PREVIOUS", previous),
        ("SPIN_VARIABLE_JWT_SECRET", secrets.jwt.as_str()),
    ];
    let done = supervisor.change("host", HOST_START, &of_host).await
        && supervisor.change("bridge", SERVICE_START, &[("PM_SERVICE_TOKEN", token)]).await;
    println!(
        "{}",
        if done {
            "Host and bridge have the new secrets."
        } else {
            "Host and bridge do not have the new secrets: see the logs."
        }
    );
    Ok(())
}

fn greet(options: &UpOptions, took: Duration) {
    let address = options.http[0];
    println!("\nReady in {:.1} s: http://{address}", took.as_secs_f64());
    if options.demo {
        let (email, password, ..) = USERS[0];
        println!("Log in as {email} with the password {password}.");
    }
    println!("Stop with Ctrl-C or ./pm down; logs are in {}.", options.data_dir.join("logs").display());
}

async fn start(
    options: &UpOptions,
    data: &DataDir,
    supervisor: &mut Supervisor,
    progress: &Progress,
) -> Result<()> {
    let secrets = Secrets::load_or_make(&data.secrets())?;
    let owner_url = match &options.database_url {
        Some(url) => url.clone(),
        None => private_database(data, &secrets, supervisor, progress).await?,
    };
    let urls = prepare_database(options, &secrets, &owner_url, progress).await?;
    let mqtt_url = match &options.mqtt_url {
        Some(url) => url.clone(),
        None => {
            let service = broker_service(options.mqtt)?;
            launch(supervisor, progress, service, SERVICE_START, &format!("MQTT on {}", options.mqtt))
                .await?;
            format!("mqtt://{}", options.mqtt)
        }
    };
    let host = match options.host {
        HostKind::Local => host_service(&options.manifest, &options.http)?,
        HostKind::Spin => spin_service(&options.manifest, &options.http)?,
    };
    let host = with_documented(with_variables(host, &urls, &secrets)?);
    let runtime_config = data.write_runtime_config(&blocked_networks(|name| std::env::var(name).ok()))?;
    let host = with_runtime_config(host, &runtime_config);
    // who asks for demonstration data also wants to see failures
    let host = if options.demo { with_default(host, "SPIN_VARIABLE_SIMULATOR", "true") } else { host };
    let addresses: Vec<String> = options.http.iter().map(ToString::to_string).collect();
    launch(supervisor, progress, host, HOST_START, &format!("HTTP on {}", addresses.join(", "))).await?;
    let bridge = bridge_service(options.http[0], &mqtt_url, &secrets.service_token, &data.spool())?;
    launch(supervisor, progress, bridge, SERVICE_START, "takes messages").await?;
    if options.simulator {
        let simulator =
            Service::new("simulator", sibling("simulator")?, Ready::Running).env("MQTT_URL", mqtt_url);
        launch(supervisor, progress, simulator, SERVICE_START, "4 machines, 16 sensors").await?;
    }
    Ok(())
}

async fn launch(
    supervisor: &mut Supervisor,
    progress: &Progress,
    service: Service,
    limit: Duration,
    done: &str,
) -> Result<()> {
    let name = service.name;
    let began = Instant::now();
    supervisor.start(service, limit, |line| progress.now(name, line)).await?;
    progress.done(name, &format!("{done} ({:.1} s)", began.elapsed().as_secs_f64()));
    Ok(())
}

async fn private_database(
    data: &DataDir,
    secrets: &Secrets,
    supervisor: &mut Supervisor,
    progress: &Progress,
) -> Result<String> {
    let cluster = data.cluster(secrets, |text| progress.now("database", text))?;
    if cluster.is_running()? {
        progress.done("database", "runs already");
    } else {
        progress.now("database", "starting");
        cluster.init()?;
        let done = format!("TimescaleDB on 127.0.0.1:{}", cluster.port());
        launch(supervisor, progress, cluster_service(&cluster)?, DATABASE_START, &done).await?;
    }
    create_database(&cluster).await?;
    Ok(cluster.url(DATABASE))
}

/// Makes the platform's database in a running cluster, unless it is there.
pub async fn create_database(cluster: &Cluster) -> Result<()> {
    let client = connect(&cluster.url("postgres")).await?;
    let found = client.query_opt("select from pg_database where datname = $1", &[&DATABASE]).await;
    if found.map_err(sentence)?.is_none() {
        client.batch_execute(&format!("create database {DATABASE}")).await.map_err(sentence)?;
    }
    Ok(())
}

/// The server of a cluster as a service.
pub fn cluster_service(cluster: &Cluster) -> Result<Service> {
    let (program, arguments) = cluster.server()?;
    let ready = Ready::Queries(cluster.url("postgres"));
    Ok(Service { name: "database", program, arguments, environment: Vec::new(), ready, stop: Signal::INT })
}

/// Migrations, the functions' roles, demonstration data; returns the functions' addresses of the database.
async fn prepare_database(
    options: &UpOptions,
    secrets: &Secrets,
    owner_url: &str,
    progress: &Progress,
) -> Result<GroupUrls> {
    progress.now("schema", "applying migrations");
    let outcome = migrate(owner_url).await?;
    progress
        .done("schema", &format!("{} migrations applied, {} before", outcome.applied.len(), outcome.already));
    if options.demo {
        progress.now("demo", "adding users and machines");
        seed(owner_url).await?;
        progress.done("demo", "3 users, 4 machines, 16 sensors");
    }
    if let (Ok(email), Ok(password)) = (std::env::var("PM_ADMIN_EMAIL"), std::env::var("PM_ADMIN_PASSWORD")) {
        first_admin(owner_url, &email, &password).await?;
    }
    if options.is_public() {
        let known = users_with_known_passwords(owner_url).await?;
        ensure!(
            known.is_empty(),
            "everybody knows the password of {}: change it first, or listen on 127.0.0.1",
            known.join(" and ")
        );
    }
    if let Some(url) = &options.app_database_url {
        return Ok(GroupUrls::same(url));
    }
    enable_roles(owner_url, &secrets.database_roles).await.context(
        "the functions need roles in the database: create them yourself and set PM_APP_DATABASE_URL",
    )?;
    GroupUrls::new(owner_url, &secrets.database_roles)
}

/// The embedded broker as a service.
pub fn broker_service(address: SocketAddr) -> Result<Service> {
    let service = Service::new("broker", sibling("pm-stack")?, Ready::Listens(address));
    Ok(service.args(["broker", "--mqtt", &address.to_string()]))
}

/// Where the local host keeps compiled components.
fn host_cache() -> String {
    cache_dir().join("host").display().to_string()
}

/// Lets the local host compile the components that it has not compiled yet, as its next start would.
pub fn compile(manifest: &Path) -> Result<()> {
    let mut host = Command::new(sibling("pm-host")?);
    host.arg("--manifest").arg(manifest).args(["--cache-dir", &host_cache(), "--compile"]);
    let status = host.status().context("cannot run pm-host")?;
    ensure!(status.success(), "the components do not compile; what is printed above says why");
    Ok(())
}

/// The local host as a service.
pub fn host_service(manifest: &Path, http: &[SocketAddr]) -> Result<Service> {
    let listen: Vec<String> = http.iter().map(ToString::to_string).collect();
    let service = Service::new("host", sibling("pm-host")?, Ready::Answers(http[0], "/health/live"));
    let service = service.args(["--manifest", &manifest.display().to_string(), "--http", &listen.join(",")]);
    Ok(service.args(["--cache-dir", &host_cache()]))
}

/// Gives a host, local or Spin, its runtime configuration.
pub fn with_runtime_config(host: Service, file: &Path) -> Service {
    host.args(["--runtime-config-file".to_owned(), file.display().to_string()])
}

/// The networks that no component may connect to: those of `PM_BLOCK_NETWORKS`, else all private ones, unless webhooks may
/// point there or attachments are in an object store, which usually is there.
pub fn blocked_networks(variable: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let given = |name: &str| variable(name).filter(|value| !value.is_empty());
    if let Some(networks) = variable("PM_BLOCK_NETWORKS") {
        return networks.split(',').map(str::trim).filter(|n| !n.is_empty()).map(str::to_owned).collect();
    }
    let allowed = |name: &str| given(name).as_deref() == Some("true");
    let private_is_used = allowed("SPIN_VARIABLE_WEBHOOK_ALLOW_PRIVATE")
        || allowed("SPIN_VARIABLE_IDENTITY_PROVIDER_ALLOW_PRIVATE")
        || given("SPIN_VARIABLE_OBJECT_STORE_HOST").is_some();
    if private_is_used { Vec::new() } else { vec!["private".to_owned()] }
}

/// Sets a variable of a service unless the environment has it.
fn with_default(service: Service, name: &str, value: &str) -> Service {
    if std::env::var_os(name).is_some() { service } else { service.env(name, value) }
}

/// The oldest Spin that runs the components: they speak WASI 0.3.0, which Spin 4.0 does not know in its final form.
const MIN_SPIN: (u32, u32) = (4, 1);

/// Refuses a Spin that is too old, by what `spin --version` prints, as in `spin 4.1.0 (abc 2026-01-01)`.
fn require_spin(printed: &str) -> Result<()> {
    let version = printed.split_whitespace().find_map(|word| {
        let mut numbers = word.trim_start_matches('v').split('.').map(str::parse::<u32>);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    });
    let (major, minor) =
        version.with_context(|| format!("«spin --version» names no version: «{}»", printed.trim()))?;
    ensure!(
        (major, minor) >= MIN_SPIN,
        "this is Spin {major}.{minor}, but the components need WASI 0.3.0, which Spin has from {}.{} on: install a \
         newer one, or leave --host spin away",
        MIN_SPIN.0,
        MIN_SPIN.1
    );
    Ok(())
}

fn spin_service(manifest: &Path, http: &[SocketAddr]) -> Result<Service> {
    let spin = std::env::var_os("PATH")
        .and_then(|paths| {
            std::env::split_paths(&paths).map(|dir| dir.join("spin")).find(|file| file.is_file())
        })
        .context("there is no spin command on PATH: install Spin, or leave --host spin away")?;
    let version = Command::new(&spin).arg("--version").output().context("cannot run spin --version")?;
    require_spin(&String::from_utf8_lossy(&version.stdout))?;
    ensure!(
        http.len() == 1,
        "Spin listens on one address: give one with --http, as in --http 127.0.0.1:8000"
    );
    let service = Service::new("host", spin, Ready::Answers(http[0], "/health/live"));
    let state = cache_dir().join("spin");
    Ok(service
        .args(["up", "--from", &manifest.display().to_string(), "--listen", &http[0].to_string()])
        .args(["--state-dir".to_owned(), state.display().to_string()]))
}

/// Adds the application's variables to a host.
pub fn with_variables(host: Service, urls: &GroupUrls, secrets: &Secrets) -> Result<Service> {
    let url = pm_migrations::parse(urls.of("work"))?;
    let name = url.host_str().unwrap_or_default();
    let host = urls.all().fold(host, |host, (group, url)| {
        host.env(&format!("SPIN_VARIABLE_DATABASE_URL_{}", group.to_uppercase()), url)
    });
    Ok(host
        .env("SPIN_VARIABLE_DATABASE_HOST", format!("postgres://{name}:*"))
        .env("SPIN_VARIABLE_JWT_SECRET", &secrets.jwt)
        .env("SPIN_VARIABLE_SERVICE_TOKEN", &secrets.service_token)
        .env("SPIN_VARIABLE_COMPONENT_TOKEN", &secrets.component_token)
        .env(
            "SPIN_VARIABLE_SERVICE_TOKEN_PREVIOUS",
            secrets.service_token_previous.clone().unwrap_or_default(),
        )
        // everybody on this machine has the same address
        .env(REQUESTS_PER_MINUTE, std::env::var(REQUESTS_PER_MINUTE).unwrap_or_else(|_| "0".to_owned())))
}

/// Passes on the documented variables about notices, unless Spin's own are given. (The bridge reads its own of this
/// process's environment.)
fn with_documented(host: Service) -> Service {
    let given = |name: &str| std::env::var(name).ok();
    ["NOTIFICATION_EMAIL_TO", "SLACK_WEBHOOK_URL"].into_iter().fold(host, |host, name| {
        let variable = format!("SPIN_VARIABLE_{name}");
        match given(name).filter(|_| given(&variable).is_none()) {
            Some(value) => host.env(&variable, value),
            None => host,
        }
    })
}

/// The bridge as a service.
pub fn bridge_service(
    http: SocketAddr,
    mqtt_url: &str,
    service_token: &str,
    spool: &Path,
) -> Result<Service> {
    Ok(Service::new("bridge", sibling("ingest-bridge")?, Ready::Running)
        .env("PM_INGEST_URL", format!("http://{http}"))
        .env("PM_SERVICE_TOKEN", service_token)
        .env("MQTT_URL", mqtt_url)
        .env("PM_SPOOL_DIR", spool.display().to_string()))
}

/// A program of this workspace: in the folder of the running one, or for a test one folder up.
pub fn sibling(name: &str) -> Result<PathBuf> {
    let here = std::env::current_exe().context("no path of the running program")?;
    here.ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .with_context(|| format!("the program {name} is not built: run ./pm build"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spin_that_is_too_old_is_refused() {
        for (printed, good) in [
            ("spin 4.1.0 (0c8e4b2 2026-06-01)\n", true),
            ("spin 4.2.0-pre0", true),
            ("spin 5.0.1", true),
            ("spin 4.0.1 (abc 2026-01-01)", false),
            ("spin 3.6.0", false),
            ("no version", false),
            ("", false),
        ] {
            assert_eq!(require_spin(printed).is_ok(), good, "{printed}");
        }
        assert!(require_spin("spin 4.0.0").unwrap_err().to_string().contains("4.1"));
    }

    #[test]
    fn private_networks_are_blocked_unless_they_are_used() {
        let blocked = |given: &[(&str, &str)]| {
            blocked_networks(|name| given.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
        };
        assert_eq!(blocked(&[]), ["private"]);
        assert_eq!(blocked(&[("SPIN_VARIABLE_WEBHOOK_ALLOW_PRIVATE", "false")]), ["private"]);
        assert!(blocked(&[("SPIN_VARIABLE_WEBHOOK_ALLOW_PRIVATE", "true")]).is_empty());
        assert!(blocked(&[("SPIN_VARIABLE_IDENTITY_PROVIDER_ALLOW_PRIVATE", "true")]).is_empty());
        assert!(blocked(&[("SPIN_VARIABLE_OBJECT_STORE_HOST", "http://127.0.0.1:9000")]).is_empty());
        assert_eq!(blocked(&[("PM_BLOCK_NETWORKS", "10.0.0.0/8, ::1")]), ["10.0.0.0/8", "::1"]);
        assert!(blocked(&[("PM_BLOCK_NETWORKS", "")]).is_empty());
    }
}
