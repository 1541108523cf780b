//! One JSON object: which form it has, and its readings.

use super::{Message, ParsedReading, field};
use pm_api::ingest::SensorRef;
use pm_api::{ReadingStatus, Timestamp};
use serde_json::{Map, Value, json};

/// A key of a flat form: key, sensor name, kind of quantity, unit.
type Flat = (&'static str, &'static str, &'static str, Option<&'static str>);

/// `factory/…/telemetry`, written by the OPC UA gateway.
const OPC_UA: &[Flat] = &[
    ("temperature", "opcua_temperature", "temperature", Some("°C")),
    ("vibration", "opcua_vibration", "vibration", Some("mm/s")),
    ("pressure", "opcua_pressure", "pressure", Some("bar")),
    ("motorCurrent", "opcua_motor_current", "motor_current", Some("A")),
    ("wearIndex", "opcua_wear_index", "wear_index", Some("%")),
];

/// `sensors/<machine>/telemetry`.
const TELEMETRY: &[Flat] = &[
    ("vibration", "vibration", "vibration", None),
    ("temperature", "temperature", "temperature", None),
    ("rpm", "rpm", "rpm", None),
    ("pressure", "pressure", "pressure", None),
    ("flow_rate", "flow_rate", "flow_rate", None),
    ("motor_current", "motor_current", "motor_current", None),
];

/// What all values of one object share.
struct Shared {
    machine: String,
    location: Option<String>,
    topic: String,
    time: Timestamp,
    dated_on_receipt: bool,
    status: Option<ReadingStatus>,
    metadata: Option<String>,
}

/// Adds the readings of `object` and returns the reasons why others could not be read. `around` is the object that
/// holds the array this one stands in; `index` is its place there.
pub fn read(
    message: Message<'_>,
    object: &Map<String, Value>,
    around: &Map<String, Value>,
    index: i64,
    readings: &mut Vec<ParsedReading>,
) -> Vec<String> {
    let before = readings.len();
    let mut reasons = Vec::new();
    let flat = match message.topic {
        _ if field::first(object, &["value", "values"]).is_some() => None,
        topic if !topic.contains("telemetry") => None,
        topic if topic.contains("factory/") => Some(OPC_UA),
        topic if topic.contains("sensors/") => Some(TELEMETRY),
        _ => None,
    };
    let machine_of_topic = flat.and(message.topic.split('/').nth(1));
    match shared(message, object, around, index, machine_of_topic) {
        Err(reason) => reasons.push(reason),
        Ok(shared) => match flat {
            Some(keys) => read_flat(message, object, keys, &shared, readings, &mut reasons),
            None => read_generic(object, &shared, readings, &mut reasons),
        },
    }
    if reasons.is_empty() && readings.len() == before {
        let expected = match flat {
            Some(keys) => keys.iter().map(|k| k.0).collect::<Vec<_>>().join(", "),
            None => "value or values".to_owned(),
        };
        reasons.push(format!("value: none found (expected {expected})"));
    }
    reasons
}

fn shared(
    message: Message<'_>,
    object: &Map<String, Value>,
    around: &Map<String, Value>,
    index: i64,
    machine_of_topic: Option<&str>,
) -> Result<Shared, String> {
    const MACHINE: &[&str] = &["machine_id", "machineId"];
    let machine = match field::first(object, MACHINE).or_else(|| field::first(around, MACHINE)) {
        Some((key, value)) => field::name(key, value)?,
        None => match machine_of_topic.map(str::trim).filter(|m| !m.is_empty()) {
            Some(machine) => {
                field::check_name("machine_id (from the topic)", machine)?;
                machine.to_owned()
            }
            None => return Err("machine_id: missing".to_owned()),
        },
    };
    let sent = field::first(object, &["timestamp"]).or_else(|| field::first(around, &["timestamp"]));
    let time = match sent {
        Some((_, value)) => field::time(value)?,
        None if message.retained => {
            return Err("timestamp: missing in a retained message, whose age is unknown".to_owned());
        }
        None => Timestamp(message.received_at.0.saturating_add(index)),
    };
    Ok(Shared {
        machine,
        location: field::label(object, &["location"]).or_else(|| field::label(around, &["location"])),
        topic: field::clean(message.topic),
        time,
        dated_on_receipt: sent.is_none(),
        status: field::status(object),
        metadata: field::metadata(object)?,
    })
}

