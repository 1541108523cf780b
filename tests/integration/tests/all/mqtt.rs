//! A publisher for tests.

use anyhow::{Context, Result};
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Outgoing, Packet, QoS};
use std::time::Duration;

/// Publishes with QoS 1 and knows what the broker has acknowledged.
pub(crate) struct Publisher {
    client: AsyncClient,
    events: EventLoop,
}

impl Publisher {
    pub(crate) fn connect(mqtt_url: &str) -> Result<Self> {
        let rest = mqtt_url.strip_prefix("mqtt://").context("an mqtt:// address")?;
        let (login, address) =
            rest.rsplit_once('@').map_or((None, rest), |(login, address)| (Some(login), address));
        let (host, port) = address.rsplit_once(':').context("a port")?;
        let mut options = MqttOptions::new(format!("test-{}", uuid::Uuid::new_v4()), host, port.parse()?);
        options.set_keep_alive(Duration::from_secs(30)).set_max_packet_size(1 << 22, 1 << 22);
        if let Some((user, password)) = login.and_then(|l| l.split_once(':')) {
            options.set_credentials(user, password);
        }
        let (client, events) = AsyncClient::new(options, 1000);
        Ok(Self { client, events })
    }

    /// Publishes one message and waits for the broker's acknowledgement.
    pub(crate) async fn publish(&mut self, topic: &str, payload: impl Into<Vec<u8>>) -> Result<()> {
        self.publish_all(vec![(topic.to_owned(), payload.into())]).await
    }

    /// Publishes messages and waits until the broker has acknowledged them all.
    pub(crate) async fn publish_all(&mut self, messages: Vec<(String, Vec<u8>)>) -> Result<()> {
        let mut missing = messages.len();
        let client = self.client.clone();
        let feeder = tokio::spawn(async move {
            for (topic, payload) in messages {
                client.publish(topic, QoS::AtLeastOnce, false, payload).await?;
            }
            anyhow::Ok(())
        });
        while missing > 0 {
            match self.events.poll().await? {
                Event::Incoming(Packet::PubAck(_)) => missing -= 1,
                Event::Outgoing(Outgoing::Disconnect) => anyhow::bail!("disconnected"),
                _ => {}
            }
        }
        feeder.await?
    }
}
