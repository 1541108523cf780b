//! The bridge as a process, between a real broker and a test double of the functions: everything that may fail fails, and
//! no message may be missing or out of order.

mod broker;
mod functions;
mod mosquitto;
mod plant;
mod process;

use functions::{Functions, Mode};
use pm_bridge::config::{TlsFiles, mqtt_options};
use pm_bridge::simulator::publish::Publisher;
use process::Bridge;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const MACHINES: i64 = 7;
const START_US: i64 = 1_790_000_000_000_000;
const LONG: Duration = Duration::from_secs(60);

struct Stage {
    mqtt: String,
    functions: Functions,
    spool: tempfile::TempDir,
    publisher: Publisher,
    /// Messages published so far; the number is in the time, µs.
    sent: i64,
}

impl Stage {
    async fn new(mode: Mode) -> anyhow::Result<Self> {
        let mqtt = broker::start()?;
        let publisher = Publisher::new(mqtt_options(&mqtt, &TlsFiles::default(), "publisher")?, None);
        Ok(Self {
            functions: Functions::start(mode).await?,
            spool: tempfile::tempdir()?,
            mqtt,
            publisher,
            sent: 0,
        })
    }

    /// A bridge that has subscribed.
    async fn bridge(&self, extra: &[&str]) -> anyhow::Result<Bridge> {
        let before = self.functions.health().started_at;
        let bridge = Bridge::start(&self.mqtt, &self.functions, self.spool.path(), extra)?;
        self.functions
            .until("the bridge connects", |f| f.health().connected && f.health().started_at != before)
            .await?;
        Ok(bridge)
    }

    /// Publishes `count` messages with `padding` bytes of metadata, and waits until the broker has them.
    async fn publish(&mut self, count: i64, padding: usize) {
        let padding = "x".repeat(padding);
        for n in self.sent..self.sent + count {
            let (machine, time) = (n % MACHINES, START_US + n);
            let payload = format!(
                r#"{{"machine_id":"m{machine}","sensor_id":"s","value":{n},"timestamp":{time},"metadata":{{"p":"{padding}"}}}}"#
            );
            self.publisher.publish(&format!("factory/m{machine}/sensors"), payload.into_bytes());
        }
        self.sent += count;
        self.publisher.work(LONG, true).await;
        assert_eq!(self.publisher.acknowledged(), self.sent as u64);
    }

    async fn publish_raw(&mut self, topic: &str, payload: &str) {
        self.publisher.publish(topic, payload.as_bytes().to_vec());
        self.publisher.work(LONG, true).await;
    }

    async fn until_all_committed(&self) -> anyhow::Result<()> {
        let sent = self.sent as usize;
        self.functions.until("everything is committed", |f| f.count() == sent).await
    }

    /// Every message once, and each machine's in the order of publishing.
    fn assert_all_in_order(&self) {
        let mut expected: HashMap<String, Vec<i64>> = HashMap::new();
        for n in 0..self.sent {
            expected.entry(format!("m{}", n % MACHINES)).or_default().push(START_US + n);
        }
        assert_eq!(self.functions.by_machine(), expected);
    }

    async fn until_all_acknowledged(&self) -> anyhow::Result<()> {
        let sent = self.sent as u64;
        self.functions.until("everything is acknowledged", |f| f.health().messages_acknowledged == sent).await
    }
}

