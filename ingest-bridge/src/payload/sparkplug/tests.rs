use super::wire::{Metric, Payload, Property, PropertyValue, Value};
use super::*;

const NOW: Timestamp = Timestamp(1_790_000_000_000_000);
const MS: u64 = 1_790_000_000_123;

fn metric(name: Option<&str>, alias: Option<u64>, datatype: Option<u32>, value: Value) -> Metric {
    let name = name.map(str::to_owned);
    Metric { name, alias, datatype, timestamp: Some(MS), value: Some(value), ..Metric::default() }
}

fn with(mut metric: Metric, key: &str, value: PropertyValue) -> Metric {
    let set = metric.properties.get_or_insert_default();
    set.keys.push(key.to_owned());
    set.values.push(Property { value: Some(value) });
    metric
}

fn send(sparkplug: &mut Sparkplug, topic: &str, seq: u64, metrics: Vec<Metric>) -> (Parsed, Option<Rebirth>) {
    let payload = Payload { timestamp: Some(MS), metrics, seq: Some(seq) }.encode_to_vec();
    sparkplug.read(Message { topic, payload: &payload, received_at: NOW, retained: false })
}

fn bd_seq(n: u64) -> Metric {
    metric(Some("bdSeq"), None, Some(8), Value::Long(n))
}

fn reason(parsed: &Parsed) -> &str {
    parsed.dead_letter.as_ref().map_or("", |letter| &letter.reason)
}

fn values(parsed: &Parsed) -> Vec<(&str, &str, f64)> {
    assert!(parsed.dead_letter.is_none(), "{:?}", parsed.dead_letter);
    parsed.readings.iter().map(|r| (&*r.sensor.machine, &*r.sensor.sensor, r.value)).collect()
}

#[test]
fn data_by_alias_gets_the_name_of_the_birth() {
    let mut sparkplug = Sparkplug::default();
    let temp = metric(Some("Motor/Temp"), Some(7), Some(9), Value::Float(20.5));
    let temp = with(temp, "engUnit", PropertyValue::Text("°C".to_owned()));
    let (parsed, ask) = send(&mut sparkplug, "spBv1.0/plant/NBIRTH/edge1", 0, vec![bd_seq(3)]);
    assert_eq!((parsed, ask), (Parsed::default(), None), "protocol metrics are no readings");
    let (parsed, ask) = send(&mut sparkplug, "spBv1.0/plant/DBIRTH/edge1/press7", 1, vec![temp]);
    assert_eq!(values(&parsed), [("plant/edge1/press7", "Motor/Temp", 20.5)]);
    assert_eq!(parsed.readings[0].sensor.unit.as_deref(), Some("°C"));
    assert_eq!(parsed.readings[0].sensor.sensor_type.as_deref(), Some("Temp"));
    assert_eq!(parsed.readings[0].time, Timestamp(MS as i64 * 1000));
    assert_eq!(ask, None);
    let data = metric(None, Some(7), None, Value::Float(21.5));
    let (parsed, ask) = send(&mut sparkplug, "spBv1.0/plant/DDATA/edge1/press7", 2, vec![data]);
    assert_eq!(values(&parsed), [("plant/edge1/press7", "Motor/Temp", 21.5)]);
    assert_eq!(parsed.readings[0].sensor.unit.as_deref(), Some("°C"), "known from the birth");
    assert_eq!(ask, None);
}

#[test]
fn an_unknown_alias_is_a_dead_letter_and_births_are_requested_at_intervals() {
    let mut sparkplug = Sparkplug::default();
    let topic = "spBv1.0/plant/DDATA/edge1/press7";
    let metrics = || {
        let by_name = metric(Some("level"), None, None, Value::Double(1.5));
        vec![metric(None, Some(9), None, Value::Int(4)), by_name]
    };
    let (parsed, ask) = send(&mut sparkplug, topic, 4, metrics());
    assert_eq!(parsed.readings.len(), 1, "its neighbour has a name");
    assert!(reason(&parsed).contains("alias 9"), "{parsed:?}");
    let Some(ask) = ask else { panic!("the node is not asked") };
    assert_eq!(ask.topic, "spBv1.0/plant/NCMD/edge1");
    let command = Payload::decode(&*ask.payload).map(|p| p.metrics);
    let command = command.unwrap_or_default();
    assert_eq!(command[0].name.as_deref(), Some("Node Control/Rebirth"));
    assert_eq!(command[0].value, Some(Value::Boolean(true)));
    assert_eq!(send(&mut sparkplug, topic, 5, metrics()).1, None, "asked a moment ago");
}

