//! A whole stack for one test: its own ports, database, spool and secrets.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use tempfile::TempDir;
use tokio::time::sleep;
use url::Url;

use crate::database::{Database, database};
use pm_migrations::{GroupUrls, connect, enable_roles, migrate, sentence};
use pm_stack::cluster::{Cluster, DATABASE, Programs};
use pm_stack::data::write_runtime_config;
use pm_stack::demo::seed;
use pm_stack::paths::make_dir;
use pm_stack::ports::free_port;
use pm_stack::secrets::Secrets;
use pm_stack::service::{Ready, Running, Service, last_line_quoted, log_path};
use pm_stack::up::{
    blocked_networks, bridge_service, broker_service, cluster_service, host_service, with_runtime_config,
    with_variables,
};

const LIMIT: Duration = Duration::from_secs(300);
/// A service that ends while it starts is started again for this long.
const AGAIN: Duration = Duration::from_secs(20);

/// Which broker a test runs against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Broker {
    /// The embedded one.
    #[default]
    Embedded,
    /// Debian's mosquitto, with user and password; it keeps its messages on disk.
    Mosquitto,
    /// The same with the rules of `deploy/mosquitto/acl`. The password of each gateway there is [`GATEWAY_PASSWORD`].
    MosquittoWithRules,
}

/// Password of the gateways at [`Broker::MosquittoWithRules`].
pub const GATEWAY_PASSWORD: &str = "of a gateway";

/// What a test needs.
#[derive(Clone, Debug, Default)]
pub struct StackOptions {
    /// Which broker.
    pub broker: Broker,
    /// A database server of its own, which can be killed; otherwise a database on the shared one.
    pub own_database: bool,
    /// Demonstration users and machines.
    pub demo: bool,
    /// Leave the bridge out.
    pub without_bridge: bool,
    /// Limit requests as hosted functions do.
    pub hosted_limits: bool,
    /// Further environment of host and bridge.
    pub environment: Vec<(String, String)>,
    /// Where relays of the test stand between services.
    pub proxy_ports: ProxyPorts,
}

/// Ports of 127.0.0.1 on which a test listens in the place of a service, to pass on or not. The services' own addresses are
/// [`Stack::broker_address`], [`Stack::host_address`] and [`Stack::database_address`].
#[derive(Clone, Copy, Debug, Default)]
pub struct ProxyPorts {
    /// Where the bridge finds the broker.
    pub broker: Option<u16>,
    /// Where the bridge finds the functions.
    pub host: Option<u16>,
    /// Where the functions find the database.
    pub database: Option<u16>,
}

/// A running stack. Dropping it ends its processes and removes its data.
#[derive(Debug)]
pub struct Stack {
    services: BTreeMap<&'static str, (Service, Option<Running>)>,
    folder: TempDir,
    database: Option<Database>,
    owner_url: String,
    http: SocketAddr,
    mqtt: SocketAddr,
    mqtt_url: String,
    service_token: String,
}

impl Stack {
    /// Database, broker, host and bridge.
    pub async fn start(options: StackOptions) -> Result<Self> {
        // the database's account must be able to enter
        let all_enter = Permissions::from_mode(0o755);
        let folder = tempfile::Builder::new().prefix("pm-stack-").permissions(all_enter).tempdir()?;
        make_dir(&folder.path().join("logs"))?;
        let secrets = Secrets::load_or_make(&folder.path().join("secrets"))?;
        let http = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let mqtt = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let mut stack = Self {
            services: BTreeMap::new(),
            folder,
            database: None,
            owner_url: String::new(),
            http,
            mqtt,
            mqtt_url: format!("mqtt://{mqtt}"),
            service_token: secrets.service_token.clone(),
        };
        let urls = if options.own_database {
            stack.own_database(&secrets).await?
        } else {
            let database = database().await?;
            stack.owner_url = database.url().to_owned();
            let urls = database.urls().clone();
            stack.database = Some(database);
            urls
        };
        let urls = urls.map(|url| detour(url, options.proxy_ports.database))?;
        if options.demo {
            seed(&stack.owner_url).await?;
        }
        let broker = match options.broker {
            Broker::Embedded => broker_service(mqtt)?,
            Broker::Mosquitto | Broker::MosquittoWithRules => {
                stack.mqtt_url = format!("mqtt://bridge:{}@{mqtt}", secrets.service_token);
                let with_rules = options.broker == Broker::MosquittoWithRules;
                mosquitto_service(mqtt, &secrets.service_token, stack.folder.path(), with_rules)?
            }
        };
        stack.launch(broker).await?;
        let with_environment = |service: Service| {
            options.environment.iter().fold(service, |service, (key, value)| service.env(key, value))
        };
        let host = with_variables(host_service(&manifest(), &[http])?, &urls, &secrets)?;
        let variable = |name: &str| {
            let given = options.environment.iter().find(|(key, _)| key == name);
            given.map(|(_, value)| value.clone())
        };
        let runtime_config = write_runtime_config(stack.folder.path(), &blocked_networks(variable))?;
        let host = with_runtime_config(host, &runtime_config).env("SPIN_VARIABLE_SIMULATOR", "true");
        let host = if options.hosted_limits { host.args(["--hosted-limits"]) } else { host };
        stack.launch(with_environment(host)).await?;
        if !options.without_bridge {
            let spool = stack.spool();
            let mqtt_url = detour(&stack.mqtt_url, options.proxy_ports.broker)?;
            let mut functions = http;
            functions.set_port(options.proxy_ports.host.unwrap_or(http.port()));
            let bridge = bridge_service(functions, &mqtt_url, &secrets.service_token, &spool)?;
            // a test sends no mail by a server that is configured in its environment
            let bridge = bridge.env("PM_SMTP_URL", "").env("EMAIL_SMTP_HOST", "");
            stack.launch(with_environment(bridge)).await?;
        }
        Ok(stack)
    }

