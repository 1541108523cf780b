//! Measures the whole system on this machine: `./pm bench ingest` and `./pm bench api`.
//!
//! Invariants: everything that is measured runs as it does with `./pm up` (the same programs, a durable database), with a
//! database, ports and folders of its own that are gone afterwards; what was published is counted against what is
//! stored, and a run that lost or doubled a reading fails; results name the machine by what it is, never by its name.
//!
//! Deliberately absent: limits that a run must keep (the figures are read by people), and faults (the integration
//! tests).

mod api;
mod baseline;
mod chart;
mod client;
mod fleet;
mod ingest;
mod latency;
mod machine;
mod process;
mod publisher;
mod record;
mod stage;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "pm-load")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// How many readings a second the system takes in over MQTT, and how soon they can be queried
    Ingest(ingest::Options),
    /// How many requests a second the API answers over a filled database, and how soon
    Api(api::Options),
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    pm_bridge::start_program("pm-load");
    let work = async {
        match cli.command {
            Command::Ingest(options) => ingest::run(options).await,
            Command::Api(options) => api::run(options).await,
        }
    };
    // whatever was started ends when its owner is dropped
    let result = tokio::select! {
        result = work => result,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error:#}");
            ExitCode::FAILURE
        }
    }
}
