use super::*;
use pm_api::ReadingStatus;

mod documented;
mod forms;
mod properties;

const NOW: Timestamp = Timestamp(1_796_024_596_000_000);
const GENERIC: &str = "factory/plant1/line1/press7/sensors";

fn message<'a>(topic: &'a str, payload: &'a str) -> Message<'a> {
    Message { topic, payload: payload.as_bytes(), received_at: NOW, retained: false }
}

fn read(topic: &str, payload: &str) -> Parsed {
    parse(message(topic, payload), &Mappings::default())
}

/// `machine/sensor=value`, for every reading.
fn values(parsed: &Parsed) -> Vec<String> {
    let shown = |r: &ParsedReading| format!("{}/{}={}", r.sensor.machine, r.sensor.sensor, r.value);
    parsed.readings.iter().map(shown).collect()
}

fn reason(parsed: &Parsed) -> &str {
    parsed.dead_letter.as_ref().map_or("", |letter| &letter.reason)
}

#[test]
fn the_plain_form_gives_its_readings() {
    for (topic, payload, expected) in [
        (
            GENERIC,
            r#"{"machine_id":"press-7","sensor_id":"temp","value":93.5,"unit":"°C"}"#,
            "press-7/temp=93.5",
        ),
        (GENERIC, r#"{"machineId":"m","sensor_id":"s","value":" -1.5e2 "}"#, "m/s=-150"),
        (GENERIC, r#"{"machine_id":7,"sensor_id":12,"value":0}"#, "7/12=0"),
        (GENERIC, "\u{feff}{\"machine_id\":\"m\",\"sensor_id\":\"s\",\"value\":1}", "m/s=1"),
        (GENERIC, r#"{"machine_id":"m","sensor_id":"s","value":true}"#, "m/s=1"),
        (GENERIC, r#"{"machine_id":"m","sensor_id":"v","value":{"x":1,"y":{"z":2}}}"#, "m/v.x=1 m/v.y.z=2"),
        (
            GENERIC,
            r#"{"machine_id":"m","values":{"a":1,"b":"50","c":null,"d":1500}}"#,
            "m/a=1 m/b=50 m/d=1500",
        ),
        (
            GENERIC,
            r#"{"machine_id":"m","values":{"motor":{"temp":61,"i":{"a":3}}}}"#,
            "m/motor.i.a=3 m/motor.temp=61",
        ),
        (GENERIC, r#"{"machine_id":"m","sensor_id":"x","values":{"a":1,"b":2}}"#, "m/x.a=1 m/x.b=2"),
        (GENERIC, r#"{"machine_id":"m","sensor_id":"x","value":9,"values":{"a":1}}"#, "m/x=9 m/x.a=1"),
        (
            GENERIC,
            r#"{"machine_id":"m","values":{"run":true,"door":"closed","fan":"On"}}"#,
            "m/door=0 m/fan=1 m/run=1",
        ),
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
            "sensors/pump/telemetry",
            r#"{"t":21.5,"h":44,"air":{"co2":400}}"#,
            "pump/air.co2=400 pump/h=44 pump/t=21.5",
        ),
        (
            "edge/aggregated",
            r#"{"machine_id":"gw","batch":[{"sensor_id":"t","value":1},{"sensor_id":"t","machine_id":"m","value":2}]}"#,
            "gw/t=1 m/t=2",
        ),
        (
            "edge/x",
            r#"{"machine_id":"gw","readings":[{"name":"a","value":1},{"name":"b","value":2}]}"#,
            "gw/a=1 gw/b=2",
        ),
        ("edge/x", r#"{"machine_id":"gw","value":3,"sensor_id":"s","batch":[{"value":4}]}"#, "gw/s=3 gw/s=4"),
        (
            "edge/x",
            r#"[{"machine_id":"m","sensor_id":"s","value":1},{"machine_id":"m","values":{"v":2}}]"#,
            "m/s=1 m/v=2",
        ),
    ] {
        let parsed = read(topic, payload);
        assert_eq!(values(&parsed).join(" "), expected, "{payload}");
        assert_eq!(parsed.dead_letter, None, "{payload}");
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
    let timed = |time: &str| format!(r#"{{"machine_id":"m","sensor_id":"s","value":1,"timestamp":{time}}}"#);
    for (topic, payload, expected) in [
        (GENERIC, " \n", "payload: empty"),
        (GENERIC, "21.5", "payload: neither"),
        (GENERIC, "temp=5", "payload: not JSON"),
        (GENERIC, &deep, "payload: not JSON"),
        (GENERIC, &heavy, "metadata: "),
        (GENERIC, r#"{"machine_id":"m","sensor_id":"s","value":NaN}"#, "value: not a finite"),
        (GENERIC, r#"{"machine_id":"m","sensor_id":"s","value":1e999}"#, "value: not a finite"),
        (GENERIC, r#"{"sensor_id":"s","value":1}"#, "machine_id: missing"),
        (GENERIC, r#"{"machine_id":null,"sensor_id":"s","value":1}"#, "machine_id: missing"),
        (GENERIC, r#"{"machine_id":"  ","sensor_id":"s","value":1}"#, "machine_id: empty"),
        (GENERIC, r#"{"machine_id":{},"sensor_id":"s","value":1}"#, "machine_id: not a text"),
        (GENERIC, r#"{"machine_id":"a\u0000b","sensor_id":"s","value":1}"#, "machine_id: holds a control"),
        (GENERIC, &long_name, "machine_id: 101 bytes"),
        (GENERIC, r#"{"machine_id":"m","value":1}"#, "sensor_id: missing"),
        (GENERIC, r#"{"machine_id":"m","sensor_id":"s"}"#, "value: none found"),
        (GENERIC, r#"{"machine_id":"m","sensor_id":"s","values":{}}"#, "value: none found"),
        (GENERIC, r#"{"machine_id":"m","sensor_id":"s","values":{"mode":"auto"}}"#, "value: none found"),
        (GENERIC, r#"{"machine_id":"m","sensor_id":"s","values":[1]}"#, "values: not an object"),
        (GENERIC, r#"{"machine_id":"m","sensor_id":"s","value":[1]}"#, "value: an array"),
        (GENERIC, r#"{"machine_id":"m","sensor_id":"s","value":"hot"}"#, "value: \"hot\" is not a number"),
        (GENERIC, r#"{"machine_id":"m","sensor_id":"s","value":"inf"}"#, "value: not a finite"),
        (GENERIC, r#"{"machine_id":"m","sensor_id":"s","value":"12,5"}"#, "value: \"12,5\" is not a number"),
        (
            GENERIC,
            r#"{"machine_id":"m","sensor_id":"s","value":"21.5 °C"}"#,
            "value: \"21.5 °C\" is not a number",
        ),
        (GENERIC, &timed("\"soon\""), "timestamp: \"soon\""),
        (GENERIC, &timed("[]"), "timestamp: neither"),
        (GENERIC, &timed("-5"), "timestamp: before 2001, so the clock of the sender is not set"),
        (GENERIC, &timed("1e300"), "timestamp: after the year 9999"),
        (GENERIC, &timed("\"2026-11-30T08:43:15\""), "timestamp: \"2026-11-30T08:43:15\" has no time zone"),
        ("factory/x/telemetry", r#"{"humidity":1}"#, "value: none found (expected temperature"),
        ("sensors//telemetry", r#"{"rpm":1}"#, "machine_id: missing"),
        ("edge/x", "[]", "payload: an empty array"),
        ("edge/x", r#"{"batch":[]}"#, "batch: an empty array"),
        ("edge/x", r#"{"batch":3}"#, "machine_id: missing"),
    ] {
        let parsed = read(topic, payload);
        assert_eq!(parsed.readings, [], "{payload}");
        let Some(letter) = &parsed.dead_letter else { panic!("{payload}: {parsed:?}") };
        assert!(letter.reason.starts_with(expected), "{payload}: {}", letter.reason);
        assert_eq!((letter.topic.as_str(), letter.payload.as_slice()), (topic, payload.as_bytes()));
    }
    let bytes = |payload: &[u8]| {
        parse(Message { topic: GENERIC, payload, received_at: NOW, retained: false }, &Mappings::default())
    };
    assert_eq!(reason(&bytes(b"ab\xff")), "payload: not UTF-8 after byte 2");
    let large = bytes(&vec![b' '; MAX_PAYLOAD_BYTES + 1]);
    assert_eq!(large.dead_letter.as_ref().map(|l| l.payload.len()), Some(MAX_DEAD_LETTER_BYTES));
    assert!(reason(&large).starts_with("payload: 1048577 bytes"));
}

#[test]
fn a_cleared_retained_message_is_nothing() {
    assert_eq!(read(GENERIC, ""), Parsed::default());
}

#[test]
fn values_that_cannot_be_read_do_not_cost_the_others() {
    let parsed = read(GENERIC, r#"{"machine_id":"m","values":{"a":1,"b":"12,5","c":3,"":4,"mode":"auto"}}"#);
    assert_eq!(values(&parsed), ["m/a=1", "m/c=3"]);
    assert_eq!(reason(&parsed), "values.: empty; values.b: \"12,5\" is not a number");
    assert_eq!(parsed.ignored, ["values.mode"]);

    let parsed =
        read("edge/aggregated", r#"{"batch":[{"machine_id":"m","sensor_id":"s","value":1},5,{"value":2}]}"#);
    assert_eq!(values(&parsed), ["m/s=1"]);
    assert_eq!(reason(&parsed), "batch[1] not a JSON object; batch[2] machine_id: missing");
}

#[test]
fn a_message_of_bad_elements_is_one_letter_with_their_number() {
    let elements = vec![r#"{"value":1}"#; 10_000].join(",");
    let parsed = read("edge/x", &format!(r#"{{"batch":[{elements}]}}"#));
    let Some(letter) = &parsed.dead_letter else { panic!("a letter") };
    assert_eq!((parsed.readings.len(), letter.count), (0, 10_000));
    assert!(letter.reason.starts_with("batch[0] machine_id: missing; batch[1]"), "{}", letter.reason);
    assert!(letter.reason.ends_with("; and 9992 more"), "{}", letter.reason);
}

#[test]
fn no_value_is_absent() {
    let payload = r#"{"machine_id":"m","values":{"a":"---","b":"unknown","c":"unavailable","d":"","e":null,"f":"N/A"}}"#;
    let parsed = read(GENERIC, payload);
    assert_eq!((parsed.readings.len(), parsed.dead_letter), (0, None));
    assert_eq!(parsed.ignored, ["values.a", "values.b", "values.c", "values.d", "values.e", "values.f"]);
    let parsed = read(GENERIC, r#"{"machine_id":"m","sensor_id":"s","value":null}"#);
    assert_eq!(
        (parsed.readings.len(), parsed.dead_letter, parsed.ignored),
        (0, None, vec!["value".to_owned()])
    );
}

#[test]
fn elements_inherit_every_field_around_them() {
    let parsed = read(
        "edge/x",
        r#"{"machine_id":"m","sensor_id":"s","unit":"bar","metric":"pressure","location":"hall","status":"warning",
            "quality":"uncertain","metadata":{"k":1},"ts":1796024590,"historical":true,
            "batch":[{"value":1},{"value":2},{"value":3,"unit":"psi","quality":"good","ts":1796024591}]}"#,
    );
    assert_eq!(values(&parsed), ["m/s=1", "m/s=2", "m/s=3"]);
    let [first, second, third] = &parsed.readings[..] else { panic!("{parsed:?}") };
    assert_eq!(first.sensor.unit.as_deref(), Some("bar"));
    assert_eq!(first.sensor.sensor_type.as_deref(), Some("pressure"));
    assert_eq!(first.sensor.location.as_deref(), Some("hall"));
    assert_eq!((first.status, first.quality), (Some(ReadingStatus::Warning), Quality::Uncertain));
    assert_eq!((first.metadata.as_deref(), first.historical), (Some(r#"{"k":1}"#), true));
    assert_eq!(third.sensor.unit.as_deref(), Some("psi"));
    assert_eq!(third.quality, Quality::Good);
    let at = |us: i64| Timestamp(1_796_024_590_000_000 + us);
    assert_eq!([first.time, second.time, third.time], [at(0), at(1), at(1_000_000)]);
}

#[test]
fn every_word_for_a_time_is_read() {
    for key in [
        "timestamp",
        "ts",
        "time",
        "t",
        "Time",
        "last_seen",
        "dateObserved",
        "SourceTimestamp",
        "observed_at",
    ] {
        for value in
            ["1796020995", "1796020995000", "\"2026-11-30T06:43:15Z\"", "\"2026-11-30T07:43:15+01:00\""]
        {
            let payload = format!(r#"{{"machine_id":"m","sensor_id":"s","value":1,"{key}":{value}}}"#);
            let parsed = read(GENERIC, &payload);
            let times: Vec<_> = parsed.readings.iter().map(|r| (r.time.0, r.time_origin)).collect();
            assert_eq!(times, [(1_796_020_995_000_000, TimeOrigin::Value)], "{payload}");
        }
    }
    let both = read(
        GENERIC,
        r#"{"machine_id":"m","sensor_id":"s","value":1,"t":1796020990,"timestamp":1796020995}"#,
    );
    assert_eq!(both.readings[0].time.0, 1_796_020_995_000_000);
    assert_eq!(both.ignored, ["t"]);
}

#[test]
fn values_without_time_stay_apart_in_their_order() {
    let parsed = read(
        "e",
        r#"[{"machine_id":"m","sensor_id":"s","value":1},{"machine_id":"m","sensor_id":"s","value":2},
            {"machine_id":"m","sensor_id":"other","value":3},{"machine_id":"m","sensor_id":"s","value":4}]"#,
    );
    let times: Vec<_> = parsed.readings.iter().map(|r| (r.time.0 - NOW.0, r.time_origin)).collect();
    let receipt = |offset| (offset, TimeOrigin::Receipt);
    assert_eq!(times, [receipt(0), receipt(1), receipt(0), receipt(2)]);
}

#[test]
fn a_retained_message_without_time_is_a_dead_letter() {
    let message = |payload: &'static str| Message {
        topic: GENERIC,
        payload: payload.as_bytes(),
        received_at: NOW,
        retained: true,
    };
    let undated = parse(message(r#"{"machine_id":"m","sensor_id":"s","value":1}"#), &Mappings::default());
    assert!(reason(&undated).starts_with("timestamp: missing in a retained"), "{undated:?}");
    let dated = message(r#"{"machine_id":"m","sensor_id":"s","value":1,"timestamp":1795429391}"#);
    assert_eq!(parse(dated, &Mappings::default()).readings.len(), 1);
}

#[test]
fn a_value_is_passed_on_with_its_quality() {
    for (fields, quality) in [
        (r#""quality":"bad""#, Quality::Bad),
        (r#""q":false"#, Quality::Bad),
        (r#""Quality":0"#, Quality::Bad),
        (r#""Quality":192"#, Quality::Good),
        (r#""StatusCode":0"#, Quality::Good),
        (r#""StatusCode":{"Code":2158690304,"Symbol":"BadCommunicationError"}"#, Quality::Bad),
        (r#""statusCode":"0x40000000""#, Quality::Uncertain),
        (r#""quality":"stale""#, Quality::Stale),
        (r#""status":"bad""#, Quality::Bad),
        (r#""status":"critical""#, Quality::Good),
        (r#""quality":"purple""#, Quality::Good),
    ] {
        let parsed = read(GENERIC, &format!(r#"{{"machine_id":"m","sensor_id":"s","value":0,{fields}}}"#));
        assert_eq!(parsed.readings.first().map(|r| r.quality), Some(quality), "{fields}");
        assert_eq!(parsed.ignored.is_empty(), !fields.contains("purple"), "{fields}");
    }
    let payload = r#"{"machine_id":"m","values":{"a":{"value":0,"quality":"bad","unit":"bar","time":1796020995},"b":{"value":null,"quality":"bad"},"c":2}}"#;
    let parsed = read(GENERIC, payload);
    assert_eq!(values(&parsed), ["m/a=0", "m/c=2"]);
    let first = &parsed.readings[0];
    assert_eq!((first.quality, first.time.0), (Quality::Bad, 1_796_020_995_000_000));
    assert_eq!(first.sensor.unit.as_deref(), Some("bar"));
    assert_eq!(reason(&parsed), "values.b: no value, its quality is bad (bad)");
}

#[test]
fn descriptions() {
    let parsed = read(
        GENERIC,
        r#"{"sensor_id":"pressure-head","machine_id":"machine-1","metric":"pressure","value":140.2,"unit":"psi",
        "timestamp":"2026-11-23T10:23:11+00:00","location":"Building A, Floor 2","status":"Warning","line":"L1",
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
    assert_eq!(parsed.ignored, ["line"]);

    let parsed = read(
        GENERIC,
        r#"{"machine_id":"m","sensor_id":"s","value":1,"metadata":{"sensor_type":"temp","unit":"K"}}"#,
    );
    let sensor = &parsed.readings[0].sensor;
    assert_eq!((sensor.sensor_type.as_deref(), sensor.unit.as_deref()), (Some("temp"), Some("K")));

    let parsed = read("factory/x/telemetry", r#"{"wearIndex":3,"profile":2,"rpm":9}"#);
    assert_eq!(parsed.readings[0].sensor.unit.as_deref(), Some("%"));
    assert_eq!(parsed.ignored, ["rpm"]);
    let metadata: Value =
        serde_json::from_str(parsed.readings[0].metadata.as_deref().unwrap_or("")).unwrap_or_default();
    assert_eq!(metadata["source"], "opcua_edge_gateway");
    assert_eq!(metadata["original_topic"], "factory/x/telemetry");
    assert_eq!(metadata["profile"], 2);
}
