use super::*;
use pm_api::ReadingStatus;
use proptest::prelude::*;

const NOW: Timestamp = Timestamp(1_790_000_000_000_000);
const GENERIC: &str = "factory/plant1/line1/press7/sensors";

fn read(topic: &str, payload: &str) -> Parsed {
    parse(Message { topic, payload: payload.as_bytes(), received_at: NOW, retained: false })
}

/// `machine/sensor=value`, for every reading.
fn values(parsed: &Parsed) -> Vec<String> {
    let shown = |r: &ParsedReading| format!("{}/{}={}", r.sensor.machine, r.sensor.sensor, r.value);
    parsed.readings.iter().map(shown).collect()
}

#[test]
fn every_documented_form_gives_its_readings() {
    for (topic, payload, expected) in [
        (
            GENERIC,
            r#"{"machine_id":"press-7","sensor_id":"temp","value":93.5,"unit":"°C"}"#,
            "press-7/temp=93.5",
        ),
        (GENERIC, r#"{"machineId":"m","sensor_id":"s","value":" -1.5e2 "}"#, "m/s=-150"),
        (GENERIC, r#"{"machine_id":7,"sensor_id":12,"value":0}"#, "7/12=0"),
        (GENERIC, "\u{feff}{\"machine_id\":\"m\",\"sensor_id\":\"s\",\"value\":1}", "m/s=1"),
        (
            GENERIC,
            r#"{"machine_id":"m","values":{"a":1,"b":"50","c":null,"d":1500}}"#,
            "m/a=1 m/b=50 m/d=1500",
        ),
        (GENERIC, r#"{"machine_id":"m","sensor_id":"x","values":{"a":1,"b":2}}"#, "m/x.a=1 m/x.b=2"),
        (GENERIC, r#"{"machine_id":"m","sensor_id":"x","value":9,"values":{"a":1}}"#, "m/x=9 m/x.a=1"),
        (
            "factory/extruder/telemetry",
            r#"{"machineId":"ex-1","profile":1,"temperature":210.5,"vibration":"2.1","pressure":120,"motorCurrent":30,"wearIndex":0.2,"rpm":9}"#,
            "ex-1/opcua_temperature=210.5 ex-1/opcua_vibration=2.1 ex-1/opcua_pressure=120 ex-1/opcua_motor_current=30 ex-1/opcua_wear_index=0.2",
        ),
        ("factory/ex-2/telemetry", r#"{"temperature":1}"#, "ex-2/opcua_temperature=1"),
        ("factory/x/telemetry", r#"{"machine_id":"m","sensor_id":"s","value":1}"#, "m/s=1"),
        (
            "sensors/pump/telemetry",
            r#"{"machineId":"m","vibration":1,"temperature":50,"rpm":1500,"flow_rate":2,"motor_current":3,"pressure":4}"#,
            "m/vibration=1 m/temperature=50 m/rpm=1500 m/pressure=4 m/flow_rate=2 m/motor_current=3",
        ),
        ("sensors/pump/telemetry", r#"{"rpm":1,"sensor_id":"north"}"#, "pump/north.rpm=1"),
        (
            "edge/aggregated",
            r#"{"machine_id":"gw","batch":[{"sensor_id":"t","value":1},{"sensor_id":"t","machine_id":"m","value":2}]}"#,
            "gw/t=1 m/t=2",
        ),
        (
            "edge/x",
            r#"[{"machine_id":"m","sensor_id":"s","value":1},{"machine_id":"m","values":{"v":2}}]"#,
            "m/s=1 m/v=2",
        ),
    ] {
        let parsed = read(topic, payload);
        assert_eq!(values(&parsed).join(" "), expected, "{payload}");
        assert_eq!(parsed.dead_letters, [], "{payload}");
    }
}

#[test]
fn the_reason_of_a_dead_letter_names_the_field() {
    let long = "n".repeat(101);
    let long_name = format!(r#"{{"machine_id":"{long}","sensor_id":"s","value":1}}"#);
    let deep = format!(
        r#"{{"machine_id":"m","sensor_id":"s","value":1,"metadata":{}{}}}"#,
        "[".repeat(500),
        "]".repeat(500)
    );
    let heavy = format!(
        r#"{{"machine_id":"m","sensor_id":"s","value":1,"metadata":{{"x":"{}"}}}}"#,
        "x".repeat(20_000)
    );
    for (topic, payload, reason) in [
        (GENERIC, "", "payload: empty"),
        (GENERIC, " \n", "payload: empty"),
        (GENERIC, "21.5", "payload: neither"),
        (GENERIC, "temp=5", "payload: not JSON"),
        (GENERIC, r#"{"machine_id":"m","sensor_id":"s","value":NaN}"#, "payload: not JSON"),
        (GENERIC, r#"{"machine_id":"m","sensor_id":"s","value":1e999}"#, "payload: not JSON"),
        (GENERIC, &deep, "payload: not JSON"),
        (GENERIC, &heavy, "metadata: "),
        (GENERIC, r#"{"sensor_id":"s","value":1}"#, "machine_id: missing"),
        (GENERIC, r#"{"machine_id":null,"sensor_id":"s","value":1}"#, "machine_id: missing"),
        (GENERIC, r#"{"machine_id":"  ","sensor_id":"s","value":1}"#, "machine_id: empty"),
        (GENERIC, r#"{"machine_id":{},"sensor_id":"s","value":1}"#, "machine_id: not a text"),
        (GENERIC, r#"{"machine_id":"a\u0000b","sensor_id":"s","value":1}"#, "machine_id: holds a control"),
        (GENERIC, &long_name, "machine_id: 101 bytes"),
        (GENERIC, r#"{"machine_id":"m","value":1}"#, "sensor_id: missing"),
        (GENERIC, r#"{"machine_id":"m","sensor_id":"s"}"#, "value: none found"),
        (GENERIC, r#"{"machine_id":"m","sensor_id":"s","value":null}"#, "value: none found"),
        (GENERIC, r#"{"machine_id":"m","sensor_id":"s","values":{}}"#, "value: none found"),
        (GENERIC, r#"{"machine_id":"m","sensor_id":"s","values":[1]}"#, "values: not an object"),
        (GENERIC, r#"{"machine_id":"m","sensor_id":"s","value":true}"#, "value: a boolean"),
        (GENERIC, r#"{"machine_id":"m","sensor_id":"s","value":"inf"}"#, "value: not a finite"),
        (GENERIC, r#"{"machine_id":"m","sensor_id":"s","value":"NaN"}"#, "value: not a finite"),
        (GENERIC, r#"{"machine_id":"m","sensor_id":"s","value":"12,5"}"#, "value: \"12,5\" is not a number"),
        (
            GENERIC,
            r#"{"machine_id":"m","sensor_id":"s","value":1,"timestamp":"soon"}"#,
            "timestamp: \"soon\"",
        ),
        (GENERIC, r#"{"machine_id":"m","sensor_id":"s","value":1,"timestamp":[]}"#, "timestamp: neither"),
        (GENERIC, r#"{"machine_id":"m","sensor_id":"s","value":1,"timestamp":-5}"#, "timestamp: not between"),
        (
            GENERIC,
            r#"{"machine_id":"m","sensor_id":"s","value":1,"timestamp":1e300}"#,
            "timestamp: not between",
        ),
        ("factory/x/telemetry", r#"{"humidity":1}"#, "value: none found (expected temperature"),
        ("sensors//telemetry", r#"{"rpm":1}"#, "machine_id: missing"),
        ("edge/x", "[]", "payload: an empty array"),
        ("edge/x", r#"{"batch":[]}"#, "batch: an empty array"),
        ("edge/x", r#"{"batch":3}"#, "machine_id: missing"),
    ] {
        let parsed = read(topic, payload);
        assert_eq!(parsed.readings, [], "{payload}");
        let [letter] = &parsed.dead_letters[..] else { panic!("{payload}: {parsed:?}") };
        assert!(letter.reason.starts_with(reason), "{payload}: {}", letter.reason);
        assert_eq!((letter.topic.as_str(), letter.payload.as_slice()), (topic, payload.as_bytes()));
    }
    let bytes = parse(Message { topic: GENERIC, payload: b"ab\xff", received_at: NOW, retained: false });
    assert_eq!(bytes.dead_letters[0].reason, "payload: not UTF-8 after byte 2");
    let large = vec![b' '; MAX_PAYLOAD_BYTES + 1];
    let large = parse(Message { topic: GENERIC, payload: &large, received_at: NOW, retained: false });
    assert_eq!(large.dead_letters[0].payload.len(), MAX_DEAD_LETTER_BYTES);
    assert!(large.dead_letters[0].reason.starts_with("payload: 1048577 bytes"));
}

#[test]
fn readable_values_are_kept_where_others_are_not() {
    let parsed = read(GENERIC, r#"{"machine_id":"m","values":{"a":1,"b":"on","c":3,"":4}}"#);
    assert_eq!(values(&parsed), ["m/a=1", "m/c=3"]);
    assert_eq!(parsed.dead_letters.len(), 1);
    assert_eq!(parsed.dead_letters[0].reason, "values.: empty; values.b: \"on\" is not a number");

    let parsed =
        read("edge/aggregated", r#"{"batch":[{"machine_id":"m","sensor_id":"s","value":1},5,{"value":2}]}"#);
    assert_eq!(values(&parsed), ["m/s=1"]);
    let letters: Vec<_> = parsed
        .dead_letters
        .iter()
        .map(|d| (d.reason.as_str(), String::from_utf8_lossy(&d.payload)))
        .collect();
    assert_eq!(
        letters,
        [
            ("batch[1] not a JSON object", "5".into()),
            ("batch[2] machine_id: missing", r#"{"value":2}"#.into())
        ]
    );
}

#[test]
fn every_documented_form_of_time_is_read() {
    for (text, expected) in [
        (r#""2026-11-23T10:23:11.533924Z""#, 1_795_429_391_533_924),
        (r#""2026-11-23T11:23:11.533924+01:00""#, 1_795_429_391_533_924),
        (r#""2026-11-23T11:23:11.533924+0100""#, 1_795_429_391_533_924),
        (r#""2026-11-23T10:23:11.533924""#, 1_795_429_391_533_924),
        (r#""2026-11-23 10:23:11.533924""#, 1_795_429_391_533_924),
        ("1795429391", 1_795_429_391_000_000),
        ("1795429391.5", 1_795_429_391_500_000),
        ("1795429391533", 1_795_429_391_533_000),
        ("1795429391533.5", 1_795_429_391_533_500),
        ("1795429391533924", 1_795_429_391_533_924),
        ("1795429391533924123", 1_795_429_391_533_924),
        (r#""1795429391533""#, 1_795_429_391_533_000),
        ("null", NOW.0),
        ("0", 0),
    ] {
        let parsed =
            read(GENERIC, &format!(r#"{{"machine_id":"m","sensor_id":"s","value":1,"timestamp":{text}}}"#));
        assert_eq!(parsed.readings.first().map(|r| r.time.0), Some(expected), "{text}: {parsed:?}");
    }
}

#[test]
fn undated_elements_of_an_array_get_different_times() {
    let parsed = read(
        "e",
        r#"[{"machine_id":"m","sensor_id":"s","value":1},{"machine_id":"m","sensor_id":"s","value":2}]"#,
    );
    assert_eq!(parsed.readings.iter().map(|r| r.time.0 - NOW.0).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn a_retained_message_without_time_is_a_dead_letter() {
    let message = |payload: &'static str| Message {
        topic: GENERIC,
        payload: payload.as_bytes(),
        received_at: NOW,
        retained: true,
    };
    let undated = parse(message(r#"{"machine_id":"m","sensor_id":"s","value":1}"#));
    assert!(undated.dead_letters[0].reason.starts_with("timestamp: missing in a retained"), "{undated:?}");
    let dated = parse(message(r#"{"machine_id":"m","sensor_id":"s","value":1,"timestamp":1795429391}"#));
    assert_eq!(dated.readings.len(), 1);
}

#[test]
fn descriptions() {
    let parsed = read(
        GENERIC,
        r#"{"sensor_id":"pressure-head","machine_id":"machine-1","metric":"pressure","value":140.2,"unit":"psi",
        "timestamp":"2026-11-23T10:23:11+00:00","location":"Building A, Floor 2","status":"Warning",
        "metadata":{"machine_name":"Pump-01","x":"a\u0000b"}}"#,
    );
    let reading = &parsed.readings[0];
    let expected = SensorRef {
        machine: "machine-1".into(),
        sensor: "pressure-head".into(),
        sensor_type: Some("pressure".into()),
        unit: Some("psi".into()),
        location: Some("Building A, Floor 2".into()),
        topic: Some(GENERIC.into()),
    };
    assert_eq!(reading.sensor, expected);
    assert_eq!(reading.status, Some(ReadingStatus::Warning));
    assert_eq!(reading.metadata.as_deref(), Some("{\"machine_name\":\"Pump-01\",\"x\":\"a\u{fffd}b\"}"));

    let parsed = read(
        GENERIC,
        r#"{"machine_id":"m","sensor_id":"s","value":1,"metadata":{"sensor_type":"temp","unit":"K"}}"#,
    );
    let sensor = &parsed.readings[0].sensor;
    assert_eq!((sensor.sensor_type.as_deref(), sensor.unit.as_deref()), (Some("temp"), Some("K")));

    let parsed = read("factory/x/telemetry", r#"{"wearIndex":3,"profile":2}"#);
    assert_eq!(parsed.readings[0].sensor.unit.as_deref(), Some("%"));
    let metadata: Value =
        serde_json::from_str(parsed.readings[0].metadata.as_deref().unwrap_or("")).unwrap_or_default();
    assert_eq!(metadata["source"], "opcua_edge_gateway");
    assert_eq!(metadata["original_topic"], "factory/x/telemetry");
    assert_eq!(metadata["profile"], 2);
}

/// JSON as senders may write it: the known keys with all kinds of values.
fn json(depth: u32) -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[ -~é\\x00]{0,120}".prop_map(Value::from),
        "-?[0-9]{1,25}([.][0-9]{0,3})?".prop_map(Value::from),
        Just(Value::from("2026-11-23T10:23:11Z")),
    ];
    let key = prop_oneof![
        Just("machine_id"),
        Just("machineId"),
        Just("sensor_id"),
        Just("value"),
        Just("values"),
        Just("timestamp"),
        Just("batch"),
        Just("metadata"),
        Just("status"),
        Just("unit"),
        Just("rpm"),
        Just("temperature"),
        Just("motorCurrent"),
        Just("location"),
        Just("profile"),
    ];
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
    let parsed = parse(Message { topic, payload, received_at: NOW, retained });
    prop_assert!(!parsed.readings.is_empty() || !parsed.dead_letters.is_empty());
    for reading in &parsed.readings {
        prop_assert!(reading.value.is_finite());
        prop_assert!(reading.time.0 >= 0);
        for name in [&reading.sensor.machine, &reading.sensor.sensor] {
            prop_assert!((1..=100).contains(&name.len()) && !name.contains('\0'), "{name:?}");
        }
        if let Some(metadata) = &reading.metadata {
            prop_assert!(metadata.len() <= MAX_METADATA_BYTES);
            prop_assert!(matches!(serde_json::from_str(metadata), Ok(Value::Object(_))), "{metadata}");
        }
    }
    for letter in &parsed.dead_letters {
        prop_assert!(
            !letter.reason.is_empty() && !letter.reason.contains('\0') && !letter.topic.contains('\0')
        );
        prop_assert!(letter.payload.len() <= MAX_DEAD_LETTER_BYTES);
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes_give_something(topic in "[a-z/]{0,20}", payload in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&topic, &payload, false)?;
    }

    #[test]
    fn any_json_gives_something(
        topic in prop_oneof![Just("factory/a/telemetry"), Just("sensors/b/telemetry"), Just("edge/c"), Just("telemetry")],
        payload in json(4),
        retained: bool,
    ) {
        check(topic, payload.to_string().as_bytes(), retained)?;
    }

    #[test]
    fn numbers_survive(value: f64, us in 0_i64..4_000_000_000_000_000) {
        prop_assume!(value.is_finite());
        let time = Timestamp(us);
        let payload = serde_json::json!({"machine_id": "m", "sensor_id": "s", "value": value, "timestamp": time});
        let parsed = read(GENERIC, &payload.to_string());
        prop_assert_eq!(parsed.readings.first().map(|r| (r.value, r.time)), Some((value, time)));
    }
}
