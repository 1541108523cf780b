//! Messages of gateways and devices, published to the real broker, and what becomes of each.

use crate::{
    client::{Client, ENGINEER, with_bridge},
    mqtt::Publisher,
    sql,
};
use anyhow::{Context, Result, ensure};
use pm_api::{Quality, Timestamp};
use pm_test_support::{Broker, Stack, StackOptions};
use serde_json::{Value, json};
use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime},
};
use tokio::time::{Instant, sleep};

/// The present in the messages, ms since 1970.
const PRESENT_MS: i64 = 1_796_024_595_702;
const LIMIT: Duration = Duration::from_secs(60);

/// What a case must give: readings as machine, sensor, value, unit, quality and time against the present in ms; and texts
/// that the reason of its dead letter has, or the ignored fields of its topic.
struct Case {
    name: &'static str,
    readings: &'static [Expected],
    letter: &'static [&'static str],
    ignored: &'static [&'static str],
}

/// Machine, sensor, value, unit, quality, ms before the present.
type Expected = (&'static str, &'static str, f64, Option<&'static str>, &'static str, Option<i64>);

const CASE: Case = Case { name: "", readings: &[], letter: &[], ignored: &[] };

const CASES: &[Case] = &[
    Case {
        name: "P01",
        readings: &[
            ("Line1.Press7", "OilTemp", 63.2, None, "good", Some(200)),
            ("Line1.Press7", "OilPressure", 0.0, None, "bad", Some(90_000)),
        ],
        ignored: &["Lot"],
        ..CASE
    },
    Case {
        name: "P03",
        readings: &[("press7", "OilTemp", 61.5, None, "good", Some(1000))],
        letter: &["Torque", "bad", "BadCommunicationError"],
        ..CASE
    },
    Case {
        name: "P06",
        readings: &[
            ("urn:dev:bc-p06", "temp", 23.5, Some("°C"), "good", Some(702)),
            ("urn:dev:bc-p06", "humidity", 44.1, Some("%RH"), "good", Some(5702)),
        ],
        ..CASE
    },
    Case {
        name: "P07",
        readings: &[
            ("bc-p07", "temperature", 61.2, None, "good", Some(2000)),
            ("bc-p07", "battery", 3.98, None, "good", Some(2000)),
            ("bc-p07", "vibration.x", 1.2, None, "good", Some(2000)),
            ("bc-p07", "vibration.y", 0.4, None, "good", Some(2000)),
        ],
        ignored: &["fCnt", "rxInfo"],
        ..CASE
    },
    Case {
        name: "P09",
        readings: &[
            ("bc-p09", "temperature", 21.3, None, "good", Some(3000)),
            ("bc-p09", "humidity", 44.1, None, "good", Some(3000)),
            ("bc-p09", "battery", 88.0, None, "good", Some(3000)),
            ("bc-p09", "linkquality", 120.0, None, "good", Some(3000)),
            ("bc-p09", "pressure", 1002.0, None, "good", Some(3000)),
        ],
        ..CASE
    },
    Case { name: "P13", readings: &[("bc-p13", "temperature", 23.5, None, "good", None)], ..CASE },
    Case {
        name: "P16",
        readings: &[("bc-p16", "tag0", 123.0, None, "good", Some(0))],
        letter: &["tag1", "error 2014"],
        ..CASE
    },
    Case {
        name: "P25",
        readings: &[
            ("bc-p25", "temp", 61.1, Some("°C"), "good", Some(3000)),
            ("bc-p25", "temp", 61.2, Some("°C"), "good", Some(2000)),
            ("bc-p25", "temp", 61.3, Some("°C"), "good", Some(1000)),
        ],
        ..CASE
    },
    Case {
        name: "P28",
        readings: &[
            ("bc-p28", "speed", 1480.0, None, "good", None),
            ("bc-p28", "motor.temp", 61.0, None, "good", None),
            ("bc-p28", "motor.current", 3.1, None, "good", None),
        ],
        ..CASE
    },
    Case {
        name: "V01",
        readings: &[
            ("bc-v01", "temp", 21.5, None, "good", Some(0)),
            ("bc-v01", "press", 1.02, None, "good", Some(0)),
        ],
        letter: &["hum"],
        ..CASE
    },
    Case {
        name: "V03",
        readings: &[("bc-v03", "temp", 21.5, None, "good", Some(0))],
        ignored: &["values.a", "values.b", "values.c", "values.d"],
        ..CASE
    },
    Case {
        name: "V05",
        readings: &[
            ("bc-v05", "temp", 21.5, None, "good", Some(0)),
            ("bc-v05", "running", 1.0, None, "good", Some(0)),
            ("bc-v05", "door", 0.0, None, "good", Some(0)),
        ],
        ..CASE
    },
    Case { name: "T01b", readings: &[("bc-t01b", "t", 1.5, None, "good", Some(3_600_702))], ..CASE },
    Case { name: "T01c", readings: &[("bc-t01c", "t", 1.5, None, "good", Some(3_600_000))], ..CASE },
    Case { name: "T03", letter: &["clock"], ..CASE },
    Case { name: "T09", letter: &["zone"], ..CASE },
];

