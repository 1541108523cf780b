//! Line protocol and CSV that came with requests: they may be longer than a message, and their sender is told which lines were not
//! read.

use super::{
    MAX_DEAD_LETTER_BYTES, MAX_PAYLOAD_BYTES, Mapping, Mappings, Message, Parsed, RETAINED_WITHOUT_TIME,
    Reader, Style, influx, read_mapped, table,
};
use pm_api::{Timestamp, WritePrecision, ingest::MAX_BATCH_READINGS};
use serde_json::Value;

/// Most reasons that a part spells out.
pub const MAX_LINE_FAULTS: usize = 100;

/// Why a line was not read completely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineFault {
    /// Its number, from 1.
    pub line: usize,
    /// The reason.
    pub reason: String,
}

/// Some lines of a text, with no more values than a batch takes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Part {
    /// What they give. The payload of the dead letter is the lines that were not read completely.
    pub parsed: Parsed,
    /// Why lines were not read completely, at most [`MAX_LINE_FAULTS`] reasons.
    pub faults: Vec<LineFault>,
    /// How many lines there are.
    pub lines: usize,
    /// How many of them were not read completely.
    pub not_read: usize,
}

/// Reads a text of line protocol, part by part. `topic` chooses the mapping; values without a time have that of the receipt.
pub fn parse_lines<'a>(
    topic: &'a str,
    text: &'a str,
    precision: WritePrecision,
    received_at: Timestamp,
    mappings: &'a Mappings,
) -> impl Iterator<Item = Part> + 'a {
    let mut lines = influx::lines(text).peekable();
    std::iter::from_fn(move || {
        let mut part = Vec::new();
        let (mut values, mut bytes) = (0, 0);
        // each value has an equals sign, so there are at most as many values
        while let Some((number, line)) = lines.next_if(|(_, line)| {
            part.is_empty()
                || (values + line.matches('=').count() <= MAX_BATCH_READINGS
                    && bytes + line.len() <= MAX_PAYLOAD_BYTES)
        }) {
            values += line.matches('=').count();
            bytes += line.len();
            part.push((number, line));
        }
        (!part.is_empty()).then(|| parse_part(topic, &part, precision, received_at, mappings))
    })
}

/// Reads lines of CSV by a mapping, part by part, as values of the past. `MappingRules::columns` names the columns, else the
/// first line.
pub fn parse_history<'a>(
    mapping: &'a Mapping,
    topic: &'a str,
    text: &'a str,
    received_at: Timestamp,
) -> impl Iterator<Item = Part> + 'a {
    let mut rows = table::lines(text, &mapping.columns).peekable();
    std::iter::from_fn(move || {
        rows.peek()?;
        let message = Message { topic, payload: b"", received_at, retained: true };
        let mut reader = Reader::new(message, &mapping.style);
        reader.line_faults = Some(Vec::new());
        reader.of_lines = true;
        let (mut lines, mut not_read, mut values) = (0, 0, 0);
        while let Some(row) = rows.next_if(|row| {
            let cells = row.as_ref().map_or(0, |(_, row)| cells(row));
            values += cells;
            lines == 0 || values <= MAX_BATCH_READINGS
        }) {
            lines += 1;
            let faults_before = reader.faults;
            match row {
                Ok((number, row)) => {
                    reader.line = number;
                    if let Err(reason) = read_mapped(&mut reader, Some(mapping), &row) {
                        reader.fault(reason);
                    }
                }
                Err(fault) => {
                    reader.line = fault.line;
                    reader.fault(fault.reason);
                }
            }
            not_read += usize::from(reader.faults > faults_before);
        }
        let mut faults = reader.line_faults.take().unwrap_or_default();
        // what has no time is dated neither by its receipt nor by that of a message
        for fault in faults.iter_mut().filter(|fault| fault.reason == RETAINED_WITHOUT_TIME) {
            fault.reason = "timestamp: missing".to_owned();
        }
        let mut parsed = reader.finish();
        parsed.dead_letter = None;
        for reading in &mut parsed.readings {
            reading.historical = true;
        }
        Some(Part { parsed, faults, lines, not_read })
    })
}

