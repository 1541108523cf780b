//! The simulator's program: a plant that publishes, or a recorded file.

use anyhow::Context;
use clap::Parser;
use pm_api::Timestamp;
use pm_bridge::config::{TlsFiles, mqtt_options};
use pm_bridge::health::wall_clock;
use pm_bridge::simulator::fault::{Fault, FaultSpec, on_demand};
use pm_bridge::simulator::message::{DeviceState, payload};
use pm_bridge::simulator::plant::plant;
use pm_bridge::simulator::publish::Publisher;
use pm_bridge::simulator::replay;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// Messages without acknowledgement from which on no more are made.
const MAX_UNACKNOWLEDGED: usize = 10_000;
const MAX_DELAY: Duration = Duration::from_secs(2);
const MAX_WAIT: Duration = Duration::from_secs(u32::MAX as u64);
const MIN_WAIT: Duration = Duration::from_millis(1);

/// Publishes the sensor readings of a simulated plant, or of a recorded file.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// Broker: mqtt://[user:password@]host[:port], or mqtts:// for TLS
    #[arg(long, env = "MQTT_URL", default_value = "mqtt://127.0.0.1:1883", hide_env_values = true)]
    mqtt_url: String,
    /// Certificates for TLS
    #[command(flatten)]
    mqtt_tls: TlsFiles,
    /// Readings per second over all sensors; 0: as many as the broker takes [default: 2 per sensor]
    #[arg(long)]
    rate: Option<f64>,
    /// Number of machines; the first four are the documented ones
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    machines: u32,
    /// Sensors per machine
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1000))]
    sensors_per_machine: u32,
    /// Same seed, same signals
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// End after this many seconds
    #[arg(long)]
    duration: Option<f64>,
    /// End after this many messages
    #[arg(long)]
    count: Option<u64>,
    /// A fault that develops: bearing-wear, overheating, leak or stuck-sensor, then [:machine[:sensor]]; repeatable
    #[arg(long)]
    fault: Vec<FaultSpec>,
    /// Seconds from the start until the faults begin
    #[arg(long, default_value_t = 0)]
    fault_onset: i64,
    /// Seconds until the faults are fully developed
    #[arg(long, default_value_t = 600.0)]
    fault_ramp: f64,
    /// Topic for failures on demand: {machine_id, sensor_id, anomaly_type, duration, value_multiplier}
    #[arg(long, default_value = "pm/simulator/control")]
    control_topic: String,
    /// Publish this CSV file instead: timestamp,machine_id,sensor_id,value[,unit[,sensor_type]]
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// Speed of the replay relative to the recording; 0: as fast as the broker accepts
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Replay as if it happened now: each reading is dated when it is published
    #[arg(long)]
    as_now: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    pm_bridge::start_program("simulator");
    match run(&options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> anyhow::Result<()> {
    let client_id = format!("pm-simulator-{}", std::process::id());
    let broker = mqtt_options(&options.mqtt_url, &options.mqtt_tls, &client_id)?;
    let mut source: Box<dyn Source> = match &options.replay {
        Some(file) => Box::new(Replay::new(options, replay::read(file)?)),
        None => Box::new(Plant::new(options)),
    };
    let mut publisher = Publisher::new(broker, Some(options.control_topic.clone()));
    let mut terminate = signal(SignalKind::terminate()).context("signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("signals")?;
    let stop = tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    });
    let started = std::time::Instant::now();
    let published = publish(options, source.as_mut(), &mut publisher, || stop.is_finished()).await?;
    // What is under way is acknowledged, if the broker is there.
    publisher.work(Duration::from_secs(5), true).await;
    let seconds = started.elapsed().as_secs_f64();
    let rate = publisher.acknowledged() as f64 / seconds;
    println!(
        "published {published} acknowledged {} in {seconds:.1} s, {rate:.0}/s",
        publisher.acknowledged()
    );
    Ok(())
}

/// Where messages come from.
trait Source {
    /// How long after the start the next message is due; none at the end.
    fn due(&self, index: u64) -> Option<Duration>;
    /// The next message: topic and payload.
    fn take(&mut self, index: u64) -> anyhow::Result<(String, Vec<u8>)>;
    /// A message on the control topic.
    fn control(&mut self, payload: &[u8]);
}

