//! The network between two parts fails in every way, in random order, under load.

use super::{
    PER_SECOND, Stage, a_while,
    checker::until_more_stored,
    relay::{LinkState, Relay},
    sensors::{Plan, Sensors},
};
use anyhow::Result;
use pm_test_support::Broker;
use serde_json::Value;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq)]
enum NetworkFault {
    Lasts(LinkState),
    Reset,
    Forgotten,
}

use NetworkFault::{Forgotten, Lasts, Reset};

const NETWORK_FAULTS: [NetworkFault; 7] = [
    Lasts(LinkState::Cut),
    Lasts(LinkState::Stalled),
    Lasts(LinkState::AnswersHeld),
    Lasts(LinkState::Delayed(Duration::from_millis(20))),
    Lasts(LinkState::BytesPerSecond(200_000)),
    Reset,
    Forgotten,
];

/// Every fault once; `status_when_cut` checks what `/status` shows while the connection is cut.
async fn all_troubles(
    broker: Broker,
    way: fn(&Stage) -> &Relay,
    status_when_cut: Option<fn(&Value) -> bool>,
) -> Result<()> {
    let mut stage = Stage::new(broker, false).await?;
    let sensors = stage.sensors(Plan::new(PER_SECOND))?;
    for fault in stage.random.shuffled(NETWORK_FAULTS.to_vec()) {
        stage.note(format_args!("{fault:?}"));
        sensors.until_acknowledged(a_while(&mut stage.random)).await?;
        one_fault(&mut stage, &sensors, way, fault, status_when_cut).await?;
        until_more_stored(stage.stack.db(), 1).await?;
    }
    stage.note(format_args!("the end"));
    stage.check(sensors).await
}

async fn one_fault(
    stage: &mut Stage,
    sensors: &Sensors,
    way: fn(&Stage) -> &Relay,
    fault: NetworkFault,
    status_when_cut: Option<fn(&Value) -> bool>,
) -> Result<()> {
    let link = match fault {
        Lasts(link) => link,
        Reset => {
            way(stage).reset();
            return Ok(());
        }
        Forgotten => {
            way(stage).forget();
            return Ok(());
        }
    };
    way(stage).set(link);
    let passes = matches!(link, LinkState::Delayed(_) | LinkState::BytesPerSecond(_));
    match status_when_cut {
        Some(shown) if link == LinkState::Cut => stage.until_status("the connection is cut", shown).await?,
        // the sensors' own way: only time can pass
        _ if std::ptr::eq(way(stage), &stage.sensors_way) && !passes => {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        _ => sensors.until_acknowledged(a_while(&mut stage.random)).await?,
    }
    way(stage).set(LinkState::Clear);
    Ok(())
}

#[tokio::test]
async fn no_reading_is_lost_when_the_network_between_sensors_and_broker_fails() -> Result<()> {
    all_troubles(Broker::Embedded, |s| &s.sensors_way, None).await
}

#[tokio::test]
async fn no_reading_is_lost_when_the_network_between_bridge_and_mosquitto_fails() -> Result<()> {
    all_troubles(Broker::Mosquitto, |s| &s.broker_way, Some(|s| s["mqtt"]["connected"] == false)).await
}

#[tokio::test]
async fn no_reading_is_lost_when_the_network_between_bridge_and_embedded_broker_fails() -> Result<()> {
    all_troubles(Broker::Embedded, |s| &s.broker_way, Some(|s| s["mqtt"]["connected"] == false)).await
}

#[tokio::test]
async fn no_reading_is_lost_when_the_network_between_bridge_and_host_fails() -> Result<()> {
    all_troubles(Broker::Embedded, |s| &s.host_way, None).await
}

#[tokio::test]
async fn no_reading_is_lost_when_the_network_between_host_and_database_fails() -> Result<()> {
    let disconnected = |s: &Value| s["database"]["status"] == "disconnected";
    all_troubles(Broker::Embedded, |s| &s.database_way, Some(disconnected)).await
}