/// How many cells a row has.
fn cells(row: &Value) -> usize {
    let values = row.get("values").and_then(Value::as_object).map_or(0, |values| values.len());
    row.as_object().map_or(0, |row| row.len()) + values
}

fn parse_part(
    topic: &str,
    lines: &[(usize, &str)],
    precision: WritePrecision,
    received_at: Timestamp,
    mappings: &Mappings,
) -> Part {
    let message = Message { topic, payload: b"", received_at, retained: false };
    let mapping = mappings.of_topic(topic);
    let default_style = Style::default();
    let mut reader = Reader::new(message, mapping.map_or(&default_style, |mapping| &mapping.style));
    reader.line_faults = Some(Vec::new());
    reader.of_lines = true;
    let (mut not_read, mut not_read_lines) = (String::new(), 0);
    for (number, line) in lines {
        let faults_before = reader.faults;
        reader.line = *number;
        let read =
            influx::line(line, Some(precision)).and_then(|row| read_mapped(&mut reader, mapping, &row));
        if let Err(reason) = read {
            reader.fault(reason);
        }
        if reader.faults > faults_before {
            not_read_lines += 1;
            if not_read.len() + line.len() < MAX_DEAD_LETTER_BYTES {
                not_read.push_str(line);
                not_read.push('\n');
            }
        }
    }
    let faults = reader.line_faults.take().unwrap_or_default();
    let mut parsed = reader.finish();
    if let Some(letter) = &mut parsed.dead_letter {
        letter.payload = not_read.into_bytes();
    }
    Part { parsed, faults, lines: lines.len(), not_read: not_read_lines }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pm_api::mapping::MappingRules;

    const NOW: Timestamp = Timestamp(1_796_024_596_000_000);

    fn read(text: &str, mappings: &Mappings) -> Vec<Part> {
        parse_lines("(http)/telegraf", text, WritePrecision::Nanosecond, NOW, mappings).collect()
    }

    fn values(part: &Part) -> Vec<String> {
        let shown = |r: &crate::payload::ParsedReading| {
            format!("{}/{}={}", r.sensor.machine, r.sensor.sensor, r.value)
        };
        part.parsed.readings.iter().map(shown).collect()
    }

    #[test]
    fn good_lines_are_read_and_the_others_are_named_by_number() {
        let text = "# from the press shop\noil,machine=press7 temp=61.5 1796024595000000000\nbroken\n\noil temp=1 1796024595000000000\noil,machine=press8 temp=2,text=\"x\" 5\noil,machine=press9 temp=3";
        let parts = read(text, &Mappings::default());
        let [part] = parts.as_slice() else { panic!("{parts:?}") };
        assert_eq!(values(part), ["press7/oil.temp=61.5", "press9/oil.temp=3"]);
        let faults: Vec<_> = part.faults.iter().map(|f| (f.line, f.reason.as_str())).collect();
        assert_eq!(
            faults,
            [
                (3, "no fields"),
                (5, "machine_id: not found"),
                (6, "timestamp: before 2001, so the clock of the sender is not set"),
            ]
        );
        let letter = part.parsed.dead_letter.clone().unwrap_or_default();
        assert_eq!(
            String::from_utf8_lossy(&letter.payload),
            "broken\noil temp=1 1796024595000000000\noil,machine=press8 temp=2,text=\"x\" 5\n"
        );
        assert_eq!((letter.topic.as_str(), letter.count), ("(http)/telegraf", 3));
        assert!(!letter.reason.contains("line "), "{}", letter.reason);
    }

    #[test]
    fn a_mapping_of_the_topic_says_what_the_tags_mean() {
        let rules = MappingRules {
            topic: "(http)/+".to_owned(),
            machine: Some("{/tags/plc}".to_owned()),
            sensor: Some("{name}".to_owned()),
            value: Some("/fields/*".to_owned()),
            time: Some("{/timestamp}".to_owned()),
            ..MappingRules::default()
        };
        let mapping = Mapping::new(&rules).unwrap_or_else(|e| panic!("{e:?}"));
        let parts = read("modbus,plc=p1,host=gw v=1,w=2 1796024595000000000", &Mappings::new(vec![mapping]));
        let [part] = parts.as_slice() else { panic!("{parts:?}") };
        assert_eq!(values(part), ["p1/v=1", "p1/w=2"]);
        assert_eq!(part.parsed.dead_letter, None);
    }

    #[test]
    fn series_that_differ_in_their_tags_are_different_sensors() {
        let text = "cpu,cpu=cpu0,host=gw usage=1 1796024595000000000\ncpu,cpu=cpu1,host=gw usage=2 1796024595000000000\nopcua,host=gw,id=ns\\=3;s\\=Temp Temp=3,Quality=\"OK (0x0)\" 1796024595000000000\n";
        let parts = read(text, &Mappings::default());
        let all: Vec<_> = parts.iter().flat_map(values).collect();
        assert_eq!(all, ["gw/cpu.cpu0.usage=1", "gw/cpu.cpu1.usage=2", "gw/opcua.Temp=3"]);
    }

    #[test]
    fn history_is_read_line_by_line_in_parts() {
        let rules = MappingRules {
            topic: "history/press7".to_owned(),
            machine: Some("{topic:2}".to_owned()),
            sensor: Some("{name}".to_owned()),
            value: Some("/**".to_owned()),
            time: Some("{/at}".to_owned()),
            time_zone: Some("Europe/Berlin".to_owned()),
            decimal_comma: true,
            ..MappingRules::default()
        };
        let mapping = Mapping::new(&rules).unwrap_or_else(|e| panic!("{e:?}"));
        let mut text = "at;temp;press\n".to_owned();
        for second in 0..4000 {
            text += &format!(
                "2020-03-01 {:02}:{:02}:{:02};61,5;{second}\n",
                8 + second / 3600,
                second / 60 % 60,
                second % 60
            );
        }
        text += "yesterday;1;2\n2020-03-01 12:00:00;1;2;3\n2020-03-01 12:00:00;hot;2\n;1;1\n";
        let parts: Vec<_> = parse_history(&mapping, "history/press7", &text, NOW).collect();
        assert!(parts.len() > 1 && parts.iter().all(|part| part.parsed.readings.len() <= MAX_BATCH_READINGS));
        let readings: Vec<_> = parts.iter().flat_map(|part| &part.parsed.readings).collect();
        assert_eq!(readings.len(), 8001);
        assert!(readings.iter().all(|r| r.historical && r.sensor.machine == "press7"));
        assert_eq!(readings[0].time.to_string(), "2020-03-01T07:00:00.000000Z");
        assert_eq!(
            parts.iter().map(|part| (part.lines, part.not_read)).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1)),
            (4004, 3)
        );
        let faults: Vec<_> =
            parts.iter().flat_map(|part| &part.faults).map(|f| (f.line, f.reason.as_str())).collect();
        assert_eq!(
            faults,
            [
                (4002, "at: \"yesterday\" is not an ISO 8601 time"),
                (4003, "4 values in 3 columns"),
                (4005, "timestamp: missing"),
            ]
        );
    }

    #[test]
    fn a_long_text_is_read_in_parts_that_a_batch_takes() {
        let text: String = (0..6000)
            .map(|i| format!("m,machine=p a={i},b=1,c=2 {}\n", 1_796_024_595_000_000_000_i64 + i * 1000))
            .collect();
        let parts = read(&text, &Mappings::default());
        assert!(parts.len() > 1 && parts.iter().all(|part| part.parsed.readings.len() <= MAX_BATCH_READINGS));
        assert_eq!(parts.iter().map(|part| part.parsed.readings.len()).sum::<usize>(), 18_000);
        assert!(parts.iter().all(|part| part.faults.is_empty()));
    }

    proptest::proptest! {
        #[test]
        fn every_line_gives_a_reading_or_an_ignored_name_or_a_fault(text in "[ab,= \\\\\"0-9i.#\n]{0,80}") {
            let parts = read(&text, &Mappings::default());
            for part in &parts {
                proptest::prop_assert_eq!(part.faults.is_empty(), part.parsed.dead_letter.is_none());
                let seen = part.parsed.readings.len() + part.faults.len() + part.parsed.ignored.len();
                proptest::prop_assert!(seen > 0);
            }
        }
    }
}
