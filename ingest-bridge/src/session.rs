//! The MQTT session (3.1.1; the only module that knows the client library).
//!
//! Messages are acknowledged by hand, see [`crate::ack`], with all acknowledgements of a round in one write on the
//! very connection they belong to. When the messages in memory pass their bound, nothing more is read from the
//! connection, and only pings are sent, so that the broker keeps both the connection and the messages.

use crate::ack::{AcknowledgeableMessage, PendingMessages, Share};
use crate::batch::{Item, ItemContent};
use crate::health::{Clock, Health};
use crate::mappings::InForce;
use crate::oversize::{self, MAX_PACKET_BYTES};
use crate::payload::sparkplug::{self, Sparkplug};
use crate::payload::{MachineTopics, Message, Parsed, parse};
use crate::receipt_times::{Delivery, ReceiptTimes};
use pm_api::ingest::DeadLetter;
use rumqttc::mqttbytes::v4::{ConnAck, Packet, PubAck, Publish, SubAck};
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, QoS, SubscribeFilter, SubscribeReasonCode};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::block_in_place;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

/// A silently lost connection is noticed after two of these.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Short: sensors publish again at once, and a broker that has forgotten the session stores nothing for an absent bridge.
const MAX_RETRY_PAUSE: Duration = Duration::from_secs(1);
/// Time for what is in memory to be committed or spooled at the end.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);
/// Memory that a message takes in addition to its payload.
const OVERHEAD_BYTES: usize = 256;

/// What turns payloads into readings.
#[derive(Debug)]
pub struct Decoders {
    /// Births of Sparkplug nodes.
    pub sparkplug: Sparkplug,
    /// The mappings in force.
    pub mappings: InForce,
    /// Topics whose messages may speak for one machine only.
    pub machine_topics: MachineTopics,
}

/// A session with the broker, with its lanes and acknowledgements.
pub struct Session {
    client: AsyncClient,
    events: EventLoop,
    broker: MqttOptions,
    topics: Vec<String>,
    /// Are there shared subscriptions among them?
    shared: bool,
    lanes: Vec<mpsc::UnboundedSender<Item>>,
    decoders: Decoders,
    waiting: PendingMessages,
    /// Has the broker made a persistent session for this bridge?
    session_begun: bool,
    settled: mpsc::UnboundedReceiver<AcknowledgeableMessage>,
    report: mpsc::UnboundedSender<AcknowledgeableMessage>,
    /// Bytes of messages in memory, and their bound.
    used_bytes: usize,
    max_bytes: usize,
    sequence: u64,
    clock: Clock,
    times: ReceiptTimes,
    health: Arc<Health>,
}

impl Session {
    /// A session that will subscribe to `topics` and pass on to `lanes`, with at most about `max_bytes` in memory.
    #[must_use]
    pub fn new(
        mut options: MqttOptions,
        topics: Vec<String>,
        lanes: Vec<mpsc::UnboundedSender<Item>>,
        decoders: Decoders,
        times: ReceiptTimes,
        max_bytes: usize,
        health: Arc<Health>,
    ) -> Self {
        options
            .set_clean_session(false)
            .set_manual_acks(true)
            .set_keep_alive(KEEP_ALIVE)
            .set_max_packet_size(MAX_PACKET_BYTES, MAX_PACKET_BYTES);
        let broker = options.clone();
        let (client, mut events) = AsyncClient::new(options, 16);
        events.network_options.set_tcp_nodelay(true);
        let (report, settled) = mpsc::unbounded_channel();
        Self {
            client,
            events,
            broker,
            shared: topics.iter().any(|topic| topic.starts_with("$share/")),
            topics,
            lanes,
            decoders,
            waiting: PendingMessages::default(),
            session_begun: false,
            settled,
            report,
            used_bytes: 0,
            max_bytes,
            sequence: 0,
            clock: Clock::default(),
            times,
            health,
        }
    }

