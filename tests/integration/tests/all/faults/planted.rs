//! Faults on purpose: a checker that finds nothing here would find nothing anywhere.

use super::{
    PER_SECOND, Stage,
    checker::{self, Difference, all_stored_once, difference},
    http_proxy::ProxyBehaviour,
    sensors::Plan,
};
use crate::sql;
use anyhow::Result;
use pm_test_support::Broker;

#[tokio::test]
async fn the_checker_finds_lost_doubled_altered_and_foreign_readings() -> Result<()> {
    let stage = Stage::new(Broker::Embedded, false).await?;
    let sensors = stage.sensors(Plan::new(PER_SECOND))?;
    sensors.until_acknowledged(PER_SECOND / 4).await?;
    let (plan, count) = sensors.finish().await?;
    all_stored_once(stage.stack.db(), (plan, count)).await?;
    let db = sql::connect(stage.stack.db()).await?;
    let found = async |statement: &str| {
        db.batch_execute(statement).await?;
        difference(stage.stack.db(), &plan, count).await
    };
    let only = Difference::default;
    let lost = found("delete from sensor_data where value = 7").await?;
    assert_eq!(lost, Difference { lost: vec![7], ..only() });
    let double = "insert into sensor_data (time, sensor_id, machine_id, value, status)
                  select time + interval '1 microsecond', sensor_id, machine_id, value, status
                  from sensor_data where value = 8";
    let doubled = found(double).await?;
    assert_eq!((&doubled.doubled, doubled.lost.len()), (&vec![8], 1));
    let altered = found("update sensor_data set value = 7 where value = 9").await?;
    assert_eq!((altered.altered, altered.lost), (vec![7, 8], vec![9]));
    let strange = found(&format!("update sensor_data set value = {count} where value = 10")).await?;
    assert_eq!(strange.strange, [count]);
    assert!(all_stored_once(stage.stack.db(), (plan, count)).await.is_err());
    Ok(())
}

/// Functions that say «committed» and commit nothing: the whole way is broken, and the checker sees it from outside.
#[tokio::test]
async fn the_checker_finds_readings_that_ingest_confirms_and_drops() -> Result<()> {
    let stage = Stage::new(Broker::Embedded, false).await?;
    let sensors = stage.sensors(Plan::new(PER_SECOND))?;
    sensors.until_acknowledged(PER_SECOND / 4).await?;
    stage.http_proxy.set(ProxyBehaviour::Lies);
    sensors.until_acknowledged(PER_SECOND / 4).await?;
    let published = sensors.finish().await?;
    let lied = || stage.http_proxy.mistreated() > 0;
    stage.until_status("everything counts as delivered", |s| super::well(s) && lied()).await?;
    stage.http_proxy.set(ProxyBehaviour::Honest);
    let found = checker::difference(stage.stack.db(), &published.0, published.1).await?;
    assert!(!found.lost.is_empty() && found.doubled.is_empty() && found.strange.is_empty(), "{found}");
    Ok(())
}
