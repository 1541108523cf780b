//! Asking the networks of those machines that have one.

use pm_api::{
    MachineId, SensorId,
    remaining_life::{MAX_CYCLES, RemainingLife, RulItem, RulRequest, RulResponse},
};
use pm_domain::cycle::cycles;
use pm_store::{
    Db,
    remaining_life::{Channel, channels},
};
use pm_web::{Component, log_error};
use std::collections::HashMap;

/// Prognoses by the sensors that they rest on. What cannot be had is logged and left to the trend.
pub(crate) async fn by_network(db: &Db, mut machines: Vec<MachineId>) -> HashMap<SensorId, RemainingLife> {
    machines.sort_unstable();
    machines.dedup();
    if machines.is_empty() {
        return HashMap::new();
    }
    ask(db, &machines).await.unwrap_or_else(|error| {
        log_error(&format!("no prognosis for {} machines: {error}", machines.len()));
        HashMap::new()
    })
}

async fn ask(db: &Db, machines: &[MachineId]) -> Result<HashMap<SensorId, RemainingLife>, String> {
    let channels = channels(db, machines, MAX_CYCLES).await.map_err(|e| e.to_string())?;
    let by_machine: Vec<&[Channel]> = channels.chunk_by(|a, b| a.machine_id == b.machine_id).collect();
    let items: Vec<RulItem> = by_machine.iter().filter_map(|channels| item(channels)).collect();
    let response: RulResponse = Component("score")
        .post_postcard("/remaining-life", &RulRequest { items })
        .await
        .map_err(|e| e.to_string())?;
    let mut lives = HashMap::new();
    for (channels, answer) in by_machine.into_iter().zip(response.items) {
        match answer {
            Ok(life) => lives.extend(channels.iter().map(|c| (c.sensor_id, life.clone()))),
            Err(why) => log_error(&format!("no prognosis for machine {}: {why}", channels[0].machine_id)),
        }
    }
    Ok(lives)
}

fn item(channels: &[Channel]) -> Option<RulItem> {
    let first = channels.first()?;
    let columns: Vec<_> = channels.iter().map(|c| c.readings.clone()).collect();
    Some(RulItem {
        machine_id: first.machine_id,
        model: first.model.clone(),
        channels: channels.iter().map(|c| c.channel.clone()).collect(),
        cycles: cycles(&columns),
        hours_per_cycle: first.hours_per_cycle,
    })
}