fn now_ms() -> Result<i64> {
    Ok(i64::try_from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_millis())?)
}

/// A message of the folder, its times shifted by `shift_ms`.
fn message(name: &str, shift_ms: i64) -> Result<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/payloads");
    let read = |end: &str| fs::read_to_string(folder.join(format!("{name}.{end}")));
    let topic = read("topic")?.trim().to_owned();
    let payload = read("json").or_else(|_| read("txt"))?;
    Ok((topic, shifted(payload.trim(), shift_ms)))
}

/// The text with its epoch numbers and its ISO times moved.
fn shifted(text: &str, shift_ms: i64) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let is_iso = rest.starts_with("2026-11-30T") && rest.len() >= 19;
        if is_iso {
            let end = rest.find(|c: char| !(c.is_ascii_digit() || "-:T.".contains(c))).unwrap_or(rest.len());
            let length = end.min(23);
            let time: Timestamp = format!("{}Z", &rest[..length]).parse().unwrap_or_default();
            let moved = Timestamp(time.0 + shift_ms * 1000).to_string();
            out.push_str(&moved[..length]);
            rest = &rest[length..];
        } else if rest.starts_with("17960") && [10, 13].contains(&digits) {
            let number: i64 = rest[..digits].parse().unwrap_or_default();
            let shift = if digits == 13 { shift_ms } else { shift_ms / 1000 };
            out.push_str(&(number + shift).to_string());
            rest = &rest[digits..];
        } else {
            let length = if digits > 0 { digits } else { first.len_utf8() };
            out.push_str(&rest[..length]);
            rest = &rest[length..];
        }
    }
    out
}

async fn start() -> Result<(Stack, Client, Publisher)> {
    let options = StackOptions { broker: Broker::Embedded, demo: true, ..StackOptions::default() };
    let (stack, client) = with_bridge(options).await?;
    let publisher = Publisher::connect(stack.mqtt_url())?;
    Ok((stack, client.sign_in(ENGINEER).await?, publisher))
}

/// Makes a mapping, and waits until the bridge has taken it up.
async fn map(stack: &Stack, engineer: &Client, mqtt: &mut Publisher, rules: Value) -> Result<Value> {
    let probe = json!({"topic": "factory/probe", "machine": "probe", "sensor": "mapping"});
    let mapping = engineer.post("/mappings", rules).await?.expect(201)?;
    let probe = engineer.post("/mappings", probe).await?.expect(201)?;
    let db = sql::connect(stack.db()).await?;
    let taken_up = "select count(*) from sensors s join machines m on m.id = s.machine_id
                    where m.mqtt_id = 'probe' and s.mqtt_id = 'mapping'";
    let end = Instant::now() + LIMIT;
    while db.query_one(taken_up, &[]).await?.get::<_, i64>(0) == 0 {
        ensure!(Instant::now() < end, "the bridge does not take up the mapping");
        mqtt.publish("factory/probe", "1").await?;
        sleep(Duration::from_millis(200)).await;
    }
    let id = probe["id"].as_str().context("an id")?;
    engineer.delete(&format!("/mappings/{id}")).await?.expect(204)?;
    Ok(mapping)
}

