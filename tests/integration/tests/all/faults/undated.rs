//! Messages without a time: the bridge dates them, and a message that the broker delivers again keeps its date.

use super::{
    PER_SECOND, Random, a_while,
    checker::all_stored_once,
    sensors::{Plan, Sensors},
};
use crate::client::with_bridge;
use anyhow::Result;
use pm_test_support::{Broker, StackOptions};

async fn bridge_is_killed(broker: Broker) -> Result<()> {
    let mut random = Random::seeded();
    let (mut stack, _) = with_bridge(StackOptions { broker, ..StackOptions::default() }).await?;
    let sensors = Sensors::start(stack.mqtt_url(), Plan { dated: false, ..Plan::new(PER_SECOND) })?;
    for _ in 0..5 {
        sensors.until_acknowledged(a_while(&mut random)).await?;
        stack.kill("bridge").await?;
        sensors.until_acknowledged(a_while(&mut random)).await?;
        stack.restart("bridge").await?;
    }
    all_stored_once(stack.db(), sensors.finish().await?).await
}

#[tokio::test]
async fn undated_readings_are_stored_once_when_the_bridge_is_killed_behind_mosquitto() -> Result<()> {
    bridge_is_killed(Broker::Mosquitto).await
}

#[tokio::test]
async fn undated_readings_are_stored_when_the_bridge_is_killed_behind_the_embedded_broker() -> Result<()> {
    bridge_is_killed(Broker::Embedded).await
}
