//! The embedded MQTT broker: rumqttd on loopback, without users.
//!
//! What it holds to, and its limits: messages lie in memory, so a restart of the broker loses what was not yet
//! delivered and every session; per subscription it keeps the newest [`LOG_BYTES`], so a subscriber that is away for
//! longer than that loses the oldest; at most 100 messages are on their way to one subscriber; acknowledgements must
//! come in order. Where more is needed, `MQTT_URL` names another broker.

use std::collections::HashMap;
use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use rumqttd::{Broker, Config, ConnectionSettings, RouterConfig, ServerSettings};

/// How much is kept for one subscription, delivered or not.
pub const LOG_BYTES: usize = SEGMENT_BYTES * SEGMENTS;
const SEGMENT_BYTES: usize = 16 * 1024 * 1024;
const SEGMENTS: usize = 16;
/// The largest payload taken: a batch of an edge gateway.
pub const MAX_PAYLOAD_BYTES: usize = 1024 * 1024;

/// Serves MQTT 3.1.1 on `address` until the process ends.
pub fn run(address: SocketAddr) -> Result<()> {
    let server = ServerSettings {
        name: "mqtt".to_owned(),
        listen: address,
        tls: None,
        next_connection_delay_ms: 1,
        connections: ConnectionSettings {
            connection_timeout_ms: 10_000,
            max_payload_size: MAX_PAYLOAD_BYTES,
            max_inflight_count: 1_000,
            auth: None,
            external_auth: None,
            dynamic_filters: true,
        },
    };
    let router = RouterConfig {
        max_connections: 10_000,
        max_outgoing_packet_count: 200,
        max_segment_size: SEGMENT_BYTES,
        max_segment_count: SEGMENTS,
        ..RouterConfig::default()
    };
    let config =
        Config { router, v4: Some(HashMap::from([("mqtt".to_owned(), server)])), ..Config::default() };
    tracing::info!(%address, "the broker listens");
    Broker::new(config).start().context("the broker ended")?;
    bail!("the broker ended: is {address} taken?")
}
