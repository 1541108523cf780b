//! The documented payload of a simulated reading.

use super::fault::Fault;
use super::plant::{Machine, Sensor};
use super::signal;
use pm_api::{ReadingStatus, Timestamp};
use serde::Serialize;

#[derive(Serialize)]
struct Payload<'a> {
    sensor_id: &'a str,
    machine_id: &'a str,
    metric: &'a str,
    value: f64,
    unit: &'a str,
    timestamp: Timestamp,
    location: &'a str,
    status: ReadingStatus,
    metadata: Metadata<'a>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    machine_name: &'a str,
    sensor_type: &'a str,
    cycle: u64,
    device_state: ReadingStatus,
    state_duration: u64,
}

/// How long a sensor has been in its state, in readings.
#[derive(Debug, Clone, Copy)]
pub struct DeviceState {
    status: ReadingStatus,
    duration: u64,
}

impl Default for DeviceState {
    fn default() -> Self {
        Self { status: ReadingStatus::Normal, duration: 0 }
    }
}

/// The payload of one reading, JSON. Keeps `state` up to date.
///
/// # Errors
/// Never for these types; the serializer's signature says so.
pub fn payload(
    seed: u64,
    machine: &Machine,
    sensor: &Sensor,
    at: Timestamp,
    cycle: u64,
    faults: &[Fault],
    state: &mut DeviceState,
) -> serde_json::Result<Vec<u8>> {
    let value = signal::value(seed, &machine.id, &sensor.id, &sensor.kind, at, faults);
    let status = signal::status(&sensor.kind, value);
    state.duration = if state.status == status { state.duration + 1 } else { 1 };
    state.status = status;
    serde_json::to_vec(&Payload {
        sensor_id: &sensor.id,
        machine_id: &machine.id,
        metric: sensor.kind.metric,
        value,
        unit: sensor.kind.unit,
        timestamp: at,
        location: &machine.location,
        status,
        metadata: Metadata {
            machine_name: &machine.name,
            sensor_type: sensor.kind.metric,
            cycle,
            device_state: status,
            state_duration: state.duration,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::super::plant::plant;
    use super::*;
    use crate::payload::{Mappings, Message, parse};

    #[test]
    fn the_bridge_reads_every_message_of_the_simulator() -> serde_json::Result<()> {
        let at = Timestamp(1_790_000_000_123_456);
        for machine in &plant(6, 5) {
            for sensor in &machine.sensors {
                let payload = payload(1, machine, sensor, at, 3, &[], &mut DeviceState::default())?;
                let received_at = Timestamp(5);
                let message =
                    Message { topic: &machine.topic, payload: &payload, received_at, retained: false };
                let parsed = parse(message, &Mappings::default());
                assert!(parsed.dead_letter.is_none() && parsed.ignored.is_empty(), "{parsed:?}");
                let reading = &parsed.readings[0];
                assert_eq!((&reading.sensor.machine, &reading.sensor.sensor), (&machine.id, &sensor.id));
                assert_eq!((reading.time, reading.status), (at, Some(ReadingStatus::Normal)));
                assert_eq!(reading.sensor.unit.as_deref(), Some(sensor.kind.unit));
                assert_eq!(reading.value, signal::value(1, &machine.id, &sensor.id, &sensor.kind, at, &[]));
            }
        }
        Ok(())
    }
}
