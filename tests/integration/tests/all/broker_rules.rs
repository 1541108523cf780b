//! A broker with a credential for each gateway (deploy/mosquitto), and a bridge that lets a topic speak for its machine only.

use crate::{
    client::{VIEWER, with_bridge},
    mqtt::Publisher,
};
use anyhow::{Context, Result, ensure};
use pm_test_support::{Broker, GATEWAY_PASSWORD, StackOptions};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use serde_json::json;
use std::{net::SocketAddr, time::Duration};
use tokio::time::timeout;

const PRESS_7: &str = "factory/plant1/line1/press-7/sensors";
const OVEN_1: &str = "factory/plant1/line2/oven-1/sensors";

fn reading(machine: &str, value: f64) -> String {
    json!({"machine_id": machine, "sensor_id": "temp", "value": value}).to_string()
}

fn gateway(address: SocketAddr, name: &str, password: &str) -> Result<Publisher> {
    Publisher::connect(&format!("mqtt://{name}:{password}@{address}"))
}

#[tokio::test]
async fn a_gateway_speaks_for_its_own_machines_only() -> Result<()> {
    let environment = vec![("MQTT_MACHINE_TOPICS".to_owned(), "factory/+/+/{machine}/#".to_owned())];
    let options = StackOptions {
        broker: Broker::MosquittoWithRules,
        demo: true,
        environment,
        ..StackOptions::default()
    };
    let (stack, nobody) = with_bridge(options).await?;
    let viewer = nobody.sign_in(VIEWER).await?;
    let engineer = nobody.sign_in(crate::client::ENGINEER).await?;
    let address = stack.broker_address();

    // somebody who listens with the credential of a gateway
    let mut login = MqttOptions::new("listener", address.ip().to_string(), address.port());
    login.set_credentials("gateway-2", GATEWAY_PASSWORD);
    let (listener, mut heard) = AsyncClient::new(login, 10);
    listener.subscribe("factory/#", QoS::AtLeastOnce).await?;
    while !matches!(heard.poll().await?, Event::Incoming(Packet::SubAck(_))) {}

    let (mut first, mut second) =
        (gateway(address, "gateway-1", GATEWAY_PASSWORD)?, gateway(address, "gateway-2", GATEWAY_PASSWORD)?);
    // of another gateway's machine: the broker drops it, and mosquitto 2.0 ends the connection then
    let _ = gateway(address, "gateway-1", GATEWAY_PASSWORD)?.publish(OVEN_1, reading("oven-1", 1.0)).await;
    // on its own topic, of another gateway's machine: the bridge refuses it
    first.publish(PRESS_7, reading("oven-1", 2.0)).await?;
    first.publish(PRESS_7, reading("press-7", 3.0)).await?;
    second.publish(OVEN_1, reading("oven-1", 4.0)).await?;
    let values = viewer
        .wait_for("/sensor-data/logs?limit=100", |rows| {
            let values: Vec<f64> = rows.as_array()?.iter().filter_map(|row| row["value"].as_f64()).collect();
            (values.contains(&3.0) && values.contains(&4.0)).then_some(values)
        })
        .await?;
    assert!(!values.contains(&1.0) && !values.contains(&2.0), "{values:?}");
    let letter =
        engineer.wait_for("/mqtt/dead-letters", |letters| letters.as_array()?.first().cloned()).await?;
    assert_eq!(letter["topic"], PRESS_7);
    let reason = letter["reason"].as_str().context("no reason")?;
    assert_eq!(reason, "machine: the topic is for press-7, not for oven-1");

    let spied = timeout(Duration::from_millis(500), async {
        loop {
            if let Event::Incoming(Packet::Publish(publish)) = heard.poll().await? {
                return anyhow::Ok(publish.topic);
            }
        }
    });
    if let Ok(topic) = spied.await {
        ensure!(false, "a gateway hears {:?}", topic?);
    }
    for (name, password) in [("gateway-1", "wrong"), ("nobody", GATEWAY_PASSWORD)] {
        let refused = gateway(address, name, password)?.publish(PRESS_7, reading("press-7", 5.0)).await;
        assert!(refused.is_err(), "{name} {password}");
    }
    Ok(())
}
