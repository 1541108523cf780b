//! The `pm-stack` command: the stack as a whole, and each of its pieces.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, Parser, Subcommand, ValueEnum};
use pm_stack::data::DataDir;
use pm_stack::secrets::Secrets;
use pm_stack::up::{HostKind, UpOptions};
use pm_stack::{backup, broker, cluster, service, up};
use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The predictive-maintenance platform on one machine.
#[derive(Parser)]
#[command(name = "pm-stack")]
struct Cli {
    #[command(subcommand)]
    command: Cmd,
}

#[derive(Args)]
struct Data {
    /// Folder of data, secrets and logs.
    #[arg(long, default_value = ".pm")]
    data_dir: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Runner {
    Local,
    Spin,
}

#[derive(Subcommand)]
enum Cmd {
    /// Start everything and keep it running until Ctrl-C.
    Up(Up),
    /// Compile the components for the local host now, so that its next start need not.
    Compile {
        /// The application's manifest.
        #[arg(long, default_value = "spin.toml")]
        manifest: PathBuf,
    },
    /// Stop a stack that runs elsewhere.
    Down(Data),
    /// Say what runs; exit code 3 when nothing does.
    Status(Data),
    /// Follow the logs of one service, or of all.
    Logs {
        #[command(flatten)]
        data: Data,
        /// database, broker, host, bridge or simulator.
        service: Option<String>,
    },
    /// Remove all data of the stack.
    Reset {
        #[command(flatten)]
        data: Data,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Make a new service token for bridge and functions; a stack that runs takes it over without losing a message.
    RotateToken(Data),
    /// Sign tokens with a new key; a stack that runs takes it over. Tokens of the keys before it stay good.
    RotateKeys(Data),
    /// Run the embedded MQTT broker.
    Broker {
        /// Where to listen.
        #[arg(long, default_value = "127.0.0.1:1883")]
        mqtt: SocketAddr,
    },
    /// The private database without the rest of the stack.
    Db {
        #[command(flatten)]
        data: Data,
        #[command(subcommand)]
        action: Db,
    },
    /// Write the database to a file: that of the stack, or the one at DATABASE_URL. Whatever runs may go on.
    Backup {
        /// The file, which must not be there yet. It holds secrets.
        file: PathBuf,
        #[command(flatten)]
        data: Data,
    },
    /// Put a backup into the database of a stopped stack, or into the one at DATABASE_URL.
    Restore {
        /// What `backup` wrote.
        file: PathBuf,
        #[command(flatten)]
        data: Data,
        /// Replace a database that is not empty.
        #[arg(long)]
        overwrite: bool,
    },
}

#[derive(Args)]
struct Up {
    #[command(flatten)]
    data: Data,
    /// The application's manifest.
    #[arg(long, default_value = "spin.toml")]
    manifest: PathBuf,
    /// Where HTTP is served [default: 127.0.0.1:8000,127.0.0.1:3000; with Spin only the first].
    #[arg(long, value_delimiter = ',')]
    http: Vec<SocketAddr>,
    /// Where the embedded broker listens; MQTT_URL names another broker.
    #[arg(long, default_value = "127.0.0.1:1883")]
    mqtt: SocketAddr,
    /// Do not publish simulated readings.
    #[arg(long)]
    no_simulator: bool,
    /// Add demonstration users and machines.
    #[arg(long)]
    demo: bool,
    /// What runs the components.
    #[arg(long, value_enum, default_value = "local")]
    host: Runner,
}

#[derive(Subcommand)]
enum Db {
    /// Start it in the background.
    Start,
    /// Stop it.
    Stop,
    /// Say whether it runs; exit code 3 when not.
    Status,
    /// Print its address, password included.
    Url,
    /// Open psql on it; further arguments are psql's.
    Psql {
        /// Arguments of psql.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    // what this program and its services write is for their user alone
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    allow_many_files();
    pm_log::start("pm-stack", "info,rumqttd=warn,tokio_postgres=warn");
    match run(Cli::parse().command).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\npm: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// As many open files as the system permits: every connection of a client is one.
fn allow_many_files() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

const NOT_RUNNING: u8 = 3;

async fn run(command: Cmd) -> Result<ExitCode> {
    match command {
        Cmd::Up(options) => up::run(up_options(options)?).await?,
        Cmd::Compile { manifest } => up::compile(&manifest)?,
        Cmd::Down(Data { data_dir }) => {
            let stopped = data_dir.exists() && DataDir::open(&data_dir)?.stop()?;
            println!("{}", if stopped { "Stopped." } else { "Nothing was running." });
        }
        Cmd::Status(Data { data_dir }) => return status(&data_dir).await,
        Cmd::Logs { data, service } => return logs(&data.data_dir, service.as_deref()),
        Cmd::Reset { data, yes } => reset(&data.data_dir, yes)?,
        Cmd::RotateToken(Data { data_dir }) => {
            let running = DataDir::open(&data_dir)?.rotate_token()?;
            println!(
                "The service token is new{}.",
                if running { "; host and bridge take it over now" } else { "" }
            );
        }
        Cmd::RotateKeys(Data { data_dir }) => {
            let running = DataDir::open(&data_dir)?.rotate_keys()?;
            println!(
                "Tokens are signed with a new key{}. Nobody is signed out.",
                if running { " as soon as the host has it" } else { "" }
            );
        }
        Cmd::Broker { mqtt } => tokio::task::block_in_place(|| broker::run(mqtt))?,
        Cmd::Db { data, action } => return db(&data.data_dir, action).await,
        Cmd::Backup { file, data } => backup_to(&file, &data.data_dir).await?,
        Cmd::Restore { file, data, overwrite } => restore_from(&file, &data.data_dir, overwrite).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn up_options(given: Up) -> Result<UpOptions> {
    let manifest = given.manifest.canonicalize();
    let manifest = manifest
        .with_context(|| format!("there is no {}: run this in the clone", given.manifest.display()))?;
    let host = match given.host {
        Runner::Local => HostKind::Local,
        Runner::Spin => HostKind::Spin,
    };
    let mut http = given.http;
    if http.is_empty() {
        http.push(SocketAddr::from(([127, 0, 0, 1], 8000)));
        if host == HostKind::Local {
            http.push(SocketAddr::from(([127, 0, 0, 1], 3000)));
        }
    }
    Ok(UpOptions {
        manifest,
        data_dir: given.data.data_dir,
        http,
        mqtt: given.mqtt,
        mqtt_url: variable("MQTT_URL"),
        database_url: variable("DATABASE_URL"),
        app_database_url: variable("PM_APP_DATABASE_URL"),
        simulator: !given.no_simulator,
        demo: given.demo,
        host,
    })
}

async fn status(data_dir: &Path) -> Result<ExitCode> {
    let running = data_dir.exists() && DataDir::open(data_dir)?.is_running()?;
    if !running {
        println!("Nothing is running.");
        return Ok(ExitCode::from(NOT_RUNNING));
    }
    let Some(status) = DataDir::open(data_dir)?.read_status() else {
        println!("Starting.");
        return Ok(ExitCode::SUCCESS);
    };
    println!("  {:<10} {:>8}  {:>8}  last end", "service", "process", "restarts");
    for service in &status.services {
        let pid = service.pid.map_or_else(|| "down".to_owned(), |pid| pid.to_string());
        println!(
            "  {:<10} {pid:>8}  {:>8}  {}",
            service.name,
            service.restarts,
            service.last_end.as_deref().unwrap_or("-")
        );
    }
    let address = status.http.first().context("status.json names no address")?;
    match service::http_get(*address, "/health/ready").await {
        Ok((200, _)) => println!("http://{address} is ready."),
        Ok((code, body)) => println!("http://{address} is not ready: {code} {body}"),
        Err(error) => println!("http://{address} does not answer: {error:#}"),
    }
    let all = status.services.iter().all(|service| service.pid.is_some());
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn logs(data_dir: &Path, service: Option<&str>) -> Result<ExitCode> {
    let folder = data_dir.join("logs");
    let mut files: Vec<PathBuf> = match service {
        Some(service) => vec![service::log_path(&folder, service)],
        None => std::fs::read_dir(&folder)
            .with_context(|| {
                format!("there are no logs in {}: start the stack with ./pm up", folder.display())
            })?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
            .collect(),
    };
    files.sort();
    ensure!(
        !files.is_empty() && files.iter().all(|file| file.exists()),
        "there is no such log in {}: the services are database, broker, host, bridge and simulator",
        folder.display()
    );
    let status =
        Command::new("tail").args(["-n", "50", "-F"]).args(&files).status().context("cannot run tail")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn reset(data_dir: &Path, yes: bool) -> Result<()> {
    if !data_dir.exists() {
        println!("There is nothing in {}.", data_dir.display());
        return Ok(());
    }
    let data = DataDir::open(data_dir)?;
    ensure!(!data.is_running()?, "the stack runs: stop it first with ./pm down");
    if !yes {
        print!("Remove the database, secrets and logs in {}? [y/N] ", data.path().display());
        std::io::stdout().flush()?;
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer)?;
        if !matches!(answer.trim(), "y" | "Y" | "yes") {
            bail!("nothing was removed");
        }
    }
    data.remove()?;
    println!("Removed {}.", data.path().display());
    Ok(())
}

/// Does `work` on the database at DATABASE_URL, or on the stack's own, which is started for as long as it takes.
async fn with_database(
    data_dir: &Path,
    work: impl AsyncFnOnce(&str, &cluster::Programs) -> Result<()>,
) -> Result<()> {
    let tell = |text: &str| eprintln!("{text} …");
    if let Some(url) = variable("DATABASE_URL") {
        let programs = tokio::task::block_in_place(|| cluster::Programs::find_or_fetch(tell))?;
        return work(&url, &programs).await;
    }
    let data = DataDir::open(data_dir)?;
    let cluster = data.cluster(&Secrets::load_or_make(&data.secrets())?, tell)?;
    let ran = cluster.is_running()?;
    if !ran {
        cluster.init()?;
        cluster.start_detached()?;
    }
    let result = work(&cluster.url(cluster::DATABASE), cluster.programs()).await;
    if !ran {
        cluster.stop_detached()?;
    }
    result
}

async fn backup_to(file: &Path, data_dir: &Path) -> Result<()> {
    ensure!(
        variable("DATABASE_URL").is_some() || data_dir.exists(),
        "there is no {}: start the stack first, or set DATABASE_URL",
        data_dir.display()
    );
    with_database(data_dir, async |url, programs| {
        let made = backup::backup(url, programs, file).await?;
        println!(
            "Wrote {} ({:.1} MB). It holds secrets: keep it safe.",
            file.display(),
            made.bytes as f64 / 1e6
        );
        Ok(())
    })
    .await
}

async fn restore_from(file: &Path, data_dir: &Path, overwrite: bool) -> Result<()> {
    ensure!(
        variable("DATABASE_URL").is_some() || !data_dir.exists() || !DataDir::open(data_dir)?.is_running()?,
        "the stack runs: stop it first with ./pm down"
    );
    with_database(data_dir, async |url, programs| backup::restore(url, programs, file, overwrite).await)
        .await?;
    println!("Restored {}. Start the stack with ./pm up; everybody logs in again.", file.display());
    Ok(())
}

async fn db(data_dir: &Path, action: Db) -> Result<ExitCode> {
    let data = DataDir::open(data_dir)?;
    let secrets = Secrets::load_or_make(&data.secrets())?;
    let cluster = data.cluster(&secrets, |text| eprintln!("{text} …"))?;
    match action {
        Db::Start => {
            cluster.init()?;
            cluster.start_detached()?;
            up::create_database(&cluster).await?;
            println!("The database listens on 127.0.0.1:{}.", cluster.port());
        }
        Db::Stop => {
            cluster.stop_detached()?;
            println!("The database is stopped.");
        }
        Db::Status if cluster.is_running()? => {
            println!("The database listens on 127.0.0.1:{}.", cluster.port())
        }
        Db::Status => {
            println!("The database does not run.");
            return Ok(ExitCode::from(NOT_RUNNING));
        }
        Db::Url => println!("{}", cluster.url(cluster::DATABASE)),
        Db::Psql { arguments } => {
            let psql = cluster.programs().path("psql");
            let status = Command::new(&psql)
                .args(["-h", "127.0.0.1", "-p", &cluster.port().to_string(), "-U", cluster::OWNER])
                .args(["-d", cluster::DATABASE])
                .args(arguments)
                .env("PGPASSWORD", &secrets.database_owner)
                .status();
            let status = status.with_context(|| format!("cannot run {}", psql.display()))?;
            return Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
    }
    Ok(ExitCode::SUCCESS)
}