    async fn own_database(&mut self, secrets: &Secrets) -> Result<GroupUrls> {
        let programs = tokio::task::spawn_blocking(|| Programs::find_or_fetch(|_| {})).await??;
        let data = self.folder.path().join("db/data");
        // durable: a test that kills it asks what it had promised
        let cluster = Cluster::new(programs, data, free_port()?, secrets.database_owner.clone(), true);
        cluster.init()?;
        self.launch(cluster_service(&cluster)?).await?;
        let client = connect(&cluster.url("postgres")).await?;
        client.batch_execute(&format!("create database {DATABASE}")).await.map_err(sentence)?;
        self.owner_url = cluster.url(DATABASE);
        migrate(&self.owner_url).await?;
        enable_roles(&self.owner_url, &secrets.database_roles).await?;
        GroupUrls::new(&self.owner_url, &secrets.database_roles)
    }

    async fn launch(&mut self, service: Service) -> Result<()> {
        let name = service.name;
        self.services.insert(name, (service, None));
        self.restart(name).await
    }

    /// Where the functions answer.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.http)
    }

    /// The database's address for its owner.
    pub fn db(&self) -> &str {
        &self.owner_url
    }

    /// The broker's address, with user and password where it wants them.
    pub fn mqtt_url(&self) -> &str {
        &self.mqtt_url
    }

    /// What the bridge shows to the functions.
    pub fn service_token(&self) -> &str {
        &self.service_token
    }

    /// Process id of a service that runs.
    pub fn pid(&self, service: &str) -> Option<i32> {
        self.services.get(service).and_then(|(_, running)| running.as_ref()).map(Running::pid)
    }

    /// The broker itself.
    pub fn broker_address(&self) -> SocketAddr {
        self.mqtt
    }

    /// The host itself.
    pub fn host_address(&self) -> SocketAddr {
        self.http
    }

    /// The database server itself.
    pub fn database_address(&self) -> Result<SocketAddr> {
        address_in(&self.owner_url)
    }

    /// Has mosquitto saved something, such as a subscription to a topic? It saves once a second.
    pub fn broker_has_saved(&self, text: &str) -> bool {
        let saved = std::fs::read(self.folder.path().join("mosquitto.db")).unwrap_or_default();
        saved.windows(text.len()).any(|window| window == text.as_bytes())
    }

    /// The folder in which the bridge keeps what it could not deliver yet.
    pub fn spool(&self) -> PathBuf {
        self.folder.path().join("spool")
    }

    /// Gives a service another environment variable, from its next start on.
    pub fn set_env(&mut self, service: &str, key: &str, value: &str) -> Result<()> {
        let (spec, _) = self.services.get_mut(service).with_context(|| format!("no service {service}"))?;
        spec.environment.push((key.to_owned(), value.to_owned()));
        Ok(())
    }

    /// What a service wrote.
    pub fn log(&self, service: &str) -> String {
        std::fs::read_to_string(log_path(&self.logs(), service)).unwrap_or_default()
    }

    fn logs(&self) -> PathBuf {
        self.folder.path().join("logs")
    }

    /// Kills `database` (when it is the stack's own), `broker`, `host` or `bridge` as kill -9 does.
    pub async fn kill(&mut self, service: &str) -> Result<()> {
        let (_, running) = self.services.get_mut(service).with_context(|| format!("no service {service}"))?;
        running.take().with_context(|| format!("{service} does not run"))?.reaped().await;
        Ok(())
    }

    /// Starts a service that was killed, and waits until it is ready.
    pub async fn restart(&mut self, service: &str) -> Result<()> {
        let logs = self.logs();
        let (spec, running) =
            self.services.get_mut(service).with_context(|| format!("no service {service}"))?;
        ensure!(running.is_none(), "{service} runs already");
        let end = Instant::now() + AGAIN;
        let started = loop {
            let mut started = spec.spawn(&logs)?;
            let ready = tokio::select! {
                ready = spec.ready.wait(LIMIT) => ready,
                _ = started.wait() => false,
            };
            if ready {
                break started;
            }
            ensure!(
                Instant::now() < end,
                "the {service} did not start: {}",
                last_line_quoted(&log_path(&logs, service))
            );
            // a database that was killed starts when its last process has ended; the supervisor tries again, too
            sleep(Duration::from_millis(250)).await;
        };
        *running = Some(started);
        Ok(())
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // in this order, so that the last line of a service is not about another one that is gone
        for name in ["bridge", "host", "broker", "database"] {
            self.services.remove(name);
        }
    }
}

