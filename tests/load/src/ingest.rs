//! `load ingest`: a rate, or rates that grow, held one after the other.

use crate::{
    baseline::{self, Baseline},
    chart,
    fleet::Fleet,
    machine::Machine,
    record,
    stage::{Bench, PROCESSES, Stage},
};
use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use pm_migrations::connect;
use pm_test_support::{Broker, Stack, StackOptions};
use serde::Serialize;
use std::path::PathBuf;

/// What is asked for.
#[derive(Args)]
pub(crate) struct Options {
    /// Readings per second; several, separated by commas, are held one after the other
    #[arg(long, value_delimiter = ',', default_value = "5000,10000,20000,30000,40000,50000")]
    rate: Vec<f64>,
    /// How long each rate is held, in seconds
    #[arg(long, default_value_t = 20.0)]
    seconds: f64,
    /// Machines that publish
    #[arg(long, default_value_t = 200)]
    machines: usize,
    /// Sensors of each; one message carries a value of all of them
    #[arg(long, default_value_t = 10)]
    sensors: usize,
    /// Connections that publish
    #[arg(long, default_value_t = 2)]
    connections: usize,
    /// The broker
    #[arg(long, value_enum, default_value_t = BrokerKind::Mosquitto)]
    broker: BrokerKind,
    /// Environment of host and bridge, NAME=VALUE, such as PM_BATCH_MAX=5000; repeatable
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    set: Vec<(String, String)>,
    /// Leave out what the database can do alone
    #[arg(long)]
    no_baseline: bool,
    /// Folder for the results
    #[arg(long, default_value = "tests/load/results")]
    out: PathBuf,
    /// Name of the results' files
    #[arg(long, default_value = "ingest")]
    name: String,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
enum BrokerKind {
    Mosquitto,
    Embedded,
}

/// The result of a run, as it is kept.
#[derive(Serialize)]
pub(crate) struct Report {
    machine: Machine,
    broker: BrokerKind,
    machines: usize,
    sensors_per_machine: usize,
    connections: usize,
    /// Environment of host and bridge that differed from the usual.
    set: Vec<(String, String)>,
    /// The stages in their order.
    pub(crate) stages: Vec<Stage>,
    /// The database alone.
    pub(crate) baseline: Option<Baseline>,
    /// The best rate stored as a share of plain inserts and of COPY.
    ratio: Option<(f64, f64)>,
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("a variable is given as NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Measures and tells.
pub(crate) async fn run(options: Options) -> Result<()> {
    let machine = Machine::here();
    println!("{machine}");
    println!("starting a system of its own");
    let broker = match options.broker {
        BrokerKind::Mosquitto => Broker::Mosquitto,
        BrokerKind::Embedded => Broker::Embedded,
    };
    let environment = options.set.clone();
    let stack =
        Stack::start(StackOptions { broker, own_database: true, environment, ..Default::default() }).await?;
    let db = connect(stack.db()).await?;
    let fleet = Fleet { machines: options.machines, sensors: options.sensors };
    fleet.enter(&db).await.context("cannot enter the machines")?;
    let bench = Bench { stack: &stack, db: &db, fleet, connections: options.connections };
    println!("{} machines with {} sensors each publish\n", fleet.machines, fleet.sensors);
    println!("{}", heading());
    let mut stages = Vec::new();
    for rate in &options.rate {
        let stage = bench.stage(*rate, options.seconds).await.inspect_err(|_| tell_logs(&stack))?;
        println!("{}", line(&stage));
        stages.push(stage);
    }
    let baseline = if options.no_baseline { None } else { Some(baseline::measure(stack.db()).await?) };
    let best = stages.iter().map(|s| s.stored).fold(0.0, f64::max);
    let ratio = baseline.map(|b| (best / b.insert, best / b.copy));
    if let (Some(b), Some(ratio)) = (baseline, ratio) {
        println!("\nthe same rows into the same table, by the database alone:");
        println!("  insert from arrays {:>8.0}/s   we store {:.0} % of that", b.insert, 100.0 * ratio.0);
        println!("  binary copy        {:>8.0}/s   we store {:.0} % of that", b.copy, 100.0 * ratio.1);
    }
    let report = Report {
        machine,
        broker: options.broker,
        machines: fleet.machines,
        sensors_per_machine: fleet.sensors,
        connections: options.connections,
        set: options.set,
        stages,
        baseline,
        ratio,
    };
    record::keep(&options.out, &options.name, &report, &chart::ingest(&report))
}

fn tell_logs(stack: &Stack) {
    for part in ["host", "bridge"] {
        let log = stack.log(part);
        let lines: Vec<&str> = log.lines().collect();
        eprintln!("last lines of the {part}:\n{}", lines[lines.len().saturating_sub(10)..].join("\n"));
    }
}

fn heading() -> String {
    format!(
        "readings/s                                        ms to queryable       s        MiB    processors used (MiB)\n\
         {:>7} {:>8} {:>8} {:>8} {:>7}  {:>5} {:>5} {:>5}  {:>8} {:>6} {:>6}  {}",
        "asked",
        "offered",
        "acked",
        "stored",
        "scored",
        "p50",
        "p95",
        "p99",
        "unscored",
        "drain",
        "spool",
        PROCESSES.map(|p| format!("{p:<12}")).join(" ") + " load"
    )
}

fn line(s: &Stage) -> String {
    let l = &s.latency;
    let used: Vec<_> = PROCESSES
        .iter()
        .chain(&["load"])
        .map(|p| {
            let of = |map: &std::collections::BTreeMap<&str, f64>| map.get(p).copied().unwrap_or_default();
            format!("{:<12}", format!("{:.2} ({:.0})", of(&s.cpu), of(&s.memory_mib)))
        })
        .collect();
    format!(
        "{:>7.0} {:>8.0} {:>8.0} {:>8.0} {:>7.0}  {:>5.0} {:>5.0} {:>5.0}  {:>8.1} {:>6.1} {:>6.1}  {}",
        s.rate,
        s.offered,
        s.acknowledged,
        s.stored,
        s.scored,
        l.p50_ms,
        l.p95_ms,
        l.p99_ms,
        s.longest_unscored_s,
        s.drained_s,
        s.spool_mib,
        used.join(" ")
    )
}
