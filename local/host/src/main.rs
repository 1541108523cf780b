//! `pm-host`: runs the components of a spin.toml until it is asked to end.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use pm_host::{BlockedNetworks, Host, Limits, Options};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Run the components of spin.toml; variables come from SPIN_VARIABLE_<NAME>.
#[derive(Parser)]
#[command(name = "pm-host", version)]
struct Arguments {
    /// The application's manifest.
    #[arg(long, default_value = "spin.toml")]
    manifest: PathBuf,
    /// Where to listen.
    #[arg(long, value_delimiter = ',', default_value = "127.0.0.1:8000,127.0.0.1:3000")]
    http: Vec<SocketAddr>,
    /// Folder of compiled components, and of copies of files that components may read.
    #[arg(long)]
    cache_dir: PathBuf,
    /// A runtime configuration of Spin, of which [outbound_networking] is read.
    #[arg(long)]
    runtime_config_file: Option<PathBuf>,
    /// Limit requests as hosted functions do: 30 s, 128 MiB, bodies of 10 MiB.
    #[arg(long)]
    hosted_limits: bool,
    /// Connections in all.
    #[arg(long, default_value_t = Limits::default().connections)]
    max_connections: usize,
    /// Connections from one address; a proxy in front of the host is one address.
    #[arg(long, default_value_t = Limits::default().connections_per_address)]
    max_connections_per_address: usize,
    /// Compile the components that are not in the cache yet, and end.
    #[arg(long)]
    compile: bool,
}

/// Every row of every answer is some twenty small allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    pm_log::start("pm-host", "info,tokio_postgres=warn");
    match serve(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: Arguments) -> Result<()> {
    let Arguments { manifest, http, cache_dir, compile, .. } = arguments;
    let mut options = Options::new(cache_dir);
    if arguments.hosted_limits {
        options.limits = Limits::hosted();
    }
    options.limits.connections = arguments.max_connections;
    options.limits.connections_per_address = arguments.max_connections_per_address;
    if let Some(file) = arguments.runtime_config_file {
        options.blocked_networks = BlockedNetworks::load(&file)?;
    }
    if compile {
        return Host::compile(manifest, options).await;
    }
    let host = Host::load(manifest, options).await?;
    let mut listeners = Vec::new();
    for address in &http {
        let listener = TcpListener::bind(address).await;
        listeners.push(
            listener.with_context(|| format!("cannot listen on {address}: choose another with --http"))?,
        );
    }
    tracing::info!(?http, "the host listens");
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    host.serve(listeners, async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
    .await
}