/// The address in a URL such as `mqtt://user:password@127.0.0.1:1883/rest`.
fn address_in(url: &str) -> Result<SocketAddr> {
    let url = Url::parse(url)?;
    let host = url.host_str().context("the URL names no host")?.parse();
    Ok(SocketAddr::new(
        host.context("no address of this machine")?,
        url.port().context("the URL names no port")?,
    ))
}

/// The URL with another port.
fn detour(url: &str, port: Option<u16>) -> Result<String> {
    let mut url = Url::parse(url)?;
    if port.is_some() {
        url.set_port(port).map_err(|()| anyhow!("the URL names no host"))?;
    }
    Ok(url.into())
}

/// The manifest of this workspace.
pub fn manifest() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new("/")).join("spin.toml")
}

/// mosquitto as `deploy/mosquitto` describes it, on loopback without TLS.
fn mosquitto_service(
    address: SocketAddr,
    password: &str,
    folder: &Path,
    with_rules: bool,
) -> Result<Service> {
    let described = manifest().with_file_name("deploy").join("mosquitto");
    let rules = described.join("acl");
    let program =
        ["/usr/sbin/mosquitto", "/usr/bin/mosquitto"].into_iter().find(|path| Path::new(path).exists());
    let program = program.context("mosquitto is not installed: apt-get install -y mosquitto")?;
    let (users, config) = (folder.join("mosquitto.users"), folder.join("mosquitto.conf"));
    std::fs::write(&users, "").context("cannot write mosquitto's users")?;
    let named = std::fs::read_to_string(&rules).context("cannot read deploy/mosquitto/acl")?;
    for user in named.lines().filter_map(|line| line.strip_prefix("user ")) {
        let password = if user == "bridge" { password } else { GATEWAY_PASSWORD };
        let made = std::process::Command::new("mosquitto_passwd")
            .args(["-b", &users.display().to_string(), user, password])
            .output()
            .context("cannot run mosquitto_passwd")?;
        ensure!(made.status.success(), "mosquitto_passwd: {}", String::from_utf8_lossy(&made.stderr));
    }
    let text = std::fs::read_to_string(described.join("mosquitto.conf"));
    let text = text.context("cannot read deploy/mosquitto/mosquitto.conf")?;
    let mut lines: Vec<String> = text
        .lines()
        .filter_map(|line| match line.split(' ').next() {
            Some("listener") => Some(format!("listener {} {}", address.port(), address.ip())),
            Some("certfile" | "keyfile") => None,
            Some("password_file") => Some(format!("password_file {}", users.display())),
            Some("acl_file") => with_rules.then(|| format!("acl_file {}", rules.display())),
            Some("persistence_location") => Some(format!("persistence_location {}/", folder.display())),
            _ => Some(line.to_owned()),
        })
        .collect();
    if rustix::process::geteuid().is_root() {
        lines.push("user root".to_owned());
    }
    let text = lines.join("\n") + "\n";
    std::fs::write(&config, text).context("cannot write mosquitto's configuration")?;
    Ok(Service::new("broker", program, Ready::Listens(address)).args(["-c", &config.display().to_string()]))
}
