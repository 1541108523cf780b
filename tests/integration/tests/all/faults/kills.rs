//! kill -9 under load.

use super::{PER_SECOND, Stage, a_while, checker::until_more_stored, sensors::Plan};
use anyhow::Result;
use pm_test_support::Broker;
use std::time::Duration;

/// mosquitto acknowledges before it saves, once a second: its publishers send the last seconds again, and of a session that
/// it has not saved yet it keeps nothing (docs/configuration.md says so).
const UNSAVED: Duration = Duration::from_secs(4);

#[tokio::test]
async fn no_reading_is_lost_when_processes_are_killed_in_random_order() -> Result<()> {
    let mut stage = Stage::new(Broker::Mosquitto, true).await?;
    stage.until_broker_has_saved("factory/#").await?;
    let sensors = stage.sensors(Plan { distrust: UNSAVED, ..Plan::new(PER_SECOND) })?;
    let mut deaths: Vec<&[&str]> = vec![&["host"], &["bridge"], &["database"], &["broker"]];
    deaths.extend([["host", "database"].as_slice(), &["bridge", "broker"], &["bridge", "host"]]);
    for parts in stage.random.shuffled(deaths) {
        stage.note(format_args!("{parts:?}"));
        sensors.until_acknowledged(a_while(&mut stage.random)).await?;
        for part in parts {
            stage.stack.kill(part).await?;
        }
        match parts {
            ["database"] => {
                stage.until_status("no database", |s| s["database"]["status"] == "disconnected").await?;
            }
            ["broker"] => stage.until_status("no broker", |s| s["mqtt"]["connected"] == false).await?,
            _ if parts.contains(&"broker") => {}
            _ => sensors.until_acknowledged(a_while(&mut stage.random)).await?,
        }
        for part in stage.random.shuffled(parts.to_vec()) {
            stage.stack.restart(part).await?;
        }
        until_more_stored(stage.stack.db(), 1).await?;
    }
    stage.check(sensors).await
}

#[tokio::test]
async fn the_status_reports_a_dead_bridge() -> Result<()> {
    let mut stage = Stage::new(Broker::Embedded, false).await?;
    let sensors = stage.sensors(Plan::new(PER_SECOND))?;
    sensors.until_acknowledged(PER_SECOND / 2).await?;
    stage.stack.kill("bridge").await?;
    stage.until_status("no bridge", |s| s["mqtt"]["connected"] == false).await?;
    stage.stack.restart("bridge").await?;
    stage.check(sensors).await
}

/// It keeps nothing over its death: what the bridge had acknowledged is safe, and whoever publishes then is heard.
#[tokio::test]
async fn the_bridge_recovers_when_the_embedded_broker_dies() -> Result<()> {
    let mut stage = Stage::new(Broker::Embedded, false).await?;
    let first = stage.sensors(Plan::new(PER_SECOND))?;
    first.until_acknowledged(PER_SECOND).await?;
    let (plan, count) = first.finish().await?;
    stage.until_status("all is acknowledged", super::well).await?;
    super::checker::all_stored_once(stage.stack.db(), (plan, count)).await?;
    stage.stack.kill("broker").await?;
    stage.until_status("no broker", |s| s["mqtt"]["connected"] == false).await?;
    stage.stack.restart("broker").await?;
    stage.until_status("the broker is back", |s| s["mqtt"]["connected"] == true).await?;
    stage
        .until_status("it had forgotten the bridge", |s| {
            s["mqtt"]["bridge"]["last_error"]
                .as_str()
                .is_some_and(|e| e.contains("forgotten the bridge's session"))
        })
        .await?;
    let second = stage.sensors(plan.after(count))?;
    second.until_acknowledged(PER_SECOND).await?;
    stage.check(second).await
}
