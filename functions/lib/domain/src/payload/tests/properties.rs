//! Properties of every payload.

use super::*;
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeSet;

/// JSON as senders may write it: the known keys with all kinds of values.
fn any_json(depth: u32) -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[ -~é\\x00]{0,120}".prop_map(Value::from),
        "-?[0-9]{1,25}([.][0-9]{0,3})?".prop_map(Value::from),
        prop_oneof![
            Just("2026-11-23T10:23:11Z"),
            Just("ON"),
            Just("nan"),
            Just("---"),
            Just("bad"),
            Just("ua-data")
        ]
        .prop_map(Value::from),
    ];
    let keys = [
        "machine_id",
        "machineId",
        "sensor_id",
        "value",
        "values",
        "timestamp",
        "ts",
        "t",
        "batch",
        "metadata",
        "status",
        "unit",
        "rpm",
        "temperature",
        "motorCurrent",
        "location",
        "profile",
        "id",
        "v",
        "q",
        "n",
        "bn",
        "bt",
        "u",
        "quality",
        "StatusCode",
        "Messages",
        "MessageType",
        "Payload",
        "deviceInfo",
        "devEui",
        "object",
        "node",
        "group",
        "tags",
        "errors",
        "name",
        "items",
        "datapoints",
        "externalId",
        "linkquality",
        "model",
        "time",
        "fields",
        "data",
        "dateTime",
        "src",
        "method",
        "params",
        "Value",
        "NodeId",
    ];
    let key = proptest::sample::select(keys.to_vec());
    leaf.prop_recursive(depth, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(key.clone(), inner, 0..10)
                .prop_map(|m| Value::Object(m.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
        ]
    })
    .boxed()
}

fn check(topic: &str, payload: &[u8], retained: bool) -> Result<(), TestCaseError> {
    let parsed = parse(Message { topic, payload, received_at: NOW, retained }, &Mappings::default());
    let is_reported =
        !parsed.readings.is_empty() || parsed.dead_letter.is_some() || !parsed.ignored.is_empty();
    prop_assert!(is_reported || payload.is_empty());
    prop_assert!(parsed.ignored.len() <= MAX_IGNORED_NAMES);
    for name in &parsed.ignored {
        prop_assert!(name.len() <= 100 && !name.chars().any(char::is_control));
    }
    for reading in &parsed.readings {
        prop_assert!(reading.value.is_finite());
        prop_assert!(reading.time >= crate::freshness::EARLIEST);
        for name in [&reading.sensor.machine, &reading.sensor.sensor] {
            prop_assert!((1..=100).contains(&name.len()) && !name.contains('\0'), "{name:?}");
        }
        if let Some(metadata) = &reading.metadata {
            prop_assert!(metadata.len() <= MAX_METADATA_BYTES);
            prop_assert!(matches!(serde_json::from_str(metadata), Ok(Value::Object(_))), "{metadata}");
        }
    }
    if let Some(letter) = &parsed.dead_letter {
        prop_assert!(
            !letter.reason.is_empty() && !letter.reason.contains('\0') && !letter.topic.contains('\0')
        );
        prop_assert!(letter.payload.len() <= MAX_DEAD_LETTER_BYTES && letter.count > 0);
    }
    Ok(())
}

/// A value, and what must become of it: a number, an ignored name or a reason. A text or an array is ignored, or refused
/// where it is the one value of its element.
#[derive(Debug, Clone)]
enum Fate {
    Stored(f64),
    Ignored,
    Other,
    Refused,
}

fn any_value() -> impl Strategy<Value = (Value, Fate)> {
    prop_oneof![
        any::<i32>().prop_map(|n| f64::from(n) / 8.0).prop_map(|n| (json!(n), Fate::Stored(n))),
        any::<f32>()
            .prop_filter("finite", |n| n.is_finite())
            .prop_map(|n| (json!(n.to_string()), Fate::Stored(n.to_string().parse().unwrap_or_default()))),
        any::<bool>().prop_map(|b| (json!(b), Fate::Stored(f64::from(u8::from(b))))),
        Just((json!("OFF"), Fate::Stored(0.0))),
        Just((json!("open"), Fate::Stored(1.0))),
        proptest::sample::select(vec!["---", "unknown", "unavailable", "", "n/a"])
            .prop_map(|t| (json!(t), Fate::Ignored)),
        Just((Value::Null, Fate::Ignored)),
        "[A-Z]{3}-[0-9]{2}".prop_map(|t| (json!(t), Fate::Other)),
        proptest::sample::select(vec!["nan", "-Infinity", "12,5", "3 bar"])
            .prop_map(|t| (json!(t), Fate::Refused)),
        Just((json!([1, 2]), Fate::Other)),
    ]
}