#[test]
fn a_gap_in_the_sequence_requests_births() {
    let mut sparkplug = Sparkplug::default();
    let value = || vec![metric(Some("x"), None, None, Value::Int(1))];
    send(&mut sparkplug, "spBv1.0/g/NBIRTH/n", 0, value());
    for (seq, gap) in [(1, false), (1, false), (2, false), (4, true)] {
        let (parsed, ask) = send(&mut sparkplug, "spBv1.0/g/NDATA/n", seq, value());
        assert_eq!(values(&parsed).len(), 1, "data after a gap are data");
        assert_eq!(ask.is_some(), gap, "{seq}");
    }
    send(&mut sparkplug, "spBv1.0/g/NBIRTH/n", 255, value());
    assert_eq!(send(&mut sparkplug, "spBv1.0/g/NDATA/n", 0, value()).1, None, "255 is followed by 0");
}

#[test]
fn numbers_of_every_type_are_read() {
    let mut sparkplug = Sparkplug::default();
    let cases = [
        (1, Value::Int(0xff), -1.0),
        (2, Value::Int(0xfffe), -2.0),
        (3, Value::Int(u32::MAX), -1.0),
        (4, Value::Long(u64::MAX), -1.0),
        (7, Value::Int(u32::MAX), 4_294_967_295.0),
        (8, Value::Long(1 << 40), 1_099_511_627_776.0),
        (10, Value::Double(0.1), 0.1),
        (11, Value::Boolean(true), 1.0),
    ];
    let metrics = cases
        .iter()
        .map(|(kind, value, _)| metric(Some(&format!("m{kind}")), None, Some(*kind), value.clone()));
    let (parsed, _) = send(&mut sparkplug, "spBv1.0/g/NBIRTH/n", 0, metrics.collect());
    let read: Vec<f64> = parsed.readings.iter().map(|r| r.value).collect();
    assert_eq!(read, cases.map(|(_, _, number)| number));
}

#[test]
fn messages_without_readings_and_unreadable_metrics() {
    let mut sparkplug = Sparkplug::default();
    let bad = metric(Some("bad"), None, Some(10), Value::Double(1.0));
    let nan = metric(Some("nan"), None, Some(10), Value::Double(f64::NAN));
    let mut null = metric(Some("null"), None, Some(10), Value::Double(1.0));
    null.is_null = Some(true);
    let metrics = vec![
        metric(Some("text"), None, Some(12), Value::Text("on".to_owned())),
        metric(Some("when"), None, Some(13), Value::Long(MS)),
        null,
        with(bad, "Quality", PropertyValue::Int(0)),
        nan,
    ];
    let (parsed, _) = send(&mut sparkplug, "spBv1.0/g/NBIRTH/n", 0, metrics);
    let read: Vec<_> = parsed.readings.iter().map(|r| (&*r.sensor.sensor, r.value, r.quality)).collect();
    assert_eq!(read, [("bad", 1.0, Quality::Bad)]);
    assert_eq!(reason(&parsed), "metrics[4]: nan: not a finite number");
    assert_eq!(parsed.ignored, ["text", "when", "null"]);
    for (topic, part) in
        [("spBv1.0/g/NDATA", "topic"), ("spBv1.0/g/XDATA/n", "topic"), ("spBv1.0/g/NDATA/n/d", "topic")]
    {
        let (parsed, _) = send(&mut sparkplug, topic, 0, vec![]);
        assert!(reason(&parsed).starts_with(part), "{topic}");
    }
    let torn =
        Message { topic: "spBv1.0/g/NDATA/n", payload: &[0x12, 0xff], received_at: NOW, retained: false };
    assert!(reason(&sparkplug.read(torn).0).contains("not a Sparkplug B payload"));
    let state = Message { topic: "spBv1.0/STATE/host", payload: b"{}", received_at: NOW, retained: true };
    assert_eq!(sparkplug.read(state), (Parsed::default(), None));
}

#[test]
fn births_survive_a_restart_and_end_with_the_node() -> std::io::Result<()> {
    let folder = tempfile::tempdir()?;
    let start = || Sparkplug::open(folder.path().to_owned());
    let born = || vec![bd_seq(1), metric(Some("x"), Some(5), Some(3), Value::Int(1))];
    let data = || vec![metric(None, Some(5), None, Value::Int(u32::MAX))];
    send(&mut start(), "spBv1.0/g/NBIRTH/n", 0, born());
    let (parsed, ask) = send(&mut start(), "spBv1.0/g/NDATA/n", 77, data());
    assert_eq!(values(&parsed), [("g/n", "x", -1.0)], "type and name are known from the birth");
    assert_eq!(ask, None, "the first message after a start has any number");
    let mut sparkplug = start();
    send(&mut sparkplug, "spBv1.0/g/NDEATH/n", 0, vec![bd_seq(0)]);
    assert_eq!(values(&send(&mut start(), "spBv1.0/g/NDATA/n", 1, data()).0).len(), 1, "an older death");
    send(&mut sparkplug, "spBv1.0/g/NDEATH/n", 0, vec![bd_seq(1)]);
    let (parsed, ask) = send(&mut start(), "spBv1.0/g/NDATA/n", 1, data());
    assert_eq!((parsed.readings.len(), parsed.dead_letter.is_some(), ask.is_some()), (0, true, true));
    std::fs::write(folder.path().join("x.json"), "{")?;
    start();
    Ok(())
}

