//! The plain form: one JSON object that names its machine, with `value` or `values`; and flat numbers of the machine that
//! the topic names.

use super::fields::{Fields, Role, role};
use super::rows::MAX_ROWS;
use super::shared::{self, Outcome, Shared};
use super::{Reader, TimeOrigin, field, quality, value};
use serde_json::{Map, Value, json};
use std::fmt;

/// A key of a flat form: key, sensor name, kind of quantity, unit.
type Flat = (&'static str, &'static str, &'static str, Option<&'static str>);

/// A topic whose payloads are flat numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlatForm {
    /// `factory/<machine>/telemetry`, written by the OPC UA gateway: these keys and no others.
    OpcUa,
    /// `sensors/<machine>/telemetry`: every number.
    Telemetry,
}

impl FlatForm {
    fn keys(self) -> &'static [Flat] {
        match self {
            Self::OpcUa => OPC_UA,
            Self::Telemetry => TELEMETRY,
        }
    }
}

const OPC_UA: &[Flat] = &[
    ("temperature", "opcua_temperature", "temperature", Some("°C")),
    ("vibration", "opcua_vibration", "vibration", Some("mm/s")),
    ("pressure", "opcua_pressure", "pressure", Some("bar")),
    ("motorCurrent", "opcua_motor_current", "motor_current", Some("A")),
    ("wearIndex", "opcua_wear_index", "wear_index", Some("%")),
];

/// The documented keys; their values must be numbers.
const TELEMETRY: &[Flat] = &[
    ("vibration", "vibration", "vibration", None),
    ("temperature", "temperature", "temperature", None),
    ("rpm", "rpm", "rpm", None),
    ("pressure", "pressure", "pressure", None),
    ("flow_rate", "flow_rate", "flow_rate", None),
    ("motor_current", "motor_current", "motor_current", None),
];

/// Keys under which an object holds an array of objects that inherit its fields.
const ARRAYS: &[&str] = &[
    "batch",
    "readings",
    "measurements",
    "samples",
    "records",
    "points",
    "data",
    "values",
    "sensors",
    "metrics",
];

/// The flat form of a topic.
#[must_use]
pub fn flat_form(topic: &str) -> Option<FlatForm> {
    match topic {
        topic if !topic.contains("telemetry") => None,
        topic if topic.contains("factory/") => Some(FlatForm::OpcUa),
        topic if topic.contains("sensors/") => Some(FlatForm::Telemetry),
        _ => None,
    }
}

/// Does the object name its machine in the plain way?
#[must_use]
pub fn is_plain(object: &Map<String, Value>) -> bool {
    object.contains_key("machine_id") || object.contains_key("machineId")
}

/// The array of objects in an object, with its key.
#[must_use]
pub fn array_of(object: &Map<String, Value>) -> Option<(&'static str, &[Value])> {
    ARRAYS.iter().find_map(|key| match object.get(*key)? {
        Value::Array(elements) if *key == "batch" || elements.first().is_some_and(Value::is_object) => {
            Some((*key, elements.as_slice()))
        }
        _ => None,
    })
}

/// Where an object stands: in an array, or alone.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a>(Option<(&'a str, usize)>);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |(array, index)| write!(f, "{array}[{index}] "))
    }
}

/// Reads an object that holds no array of others.
pub fn read(reader: &mut Reader<'_>, object: &Map<String, Value>) {
    read_at(reader, Place(None), object, None);
}

/// Reads the elements of an array; `around` is the object that holds it under `name`.
///
/// # Errors
/// It is empty or too long.
pub fn read_array(
    reader: &mut Reader<'_>,
    name: &str,
    elements: &[Value],
    around: &Map<String, Value>,
) -> Result<(), String> {
    let shown_name = if name.is_empty() { "payload" } else { name };
    if elements.is_empty() {
        return Err(format!("{shown_name}: an empty array"));
    }
    if elements.len() > MAX_ROWS {
        return Err(format!("{shown_name}: {} elements, more than {MAX_ROWS}", elements.len()));
    }
    reader.several = true;
    let outer = Fields::of(around, false);
    let has_values = outer.values.is_some_and(|values| !values.is_array());
    if outer.value.is_some() || has_values {
        read_at(reader, Place(None), around, None);
    }
    outer.ignore_others(reader, around, name);
    let mut has_only_texts = true;
    for (index, element) in elements.iter().enumerate() {
        let place = Place(Some((name, index)));
        match element {
            Value::Object(object) => {
                has_only_texts &= read_at(reader, place, object, Some(&outer)) == Content::Texts;
            }
            _ => {
                has_only_texts = false;
                reader.fault(format!("{place}not a JSON object"));
            }
        }
    }
    if has_only_texts && outer.value.is_none() && !has_values {
        return Err("value: none found (expected value or values)".to_owned());
    }
    Ok(())
}

