//! The examples of docs/payloads.md: each block `payload TOPIC` is read, and gives what the block `gives` after it says.

use super::*;
use pm_api::mapping::MappingRules;

const DOCUMENT: &str = include_str!("../../../../../../docs/payloads.md");

struct Example<'a> {
    mapping: Option<&'a str>,
    topic: &'a str,
    payload: String,
    gives: Vec<&'a str>,
}

/// The fenced blocks of the document: first line after the fence, and content.
fn blocks(document: &str) -> Vec<(&str, &str)> {
    let mut blocks = Vec::new();
    let mut rest = document;
    while let Some(start) = rest.find("\n```") {
        let after = &rest[start + 4..];
        let Some((head, content)) = after.split_once('\n') else { break };
        let Some(end) = content.find("\n```") else { break };
        blocks.push((head, &content[..end]));
        rest = &content[end + 4..];
    }
    blocks
}

fn examples() -> Vec<Example<'static>> {
    let mut examples = Vec::new();
    let (mut mapping, mut payload) = (None, None);
    for (head, content) in blocks(DOCUMENT) {
        match head.split_once(' ').unwrap_or((head, "")) {
            ("mapping", _) => mapping = Some(content),
            ("payload", topic) => payload = Some((topic, content)),
            ("gives", _) => {
                let Some((topic, payload)) = payload.take() else { panic!("no payload before {content}") };
                let payload = payload.replace("\\0", "\0");
                examples.push(Example {
                    mapping: mapping.take(),
                    topic,
                    payload,
                    gives: content.lines().collect(),
                });
            }
            _ => {}
        }
    }
    examples
}

fn shown(parsed: &Parsed) -> Vec<String> {
    let reading = |r: &ParsedReading| {
        let mut text = format!("{} | {} | {}", r.sensor.machine, r.sensor.sensor, r.value);
        if let Some(unit) = &r.sensor.unit {
            text += &format!(" {unit}");
        }
        if r.time_origin == TimeOrigin::Receipt {
            text += " | on receipt";
        } else {
            let time = r.time.to_string();
            text +=
                &format!(" | {}Z", time.trim_end_matches('Z').trim_end_matches('0').trim_end_matches('.'));
        }
        if r.quality != Quality::Good {
            text += &format!(" | {}", r.quality);
        }
        text
    };
    let mut lines: Vec<String> = parsed.readings.iter().map(reading).collect();
    if !parsed.ignored.is_empty() {
        lines.push(format!("ignored: {}", parsed.ignored.join(", ")));
    }
    if parsed.dead_letter.is_some() {
        lines.push(format!("dead letter: {}", reason(parsed)));
    }
    if lines.is_empty() {
        lines.push("nothing".to_owned());
    }
    lines
}

#[test]
fn every_example_of_the_document_gives_what_it_says() {
    let examples = examples();
    assert!(examples.len() >= 40, "{} examples", examples.len());
    let mut wrong = String::new();
    for Example { mapping, topic, payload, gives } in examples {
        let mappings = mapping.map_or_else(Mappings::default, |rules| {
            let rules: MappingRules = serde_json::from_str(rules).unwrap_or_else(|e| panic!("{rules}: {e}"));
            Mappings::new(vec![Mapping::new(&rules).unwrap_or_else(|e| panic!("{rules:?}: {e:?}"))])
        });
        let got = shown(&parse(message(topic, &payload), &mappings));
        if got != gives {
            wrong += &format!("{topic}\n{payload}\ngives\n{}\n\n", got.join("\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_document_shows_every_built_in_form() {
    let shown: Vec<_> = examples()
        .iter()
        .filter_map(|example| {
            let json = serde_json::from_str(&example.payload).ok()?;
            builtin::name_of(example.topic, &json)
        })
        .collect();
    for form in builtin::FORMS {
        assert!(shown.contains(&form.name), "docs/payloads.md has no example of {}", form.name);
    }
}