    /// Receives until `stop`, then acknowledges what `lanes` still settle, and disconnects.
    pub async fn run(mut self, stop: impl Future<Output = ()>, lanes: impl Future<Output = ()>) {
        tokio::pin!(stop);
        let mut settled = Vec::new();
        let mut pause = FIRST_PAUSE;
        let mut full = false;
        let mut ping = interval(KEEP_ALIVE / 2);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let connected = self.events.network.is_some();
            // Read again only when a quarter is free, not for every message.
            full = self.used_bytes >= if full { self.max_bytes / 4 * 3 } else { self.max_bytes };
            tokio::select! {
                () = &mut stop => break,
                // No acknowledgement may interrupt a connection being made, hence the conditions.
                _ = self.settled.recv_many(&mut settled, 4096), if connected => self.acknowledge(&mut settled).await,
                _ = ping.tick(), if full && connected => self.write([Packet::PingReq]).await,
                event = self.events.poll(), if !full || !connected => match event {
                    Ok(event) => {
                        pause = FIRST_PAUSE;
                        self.handle(event);
                    }
                    Err(error) => {
                        self.lost(&error.to_string());
                        if oversize::is_cause(&error) {
                            self.refuse_oversize().await;
                            continue;
                        }
                        tokio::select! {
                            () = sleep(pause) => pause = (pause * 2).min(MAX_RETRY_PAUSE),
                            () = &mut stop => break,
                        }
                    }
                },
            }
        }
        self.finish(lanes, settled).await;
    }

    async fn finish(mut self, lanes: impl Future<Output = ()>, mut settled: Vec<AcknowledgeableMessage>) {
        // The lanes flush when their channels end.
        self.lanes.clear();
        tokio::pin!(lanes);
        let deadline = Instant::now() + FLUSH_TIMEOUT;
        loop {
            tokio::select! {
                () = &mut lanes => break,
                () = tokio::time::sleep_until(deadline) => {
                    tracing::warn!("not everything could be flushed; the broker will send it again");
                    break;
                }
                _ = self.settled.recv_many(&mut settled, 4096) => self.acknowledge(&mut settled).await,
            }
        }
        while let Ok(message) = self.settled.try_recv() {
            settled.push(message);
        }
        self.acknowledge(&mut settled).await;
        self.write([Packet::Disconnect]).await;
        tracing::info!(
            received = self.health.messages_received.load(Relaxed),
            acknowledged = self.health.messages_acknowledged.load(Relaxed),
            "stopped"
        );
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Incoming(Packet::ConnAck(ConnAck { session_present, .. })) => {
                self.connected(session_present)
            }
            Event::Incoming(Packet::Publish(publish)) => self.received(&publish),
            Event::Incoming(Packet::SubAck(SubAck { return_codes, .. })) => {
                for (topic, code) in self.topics.iter().zip(return_codes) {
                    if code == SubscribeReasonCode::Failure {
                        self.health.failed(format!("the broker refuses the subscription to {topic}"));
                    }
                }
            }
            _ => {}
        }
    }

    fn connected(&mut self, session_present: bool) {
        self.waiting.connection_lost();
        let written = self.times.connected(session_present);
        self.check_written(written);
        self.health.connected.store(true, Relaxed);
        tracing::info!(session_present, "connected to the broker");
        if std::mem::replace(&mut self.session_begun, true) && !session_present {
            self.health.failed(
                "the broker has forgotten the bridge's session: messages published before this connection are lost"
                    .to_owned(),
            );
        }
        let filters = self.topics.iter().map(|t| SubscribeFilter::new(t.clone(), QoS::AtLeastOnce));
        if let Err(error) = self.client.try_subscribe_many(filters) {
            self.health.failed(format!("cannot subscribe: {error}"));
        }
    }

    fn lost(&mut self, why: &str) {
        self.waiting.connection_lost();
        // The library keeps what it had read ahead. Its packet ids died with the connection, and the broker sends
        // these messages again, except those of quality of service 0.
        for event in std::mem::take(&mut self.events.state.events) {
            if let Event::Incoming(Packet::Publish(publish)) = event
                && publish.qos == QoS::AtMostOnce
            {
                self.received(&publish);
            }
        }
        self.health.connected.store(false, Relaxed);
        self.health.failed(format!("no connection to the broker: {why}"));
    }

    /// Takes a packet that is too large off the session, and leaves a dead letter in its place.
    async fn refuse_oversize(&mut self) {
        match oversize::refuse(&self.broker).await {
            Ok(Some(refused)) => {
                let bytes = refused.bytes;
                let reason = format!("packet: {bytes} bytes, more than {MAX_PACKET_BYTES}");
                self.health.failed(format!("refused a message on {}: {reason}", refused.topic));
                Health::add(&self.health.dead_letters, 1);
                let received_at = self.clock.now();
                let letter =
                    DeadLetter { topic: refused.topic, reason, received_at, ..DeadLetter::default() };
                // A lane ends only after this session: the channel is open.
                let _ = self.lanes[0].send(Item { content: ItemContent::DeadLetter(letter), share: None });
            }
            Ok(None) => {}
            Err(error) => {
                self.health.failed(format!("a message that is too large cannot be refused: {error}"))
            }
        }
    }

    fn received(&mut self, publish: &Publish) {
        self.sequence += 1;
        if publish.qos == QoS::AtLeastOnce {
            self.waiting.arrived(self.sequence, publish.pkid);
        }
        let parsed = self.parse(publish);
        self.health.ignored.note(&publish.topic, &parsed.ignored);
        Health::add(&self.health.messages_received, 1);
        Health::add(&self.health.readings, parsed.readings.len() as u64);
        Health::add(&self.health.dead_letters, u64::from(parsed.dead_letter.is_some()));
        Health::add(&self.health.queue_size, 1);
        if let Some(letter) = &parsed.dead_letter {
            tracing::debug!(topic = %letter.topic, reason = %letter.reason, "dead letter");
        }
        let lane_count = self.lanes.len();
        let lane_of = |name: &str| crc32fast::hash(name.as_bytes()) as usize % lane_count;
        let readings =
            parsed.readings.into_iter().map(|r| (lane_of(&r.sensor.machine), ItemContent::Reading(r)));
        let letters = parsed.dead_letter.into_iter().map(|l| (lane_of(&l.topic), ItemContent::DeadLetter(l)));
        let items: Vec<(usize, ItemContent)> = readings.chain(letters).collect();
        let last_of = |lane: usize| items.iter().rposition(|(of, _)| *of == lane);
        let last: Vec<Option<usize>> = (0..lane_count).map(last_of).collect();
        let size: usize = items.iter().map(|(_, content)| OVERHEAD_BYTES + content.bytes()).sum();
        let settled = AcknowledgeableMessage { sequence: self.sequence, cost: OVERHEAD_BYTES + size };
        self.used_bytes += settled.cost;
        if items.is_empty() {
            // nothing to store, such as a death certificate: safe at once
            let _ = self.report.send(settled);
            return;
        }
        let share = Share::split(last.iter().flatten().count(), settled, &self.report);
        for (index, (lane, content)) in items.into_iter().enumerate() {
            let share = (last[lane] == Some(index)).then(|| share.clone());
            // A lane ends only after this session: the channel is open.
            let _ = self.lanes[lane].send(Item { content, share });
        }
    }

    fn parse(&mut self, publish: &Publish) -> Parsed {
        let delivery = Delivery {
            topic: &publish.topic,
            payload: &publish.payload,
            packet: publish.pkid,
            repeated: publish.dup,
            shared: self.shared,
        };
        let confirmed = publish.qos == QoS::AtLeastOnce;
        let known = confirmed.then(|| self.times.find_repeated(delivery)).flatten();
        let received_at = known.unwrap_or_else(|| self.clock.now());
        let message = Message {
            topic: &publish.topic,
            payload: &publish.payload,
            received_at,
            retained: publish.retain,
        };
        let parsed = if publish.topic.starts_with(sparkplug::NAMESPACE) {
            self.parse_sparkplug(message)
        } else {
            parse(message, &self.decoders.mappings.now())
        };
        let parsed = self.decoders.machine_topics.keep_own(message, parsed);
        if known.is_none() {
            self.clock.reserve(parsed.readings.len());
        }
        if confirmed && parsed.is_dated_on_receipt() {
            let written = self.times.record(self.sequence, delivery, received_at, known.is_some());
            self.check_written(written);
        }
        parsed
    }

    fn check_written(&self, written: std::io::Result<()>) {
        if let Err(error) = written {
            self.health.failed(format!("times of receipt cannot be written: {error}"));
        }
    }

    fn parse_sparkplug(&mut self, message: Message<'_>) -> Parsed {
        // births are written to disk before they are acknowledged
        let (parsed, rebirth) = block_in_place(|| self.decoders.sparkplug.read(message));
        if let Some(rebirth) = rebirth {
            tracing::info!(topic = %rebirth.topic, "asking a Sparkplug node for its births");
            let sent = self.client.try_publish(rebirth.topic, QoS::AtMostOnce, false, rebirth.payload);
            if let Err(error) = sent {
                self.health.failed(format!("cannot ask a Sparkplug node for its births: {error}"));
            }
        }
        parsed
    }

    async fn acknowledge(&mut self, settled: &mut Vec<AcknowledgeableMessage>) {
        self.health.queue_size.fetch_sub(settled.len() as u64, Relaxed);
        for message in settled.drain(..) {
            self.used_bytes -= message.cost;
            self.waiting.settled(message.sequence);
        }
        let ready: Vec<(u64, u16)> = std::iter::from_fn(|| self.waiting.pop_ready()).collect();
        let count = ready.len() as u64;
        if let Some((last, _)) = ready.last()
            && self.events.network.is_some()
        {
            let written = self.times.acknowledged(*last);
            self.check_written(written);
            self.write(ready.into_iter().map(|(_, id)| Packet::PubAck(PubAck::new(id)))).await;
            Health::add(&self.health.messages_acknowledged, count);
        }
    }

    /// Writes packets straight to the connection, in one piece. The library's own request queue would outlive the
    /// connection and could carry an acknowledgement over to the next one, where its packet id is another message.
    async fn write(&mut self, packets: impl IntoIterator<Item = Packet>) {
        let Some(network) = &mut self.events.network else { return };
        let writing = async {
            for packet in packets {
                network.write(packet).await?;
            }
            network.flush().await
        };
        let error = match timeout(WRITE_TIMEOUT, writing).await {
            Ok(Ok(())) => {
                // The answers to our own pings are not awaited.
                self.events.state.await_pingresp = false;
                return;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the broker does not accept packets in time".to_owned(),
        };
        self.events.clean();
        self.lost(&error);
    }
}