#[test]
fn quality_history_and_order_are_passed_on() {
    let mut sparkplug = Sparkplug::default();
    let with_quality = |name: &str, quality| {
        with(metric(Some(name), None, Some(10), Value::Double(0.0)), "Quality", quality)
    };
    let mut buffered = metric(Some("buffered"), None, Some(10), Value::Double(2.0));
    buffered.is_historical = Some(true);
    let undated =
        |value| Metric { timestamp: None, ..metric(Some("x"), None, Some(10), Value::Double(value)) };
    let metrics = vec![
        with_quality("stale", PropertyValue::Int(500)),
        with_quality("good", PropertyValue::Long(192)),
        with_quality("word", PropertyValue::Text("Uncertain".to_owned())),
        buffered,
        undated(1.0),
        undated(2.0),
        undated(3.0),
    ];
    let (parsed, _) = send(&mut sparkplug, "spBv1.0/g/NBIRTH/n", 0, metrics);
    let read: Vec<_> = parsed.readings.iter().map(|r| (&*r.sensor.sensor, r.quality, r.historical)).collect();
    assert_eq!(
        read[..4],
        [
            ("stale", Quality::Stale, false),
            ("good", Quality::Good, false),
            ("word", Quality::Uncertain, false),
            ("buffered", Quality::Good, true)
        ]
    );
    let of_x = |r: &&ParsedReading| &*r.sensor.sensor == "x";
    let times: Vec<_> =
        parsed.readings.iter().filter(of_x).map(|r| (r.value, r.time.0 - MS as i64 * 1000)).collect();
    assert_eq!(times, [(1.0, 0), (2.0, 1), (3.0, 2)]);
}

#[test]
fn a_clock_that_is_not_set_is_a_reason() {
    let metric = Metric { timestamp: Some(5000), ..metric(Some("x"), None, Some(10), Value::Double(1.0)) };
    let (parsed, _) = send(&mut Sparkplug::default(), "spBv1.0/g/NBIRTH/n", 0, vec![metric]);
    assert!(
        parsed.readings.is_empty() && reason(&parsed).contains("clock of the sender is not set"),
        "{parsed:?}"
    );
}

#[test]
fn births_are_bounded_in_memory_and_on_disk() -> std::io::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut sparkplug = Sparkplug::open(folder.path().to_owned());
    // names of 90 bytes, an alias each: 50 nodes of 8,000 metrics are beyond the bounds
    let metrics: Vec<Metric> = (0..8_000_u64)
        .map(|n| metric(Some(&format!("{n:090}")), Some(n), Some(10), Value::Double(1.0)))
        .collect();
    let mut refused = 0;
    for node in 0..50 {
        let topic = format!("spBv1.0/g/NBIRTH/n{node}");
        let payload = Payload { timestamp: Some(MS), metrics: metrics.clone(), seq: Some(0) }.encode_to_vec();
        let (parsed, _) = sparkplug.read(Message {
            topic: &topic,
            payload: &payload[..],
            received_at: NOW,
            retained: false,
        });
        if parsed.dead_letter.is_some() {
            refused += 1;
            assert!(reason(&parsed).contains("more than"), "{}", reason(&parsed));
        }
    }
    assert!(refused >= 25, "{refused}");
    let disk: u64 =
        std::fs::read_dir(folder.path())?.flatten().filter_map(|f| f.metadata().ok()).map(|m| m.len()).sum();
    assert!(disk < 64 * 1024 * 1024, "{disk} bytes");
    // what is known survives, and a node that is known may be born again
    let mut sparkplug = Sparkplug::open(folder.path().to_owned());
    let data = || vec![metric(None, Some(7), None, Value::Double(2.0))];
    let (parsed, _) = send(&mut sparkplug, "spBv1.0/g/NDATA/n0", 1, data());
    assert_eq!(parsed.readings.len(), 1);
    let (parsed, _) =
        send(&mut sparkplug, "spBv1.0/g/NBIRTH/n0", 0, vec![metric(Some("y"), Some(7), None, Value::Int(1))]);
    assert_eq!(parsed.dead_letter, None);
    Ok(())
}

#[test]
fn metrics_are_counted_before_they_are_decoded() {
    // two bytes each
    let payload = [0x12, 0].repeat(400_000);
    let message =
        Message { topic: "spBv1.0/g/NBIRTH/n", payload: &payload, received_at: NOW, retained: false };
    let (parsed, _) = Sparkplug::default().read(message);
    assert_eq!(reason(&parsed), "metrics: 400000 of them, more than 10000");
}

