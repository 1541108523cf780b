//! The functions answer wrongly, late or never.

use super::{PER_SECOND, Stage, a_while, http_proxy::ProxyBehaviour, sensors::Plan, spools};
use anyhow::Result;
use pm_test_support::Broker;
use std::time::Duration;

#[tokio::test]
async fn no_reading_is_lost_when_ingest_fails() -> Result<()> {
    let mut stage = Stage::new(Broker::Embedded, false).await?;
    let sensors = stage.sensors(Plan::new(PER_SECOND))?;
    let behaviours = vec![
        ProxyBehaviour::Refuses(500),
        ProxyBehaviour::Refuses(503),
        ProxyBehaviour::Refuses(429),
        ProxyBehaviour::Refuses(401),
        ProxyBehaviour::Slow(Duration::from_millis(1500)),
        ProxyBehaviour::Silent,
        ProxyBehaviour::LosesAnswers,
    ];
    for behaviour in stage.random.shuffled(behaviours) {
        stage.note(format_args!("{behaviour:?}"));
        sensors.until_acknowledged(a_while(&mut stage.random)).await?;
        stage.http_proxy.set(behaviour);
        let before = stage.http_proxy.mistreated();
        // ticks pass, so the bridge can say how it is; a slow start alone makes batches wait, too
        let mistreated = || stage.http_proxy.mistreated() > before;
        stage.until_status("batches wait on disk, mistreated", |s| spools(s) && mistreated()).await?;
        sensors.until_acknowledged(a_while(&mut stage.random)).await?;
        stage.http_proxy.set(ProxyBehaviour::Honest);
        stage.until_status("the spool is empty again", |s| s["mqtt"]["bridge"]["spool_batches"] == 0).await?;
    }
    stage.check(sensors).await
}