/// What an object held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    /// A value, the statement that there is none, or a fault.
    Values,
    /// Texts, which are ignored by name: a row of an array may have no others.
    Texts,
}

fn read_at<'v>(
    reader: &mut Reader<'_>,
    place: Place<'v>,
    object: &'v Map<String, Value>,
    outer: Option<&Fields<'v>>,
) -> Content {
    let flat = flat_form(reader.message.topic)
        .filter(|_| !["value", "values"].iter().any(|key| object.get(*key).is_some_and(|v| !v.is_null())));
    let own = Fields::of(object, flat.is_some());
    let fields = outer.map_or(own, |outer| own.inherit(outer));
    let mut element = match Element::new(reader, place, fields, outer, flat) {
        Ok(element) => element,
        Err(reason) => {
            reader.fault(format!("{place}{reason}"));
            return Content::Values;
        }
    };
    match flat {
        Some(form) => element.read_flat(reader, form, object),
        None => element.read_values(reader),
    }
    if flat.is_none() && own.others && outer.is_none_or(|_| place.0.is_some()) {
        fields.ignore_others(
            reader,
            object,
            if place.0.is_none() { array_of(object).map_or("", |a| a.0) } else { "" },
        );
    }
    if !element.found && element.has_text && place.0.is_some() {
        return Content::Texts;
    }
    if !element.found {
        let expected = match flat {
            Some(form) => form.keys().iter().map(|key| key.0).collect::<Vec<_>>().join(", "),
            None => "value or values".to_owned(),
        };
        reader.fault(format!("{place}value: none found (expected {expected})"));
    }
    Content::Values
}

/// One object while it is read.
struct Element<'v> {
    place: Place<'v>,
    fields: Fields<'v>,
    shared: Shared<'v>,
    /// What is put before the names of values.
    prefix: Option<String>,
    sensor_type: Option<String>,
    /// Was there a value, or the statement that there is none?
    found: bool,
    /// Was there a text among the named values?
    has_text: bool,
}

impl<'v> Element<'v> {
    fn new(
        reader: &mut Reader<'_>,
        place: Place<'v>,
        fields: Fields<'v>,
        outer: Option<&Fields<'v>>,
        flat: Option<FlatForm>,
    ) -> Result<Self, String> {
        let of_topic = || flat.and_then(|_| reader.message.topic.split('/').nth(1));
        let machine = match fields.machine {
            Some((key, value)) => field::name(key, value)?,
            None => match of_topic().map(str::trim).filter(|machine| !machine.is_empty()) {
                Some(machine) => {
                    field::check_name("machine_id (from the topic)", machine)?;
                    machine.to_owned()
                }
                None => return Err("machine_id: missing".to_owned()),
            },
        };
        let time = match (fields.time, outer.and_then(|outer| outer.time)) {
            (None, Some(around)) => shared::time(reader, Some(around), TimeOrigin::Message),
            (own, _) => shared::time(reader, own, TimeOrigin::Value),
        };
        let time = time.map_err(|reason| format!("{place}{reason}"));
        let metadata = field::metadata(fields.metadata)?;
        let of_metadata = |key: &str| fields.metadata.and_then(|metadata| field::label(metadata.get(key)?));
        let status = fields.status.and_then(field::status);
        let mut quality = fields.quality;
        if let Some(claim) = fields.status.filter(|_| status.is_none()) {
            match quality {
                None if quality::read("status", claim).is_some() => quality = Some(("status", claim)),
                _ => reader.ignore("status"),
            }
        }
        let prefix = match fields.sensor {
            Some((key, value)) if flat != Some(FlatForm::OpcUa) => Some(field::name(key, value)?),
            _ => None,
        };
        Ok(Self {
            place,
            fields,
            prefix,
            sensor_type: fields.sensor_type.and_then(field::label).or_else(|| of_metadata("sensor_type")),
            found: false,
            has_text: false,
            shared: Shared {
                machine,
                location: fields.location.and_then(field::label),
                unit: fields.unit.and_then(field::label).or_else(|| of_metadata("unit")),
                time,
                quality,
                status,
                historical: fields.historical,
                metadata,
            },
        })
    }