/// Forms whose elements have one value each, which is named as such.
const LONE: &[usize] = &[10, 20, 28, 29];
/// A time in seconds, and the same in words.
const AT: u64 = 1_796_024_590;
const AT_TEXT: &str = "2026-11-30T07:43:10Z";

/// Forms of lines: a table, and line protocol.
const TABLE: usize = 33;
const LINE_PROTOCOL: usize = 34;
const FORMS: usize = 35;

/// A line with these values under the names `s0`, `s1`, …
fn line(form: usize, values: &[Value]) -> String {
    let cell = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let text = |value: &Value| format!("\"{}\"", cell(value));
    if form == TABLE {
        let names: String = (0..values.len()).map(|i| format!(",s{i}")).collect();
        let cells: String = values.iter().map(|value| format!(",{}", text(value))).collect();
        return format!("machine_id{names}\nm{cells}");
    }
    let field = |(i, value): (usize, &Value)| match value {
        Value::Number(_) | Value::Bool(_) => format!("s{i}={value}"),
        other => format!("s{i}={}", text(other)),
    };
    format!("x,host=m {}", values.iter().enumerate().map(field).collect::<Vec<_>>().join(","))
}

/// A payload with these values under the names `s0`, `s1`, … in each of the forms, and the topic.
fn payload(form: usize, values: &[Value]) -> (&'static str, Value) {
    let names: Vec<String> = (0..values.len()).map(|i| format!("s{i}")).collect();
    let map: Map<String, Value> = names.iter().cloned().zip(values.iter().cloned()).collect();
    let rows = |make: fn(&String, &Value) -> Value| {
        names.iter().zip(values).map(|(n, v)| make(n, v)).collect::<Vec<_>>()
    };
    let with = |more: Value| {
        let mut all = map.clone();
        all.extend(more.as_object().cloned().unwrap_or_default());
        Value::Object(all)
    };
    let payload = match form {
        0 => json!({"machine_id": "m", "values": map}),
        1 => return ("sensors/m/telemetry", Value::Object(map)),
        2 => {
            json!({"timestamp": AT, "values": rows(|n, v| json!({"id": format!("m.{n}"), "v": v, "q": true, "t": AT}))})
        }
        3 => json!({"node": "m", "group": "g", "timestamp": AT, "values": map}),
        4 => json!({"deviceInfo": {"devEui": "e", "deviceName": "m"}, "object": map}),
        5 => json!({"MessageType": "ua-data", "Messages": [{"DataSetWriterId": "m", "Payload": map}]}),
        6 => json!({"machine_id": "m", "values": {"group": map}}),
        7 => {
            json!({"items": rows(|n, v| json!({"externalId": format!("m.{n}"), "datapoints": [{"timestamp": AT, "value": v}]}))})
        }
        8 => json!({"MessageType": "ua-data", "Messages": {"DataSetWriterId": "m", "Payload": map}}),
        9 => json!({"DataSetWriterId": "m", "Timestamp": AT_TEXT, "Payload": map}),
        10 => Value::Array(rows(
            |n, v| json!({"NodeId": format!("ns=2;s={n}"), "ApplicationUri": "m", "DisplayName": n, "Value": {"Value": v, "SourceTimestamp": AT_TEXT}}),
        )),
        11 => {
            json!({"node": "m", "group": "g", "timestamp": AT, "tags": rows(|n, v| json!({"name": n, "value": v}))})
        }
        12 => {
            json!({"topic": {"groupId": "g", "edgeNodeId": "n"}, "payload": {"metrics": rows(|n, v| json!({"name": n, "timestamp": AT, "value": v}))}})
        }
        13 => {
            json!({"tags": rows(|n, v| json!({"tagPath": format!("[default]m/{n}"), "value": v, "timestamp": AT}))})
        }
        14 => json!({"m": [{"ts": AT, "values": map}]}),
        15 => json!({"applicationID": "1", "deviceName": "m", "devEUI": "e", "object": map}),
        16 => json!({"end_device_ids": {"device_id": "m"}, "uplink_message": {"decoded_payload": map}}),
        17 => json!({"src": "m", "method": "NotifyStatus", "params": map}),
        18 => {
            json!({"items": rows(|n, v| json!({"instanceId": {"space": "m", "externalId": n}, "datapoints": [{"timestamp": AT, "value": v}]}))})
        }
        19 => json!([{"containerid": "m.x", "values": [with(json!({"Time": AT_TEXT}))]}]),
        20 => {
            Value::Array(rows(|n, v| json!({"TagName": format!("m.{n}"), "DateTime": AT_TEXT, "Value": v})))
        }
        21 => json!({"data": [with(json!({"dateTime": AT_TEXT}))]}),
        22 => {
            json!({"Items": rows(|n, v| json!({"Name": format!("m.{n}"), "Items": [{"Timestamp": AT_TEXT, "Value": v}]}))})
        }
        23 => json!({"metrics": [{"name": "x", "tags": {"host": "m"}, "fields": map, "timestamp": AT}]}),
        24 => json!({"name": "x", "tags": {"host": "m"}, "fields": map, "timestamp": AT}),
        25 => with(json!({"model": "m", "id": 1, "time": AT_TEXT})),
        26 => return ("edge/zigbee2mqtt/m", with(json!({"linkquality": 9}))),
        27 => return ("edge/tele/m/SENSOR", with(json!({"Time": AT_TEXT}))),
        28 => {
            Value::Array(rows(|n, v| json!({"machine_id": "m", "sensor_id": n, "value": v, "timestamp": AT})))
        }
        29 => {
            json!({"machine_id": "m", "batch": rows(|n, v| json!({"sensor_id": n, "value": v, "timestamp": AT}))})
        }
        30 => json!({"machine_id": "m", "readings": [{"time": AT, "values": map}]}),
        31 => Value::Array(rows(
            |n, v| json!({"bn": "m:", "bt": AT, "n": n, (if v.is_boolean() { "vb" } else if v.is_string() { "vs" } else { "v" }): v}),
        )),
        // the gateway's topic, in the plain form
        _ => return ("factory/m/telemetry", json!({"machineId": "m", "profile": "A", "values": map})),
    };
    (GENERIC, payload)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_give_something(topic in "[a-z/]{0,20}", payload in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&topic, &payload, false)?;
    }

    #[test]
    fn any_text_gives_something(payload in "[ -~\n]{0,200}|[{}\\[\\]\",:a-z0-9.+-]{0,200}") {
        check(GENERIC, payload.as_bytes(), false)?;
    }

    #[test]
    fn any_json_gives_something(
        topic in prop_oneof![Just("factory/a/telemetry"), Just("sensors/b/telemetry"), Just("edge/c"), Just("tele/d/SENSOR")],
        payload in any_json(5),
        retained: bool,
    ) {
        check(topic, payload.to_string().as_bytes(), retained)?;
    }

    #[test]
    fn any_cut_json_gives_something(payload in any_json(4), cut in 0.0..1.0_f64) {
        let mut text = payload.to_string().into_bytes();
        text.truncate((text.len() as f64 * cut) as usize);
        check("edge/c", &text, false)?;
    }

    #[test]
    fn numbers_survive(value: i32, us in crate::freshness::EARLIEST.0..4_000_000_000_000_000) {
        let value = f64::from(value) / 8.0;
        let time = Timestamp(us);
        let payload = json!({"machine_id": "m", "sensor_id": "s", "value": value, "timestamp": time});
        let parsed = read(GENERIC, &payload.to_string());
        prop_assert_eq!(parsed.readings.first().map(|r| (r.value, r.time)), Some((value, time)));
    }

    #[test]
    fn no_value_vanishes(form in 0..FORMS, values in prop::collection::vec(any_value(), 1..20)) {
        let all: Vec<Value> = values.iter().map(|(value, _)| value.clone()).collect();
        let parsed = if [TABLE, LINE_PROTOCOL].contains(&form) {
            read(GENERIC, &line(form, &all))
        } else {
            let (topic, payload) = payload(form, &all);
            read(topic, &payload.to_string())
        };
        let sensor = |reading: &ParsedReading| reading.sensor.sensor.rsplit('.').next().unwrap_or_default().to_owned();
        let stored: BTreeSet<String> = parsed.readings.iter().map(|r| format!("{}={}", sensor(r), r.value)).collect();
        let letter = parsed.dead_letter.as_ref();
        let mut refused = 0;
        for (i, (value, fate)) in values.iter().enumerate() {
            let name = format!("s{i}");
            let is_name = |text: &str| text == name || text.ends_with(&format!(".{name}"));
            let is_named = |text: &str| text.contains(&name) || LONE.contains(&form) && text.contains(&format!("[{i}]"));
            let is_ignored = || {
                parsed.ignored.iter().any(|ignored| is_name(ignored) || LONE.contains(&form) && ignored == "value")
            };
            match fate {
                Fate::Stored(number) => prop_assert!(stored.contains(&format!("{name}={number}")), "{form} {value}: {parsed:?}"),
                Fate::Other if LONE.contains(&form) => {
                    refused += 1;
                    prop_assert!(refused > 8 || is_named(reason(&parsed)), "{form} {value}: {parsed:?}");
                }
                Fate::Ignored | Fate::Other => prop_assert!(is_ignored(), "{form} {value}: {parsed:?}"),
                Fate::Refused => {
                    refused += 1;
                    prop_assert!(refused > 8 || is_named(reason(&parsed)), "{form} {value}: {parsed:?}");
                }
            }
        }
        // a message of texts alone has no value, which is one more reason
        let none_found = u32::from(reason(&parsed).contains("none found"));
        prop_assert_eq!(letter.map_or(0, |letter| letter.count), refused + none_found);
    }
}