/// Publishes until the end, returns how many messages.
async fn publish(
    options: &Options,
    source: &mut dyn Source,
    publisher: &mut Publisher,
    stopped: impl Fn() -> bool,
) -> anyhow::Result<u64> {
    let mut published = 0;
    let mut started = tokio::time::Instant::now();
    let end = options.duration.map(|s| started + Duration::from_secs_f64(s.max(0.0)));
    loop {
        let now = tokio::time::Instant::now();
        if stopped() || end.is_some_and(|end| now >= end) {
            return Ok(published);
        }
        let next = loop {
            let due = source.due(published).filter(|_| options.count.is_none_or(|count| published < count));
            match due {
                Some(due) if started + due <= now && publisher.outstanding() < MAX_UNACKNOWLEDGED => {
                    let (topic, payload) = source.take(published)?;
                    publisher.publish(&topic, payload);
                    published += 1;
                }
                due => break due,
            }
        };
        let Some(due) = next else {
            // The end: wait for the broker, for as long as it takes.
            while publisher.outstanding() > 0 && !stopped() {
                publisher.work(Duration::from_millis(500), true).await;
                complain(publisher);
            }
            return Ok(published);
        };
        let behind = now.saturating_duration_since(started + due);
        if behind > MAX_DELAY {
            // The broker was away or is too slow: what could not be published in its time is left out.
            started += behind;
        }
        let wait = (started + due).saturating_duration_since(now).max(MIN_WAIT);
        for message in publisher.work(wait.min(Duration::from_millis(200)), false).await {
            source.control(&message.payload);
        }
        complain(publisher);
    }
}

fn complain(publisher: &mut Publisher) {
    if let Some(error) = publisher.last_error.take() {
        tracing::warn!("{error}");
    }
}

struct Plant {
    seed: u64,
    machines: Vec<pm_bridge::simulator::plant::Machine>,
    sensors_per_machine: usize,
    states: Vec<DeviceState>,
    faults: Vec<Fault>,
    rate: f64,
    last: i64,
}

impl Plant {
    fn new(options: &Options) -> Self {
        let (machines, sensors) = (options.machines as usize, options.sensors_per_machine as usize);
        let started = wall_clock();
        let onset = started.plus_seconds(options.fault_onset);
        Self {
            seed: options.seed,
            machines: plant(machines, sensors),
            sensors_per_machine: sensors,
            states: vec![DeviceState::default(); machines * sensors],
            faults: options.fault.iter().map(|f| f.clone().starting(onset, options.fault_ramp)).collect(),
            rate: options.rate.unwrap_or((machines * sensors * 2) as f64),
            last: 0,
        }
    }
}

impl Source for Plant {
    fn due(&self, index: u64) -> Option<Duration> {
        Some(if self.rate > 0.0 { Duration::from_secs_f64(index as f64 / self.rate) } else { Duration::ZERO })
    }

    fn take(&mut self, index: u64) -> anyhow::Result<(String, Vec<u8>)> {
        // Each reading has a time of its own, since sensor and time are its key.
        self.last = wall_clock().0.max(self.last + 1);
        let at = Timestamp(self.last);
        self.faults.retain(|f| f.end.is_none_or(|end| at < end));
        let which = (index % self.states.len() as u64) as usize;
        let cycle = index / self.states.len() as u64 + 1;
        let machine = &self.machines[which / self.sensors_per_machine];
        let sensor = &machine.sensors[which % self.sensors_per_machine];
        let payload = payload(self.seed, machine, sensor, at, cycle, &self.faults, &mut self.states[which])?;
        Ok((machine.topic.clone(), payload))
    }

    fn control(&mut self, payload: &[u8]) {
        match on_demand(payload, wall_clock()) {
            Ok(fault) => {
                tracing::info!(?fault, "failure on demand");
                self.faults.push(fault);
            }
            Err(error) => tracing::warn!("control message refused: {error:#}"),
        }
    }
}

struct Replay {
    rows: std::vec::IntoIter<replay::Recorded>,
    first: Timestamp,
    speed: f64,
    as_now: bool,
}

impl Replay {
    fn new(options: &Options, rows: Vec<replay::Recorded>) -> Self {
        let first = rows.first().map_or(Timestamp(0), |r| r.time);
        Self { rows: rows.into_iter(), first, speed: options.speed, as_now: options.as_now }
    }
}

impl Source for Replay {
    fn due(&self, _index: u64) -> Option<Duration> {
        let after_s = self.rows.as_slice().first()?.time.seconds_since(self.first);
        Some(if self.speed > 0.0 {
            Duration::try_from_secs_f64(after_s / self.speed).unwrap_or(MAX_WAIT)
        } else {
            Duration::ZERO
        })
    }

    fn take(&mut self, _index: u64) -> anyhow::Result<(String, Vec<u8>)> {
        let row = self.rows.next().context("the recording has ended")?;
        let time = if self.as_now { wall_clock() } else { row.time };
        Ok((row.topic.clone(), row.payload(time)))
    }

    fn control(&mut self, _payload: &[u8]) {
        tracing::warn!("a replay takes no failures on demand");
    }
}
