//! The network between two parts fails in every way, in random order, under load.

use super::{
    PER_SECOND, Stage, a_while,
    checker::until_more_stored,
    relay::{Relay, Weather},
    sensors::{Plan, Sensors},
};
use anyhow::Result;
use pm_test_support::Broker;
use serde_json::Value;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Trouble {
    Lasts(Weather),
    Reset,
    Forgotten,
}

use Trouble::{Forgotten, Lasts, Reset};

const TROUBLES: [Trouble; 7] = [
    Lasts(Weather::Cut),
    Lasts(Weather::Stalled),
    Lasts(Weather::AnswersHeld),
    Lasts(Weather::Delayed(Duration::from_millis(20))),
    Lasts(Weather::BytesPerSecond(200_000)),
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
    for trouble in stage.random.shuffled(TROUBLES.to_vec()) {
        stage.note(format_args!("{trouble:?}"));
        sensors.until_acknowledged(a_while(&mut stage.random)).await?;
        one_trouble(&mut stage, &sensors, way, trouble, status_when_cut).await?;
        until_more_stored(stage.stack.db(), 1).await?;
    }
    stage.note(format_args!("the end"));
    stage.check(sensors).await
}

async fn one_trouble(
    stage: &mut Stage,
    sensors: &Sensors,
    way: fn(&Stage) -> &Relay,
    trouble: Trouble,
    status_when_cut: Option<fn(&Value) -> bool>,
) -> Result<()> {
    let weather = match trouble {
        Lasts(weather) => weather,
        Reset => {
            way(stage).reset();
            return Ok(());
        }
        Forgotten => {
            way(stage).forget();
            return Ok(());
        }
    };
    way(stage).set(weather);
    let passes = matches!(weather, Weather::Delayed(_) | Weather::BytesPerSecond(_));
    match status_when_cut {
        Some(shown) if weather == Weather::Cut => stage.until_status("the connection is cut", shown).await?,
        // the sensors' own way: only time can pass
        _ if std::ptr::eq(way(stage), &stage.sensors_way) && !passes => {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        _ => sensors.until_acknowledged(a_while(&mut stage.random)).await?,
    }
    way(stage).set(Weather::Clear);
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
