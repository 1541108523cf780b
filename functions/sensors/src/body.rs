//! Bodies of requests about sensors.

use pm_api::MachineId;
use pm_store::sensor::{NewSensor, SensorChange};
use pm_web::{Fields, Refusal};
use std::mem::take;

const NAME: usize = 200;
const UNIT: usize = 32;
const METADATA: &[&str] = &["metadata", "metadata_json"];

pub(crate) fn new_sensor(mut fields: Fields) -> Result<NewSensor, Refusal> {
    let machine_id = fields.required_id::<MachineId>("machine_id");
    let mut new = NewSensor {
        machine_id: machine_id.unwrap_or(MachineId(Default::default())),
        name: fields.required_text("name", NAME),
        sensor_type: fields.required_text("sensor_type", NAME),
        unit: fields.text("unit", UNIT).flatten(),
        min_threshold: fields.number("min_threshold").flatten(),
        max_threshold: fields.number("max_threshold").flatten(),
        warning_threshold: fields.number("warning_threshold").flatten(),
        critical_threshold: fields.number("critical_threshold").flatten(),
        metadata: fields.object(METADATA).flatten(),
    };
    new.name = take(&mut new.name).trim().to_owned();
    fields.end().map(|()| new)
}

pub(crate) fn sensor_change(mut fields: Fields) -> Result<SensorChange, Refusal> {
    let mut words = [None, None];
    for (slot, name) in words.iter_mut().zip(["name", "sensor_type"]) {
        *slot = fields.text(name, NAME).flatten();
        if slot.as_ref().is_some_and(|n| n.trim().is_empty()) {
            fields.refuse("string_too_short", name, "String should have at least 1 character");
        }
    }
    let [name, sensor_type] = words;
    let change = SensorChange {
        name,
        sensor_type,
        unit: fields.text("unit", UNIT),
        min_threshold: fields.number("min_threshold"),
        max_threshold: fields.number("max_threshold"),
        warning_threshold: fields.number("warning_threshold"),
        critical_threshold: fields.number("critical_threshold"),
        metadata: fields.object(METADATA),
    };
    fields.end().map(|()| change)
}
