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

/// A value, and what must become of it: a number, an ignored name or a reason.
#[derive(Debug, Clone)]
enum Fate {
    Stored(f64),
    Ignored,
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
        "[A-Z]{3}-[0-9]{2}".prop_map(|t| (json!(t), Fate::Ignored)),
        proptest::sample::select(vec!["nan", "-Infinity", "12,5", "3 bar"])
            .prop_map(|t| (json!(t), Fate::Refused)),
        Just((json!([1, 2]), Fate::Ignored)),
    ]
}

/// A payload with these values in one of the forms, and the topic.
fn payload(form: usize, values: &[Value]) -> (&'static str, Value) {
    let names: Vec<String> = (0..values.len()).map(|i| format!("s{i}")).collect();
    let map: Map<String, Value> = names.iter().cloned().zip(values.iter().cloned()).collect();
    let rows = |make: fn(&String, &Value) -> Value| {
        names.iter().zip(values).map(|(n, v)| make(n, v)).collect::<Vec<_>>()
    };
    match form {
        0 => (GENERIC, json!({"machine_id": "m", "values": map})),
        1 => ("sensors/m/telemetry", Value::Object(map)),
        2 => (
            GENERIC,
            json!({"timestamp": 1_796_024_590, "values": rows(|n, v| json!({"id": format!("m.{n}"), "v": v, "q": true, "t": 1_796_024_590}))}),
        ),
        3 => (GENERIC, json!({"node": "m", "group": "g", "timestamp": 1_796_024_590, "values": map})),
        4 => (GENERIC, json!({"deviceInfo": {"devEui": "e", "deviceName": "m"}, "object": map})),
        5 => (
            GENERIC,
            json!({"MessageType": "ua-data", "Messages": [{"DataSetWriterId": "m", "Payload": map}]}),
        ),
        6 => (GENERIC, json!({"machine_id": "m", "values": {"group": map}})),
        _ => (
            GENERIC,
            json!({"items": rows(|n, v| json!({"externalId": format!("m.{n}"), "datapoints": [{"timestamp": 1_796_024_590, "value": v}]}))}),
        ),
    }
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
    fn no_value_vanishes(form in 0..8_usize, values in prop::collection::vec(any_value(), 1..20)) {
        let (topic, payload) = payload(form, &values.iter().map(|(value, _)| value.clone()).collect::<Vec<_>>());
        let parsed = read(topic, &payload.to_string());
        let stored: BTreeSet<String> = parsed.readings.iter().map(|r| format!("{}={}", r.sensor.sensor, r.value)).collect();
        let letter = parsed.dead_letter.as_ref();
        let mut refused = 0;
        for (i, (value, fate)) in values.iter().enumerate() {
            let name = if form == 6 { format!("group.s{i}") } else { format!("s{i}") };
            let is_ignored = || parsed.ignored.iter().any(|ignored| ignored.ends_with(&name));
            match fate {
                Fate::Stored(number) => prop_assert!(stored.contains(&format!("{name}={number}")), "{value}: {parsed:?}"),
                Fate::Ignored => prop_assert!(is_ignored(), "{value}: {parsed:?}"),
                Fate::Refused => {
                    refused += 1;
                    prop_assert!(refused > 8 || reason(&parsed).contains(&name), "{value}: {parsed:?}");
                }
            }
        }
        // a message of texts alone has no value, which is one more reason
        let none_found = u32::from(reason(&parsed).contains("none found"));
        prop_assert_eq!(letter.map_or(0, |letter| letter.count), refused + none_found);
    }
}
