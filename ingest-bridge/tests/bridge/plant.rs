//! Brokers as plants have them: TLS with client certificates, several bridges on one shared subscription, Sparkplug B.

use crate::functions::{Functions, Mode};
use crate::mosquitto::Mosquitto;
use crate::process::Bridge;
use crate::{LONG, START_US, Stage};
use pm_bridge::config::mqtt_options;
use pm_bridge::simulator::publish::Publisher;
use rumqttc::{AsyncClient, Event, Packet, QoS};
use std::collections::HashSet;

/// A bridge behind TLS with functions of its own.
struct Member {
    name: String,
    arguments: Vec<String>,
    url: String,
    functions: Functions,
    spool: tempfile::TempDir,
}

impl Member {
    async fn new(broker: &Mosquitto, name: &str) -> anyhow::Result<Self> {
        let file = |name: &str| broker.file(name).display().to_string();
        let arguments = vec![
            format!("--ca={}", file("ca.pem")),
            format!("--client-cert={}", file("client.pem")),
            format!("--client-key={}", file("client.key")),
            "--mqtt-share=plant".to_owned(),
        ];
        let functions = Functions::start(Mode::Ok).await?;
        Ok(Self {
            name: name.to_owned(),
            arguments,
            url: broker.url.clone(),
            functions,
            spool: tempfile::tempdir()?,
        })
    }

    async fn start(&self) -> anyhow::Result<Bridge> {
        let before = self.functions.health().started_at;
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        let bridge = Bridge::start_as(&self.name, &self.url, &self.functions, self.spool.path(), &arguments)?;
        let connected = |f: &Functions| f.health().connected && f.health().started_at != before;
        self.functions.until("the bridge connects", connected).await?;
        Ok(bridge)
    }

    fn times(&self) -> HashSet<i64> {
        self.functions.by_machine().into_values().flatten().collect()
    }
}

async fn publish(publisher: &mut Publisher, numbers: std::ops::Range<i64>) {
    for n in numbers {
        let time = START_US + n;
        let payload =
            format!(r#"{{"machine_id":"m{}","sensor_id":"s","value":{n},"timestamp":{time}}}"#, n % 7);
        publisher.publish("factory/line/sensors", payload.into_bytes());
    }
    publisher.work(LONG, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_bridges_share_a_subscription_over_tls() -> anyhow::Result<()> {
    pm_bridge::start_program("test");
    let broker = Mosquitto::start()?;
    let (left, right) = (Member::new(&broker, "left").await?, Member::new(&broker, "right").await?);
    let all_of = |count: usize| {
        let right = &right;
        move |left: &Functions| left.count() + right.functions.count() == count
    };
    let (_running, killed) = (left.start().await?, right.start().await?);
    let mut publisher = Publisher::new(mqtt_options(&broker.url, &broker.tls(), "publisher")?, None);
    publish(&mut publisher, 0..2000).await;
    left.functions.until("everything is committed", all_of(2000)).await?;
    assert!(left.times().len() > 100 && right.times().len() > 100, "one bridge does it all");
    killed.kill()?;
    let before = left.times().len();
    publish(&mut publisher, 2000..2500).await;
    left.functions.until("the other bridge goes on", |f| f.count() > before).await?;
    let _again = right.start().await?;
    left.functions.until("what waited for the dead bridge comes", all_of(2500)).await?;
    assert!(left.times().is_disjoint(&right.times()), "a message went to both");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bridge_without_client_certificate_cannot_connect() -> anyhow::Result<()> {
    let broker = Mosquitto::start()?;
    let stranger = Member::new(&broker, "stranger").await?;
    let ca = stranger.arguments[0].as_str();
    let _bridge = Bridge::start(&broker.url, &stranger.functions, stranger.spool.path(), &[ca])?;
    let refused =
        |f: &Functions| f.health().last_error.is_some_and(|e| e.contains("no connection to the broker"));
    stranger.functions.until("the bridge says why", refused).await?;
    assert!(!stranger.functions.health().connected);
    Ok(())
}

/// `{timestamp, metrics: [{alias: 7, timestamp, int 42}], seq: 3}` as protobuf.
fn data_with_alias() -> Vec<u8> {
    let ms = [0xfb, 0xd0, 0xda, 0xa1, 0x8c, 0x34];
    let metric = [[0x10, 7, 0x18].as_slice(), &ms, &[0x50, 42]].concat();
    [[0x08].as_slice(), &ms, &[0x12, metric.len() as u8], &metric, &[0x18, 3]].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sparkplug_node_is_requested_to_send_its_births() -> anyhow::Result<()> {
    let mut stage = Stage::new(Mode::Ok).await?;
    let _bridge = stage.bridge(&[]).await?;
    let options = mqtt_options(&stage.mqtt, &pm_bridge::config::TlsFiles::default(), "node")?;
    let (client, mut events) = AsyncClient::new(options, 10);
    client.subscribe("spBv1.0/plant/NCMD/edge1", QoS::AtLeastOnce).await?;
    let asked = async {
        loop {
            match events.poll().await? {
                Event::Incoming(Packet::SubAck(_)) => {
                    let data = data_with_alias();
                    client.publish("spBv1.0/plant/NDATA/edge1", QoS::AtLeastOnce, false, data).await?;
                }
                Event::Incoming(Packet::Publish(command)) => return anyhow::Ok(command.payload),
                _ => {}
            }
        }
    };
    let command = tokio::time::timeout(LONG, asked).await??;
    let text = b"Node Control/Rebirth";
    assert!(command.windows(text.len()).any(|part| part == text), "{command:?}");
    stage.functions.until("a dead letter", |f| f.reasons().len() == 1).await?;
    assert!(stage.functions.reasons()[0].1.contains("alias 7"));
    stage.publish(10, 0).await;
    stage.until_all_committed().await
}
