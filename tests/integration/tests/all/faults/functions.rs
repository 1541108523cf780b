//! The functions answer wrongly, late or never.

use super::{PER_SECOND, Stage, a_while, middleman::Manner, sensors::Plan, spools};
use anyhow::Result;
use pm_test_support::Broker;
use std::time::Duration;

#[tokio::test]
async fn no_reading_is_lost_when_ingest_fails() -> Result<()> {
    let mut stage = Stage::new(Broker::Embedded, false).await?;
    let sensors = stage.sensors(Plan::new(PER_SECOND))?;
    let manners = vec![
        Manner::Refuses(500),
        Manner::Refuses(503),
        Manner::Refuses(429),
        Manner::Refuses(401),
        Manner::Slow(Duration::from_millis(1500)),
        Manner::Silent,
        Manner::LosesAnswers,
    ];
    for manner in stage.random.shuffled(manners) {
        stage.note(format_args!("{manner:?}"));
        sensors.until_acknowledged(a_while(&mut stage.random)).await?;
        stage.middleman.set(manner);
        let before = stage.middleman.mistreated();
        // ticks pass, so the bridge can say how it is; a slow start alone makes batches wait, too
        let mistreated = || stage.middleman.mistreated() > before;
        stage.until_status("batches wait on disk, mistreated", |s| spools(s) && mistreated()).await?;
        sensors.until_acknowledged(a_while(&mut stage.random)).await?;
        stage.middleman.set(Manner::Honest);
        stage.until_status("the spool is empty again", |s| s["mqtt"]["bridge"]["spool_batches"] == 0).await?;
    }
    stage.check(sensors).await
}
