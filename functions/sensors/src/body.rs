//! Bodies of requests about sensors.

use pm_api::{
    MachineId,
    sensor::{Sensor, Thresholds},
};
use pm_domain::{limits, settings::Key};
use pm_store::{
    Db, machine,
    sensor::{NewSensor, SensorChange},
    setting,
};
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
        warning_low: fields.number("warning_low").flatten(),
        critical_low: fields.number("critical_low").flatten(),
        metadata: fields.object(METADATA).flatten(),
    };
    new.name = take(&mut new.name).trim().to_owned();
    refuse_contradiction(&mut fields, &thresholds(&new));
    fields.end().map(|()| new)
}

fn thresholds(new: &NewSensor) -> Thresholds {
    Thresholds {
        warning: new.warning_threshold,
        critical: new.critical_threshold,
        warning_low: new.warning_low,
        critical_low: new.critical_low,
        min: new.min_threshold,
        max: new.max_threshold,
    }
}

/// Gives a sensor that comes without thresholds those that the settings have for its type, unless its machine has some.
pub(crate) async fn add_defaults(db: &Db, new: &mut NewSensor) -> Result<(), Refusal> {
    if !thresholds(new).is_empty() {
        return Ok(());
    }
    let of_machine = machine::thresholds(db, new.machine_id).await?;
    if of_machine.is_some_and(|t| t.contains_key(&new.sensor_type)) {
        return Ok(());
    }
    let settings = setting::read(db, &[Key::SensorsDefaultThresholds]).await?;
    let default = limits::default_of(&settings.json(Key::SensorsDefaultThresholds), &new.sensor_type);
    new.warning_threshold = default.warning;
    new.critical_threshold = default.critical;
    new.min_threshold = default.min;
    new.max_threshold = default.max;
    Ok(())
}

/// Names the field that contradicts another threshold.
fn refuse_contradiction(fields: &mut Fields, thresholds: &Thresholds) {
    if let Some((threshold, message)) = limits::contradiction(thresholds) {
        let field = match threshold {
            "warning" => "warning_threshold",
            "critical" => "critical_threshold",
            "min" => "min_threshold",
            "max" => "max_threshold",
            other => other,
        };
        fields.refuse("value_error", field, format!("Input {message}"));
    }
}

/// What to change of `sensor`; the thresholds that result are checked together.
pub(crate) fn sensor_change(sensor: &Sensor, mut fields: Fields) -> Result<SensorChange, Refusal> {
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
        warning_low: fields.number("warning_low"),
        critical_low: fields.number("critical_low"),
        metadata: fields.object(METADATA),
    };
    let thresholds = Thresholds {
        warning: change.warning_threshold.unwrap_or(sensor.warning_threshold),
        critical: change.critical_threshold.unwrap_or(sensor.critical_threshold),
        warning_low: change.warning_low.unwrap_or(sensor.warning_low),
        critical_low: change.critical_low.unwrap_or(sensor.critical_low),
        min: change.min_threshold.unwrap_or(sensor.min_threshold),
        max: change.max_threshold.unwrap_or(sensor.max_threshold),
    };
    refuse_contradiction(&mut fields, &thresholds);
    fields.end().map(|()| change)
}