fn spool_files(folder: &Path) -> anyhow::Result<usize> {
    let mut files = 0;
    for lane in fs::read_dir(folder)? {
        let lane = lane?.path();
        if lane.is_dir() {
            files += fs::read_dir(lane)?.count();
        }
    }
    Ok(files)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_arrives_in_order_and_is_acknowledged() -> anyhow::Result<()> {
    let mut stage = Stage::new(Mode::Ok).await?;
    let _bridge = stage.bridge(&[]).await?;
    stage.publish(5000, 0).await;
    stage.until_all_committed().await?;
    stage.assert_all_in_order();
    stage.until_all_acknowledged().await?;
    stage.functions.until("a report after the end", |f| f.health().queue_size == 0).await?;
    let health = stage.functions.health();
    assert_eq!((health.messages_received, health.readings, health.readings_committed), (5000, 5000, 5000));
    assert_eq!((health.dead_letters, health.post_failures, health.spool_batches), (0, 0, 0));
    assert_eq!(spool_files(stage.spool.path())?, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_not_acknowledged_before_the_answer() -> anyhow::Result<()> {
    let mut stage = Stage::new(Mode::Holds).await?;
    let bridge = stage.bridge(&[]).await?;
    stage.publish(1, 0).await;
    stage.functions.until("the post", |f| f.posts() == 1).await?;
    bridge.kill()?;
    assert_eq!(spool_files(stage.spool.path())?, 0, "killed before it could spool");
    let _bridge = stage.bridge(&[]).await?;
    stage.functions.until("the broker sends it again", |f| f.posts() == 2).await?;
    stage.functions.set(Mode::Ok);
    stage.until_all_committed().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readings_of_three_seconds_without_functions_arrive_in_order() -> anyhow::Result<()> {
    for mode in [Mode::Fails, Mode::Drops, Mode::Holds] {
        let mut stage = Stage::new(mode).await?;
        let _bridge = stage.bridge(&[]).await?;
        stage.publish(2000, 0).await;
        // Acknowledged from the spool, while nothing is committed.
        stage.until_all_acknowledged().await?;
        assert_eq!(stage.functions.count(), 0);
        assert!(stage.functions.health().spool_batches > 0);
        tokio::time::sleep(Duration::from_secs(3)).await;
        let (waiting, before) = (stage.functions.health().spool_batches, stage.functions.posts());
        stage.functions.set(Mode::Ok);
        stage.functions.until("what waited is committed", |f| f.count() == 2000).await?;
        let posts = stage.functions.posts() - before;
        assert!(posts * 2 < waiting, "{posts} posts for {waiting} batches on disk, which are small");
        stage.publish(500, 0).await;
        stage.until_all_committed().await?;
        stage.assert_all_in_order();
        stage.functions.until("an empty spool", |f| f.health().spool_bytes == 0).await?;
        assert_eq!(spool_files(stage.spool.path())?, 0);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_reading_is_lost_when_the_bridge_is_killed_under_load() -> anyhow::Result<()> {
    let mut stage = Stage::new(Mode::Ok).await?;
    let modes = [Mode::Ok, Mode::Fails, Mode::Slow(300), Mode::Drops, Mode::Ok];
    let mut bridge = stage.bridge(&[]).await?;
    for (round, mode) in modes.into_iter().enumerate() {
        stage.functions.set(mode);
        stage.publish(1500, 0).await;
        tokio::time::sleep(Duration::from_millis(150 + 500 * (round as u64 % 3))).await;
        bridge.kill()?;
        stage.publish(200, 0).await;
        bridge = stage.bridge(&[]).await?;
    }
    stage.functions.set(Mode::Ok);
    stage.until_all_committed().await?;
    // A restart may repeat what was committed, but never brings a machine's readings out of order for the first time.
    stage.assert_all_in_order();
    drop(bridge);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unreadable_payloads_become_dead_letters() -> anyhow::Result<()> {
    let mut stage = Stage::new(Mode::Ok).await?;
    let _bridge = stage.bridge(&[]).await?;
    stage.publish_raw("factory/a", "not json").await;
    stage
        .publish_raw(
            "edge/aggregated",
            r#"{"batch":[{"machine_id":"m","sensor_id":"s","value":1,"timestamp":1790000005},{}]}"#,
        )
        .await;
    stage
        .publish_raw("sensors/m/telemetry", r#"{"rpm":1500,"temperature":"hot","timestamp":1790000006}"#)
        .await;
    stage.functions.until("three dead letters", |f| f.reasons().len() == 3).await?;
    let mut reasons = stage.functions.reasons();
    reasons.sort();
    let start = |i: usize| (reasons[i].0.as_str(), reasons[i].1.split(':').next().unwrap_or_default());
    assert_eq!(start(0), ("edge/aggregated", "batch[1] machine_id"));
    assert_eq!(start(1), ("factory/a", "payload"));
    assert_eq!(start(2), ("sensors/m/telemetry", "temperature"));
    stage.functions.until("the readable readings", |f| f.count() == 2).await?;
    stage.functions.until("acknowledged", |f| f.health().messages_acknowledged == 3).await?;
    assert_eq!(stage.functions.health().dead_letters, 3);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_reading_becomes_a_dead_letter_and_the_rest_is_stored() -> anyhow::Result<()> {
    let mut stage = Stage::new(Mode::Refuses("poison")).await?;
    let _bridge = stage.bridge(&["--lanes", "1"]).await?;
    let elements = |from: i64| {
        let element = |n| format!(r#"{{"machine_id":"m0","sensor_id":"s","value":1,"timestamp":{n}}}"#);
        (from..from + 50).map(element).collect::<Vec<_>>().join(",")
    };
    let poison = r#"{"machine_id":"m0","sensor_id":"poison","value":7,"timestamp":1790000000000050}"#;
    let payload = format!("[{},{poison},{}]", elements(START_US), elements(START_US + 51));
    stage.publish_raw("edge/x", &payload).await;
    stage.functions.until("the good ones", |f| f.count() == 100).await?;
    stage.functions.until("a dead letter", |f| !f.reasons().is_empty()).await?;
    let reasons = stage.functions.reasons();
    assert_eq!(reasons.len(), 1);
    assert!(reasons[0].1.starts_with("refused by ingest: 422"), "{reasons:?}");
    let times = &stage.functions.by_machine()["m0"];
    assert!(times.is_sorted(), "halving keeps the order");
    stage.functions.until("acknowledged", |f| f.health().messages_acknowledged == 1).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_and_spool_stay_within_their_bounds() -> anyhow::Result<()> {
    let mut stage = Stage::new(Mode::Fails).await?;
    let bridge = stage.bridge(&["--queue-max-mb", "1", "--spool-max-mb", "8"]).await?;
    // 45 MB: more than queue and spool hold; the broker's window of 100 messages is more than the queue holds.
    stage.publish(3000, 15_000).await;
    let full = |f: &Functions| f.health().last_error.is_some_and(|e| e.contains("full"));
    stage.functions.until("a full spool", full).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let health = stage.functions.health();
    assert!(health.connected, "pings keep the connection");
    assert!(health.messages_acknowledged < 1000, "{health:?}");
    assert!(health.spool_bytes <= 8 << 20, "{health:?}");
    let peak = bridge.peak_memory_mib()?;
    assert!(peak < 80, "{peak} MiB");
    stage.functions.set(Mode::Ok);
    stage.until_all_committed().await?;
    stage.assert_all_in_order();
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_packet_above_the_bound_is_refused_without_being_held() -> anyhow::Result<()> {
    let broker = mosquitto::Mosquitto::start()?;
    let functions = Functions::start(Mode::Ok).await?;
    let spool = tempfile::tempdir()?;
    let [ca, certificate, key] =
        ["ca.pem", "client.pem", "client.key"].map(|name| broker.file(name).display().to_string());
    let tls = ["--ca", &ca, "--client-cert", &certificate, "--client-key", &key];
    let bridge = Bridge::start(&broker.url, &functions, spool.path(), &tls)?;
    functions.until("the bridge connects", |f| f.health().connected).await?;
    let good = |n: i64| {
        let time = START_US + n;
        format!(r#"{{"machine_id":"m","sensor_id":"s","value":{n},"timestamp":{time}}}"#).into_bytes()
    };
    let mut messages = vec![("factory/small", good(3))];
    for n in 0..3 {
        messages.extend([("factory/large", vec![b' '; 60 << 20]), ("factory/small", good(n))]);
    }
    let mut options = mqtt_options(&broker.url, &broker.tls(), "publisher")?;
    options.set_max_packet_size(1 << 27, 1 << 27);
    let (client, mut events) = rumqttc::AsyncClient::new(options, 10);
    for (topic, payload) in messages {
        client.publish(topic, rumqttc::QoS::AtLeastOnce, false, payload).await?;
    }
    let mut acknowledged = 0;
    while acknowledged < 7 {
        if let rumqttc::Event::Incoming(rumqttc::Packet::PubAck(_)) = events.poll().await? {
            acknowledged += 1;
        }
    }
    functions.until("the small messages", |f| f.count() == 4).await?;
    functions.until("three dead letters", |f| f.reasons().len() == 3).await?;
    let reasons = functions.reasons();
    assert!(
        reasons
            .iter()
            .all(|(topic, reason)| topic == "factory/large" && reason.starts_with("packet: 629145")),
        "{reasons:?}"
    );
    let peak = bridge.peak_memory_mib()?;
    assert!(peak < 60, "{peak} MiB");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_flushes_every_message() -> anyhow::Result<()> {
    for (mode, spooled) in [(Mode::Ok, false), (Mode::Fails, true), (Mode::Holds, true)] {
        let mut stage = Stage::new(mode).await?;
        let bridge = stage.bridge(&[]).await?;
        stage.publish(300, 0).await;
        stage.functions.until("a post", |f| f.posts() > 0).await?;
        let (status, took) = bridge.terminate()?;
        assert!(status.success(), "{status}");
        assert!(took < Duration::from_secs(5), "{took:?}");
        assert_eq!(spool_files(stage.spool.path())? > 0, spooled, "{mode:?}");
        stage.functions.set(Mode::Ok);
        let _bridge = stage.bridge(&[]).await?;
        stage.until_all_committed().await?;
        stage.assert_all_in_order();
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_simulator_runs_fails_on_demand_and_replays() -> anyhow::Result<()> {
    let mut stage = Stage::new(Mode::Ok).await?;
    let _bridge = stage.bridge(&[]).await?;
    let mqtt = stage.mqtt.clone();
    let simulator = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_simulator"));
        command.args(["--mqtt-url", &mqtt]).args(args).stdout(Stdio::piped()).spawn()
    };
    let mut plant = simulator(&["--rate", "160"])?;
    let sensors = |f: &Functions| {
        f.committed().into_iter().map(|(machine, sensor, _)| (machine, sensor)).collect::<HashSet<_>>().len()
    };
    stage.functions.until("sixteen sensors, each twice", |f| sensors(f) == 16 && f.count() >= 32).await?;
    assert!(!stage.functions.was_critical("oil-level"));
    stage.publish_raw("pm/simulator/control", r#"{"machine_id":"machine-3","sensor_id":"oil-level"}"#).await;
    stage.functions.until("a critical oil level", |f| f.was_critical("oil-level")).await?;
    assert!(!stage.functions.was_critical("pressure-head"), "only the sensor that was named");
    plant.kill()?;
    plant.wait()?;

    let file = stage.spool.path().join("recorded.csv");
    fs::write(
        &file,
        "timestamp,machine_id,sensor_id,value,unit\n1700000001,old,t,20.5,°C\n1700000002,old,t,21,°C\n1700000004,old,t,22,°C\n",
    )?;
    let output = simulator(&["--replay", &file.to_string_lossy(), "--speed", "10"])?.wait_with_output()?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && printed.starts_with("published 3 acknowledged 3 "), "{printed}");
    stage
        .functions
        .until("the recording", |f| f.by_machine().get("old").is_some_and(|t| t.len() == 3))
        .await?;
    assert_eq!(
        stage.functions.by_machine()["old"],
        [1_700_000_001_000_000, 1_700_000_002_000_000, 1_700_000_004_000_000]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invalid_configuration_is_reported_in_one_sentence() -> anyhow::Result<()> {
    let spool = tempfile::tempdir()?;
    let run = |args: &[&str], token: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ingest-bridge"));
        command
            .args(args)
            .arg("--spool-dir")
            .arg(spool.path())
            .env_remove("PM_SERVICE_TOKEN")
            .envs(token.map(|t| ("PM_SERVICE_TOKEN", t)));
        command.output().map(|o| (o.status.success(), String::from_utf8_lossy(&o.stderr).into_owned()))
    };
    for (args, token, sentence) in [
        (&["--mqtt-url", "http://x"][..], Some("t"), "MQTT_URL must start with mqtt://"),
        (&[], None, "--service-token"),
        (&[], Some(""), "PM_SERVICE_TOKEN is empty"),
        (&["--ingest-url", "ftp://x"], Some("t"), "PM_INGEST_URL must start with http://"),
    ] {
        let (success, error) = run(args, token)?;
        assert!(!success && error.contains(sentence), "{args:?}: {error}");
    }
    Ok(())
}
