//! `load api`: the requests that pages make, over a filled database into which readings flow.

use crate::{
    chart,
    client::{Ask, Connection, Endpoint, measure},
    fleet::Fleet,
    latency::Marks,
    machine::Machine,
    process::usages,
    publisher::Load,
    record,
    stage::PROCESSES,
};
use anyhow::{Context, Result};
use clap::Args;
use http::Method;
use pm_migrations::connect;
use pm_stack::demo::USERS;
use pm_test_support::{Broker, Stack, StackOptions};
use serde::Serialize;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Instant};
use tokio_postgres::Client;
use uuid::Uuid;

/// What is asked for.
#[derive(Args)]
pub(crate) struct Options {
    /// Readings that are stored beforehand, over the last day; at least half a million
    #[arg(long, default_value_t = 10_000_000)]
    stored: i64,
    /// Readings per second that flow in meanwhile
    #[arg(long, default_value_t = 2000.0)]
    rate: f64,
    /// How long each request is repeated, in seconds
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Connections that ask at one time
    #[arg(long, default_value_t = 10)]
    connections: usize,
    /// Only requests whose name contains this
    #[arg(long, default_value = "")]
    only: String,
    /// Folder for the results
    #[arg(long, default_value = "tests/load/results")]
    out: PathBuf,
    /// Name of the results' files
    #[arg(long, default_value = "api")]
    name: String,
}

/// The result of a run, as it is kept.
#[derive(Serialize)]
pub(crate) struct Report {
    machine: Machine,
    stored_readings: i64,
    readings_per_s: f64,
    connections: usize,
    /// The requests in their order.
    pub(crate) endpoints: Vec<Measured>,
}

/// One request.
#[derive(Serialize)]
pub(crate) struct Measured {
    #[serde(flatten)]
    endpoint: Endpoint,
    /// Processors used by each part meanwhile; `load` is this program.
    cpu: BTreeMap<&'static str, f64>,
}

impl std::ops::Deref for Measured {
    type Target = Endpoint;

    fn deref(&self) -> &Endpoint {
        &self.endpoint
    }
}

const FLEET: Fleet = Fleet { machines: 200, sensors: 10 };

/// Measures and tells.
pub(crate) async fn run(options: Options) -> Result<()> {
    let machine = Machine::here();
    println!("{machine}");
    println!("starting a system of its own");
    let broker = Broker::Mosquitto;
    let stack =
        Stack::start(StackOptions { broker, own_database: true, demo: true, ..Default::default() }).await?;
    let db = connect(stack.db()).await?;
    FLEET.enter(&db).await.context("cannot enter the machines")?;
    let began = Instant::now();
    fill(&db, options.stored).await.context("cannot fill the database")?;
    println!("{} readings stored in {:.0} s", options.stored, began.elapsed().as_secs_f64());
    let load = Load::start(stack.mqtt_url(), FLEET, options.rate, 1, &Arc::new(Marks::default()))?;
    // scoring has begun, caches are filled
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    println!("{:.0} readings/s flow in; {} connections ask\n", options.rate, options.connections);
    println!(
        "{:<12} {:>10} {:>8} {:>8} {:>8} {:>9}   processors used",
        "", "requests/s", "p50 ms", "p99 ms", "max ms", "bytes"
    );
    let mut endpoints = Vec::new();
    for (name, ask) in asks(&stack, &db).await?.into_iter().filter(|(name, _)| name.contains(&options.only)) {
        let before = cpu_s(&stack);
        let began = Instant::now();
        let endpoint = measure(&stack.base_url(), name, ask, options.connections, options.seconds).await?;
        let seconds = began.elapsed().as_secs_f64();
        let cpu = cpu_s(&stack).into_iter().map(|(p, s)| (p, (s - before[p]) / seconds)).collect();
        let measured = Measured { endpoint, cpu };
        println!("{}", line(&measured));
        endpoints.push(measured);
    }
    load.finish().await?;
    let report = Report {
        machine,
        stored_readings: options.stored,
        readings_per_s: options.rate,
        connections: options.connections,
        endpoints,
    };
    record::keep(&options.out, &options.name, &report, &chart::api(&report))
}

