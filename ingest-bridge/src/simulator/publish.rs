//! Publishing with quality of service 1, many messages to a write, none lost over a reconnect.

use rumqttc::mqttbytes::v4::{Packet, Publish, Subscribe};
use rumqttc::{Event, EventLoop, MqttOptions, QoS, Request, StateError};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

/// Most messages without acknowledgement.
const WINDOW: u16 = 10_000;
/// Most messages in one write.
const AT_ONCE: usize = 256;
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const MAX_RETRY_PAUSE: Duration = Duration::from_secs(5);

/// A connection that publishes.
pub struct Publisher {
    events: EventLoop,
    subscribe_to: Option<String>,
    queue: VecDeque<Publish>,
    pause: Duration,
    published: u64,
    /// Failure sentences for people, newest last, until taken.
    pub last_error: Option<String>,
}

impl Publisher {
    /// A publisher that also listens to `subscribe_to`.
    #[must_use]
    pub fn new(mut options: MqttOptions, subscribe_to: Option<String>) -> Self {
        options.set_inflight(WINDOW).set_max_packet_size(1 << 20, 1 << 20);
        let mut events = EventLoop::new(options, 1);
        events.network_options.set_tcp_nodelay(true);
        let queue = VecDeque::new();
        Self { events, subscribe_to, queue, pause: FIRST_PAUSE, published: 0, last_error: None }
    }

    /// Queues a message.
    pub fn publish(&mut self, topic: &str, payload: Vec<u8>) {
        self.queue.push_back(Publish::new(topic, QoS::AtLeastOnce, payload));
        self.published += 1;
    }

    /// Messages that the broker has acknowledged.
    #[must_use]
    pub fn acknowledged(&self) -> u64 {
        self.published - self.outstanding() as u64
    }

    /// Messages that the broker has not acknowledged yet.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        let waiting = usize::from(self.events.state.collision.is_some());
        self.queue.len() + usize::from(self.events.state.inflight()) + waiting
    }

    /// Works on the connection until `limit` has passed or, if `until_quiet`, the broker has acknowledged everything.
    /// Returns the messages that came on the subscribed topic.
    pub async fn work(&mut self, limit: Duration, until_quiet: bool) -> Vec<Publish> {
        let mut received = Vec::new();
        let end = Instant::now() + limit;
        while Instant::now() < end && !(until_quiet && self.outstanding() == 0) {
            if let Err(error) = self.step(end, &mut received).await {
                self.last_error = Some(format!("no connection to the broker: {error}"));
                self.take_back();
                sleep_until((Instant::now() + self.pause).min(end)).await;
                self.pause = (self.pause * 2).min(MAX_RETRY_PAUSE);
            }
        }
        received
    }

    /// Writes what may be written, then takes events until `end`. Only the taking of events is ever interrupted: a
    /// write that is broken off would leave a packet noted as sent that never was.
    async fn step(&mut self, end: Instant, received: &mut Vec<Publish>) -> Result<(), String> {
        if self.events.network.is_some() {
            let written = timeout(WRITE_TIMEOUT, self.write_queued()).await;
            written.map_err(|_| "it does not take our packets")?.map_err(|e| e.to_string())?;
        }
        // Wait for the broker only when there is nothing that could be written; not at all for a connection, which
        // would start again each time.
        let connecting = self.events.network.is_none();
        let idle = self.queue.is_empty() || self.window_is_full();
        let until = if connecting {
            end.max(Instant::now() + WRITE_TIMEOUT)
        } else if idle {
            end
        } else {
            Instant::now()
        };
        let Ok(event) = timeout_at(until, self.events.poll()).await else { return Ok(()) };
        match event.map_err(|e| e.to_string())? {
            Event::Incoming(Packet::ConnAck(_)) => {
                self.pause = FIRST_PAUSE;
                if let Some(topic) = &self.subscribe_to {
                    let request = Request::Subscribe(Subscribe::new(topic.clone(), QoS::AtLeastOnce));
                    self.write(request).await.map_err(|e| e.to_string())?;
                }
            }
            Event::Incoming(Packet::Publish(publish)) => received.push(publish),
            _ => {}
        }
        Ok(())
    }

    fn window_is_full(&self) -> bool {
        self.events.state.inflight() >= WINDOW - 1 || self.events.state.collision.is_some()
    }

    async fn write_queued(&mut self) -> Result<(), StateError> {
        for _ in 0..AT_ONCE {
            if self.window_is_full() {
                break;
            }
            let Some(publish) = self.queue.pop_front() else { break };
            self.write(Request::Publish(publish)).await?;
        }
        match &mut self.events.network {
            Some(network) => network.flush().await,
            None => Ok(()),
        }
    }

    async fn write(&mut self, request: Request) -> Result<(), StateError> {
        let packet = self.events.state.handle_outgoing_packet(request)?;
        // The library records every packet it sends as an event; they are not used.
        self.events.state.events.retain(|event| matches!(event, Event::Incoming(_)));
        match (packet, &mut self.events.network) {
            (Some(packet), Some(network)) => network.write(packet).await,
            _ => Ok(()),
        }
    }

    /// After a lost connection: everything without acknowledgement goes back to the head of the queue.
    fn take_back(&mut self) {
        self.events.clean();
        let unacknowledged = std::mem::take(&mut self.events.pending);
        let collided = self.events.state.collision.take();
        let publishes = unacknowledged.into_iter().filter_map(|request| match request {
            Request::Publish(publish) => Some(publish),
            _ => None,
        });
        let mut again: Vec<Publish> = publishes.chain(collided).collect();
        for publish in &mut again {
            publish.pkid = 0;
        }
        for publish in again.into_iter().rev() {
            self.queue.push_front(publish);
        }
    }
}