    fn read_values(&mut self, reader: &mut Reader<'_>) {
        match self.fields.value {
            None => {}
            Some(Value::Object(group)) if !is_described(group) => self.read_group(reader, "value", "", group),
            Some(value) => {
                let place = self.place;
                let Some(sensor) = self.prefix.clone() else {
                    self.found = true;
                    return reader.fault(format!("{place}sensor_id: missing"));
                };
                let kind = self.sensor_type.clone();
                let outcome = self.shared.add(reader, Ok(sensor), kind, value, &|| format!("{place}value"));
                self.found = true;
                if outcome == Outcome::Other {
                    reader.fault(format!("{place}value: {}", not_a_number(value)));
                } else if outcome == Outcome::Absent {
                    reader.ignore("value");
                }
            }
        }
        match self.fields.values {
            None => {}
            Some(Value::Object(group)) => self.read_group(reader, "values", "", group),
            Some(Value::Array(elements)) if elements.first().is_some_and(Value::is_object) => {}
            Some(_) => {
                self.found = true;
                reader.fault(format!("{}values: not an object of names and numbers", self.place));
            }
        }
    }

    /// Reads the values of a group; `path` is the name of the group in those around it, with a point at its end.
    fn read_group(&mut self, reader: &mut Reader<'_>, under: &str, path: &str, group: &Map<String, Value>) {
        for (key, value) in group {
            let key = key.trim();
            match value {
                Value::Object(inner) if !is_described(inner) => {
                    self.read_group(reader, under, &format!("{path}{key}."), inner);
                }
                _ => self.read_named(reader, under, path, key, value),
            }
        }
    }

    fn read_named(&mut self, reader: &mut Reader<'_>, under: &str, path: &str, key: &str, value: &Value) {
        let place = self.place;
        let full = || match under {
            "" => format!("{path}{key}"),
            under => format!("{under}.{path}{key}"),
        };
        let sensor = match &self.prefix {
            Some(prefix) if !key.is_empty() => format!("{prefix}.{path}{key}"),
            _ => format!("{path}{key}"),
        };
        let sensor =
            field::check_name(&full(), &sensor).map(|()| sensor).map_err(|reason| format!("{place}{reason}"));
        let kind = self.sensor_type.clone().or_else(|| Some(key.to_owned()));
        match self.shared.add(reader, sensor, kind, value, &|| format!("{place}{}", full())) {
            Outcome::Stored | Outcome::Fault => self.found = true,
            Outcome::Absent => {
                self.found = true;
                reader.ignore(&full());
            }
            Outcome::Other => {
                self.has_text = true;
                reader.ignore(&full());
            }
        }
    }

    fn read_flat(&mut self, reader: &mut Reader<'_>, form: FlatForm, object: &Map<String, Value>) {
        for &(key, sensor, sensor_type, unit) in form.keys() {
            let Some(value) = object.get(key).filter(|value| !value.is_object()) else { continue };
            if form == FlatForm::OpcUa {
                self.shared.metadata = Some(opc_ua_metadata(reader.message.topic, object, unit));
                self.shared.unit = unit.map(str::to_owned);
            }
            let name = match &self.prefix {
                Some(prefix) => format!("{prefix}.{sensor}"),
                None => sensor.to_owned(),
            };
            let name = field::check_name("sensor_id", &name).map(|()| name);
            let place = self.place;
            let kind = Some(sensor_type.to_owned());
            match self.shared.add(reader, name, kind, value, &|| format!("{place}{key}")) {
                Outcome::Stored | Outcome::Fault => self.found = true,
                Outcome::Absent => {
                    self.found = true;
                    reader.ignore(key);
                }
                Outcome::Other => {
                    self.found = true;
                    reader.fault(format!("{place}{key}: {}", not_a_number(value)));
                }
            }
        }
        for (key, value) in object {
            let is_known = form.keys().iter().any(|known| known.0 == key) && !value.is_object();
            match role(key, value, true) {
                _ if is_known || (form == FlatForm::OpcUa && key == "profile") => continue,
                Role::Other => {}
                Role::Time(_) if self.fields.time.is_some_and(|(used, _)| used != key) => {
                    reader.ignore(key);
                    continue;
                }
                _ => continue,
            }
            match value {
                _ if form == FlatForm::OpcUa => reader.ignore(key),
                Value::Object(group) if !is_described(group) => {
                    self.read_group(reader, "", &format!("{}.", key.trim()), group);
                }
                _ => self.read_named(reader, "", "", key.trim(), value),
            }
        }
    }
}

fn is_described(object: &Map<String, Value>) -> bool {
    value::is_described(object)
}

fn not_a_number(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{} is not a number", field::shown(text)),
        Value::Array(_) => "an array, not a number".to_owned(),
        _ => "an object, not a number".to_owned(),
    }
}

fn opc_ua_metadata(topic: &str, object: &Map<String, Value>, unit: Option<&str>) -> String {
    let profile = match object.get("profile") {
        Some(Value::String(text)) => Some(Value::String(field::clean(text))),
        Some(scalar @ (Value::Number(_) | Value::Bool(_))) => Some(scalar.clone()),
        _ => None,
    };
    json!({
        "source": "opcua_edge_gateway", "profile": profile, "unit": unit, "original_topic": field::clean(topic),
    })
    .to_string()
}
