//! Mappings that people make; the built-in forms are in docs/payloads.md.

use super::*;
use pm_api::mapping::MappingRules;
use serde_json::json;

fn mappings(rules: &[Value]) -> Mappings {
    let mapping = |rules: &Value| {
        let rules: MappingRules = serde_json::from_value(rules.clone()).unwrap_or_default();
        Mapping::new(&rules).unwrap_or_else(|error| panic!("{error:?}"))
    };
    Mappings::new(rules.iter().map(mapping).collect())
}

#[test]
fn a_mapping_reads_what_it_names() {
    for (rules, topic, payload, expected) in [
        (
            json!({"topic": "factory/+/+/+/+", "machine": "{topic:4}", "sensor": "{topic:5}"}),
            "factory/plant1/line1/press7/temp",
            "23.5",
            "press7/temp=23.5",
        ),
        (
            json!({"topic": "factory/#", "machine": "{topic:4}", "sensor": "{topic:-1}"}),
            "factory/plant1/line1/press7/door",
            "OPEN",
            "press7/door=1",
        ),
        (
            json!({"topic": "a", "machine": "m", "sensor": "s", "decimal_comma": true}),
            "a",
            "1.023,5",
            "m/s=1023.5",
        ),
        (
            json!({"topic": "a", "machine": "{/dev}", "sensor": "{/rows/*/n}", "value": "/rows/*/x"}),
            "a",
            r#"{"dev":"d","rows":[{"n":"p","x":1},{"n":"q","x":"2"}]}"#,
            "d/p=1 d/q=2",
        ),
        (
            json!({"topic": "a", "machine": "{topic}", "sensor": "{name}", "value": "/a/* | /b/**"}),
            "a",
            r#"{"a":{"x":1},"b":{"y":{"z":2}}}"#,
            "a/x=1 a/y.z=2",
        ),
        (
            json!({"topic": "a", "machine": "m", "sensor": "{name}", "value": "/*"}),
            "a",
            "[1.5,2.5]",
            "m/0=1.5 m/1=2.5",
        ),
        (
            json!({"topic": "a", "format": "csv", "columns": "time,temp,press", "machine": "m", "sensor": "{name}", "value": "/**", "time": "{/time}"}),
            "a",
            "1796024590,61.5,1.2\n1796024591,61.6,1.3\n",
            "m/press=1.2 m/temp=61.5 m/press=1.3 m/temp=61.6",
        ),
        (
            json!({"topic": "a", "format": "influx", "machine": "{/tags/line}", "sensor": "{name}", "value": "/fields/*"}),
            "a",
            "m,line=l1 a=1,b=2i",
            "l1/a=1 l1/b=2",
        ),
    ] {
        let parsed = parse(message(topic, payload), &mappings(&[rules]));
        assert_eq!(values(&parsed).join(" "), expected, "{payload}: {parsed:?}");
        assert_eq!(parsed.dead_letter, None, "{payload}");
    }
}