proptest::proptest! {
    #[test]
    fn any_bytes_give_something(
        topic in "spBv1.0/[a-z/]{0,12}|spBv1.0/g/(N|D)(BIRTH|DATA|DEATH)/n(/d)?",
        payload in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300),
    ) {
        let mut sparkplug = Sparkplug::default();
        for retained in [false, true] {
            let (parsed, _) = sparkplug.read(Message { topic: &topic, payload: &payload, received_at: NOW, retained });
            for reading in &parsed.readings {
                proptest::prop_assert!(reading.value.is_finite() && reading.time.0 > 0);
            }
        }
    }

    #[test]
    fn any_metrics_give_something(
        names in proptest::collection::vec(proptest::option::of(".{0,120}"), 0..20),
        alias: Option<u64>,
        time: Option<u64>,
        datatype: Option<u32>,
        number: f64,
    ) {
        let metrics = names.into_iter().map(|name| Metric {
            name, alias, datatype, timestamp: time, value: Some(Value::Double(number)), ..Metric::default()
        }).collect();
        let mut sparkplug = Sparkplug::default();
        let (parsed, _) = send(&mut sparkplug, "spBv1.0/g/NBIRTH/n", 0, metrics);
        for reading in &parsed.readings {
            proptest::prop_assert!((1..=100).contains(&reading.sensor.sensor.len()));
        }
    }

    /// By name, then by alias: each number is stored, each text or null ignored by name, the rest named with its reason.
    #[test]
    fn no_metric_vanishes(
        values in proptest::collection::vec((any_value(), proptest::prelude::any::<bool>()), 1..30), device: bool,
    ) {
        let mut sparkplug = Sparkplug::default();
        let (suffix, kind) = if device { ("/d", 'D') } else { ("", 'N') };
        send(&mut sparkplug, "spBv1.0/g/NBIRTH/n", 0, vec![bd_seq(1)]);
        for (birth, by_name) in [(true, true), (false, true), (false, false)] {
            let metrics: Vec<Metric> = values.iter().enumerate().map(|(i, ((value, _), is_null))| {
                let name = format!("s{i}");
                let one = metric(by_name.then_some(&name), Some(i as u64), None, value.clone());
                Metric { is_null: Some(*is_null), ..one }
            }).collect();
            let topic = format!("spBv1.0/g/{kind}{}/n{suffix}", if birth { "BIRTH" } else { "DATA" });
            let (parsed, _) = send(&mut sparkplug, &topic, 1, metrics);
            let mut refused = 0;
            for (i, ((value, fate), is_null)) in values.iter().enumerate() {
                let name = format!("s{i}");
                let found: Vec<f64> =
                    parsed.readings.iter().filter(|r| r.sensor.sensor == name).map(|r| r.value).collect();
                match fate {
                    _ if *is_null => proptest::prop_assert!(parsed.ignored.contains(&name) && found.is_empty()),
                    Fate::Stored(number) => proptest::prop_assert_eq!(&found, &[*number]),
                    Fate::Ignored => proptest::prop_assert!(parsed.ignored.contains(&name), "{:?}", value),
                    Fate::Refused => {
                        refused += 1;
                        let told = reason(&parsed);
                        proptest::prop_assert!(refused > 8 || told.contains(&format!("metrics[{i}]: {name}")), "{}", told);
                    }
                }
            }
            proptest::prop_assert_eq!(parsed.dead_letter.map_or(0, |letter| letter.count), refused);
        }
    }
}

#[derive(Debug, Clone)]
enum Fate {
    Stored(f64),
    Ignored,
    Refused,
}

fn any_value() -> impl proptest::strategy::Strategy<Value = (Value, Fate)> {
    use proptest::prelude::*;
    let real = |x: f64| if x.is_finite() { Fate::Stored(x) } else { Fate::Refused };
    prop_oneof![
        any::<u32>().prop_map(|n| (Value::Int(n), Fate::Stored(n.into()))),
        any::<u64>().prop_map(|n| (Value::Long(n), Fate::Stored(n as f64))),
        any::<f32>().prop_map(move |x| (Value::Float(x), real(x.into()))),
        any::<f64>().prop_map(move |x| (Value::Double(x), real(x))),
        prop_oneof![Just(f64::NAN), Just(f64::INFINITY)].prop_map(|x| (Value::Double(x), Fate::Refused)),
        any::<bool>().prop_map(|b| (Value::Boolean(b), Fate::Stored(f64::from(u8::from(b))))),
        ".{0,20}".prop_map(|text| (Value::Text(text), Fate::Ignored)),
    ]
}
