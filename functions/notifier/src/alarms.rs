//! Alarms that begin or end without a reading: delays that have run out, and sensors that send nothing.

use crate::tasks::Tasks;
use pm_api::{
    Timestamp,
    alarm_engine::{Condition, Conditions, ConditionsReport},
    tick::BridgeHealth,
};
use pm_domain::{alarm::monitored::TRANSIT_S, clock::Task};
use pm_store::{
    Db, alarm_overdue,
    ingest::{self, DelayChange},
};
use pm_web::{Component, now};

pub(crate) async fn run(db: &Db, bridge: &BridgeHealth, tasks: &mut Tasks<'_>) {
    let now = now();
    tasks.ended(Task::AlarmDelays, delays(db, now).await);
    // what waits in the bridge's spool was sent
    if bridge.spool_batches == 0 {
        tasks.ended(Task::Silence, silence(db, bridge.started_at, now).await);
    }
}

/// Reports first and stores the delays then: if it ends in between, the next tick reports again.
async fn delays(db: &Db, now: Timestamp) -> Result<(), String> {
    let due = alarm_overdue::due(db, now.plus_seconds(-TRANSIT_S)).await.map_err(|e| e.to_string())?;
    let (mut conditions, mut changes) = (Vec::new(), Vec::new());
    for sensor in &due {
        let evaluation = sensor.monitored().overdue(now);
        changes.extend(DelayChange::of(sensor, &evaluation));
        conditions.extend(evaluation.conditions);
    }
    report(conditions).await?;
    if !changes.is_empty() {
        ingest::remember_unchanged(db, &changes).await.map_err(|e| e.to_string())?;
    }
    Ok(())
}

/// A bridge that has just started has not listened for longer.
async fn silence(db: &Db, listening_since: Timestamp, now: Timestamp) -> Result<(), String> {
    let silent = alarm_overdue::silent(db, listening_since).await.map_err(|e| e.to_string())?;
    report(silent.iter().filter_map(|(silent_s, sensor)| sensor.monitored().silent(*silent_s, now)).collect())
        .await
}

async fn report(items: Vec<Condition>) -> Result<(), String> {
    if items.is_empty() {
        return Ok(());
    }
    Component("alarm-engine")
        .post_postcard_for_json("/conditions", &Conditions { items }, "application/octet-stream", None)
        .await
        .map(|ConditionsReport { .. }| ())
        .map_err(|e| e.to_string())
}