fn read_generic(
    object: &Map<String, Value>,
    shared: &Shared,
    readings: &mut Vec<ParsedReading>,
    reasons: &mut Vec<String>,
) {
    let sensor = match sensor_id(object) {
        Ok(sensor) => sensor,
        Err(reason) => return reasons.push(reason),
    };
    let of_metadata = object.get("metadata").and_then(Value::as_object);
    let sensor_type = field::label(object, &["metric", "sensor_type"])
        .or_else(|| of_metadata.and_then(|m| field::label(m, &["sensor_type"])));
    let unit =
        field::label(object, &["unit"]).or_else(|| of_metadata.and_then(|m| field::label(m, &["unit"])));
    let mut add = |sensor: String, kind: Option<String>, key: &str, value: &Value| {
        let value = field::number(key, value)?;
        let metadata = shared.metadata.clone();
        readings.extend(value.map(|value| reading(shared, sensor, kind, unit.clone(), value, metadata)));
        Ok(())
    };
    if let Some(value) = object.get("value").filter(|v| !v.is_null()) {
        match &sensor {
            Some(name) => reasons.extend(add(name.clone(), sensor_type.clone(), "value", value).err()),
            None => return reasons.push("sensor_id: missing".to_owned()),
        }
    }
    match object.get("values") {
        None | Some(Value::Null) => {}
        Some(Value::Object(values)) => {
            for (key, value) in values {
                let place = format!("values.{key}");
                let kind = sensor_type.clone().or_else(|| Some(key.trim().to_owned()));
                let name = prefixed(sensor.as_deref(), key, &place);
                reasons.extend(name.and_then(|name| add(name, kind, &place, value)).err());
            }
        }
        Some(_) => reasons.push("values: not an object of names and numbers".to_owned()),
    }
}

fn read_flat(
    message: Message<'_>,
    object: &Map<String, Value>,
    keys: &[Flat],
    shared: &Shared,
    readings: &mut Vec<ParsedReading>,
    reasons: &mut Vec<String>,
) {
    let opc_ua = keys[0].1 == OPC_UA[0].1;
    let prefix = if opc_ua { Ok(None) } else { sensor_id(object) };
    let prefix = match prefix {
        Ok(prefix) => prefix,
        Err(reason) => return reasons.push(reason),
    };
    for &(key, sensor, sensor_type, unit) in keys {
        let Some(value) = object.get(key) else { continue };
        let value = match field::number(key, value) {
            Ok(None) => continue,
            Ok(Some(value)) => value,
            Err(reason) => {
                reasons.push(reason);
                continue;
            }
        };
        let name = match prefixed(prefix.as_deref(), sensor, "sensor_id") {
            Ok(name) => name,
            Err(reason) => return reasons.push(reason),
        };
        let metadata = if opc_ua {
            let profile = match object.get("profile") {
                Some(Value::String(text)) => Some(Value::String(field::clean(text))),
                Some(scalar @ (Value::Number(_) | Value::Bool(_))) => Some(scalar.clone()),
                _ => None,
            };
            let source = json!({
                "source": "opcua_edge_gateway", "profile": profile, "unit": unit,
                "original_topic": field::clean(message.topic),
            });
            Some(source.to_string())
        } else {
            shared.metadata.clone()
        };
        let unit = unit.map(str::to_owned);
        readings.push(reading(shared, name, Some(sensor_type.to_owned()), unit, value, metadata));
    }
}

fn sensor_id(object: &Map<String, Value>) -> Result<Option<String>, String> {
    field::first(object, &["sensor_id", "sensorId"]).map(|(key, value)| field::name(key, value)).transpose()
}

/// Name of a sensor of which one payload brings several: `<sensor_id>.<name>`, or the name alone.
fn prefixed(sensor: Option<&str>, name: &str, place: &str) -> Result<String, String> {
    let name = name.trim();
    let full = match sensor {
        Some(sensor) if !name.is_empty() => format!("{sensor}.{name}"),
        _ => name.to_owned(),
    };
    field::check_name(place, &full)?;
    Ok(full)
}

fn reading(
    shared: &Shared,
    sensor: String,
    sensor_type: Option<String>,
    unit: Option<String>,
    value: f64,
    metadata: Option<String>,
) -> ParsedReading {
    ParsedReading {
        sensor: SensorRef {
            machine: shared.machine.clone(),
            sensor,
            sensor_type,
            unit,
            location: shared.location.clone(),
            topic: Some(shared.topic.clone()),
        },
        time: shared.time,
        value,
        status: shared.status,
        dated_on_receipt: shared.dated_on_receipt,
        metadata,
        ..ParsedReading::default()
    }
}