#[test]
fn a_mapping_says_why_a_value_falls_out() {
    let rules = json!({"topic": "a/#", "machine": "{/dev}", "sensor": "{/rows/*/n}", "value": "/rows/*/x",
                       "time": "{/rows/*/t}", "quality": "{/rows/*/q}", "unit": "{/rows/*/u}"});
    let payload = r#"{"dev":"d","more":1,"rows":[
        {"n":"a","x":1,"t":1796024590,"q":"bad","u":"bar","extra":2},
        {"n":"b","x":"text"}, {"x":3}, {"n":"c","x":"nan"}, {"n":"d","x":4,"t":5}, {"n":"e","x":null,"q":"bad"}]}"#;
    let parsed = parse(message("a/b", payload), &mappings(std::slice::from_ref(&rules)));
    assert_eq!(values(&parsed), ["d/a=1"]);
    let first = &parsed.readings[0];
    assert_eq!((first.quality, first.sensor.unit.as_deref()), (Quality::Bad, Some("bar")));
    assert_eq!(first.time.0, 1_796_024_590_000_000);
    assert_eq!(parsed.ignored, ["b", "more", "rows.extra"]);
    let reasons: Vec<_> = reason(&parsed).split("; ").collect();
    assert_eq!(
        reasons,
        [
            "sensor_id: not found",
            "c: not a finite number",
            "t: before 2001, so the clock of the sender is not set",
            "e: no value, its quality is bad (bad)",
        ]
    );
    let parsed = parse(message("a", r#"{"other":1}"#), &mappings(&[rules]));
    assert_eq!(reason(&parsed), "value: none found at /rows/*/x");
    assert_eq!(parsed.ignored, ["other"]);
}

#[test]
fn zone_and_decimal_sign_are_settings_of_a_source() {
    let mappings = mappings(&[
        json!({"topic": "factory/berlin/#", "time_zone": "Europe/Berlin", "decimal_comma": true}),
        json!({"topic": "#", "time_zone": "UTC"}),
    ]);
    let payload = r#"{"machine_id":"m","sensor_id":"s","value":"61,5","time":"2026-11-30T08:43:15"}"#;
    let berlin = parse(message("factory/berlin/x", payload), &mappings);
    assert_eq!(
        berlin.readings.iter().map(|r| (r.time.0, r.value)).collect::<Vec<_>>(),
        [(1_796_024_595_000_000, 61.5)]
    );
    let elsewhere = parse(message("factory/x", &payload.replace(',', ".").replace(".\"", ",\"")), &mappings);
    assert_eq!(elsewhere.readings.first().map(|r| r.time.0), Some(1_796_028_195_000_000), "{elsewhere:?}");
}

#[test]
fn rules_that_cannot_work_are_refused() {
    for (rules, field) in [
        (json!({"topic": "a/#/b"}), "topic"),
        (json!({"topic": ""}), "topic"),
        (json!({"topic": "a", "time_zone": "Berlin"}), "time_zone"),
        (json!({"topic": "a", "sensor": "s"}), "machine"),
        (json!({"topic": "a", "machine": "m"}), "sensor"),
        (json!({"topic": "a", "value": "/x"}), "machine"),
        (json!({"topic": "a", "machine": "m", "sensor": "s", "value": "x"}), "value"),
        (json!({"topic": "a", "machine": "m", "sensor": "{name}", "value": "/x"}), "sensor"),
        (json!({"topic": "a", "machine": "{nothing}", "sensor": "s"}), "machine"),
        (json!({"topic": "a", "machine": "m", "sensor": "s", "time": "{"}), "time"),
        (json!({"topic": "a", "machine": "m", "sensor": "s", "quality": "{/x/*}", "value": "/x"}), "quality"),
    ] {
        let rules: MappingRules = serde_json::from_value(rules).unwrap_or_default();
        assert_eq!(Mapping::new(&rules).map(|_| ()).map_err(|(field, _)| field), Err(field), "{rules:?}");
    }
}

#[test]
fn topic_filters_fit_as_in_mqtt() {
    use mapping::filter_fits;
    for (filter, topic, fits) in [
        ("#", "a/b", true),
        ("a/#", "a", true),
        ("a/#", "a/b/c", true),
        ("a/+", "a/b", true),
        ("a/+", "a", false),
        ("a/+", "a/b/c", false),
        ("+/b", "a/b", true),
        ("a/b", "a/b", true),
        ("a/b", "a/b/c", false),
        ("a", "b", false),
    ] {
        assert_eq!(filter_fits(filter, topic), fits, "{filter} {topic}");
    }
}

#[test]
fn a_row_of_texts_among_others_is_ignored_by_name() {
    for (payload, expected, ignored) in [
        (
            r#"[{"bn":"urn:dev:press7:","n":"temp","v":21.5},{"n":"label","vs":"Machine room"},{"n":"photo","vd":"YQ"}]"#,
            "urn:dev:press7/temp=21.5",
            "values.label values.photo",
        ),
        ("machine_id,lot,temp\nm,LOT-17,21.5\nm,LOT-18,", "m/temp=21.5", "values.lot values.temp"),
        ("machine_id,lot\nm,LOT-17\nm,5", "m/lot=5", "values.lot"),
    ] {
        let parsed = read(GENERIC, payload);
        assert_eq!(
            (values(&parsed).join(" ").as_str(), reason(&parsed), parsed.ignored.join(" ").as_str()),
            (expected, "", ignored)
        );
    }
    let parsed = read(GENERIC, r#"[{"bn":"urn:dev:press7:","n":"label","vs":"Machine room"}]"#);
    assert_eq!(reason(&parsed), "value: none found (expected value or values)");
}