fn cpu_s(stack: &Stack) -> BTreeMap<&'static str, f64> {
    usages(stack, &PROCESSES).into_iter().map(|(process, usage)| (process, usage.cpu_s)).collect()
}

fn line(m: &Measured) -> String {
    let used: Vec<String> = m.cpu.iter().map(|(part, cpu)| format!("{part} {cpu:.2}")).collect();
    let l = &m.latency;
    format!(
        "{:<12} {:>10.0} {:>8.1} {:>8.1} {:>8.1} {:>9}   {}",
        m.name,
        m.requests_per_s,
        l.p50_ms,
        l.p99_ms,
        l.max_ms,
        m.answer_bytes,
        used.join(", ")
    )
}

async fn asks(stack: &Stack, db: &Client) -> Result<Vec<(&'static str, Ask)>> {
    let (email, password, ..) = USERS[0];
    let login = Ask {
        method: Method::POST,
        path: "/users/login".to_owned(),
        form: Some(format!("username={email}&password={password}")),
        token: None,
    };
    let answer = Connection::open(&stack.base_url()).await?.ask(&login).await?;
    let pair: serde_json::Value = serde_json::from_slice(&answer)?;
    let token = pair["access_token"].as_str().context("the login gave no token")?.to_owned();
    let sensor: Uuid = db.query_one("select id from sensors where mqtt_id = 's3' limit 1", &[]).await?.get(0);
    let get = |path: String| Ask { method: Method::GET, path, form: None, token: Some(token.clone()) };
    Ok(vec![
        ("overview", get("/dashboard/overview".to_owned())),
        ("logs", get("/sensor-data/logs?limit=100".to_owned())),
        ("machines", get("/machines?limit=50".to_owned())),
        ("trend 24h", get(format!("/sensors/{sensor}/trend?interval=24h"))),
        ("login", login),
    ])
}

/// Readings of all sensors with their roll-ups: evenly over the last day, then every second for as long as the scorer looks
/// back at first. They are what the sensors publish from then on, so that the start is no news to anybody.
async fn fill(db: &Client, count: i64) -> Result<()> {
    const RECENT_S: i64 = 240;
    let sensors = FLEET.all() as i64;
    let per_hour = (count - RECENT_S * sensors) / sensors / 24;
    let insert = format!(
        "insert into sensor_data (time, sensor_id, machine_id, value, status)
         select at, s.id, s.machine_id, {}, 0
         from (select s.id, s.machine_id, {} as number
               from sensors s join machines m on m.id = s.machine_id where m.mqtt_id like 'load-%') s,
              generate_series(0, $1::int8 - 1) k,
              lateral (select now() - ($2::float8 + (k * 1.0 + s.number * 0.0001) * $3::float8) * interval '1 second' as at) t",
        Fleet::VALUE_IN_SQL,
        Fleet::NUMBER_IN_SQL
    );
    // by the hour: each piece goes into one chunk
    for hour in (0..24).rev() {
        let (begin_s, step_s) = (f64::from(hour * 3600) + RECENT_S as f64, 3600.0 / per_hour.max(1) as f64);
        db.execute(&insert, &[&per_hour, &begin_s, &step_s]).await?;
    }
    db.execute(&insert, &[&RECENT_S, &0.0, &1.0]).await?;
    db.batch_execute(
        "insert into rollup_changes (minute, readings)
         select time_bucket('1 minute', time), count(*) from sensor_data group by 1;
         select roll_up(600000, now() - interval '65 seconds');
         select count_up(null, time_bucket('1 minute', now()), 'epoch', now() - interval '1 day', now() + interval '1 minute');",
    )
    .await?;
    // outside of a transaction each
    db.simple_query("vacuum analyze").await?;
    Ok(())
}
