//! A broker in this process, on a loopback port of its own.

use rumqttd::{Broker, Config, ConnectionSettings, RouterConfig, ServerSettings};
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// A free port.
pub(crate) fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Starts a broker, which lives as long as the process, and returns its address.
pub(crate) fn start() -> anyhow::Result<String> {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
    let connections = ConnectionSettings {
        connection_timeout_ms: 5000,
        max_payload_size: 4 << 20,
        max_inflight_count: 100,
        auth: None,
        external_auth: None,
        dynamic_filters: true,
    };
    let server =
        ServerSettings { name: "v4".into(), listen, tls: None, next_connection_delay_ms: 1, connections };
    let router = RouterConfig {
        max_connections: 100,
        max_outgoing_packet_count: 200,
        max_segment_size: 64 << 20,
        max_segment_count: 10,
        ..RouterConfig::default()
    };
    let config = Config { router, v4: Some(HashMap::from([("v4".into(), server)])), ..Config::default() };
    std::thread::spawn(move || {
        if let Err(error) = Broker::new(config).start() {
            eprintln!("the broker ended: {error}");
        }
    });
    for _ in 0..500 {
        if TcpStream::connect(listen).is_ok() {
            return Ok(format!("mqtt://{listen}"));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    anyhow::bail!("the broker does not listen")
}
