//! Faults under load. Whatever happens to a part or between two of them: nothing that was acknowledged is lost, nothing
//! is doubled, the system comes back by itself, and `/status` names the fault while it lasts.
//!
//! The order of faults is random; `PM_FAULT_SEED` (printed by every test) repeats one. [`planted`] makes faults on
//! purpose that the [`checker`] must find.

mod checker;
mod clocks;
mod database;
mod functions;
mod http_proxy;
mod kills;
mod network;
mod payloads;
mod planted;
mod relay;
mod rotation;
mod sensors;
mod spool;
mod undated;

use crate::client::Client;
use anyhow::{Context, Result, bail};
use http_proxy::HttpProxy;
use pm_test_support::{Broker, ProxyPorts, Stack, StackOptions};
use relay::Relay;
use sensors::{Plan, Sensors};
use serde_json::{Value, json};
use std::{fmt, time::Duration};
use tokio::time::{Instant, sleep, timeout};

/// Messages per second that the sensors publish during a fault.
const PER_SECOND: u64 = 1000;
/// Longest wait for what must come by itself.
const LIMIT: Duration = Duration::from_secs(60);

/// A stack with a relay on every way.
struct Stage {
    stack: Stack,
    client: Client,
    /// Sensors to broker.
    sensors_way: Relay,
    /// Bridge to broker.
    broker_way: Relay,
    /// Bridge to host; behind it stands the HTTP proxy.
    host_way: Relay,
    http_proxy: HttpProxy,
    /// Host to database.
    database_way: Relay,
    random: Random,
    began: Instant,
}

impl Stage {
    async fn new(broker: Broker, own_database: bool) -> Result<Self> {
        let random = Random::seeded();
        let (sensors_way, broker_way) = (Relay::start().await?, Relay::start().await?);
        let (host_way, database_way) = (Relay::start().await?, Relay::start().await?);
        let proxy_ports = ProxyPorts {
            broker: Some(broker_way.port()),
            host: Some(host_way.port()),
            database: Some(database_way.port()),
        };
        let http_proxy = HttpProxy::start().await?;
        host_way.lead_to(http_proxy.address());
        let options =
            StackOptions { broker, own_database, proxy_ports, demo: true, ..StackOptions::default() };
        let stack = Stack::start(options).await?;
        sensors_way.lead_to(stack.broker_address());
        broker_way.lead_to(stack.broker_address());
        http_proxy.lead_to(stack.host_address());
        database_way.lead_to(stack.database_address()?);
        let client = Client::new(&stack.base_url());
        let stage = Self {
            stack,
            client,
            sensors_way,
            broker_way,
            host_way,
            http_proxy,
            database_way,
            random,
            began: Instant::now(),
        };
        stage.until_status("the bridge is connected", |s| s["mqtt"]["connected"] == true).await?;
        Ok(stage)
    }

    /// The broker as the sensors see it.
    fn sensors_url(&self) -> String {
        let (real, way) = (self.stack.broker_address(), self.sensors_way.address());
        self.stack.mqtt_url().replace(&real.to_string(), &way.to_string())
    }

    fn sensors(&self, plan: Plan) -> Result<Sensors> {
        Sensors::start(&self.sensors_url(), plan)
    }

    /// Prints what happens, and when.
    fn note(&self, what: fmt::Arguments<'_>) {
        eprintln!("{:>5.1} s  {what}", self.began.elapsed().as_secs_f64());
    }

    /// Sensors stop, everything is stored once, and the system says that it is well again.
    async fn check(&self, sensors: Sensors) -> Result<()> {
        let published = sensors.finish().await.with_context(|| self.last_words())?;
        checker::all_stored_once(self.stack.db(), published).await.with_context(|| self.last_words())?;
        self.until_status("all is well again", well).await
    }

    /// What `/status` says; null while nothing answers.
    async fn status(&self) -> Value {
        let asked = timeout(Duration::from_secs(15), self.client.get("/status")).await;
        asked.ok().and_then(Result::ok).and_then(|a| a.json().ok()).unwrap_or(json!(null))
    }

    /// Waits until `/status` says so.
    async fn until_status(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Result<()> {
        let end = Instant::now() + LIMIT;
        loop {
            let status = self.status().await;
            if holds(&status) {
                return Ok(());
            }
            if Instant::now() > end {
                bail!("/status does not say: {what}; but: {status}\n{}", self.last_words());
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until mosquitto has this text on disk.
    async fn until_broker_has_saved(&self, text: &str) -> Result<()> {
        let saved = async {
            while !self.stack.broker_has_saved(text) {
                sleep(Duration::from_millis(50)).await;
            }
        };
        let in_time = timeout(LIMIT, saved).await;
        in_time.with_context(|| format!("the broker does not save {text}\n{}", self.last_words()))
    }

    fn last_words(&self) -> String {
        let tail = |part: &str| {
            let log = self.stack.log(part);
            let lines: Vec<_> = log.lines().rev().take(15).collect();
            lines.into_iter().rev().collect::<Vec<_>>().join("\n")
        };
        format!("bridge: {}\nhost: {}", tail("bridge"), tail("host"))
    }
}

/// All parts are there, and nothing waits.
fn well(status: &Value) -> bool {
    status["database"]["status"] == "connected"
        && status["mqtt"]["connected"] == true
        && status["mqtt"]["bridge"]["spool_batches"] == 0
        && status["mqtt"]["bridge"]["queue_size"] == 0
}

/// Something waits on the bridge's disk.
fn spools(status: &Value) -> bool {
    status["mqtt"]["bridge"]["spool_batches"].as_u64().is_some_and(|n| n > 0)
}

/// Numbers that a seed gives again.
struct Random(fastrand::Rng);

impl Random {
    fn seeded() -> Self {
        let seed = std::env::var("PM_FAULT_SEED").ok().and_then(|s| s.parse().ok());
        let seed = seed.unwrap_or_else(|| fastrand::u64(..));
        eprintln!("PM_FAULT_SEED={seed}");
        Self(fastrand::Rng::with_seed(seed))
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0.u64(..bound)
    }

    fn shuffled<T>(&mut self, mut items: Vec<T>) -> Vec<T> {
        self.0.shuffle(&mut items);
        items
    }
}

/// A pause in the sensors' time: this many messages are acknowledged between one event and the next.
fn a_while(random: &mut Random) -> u64 {
    PER_SECOND / 4 + random.below(PER_SECOND / 2)
}
