//! The known fields of an object in the plain form.

use super::{Reader, quality, time};
use serde_json::{Map, Value};

/// What a field of an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Machine,
    Sensor,
    /// A name that is the sensor's in an element of an array.
    Name,
    /// With the rank of its key, 0 is best.
    Time(usize),
    Quality,
    Unit,
    Metric,
    SensorType,
    Location,
    Status,
    Metadata,
    Historical,
    Value,
    Values,
    Other,
}

/// What the field with this key is. `flat`: it stands among flat numbers.
pub fn role(key: &str, value: &Value, flat: bool) -> Role {
    match key {
        "machine_id" | "machineId" => Role::Machine,
        "sensor_id" | "sensorId" => Role::Sensor,
        "value" => Role::Value,
        "values" => Role::Values,
        "unit" => Role::Unit,
        "metric" => Role::Metric,
        "sensor_type" => Role::SensorType,
        "location" => Role::Location,
        "status" => Role::Status,
        "metadata" => Role::Metadata,
        "historical" | "is_historical" | "isHistorical" => Role::Historical,
        "sensor" | "name" | "tag" | "id" if !flat => Role::Name,
        _ => match time::key_rank(key) {
            Some(rank) if !flat || is_flat_time(key, value) => Role::Time(rank),
            // in flat numbers, q may be a flow
            None if quality::is_key(key) && !(flat && key.len() <= 2) => Role::Quality,
            _ => Role::Other,
        },
    }
}

/// In flat numbers, `t` may be a temperature: it is a time only if it looks like one.
fn is_flat_time(key: &str, value: &Value) -> bool {
    !key.eq_ignore_ascii_case("t")
        || match value {
            Value::Number(number) => number.as_f64().is_some_and(|n| n >= 1e9),
            Value::String(text) => text.len() >= 10,
            _ => false,
        }
}

/// The known fields of an object.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fields<'a> {
    pub machine: Option<(&'a str, &'a Value)>,
    pub sensor: Option<(&'a str, &'a Value)>,
    /// A name that is the sensor's in an element of an array.
    pub name: Option<(&'a str, &'a Value)>,
    pub time: Option<(&'a str, &'a Value)>,
    pub time_rank: usize,
    pub quality: Option<(&'a str, &'a Value)>,
    pub unit: Option<&'a Value>,
    pub sensor_type: Option<&'a Value>,
    pub location: Option<&'a Value>,
    pub status: Option<&'a Value>,
    pub metadata: Option<&'a Value>,
    pub historical: bool,
    pub value: Option<&'a Value>,
    pub values: Option<&'a Value>,
    /// Are there fields that are none of these, or that are there twice?
    pub others: bool,
}

impl<'a> Fields<'a> {
    /// The known fields of an object. `flat`: it holds flat numbers.
    pub fn of(object: &'a Map<String, Value>, flat: bool) -> Self {
        let mut fields = Self::default();
        for (key, value) in object {
            let role = role(key, value, flat);
            if value.is_null() && role != Role::Value {
                fields.others |= flat && role == Role::Other;
                continue;
            }
            match role {
                Role::Machine => fields.machine = fields.machine.or(Some((key, value))),
                Role::Sensor => fields.sensor = fields.sensor.or(Some((key, value))),
                Role::Name => {
                    fields.others = true;
                    fields.name = fields.name.or(Some((key, value)));
                }
                Role::Time(rank) => {
                    fields.others |= fields.time.is_some();
                    if fields.time.is_none() || rank < fields.time_rank {
                        fields.time = Some((key, value));
                        fields.time_rank = rank;
                    }
                }
                Role::Quality => fields.quality = Some((key, value)),
                Role::Unit => fields.unit = Some(value),
                Role::Metric => fields.sensor_type = Some(value),
                Role::SensorType => fields.sensor_type = fields.sensor_type.or(Some(value)),
                Role::Location => fields.location = Some(value),
                Role::Status => fields.status = Some(value),
                Role::Metadata => fields.metadata = Some(value),
                Role::Historical => fields.historical = *value == Value::Bool(true),
                Role::Value => fields.value = Some(value),
                Role::Values => fields.values = Some(value),
                Role::Other => fields.others = true,
            }
        }
        fields
    }

    /// These fields, and those of the object around it where they are missing.
    pub fn inherit(mut self, outer: &Fields<'a>) -> Self {
        self.machine = self.machine.or(outer.machine);
        self.sensor = self.sensor.or(self.name).or(outer.sensor);
        self.quality = self.quality.or(outer.quality);
        self.unit = self.unit.or(outer.unit);
        self.sensor_type = self.sensor_type.or(outer.sensor_type);
        self.location = self.location.or(outer.location);
        self.status = self.status.or(outer.status);
        self.metadata = self.metadata.or(outer.metadata);
        self.historical |= outer.historical;
        self
    }

    /// Names the fields of `object` that were not read.
    pub fn ignore_others(&self, reader: &mut Reader<'_>, object: &Map<String, Value>, except: &str) {
        for (key, value) in object {
            let unused = match role(key, value, false) {
                Role::Other => !value.is_null(),
                Role::Name => self.sensor.is_none_or(|(used, _)| used != key),
                Role::Time(_) => self.time.is_some_and(|(used, _)| used != key) && !value.is_null(),
                _ => false,
            };
            if unused && key != except {
                reader.ignore(key);
            }
        }
    }
}