/// The stored readings of a machine's sensor: value, unit of the sensor, quality, µs.
async fn stored(
    stack: &Stack,
    machine: &str,
    sensor: &str,
) -> Result<Vec<(f64, Option<String>, String, i64)>> {
    let db = sql::connect(stack.db()).await?;
    let rows = "select d.value, s.unit, d.quality, (extract(epoch from d.time) * 1000000)::int8
                from sensor_data d join sensors s on s.id = d.sensor_id join machines m on m.id = s.machine_id
                where m.mqtt_id = $1 and s.mqtt_id = $2 order by d.time";
    let rows = db.query(rows, &[&machine, &sensor]).await?;
    // stored as the place of its word
    let quality =
        |code: i16| Quality::WORDS.get(code as usize).map_or_else(String::new, |word| (*word).to_owned());
    Ok(rows.iter().map(|row| (row.get(0), row.get(1), quality(row.get(2)), row.get(3))).collect())
}

#[tokio::test]
async fn payloads_of_gateways_give_their_readings() -> Result<()> {
    let (stack, engineer, mut mqtt) = start().await?;
    let rules =
        json!({"topic": "factory/plant1/+/+/temperature", "machine": "{topic:4}", "sensor": "{topic:5}"});
    map(&stack, &engineer, &mut mqtt, rules).await?;
    let shift_ms = now_ms()? - PRESENT_MS;
    let mut topics = Vec::new();
    for case in CASES {
        let (topic, payload) = message(case.name, shift_ms).with_context(|| case.name)?;
        mqtt.publish(&topic, payload).await?;
        topics.push(topic);
    }
    // messages of a topic keep their order: what comes after these is behind them
    for case in CASES {
        for (machine, sensor, value, unit, quality, before_ms) in case.readings {
            let end = Instant::now() + LIMIT;
            let found = loop {
                let rows = stored(&stack, machine, sensor).await?;
                if let Some(found) = rows.into_iter().find(|row| row.0 == *value) {
                    break found;
                }
                ensure!(Instant::now() < end, "{}: {machine}/{sensor}={value} is not stored", case.name);
                sleep(Duration::from_millis(100)).await;
            };
            let (_, stored_unit, stored_quality, us) = found;
            ensure!(stored_quality == *quality, "{}: {sensor} is {stored_quality}", case.name);
            if unit.is_some() {
                ensure!(stored_unit.as_deref() == *unit, "{}: {sensor} in {stored_unit:?}", case.name);
            }
            if let Some(before_ms) = before_ms {
                let expected = PRESENT_MS + shift_ms - before_ms;
                // times in whole seconds lose the rest
                ensure!(
                    (us / 1000 - expected).abs() < 1000,
                    "{}: {sensor} at {us}, not {expected}",
                    case.name
                );
            }
        }
    }
    let letters = engineer.get("/mqtt/dead-letters?limit=100").await?.expect(200)?;
    let letters = letters.as_array().context("a list")?;
    let status = engineer
        .wait_for("/mqtt/status", |status| {
            let fields = status["bridge"]["ignored_fields"].as_array()?;
            (fields.len() >= CASES.iter().filter(|case| !case.ignored.is_empty()).count())
                .then(|| fields.clone())
        })
        .await?;
    for (case, topic) in CASES.iter().zip(&topics) {
        let reasons: Vec<&str> = letters
            .iter()
            .filter(|l| l["topic"] == topic.as_str())
            .filter_map(|l| l["reason"].as_str())
            .collect();
        if !case.letter.is_empty() {
            let has_reason =
                reasons.iter().any(|reason| case.letter.iter().all(|part| reason.contains(part)));
            ensure!(has_reason, "{}: {reasons:?}", case.name);
        }
        let ignored = status.iter().find(|fields| fields["topic"] == topic.as_str());
        let names = ignored.map(|fields| fields["names"].to_string()).unwrap_or_default();
        for name in case.ignored {
            ensure!(names.contains(&format!("\"{name}\"")), "{}: {name} is not among {names}", case.name);
        }
    }
    let of_case = |name: &str| {
        letters.iter().filter(|l| l["payload"].as_str().is_some_and(|p| p.contains(name))).count()
    };
    for quiet in ["bc-p09", "bc-v03", "bc-v05", "bc-p25", "bc-p28", "bc-t01b"] {
        ensure!(of_case(quiet) == 0, "{quiet} has a dead letter");
    }
    // late readings raise no alarm, unset clocks are not stored
    let alarms = engineer.get("/alarms").await?.expect(200)?;
    ensure!(alarms == json!([]), "{alarms}");
    ensure!(stored(&stack, "bc-t03", "t").await?.is_empty(), "an unset clock is stored");
    Ok(())
}

#[tokio::test]
async fn a_cleared_topic_leaves_nothing_and_bad_elements_leave_one_letter() -> Result<()> {
    let (_stack, engineer, mut mqtt) = start().await?;
    mqtt.publish("factory/plant1/line1/cleared", "").await?;
    let elements = vec![r#"{"value":1}"#; 10_000].join(",");
    mqtt.publish("edge/bad", format!(r#"{{"batch":[{elements}]}}"#)).await?;
    let letter =
        engineer.wait_for("/mqtt/dead-letters", |letters| letters.as_array()?.first().cloned()).await?;
    ensure!(letter["topic"] == "edge/bad", "{letter}");
    let reason = letter["reason"].as_str().unwrap_or_default();
    ensure!(reason.contains("machine_id: missing") && reason.contains("9992 more"), "{reason}");
    let letters = engineer.get("/mqtt/dead-letters").await?.expect(200)?;
    ensure!(letters.as_array().is_some_and(|l| l.len() == 1), "{letters}");
    Ok(())
}

#[tokio::test]
async fn a_mapping_is_tried_stored_taken_up_and_removed() -> Result<()> {
    let (stack, engineer, mut mqtt) = start().await?;
    let topic = "edge/plc/station7";
    let payload = r#"{"rows":[{"tag":"temp","val":"61,5","at":"2026-11-30T08:43:15"},{"tag":"x","val":"nan","at":1796024595}]}"#;
    let rules = json!({"topic": "edge/plc/+", "machine": "{topic:3}", "sensor": "{/rows/*/tag}", "value": "/rows/*/val",
                       "time": "{/rows/*/at}", "time_zone": "Europe/Berlin", "decimal_comma": true});
    let without =
        engineer.post("/mappings/preview", json!({"topic": topic, "payload": payload})).await?.expect(200)?;
    assert_eq!(without["readings"], json!([]));
    assert!(without["reason"].as_str().is_some_and(|reason| reason.contains("machine_id")), "{without}");
    let request = json!({"topic": topic, "payload": payload, "mapping": rules});
    let preview = engineer.post("/mappings/preview", request).await?.expect(200)?;
    assert_eq!(preview["fits"], true);
    assert_eq!(preview["reason"], "x: not a finite number");
    assert_eq!(
        preview["readings"],
        json!([{"machine_id": "station7", "sensor_id": "temp", "value": 61.5, "unit": null,
                "timestamp": "2026-11-30T07:43:15.000000Z", "dated_on_receipt": false, "quality": "good"}])
    );
    for (change, field) in [
        (json!({"topic": "a/#/b"}), "topic"),
        (json!({"machine": null}), "machine"),
        (json!({"time_zone": "Berlin"}), "time_zone"),
        (json!({"value": "x"}), "value"),
    ] {
        let mut body = rules.clone();
        for (key, value) in change.as_object().into_iter().flatten() {
            body[key] = value.clone();
        }
        let refused = engineer.post("/mappings", body).await?.expect(422)?;
        assert_eq!(refused["errors"][0]["loc"], json!(["body", field]), "{refused}");
    }
    let mapping = map(&stack, &engineer, &mut mqtt, rules).await?;
    let now = now_ms()?;
    let live = json!({"rows": [{"tag": "temp", "val": "62,5", "at": now}]});
    mqtt.publish(topic, live.to_string()).await?;
    let end = Instant::now() + LIMIT;
    while stored(&stack, "station7", "temp").await?.is_empty() {
        ensure!(Instant::now() < end, "not stored by the mapping");
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(stored(&stack, "station7", "temp").await?[0].0, 62.5);
    let path = format!("/mappings/{}", mapping["id"].as_str().context("an id")?);
    let changed =
        engineer.patch(&path, json!({"sensor": "t-{/rows/*/tag}", "time_zone": null})).await?.expect(200)?;
    assert_eq!((&changed["sensor"], &changed["time_zone"]), (&json!("t-{/rows/*/tag}"), &Value::Null));
    assert_eq!(engineer.get(&path).await?.expect(200)?, changed);
    assert_eq!(engineer.get("/mappings").await?.expect(200)?, json!([changed]));
    engineer.patch(&path, json!({"machine": null})).await?.expect(422)?;
    engineer.delete(&path).await?.expect(204)?;
    engineer.get(&path).await?.expect(404)?;
    Ok(())
}

#[tokio::test]
async fn dead_letters_are_replayed_once_by_a_mapping_that_was_made_for_them() -> Result<()> {
    let (stack, engineer, mut mqtt) = start().await?;
    let at = |before_s: i64| Ok::<_, anyhow::Error>(now_ms()? / 1000 - before_s);
    let payload = |value: &str, at: i64| json!({"tag": "temp", "val": value, "at": at}).to_string();
    let (good, broken) = (at(40)?, at(30)?);
    mqtt.publish("edge/mill/1", payload("61.5", good)).await?;
    let is_there = |letters: &Value, topic: &str| {
        letters.as_array().is_some_and(|l| l.iter().any(|l| l["topic"] == topic))
    };
    engineer.wait_for("/mqtt/dead-letters", |letters| is_there(letters, "edge/mill/1").then_some(())).await?;
    // a value that stays unreadable, and one that ingest refuses
    mqtt.publish("edge/mill/2", payload("hot", broken)).await?;
    let far_ahead =
        json!({"machine_id": "mill", "sensor_id": "late", "value": 7, "timestamp": now_ms()? + 700_000});
    mqtt.publish("edge/mill/3", far_ahead.to_string()).await?;
    engineer
        .wait_for("/mqtt/dead-letters", |letters| {
            (is_there(letters, "edge/mill/2") && is_there(letters, "edge/mill/3")).then_some(())
        })
        .await?;

    let replay = |topic: &str| engineer.post("/mqtt/dead-letters/replay", json!({"topic": topic}));
    let report = replay("edge/mill/1").await?.expect(200)?;
    assert_eq!(
        (&report["replayed"], &report["kept"], &report["stored"]),
        (&json!(0), &json!(1), &json!(0)),
        "{report}"
    );
    let rules = json!({"topic": "edge/mill/#", "machine": "mill", "sensor": "{/tag}", "value": "/val", "time": "{/at}"});
    engineer.post("/mappings", rules).await?.expect(201)?;
    let report = replay("edge/mill/1").await?.expect(200)?;
    assert_eq!(report, json!({"replayed": 1, "kept": 0, "stored": 1, "reasons": [], "next": null}));
    let rows = stored(&stack, "mill", "temp").await?;
    assert_eq!(rows.iter().map(|row| (row.0, row.3)).collect::<Vec<_>>(), [(61.5, good * 1_000_000)]);
    let again = replay("edge/mill/1").await?.expect(200)?;
    assert_eq!((&again["replayed"], &again["kept"]), (&json!(0), &json!(0)));
    let kept = replay("edge/mill/2").await?.expect(200)?;
    assert_eq!(
        (&kept["replayed"], &kept["kept"], &kept["reasons"]),
        (&json!(0), &json!(1), &json!(["temp: not a number"]))
    );
    // the letter of ingest holds the plain form, which the mapping does not fit; its value is refused again
    let refused = replay("edge/mill/3").await?.expect(200)?;
    assert_eq!(
        (&refused["replayed"], &refused["kept"], &refused["stored"]),
        (&json!(0), &json!(1), &json!(0)),
        "{refused}"
    );
    assert!(
        refused["reasons"][0].as_str().is_some_and(|reason| reason.contains("not stored again: 1")),
        "{refused}"
    );

    // what was replayed stays in the list, marked, and leaves the groups
    let letters = engineer.get("/mqtt/dead-letters").await?.expect(200)?;
    for (topic, is_replayed) in [("edge/mill/1", true), ("edge/mill/2", false), ("edge/mill/3", false)] {
        let of_topic: Vec<_> =
            letters.as_array().into_iter().flatten().filter(|l| l["topic"] == topic).collect();
        ensure!(
            !of_topic.is_empty() && of_topic.iter().all(|l| l["replayed_at"].is_string() == is_replayed),
            "{topic}: {letters}"
        );
    }
    let groups = engineer.get("/mqtt/dead-letters/groups").await?.expect(200)?;
    ensure!(!is_there(&groups, "edge/mill/1") && is_there(&groups, "edge/mill/2"), "{groups}");
    engineer.post("/mqtt/dead-letters/replay", json!({})).await?.expect(422)?;
    Ok(())
}

#[tokio::test]
async fn a_source_of_whole_seconds_may_have_several_values_a_second() -> Result<()> {
    let (stack, engineer, mut mqtt) = start().await?;
    engineer.post("/mappings", json!({"topic": "edge/last/#", "same_time": "last"})).await?.expect(201)?;
    map(&stack, &engineer, &mut mqtt, json!({"topic": "edge/spread/#", "same_time": "spread"})).await?;
    let at = now_ms()? / 1000 - 5;
    let message = |machine: &str, values: &[f64]| {
        let readings: Vec<_> = values.iter().map(|value| json!({"timestamp": at, "value": value})).collect();
        json!({"machine_id": machine, "sensor_id": "t", "batch": readings}).to_string()
    };
    for machine in ["last", "spread", "strict"] {
        let topic = format!("edge/{machine}/1");
        mqtt.publish(&topic, message(machine, &[1.0, 2.0])).await?;
        mqtt.publish(&topic, message(machine, &[3.0])).await?;
        mqtt.publish(&topic, message(machine, &[4.0])).await?;
    }
    let end = Instant::now() + LIMIT;
    let values = loop {
        let (last, spread) = (stored(&stack, "last", "t").await?, stored(&stack, "spread", "t").await?);
        let shown =
            |rows: &[(f64, Option<String>, String, i64)]| rows.iter().map(|row| row.0).collect::<Vec<_>>();
        if shown(&last) == [4.0] && spread.len() == 4 {
            break spread;
        }
        ensure!(Instant::now() < end, "last: {last:?}, spread: {spread:?}");
        sleep(Duration::from_millis(100)).await;
    };
    ensure!(values.iter().all(|row| row.3 / 1_000_000 == at), "{values:?}");
    let mut all: Vec<f64> = values.iter().map(|row| row.0).collect();
    ensure!(all.iter().position(|v| *v == 1.0) < all.iter().position(|v| *v == 2.0), "{values:?}");
    all.sort_by(f64::total_cmp);
    assert_eq!(all, [1.0, 2.0, 3.0, 4.0]);
    // without the setting: the first value, and the others are told
    let strict = |letters: &Value| {
        let counts = letters
            .as_array()?
            .iter()
            .filter(|l| l["topic"] == "edge/strict/1")
            .filter_map(|l| l["count"].as_i64());
        (counts.sum::<i64>() == 3).then_some(())
    };
    engineer.wait_for("/mqtt/dead-letters", strict).await?;
    assert_eq!(stored(&stack, "strict", "t").await?.len(), 1);
    let letters = engineer.get("/mqtt/dead-letters").await?.expect(200)?;
    let others = letters
        .as_array()
        .into_iter()
        .flatten()
        .filter(|l| l["topic"] == "edge/last/1" || l["topic"] == "edge/spread/1");
    assert_eq!(others.count(), 0, "{letters}");
    Ok(())
}
