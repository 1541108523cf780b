//! Lines of values with a separator (CSV, RFC 4180).

use super::LineFault;
use super::rows::{MAX_ROWS, Rows};
use super::time;
use serde_json::{Map, Value};

/// Most columns.
const MAX_COLUMNS: usize = 1000;
/// Columns that describe a row; the others hold values where there is no column `value`.
const DESCRIBING: &[&str] = &[
    "machine_id",
    "machineId",
    "sensor_id",
    "sensorId",
    "unit",
    "metric",
    "sensor_type",
    "location",
    "status",
    "quality",
];

/// The rows of a table whose header names machine or tag in the plain way; `None` if the text is something else.
pub fn unmistakable(text: &str) -> Option<Result<Rows, String>> {
    let header = text.lines().next()?;
    let separator = separator(header)?;
    let mut names = header.split(char::from(separator)).map(|name| name.trim().trim_matches('"'));
    names.any(|name| matches!(name, "machine_id" | "machineId" | "TagName")).then(|| read(text, &[]))
}

/// Reads a table; its first line names the columns unless `columns` does.
///
/// # Errors
/// There are too many lines or columns.
pub fn read(text: &str, columns: &[String]) -> Result<Rows, String> {
    let mut rows = Rows::default();
    for (index, line) in lines(text, columns).enumerate() {
        if index >= MAX_ROWS {
            return Err(format!("payload: more than {MAX_ROWS} lines"));
        }
        match line {
            Ok((_, row)) => rows.rows.push(row),
            Err(LineFault { line, reason }) => rows.faults.push(format!("line {line}: {reason}")),
        }
    }
    Ok(rows)
}

/// The rows of a table with the numbers of their lines, or why a line is none. The first line names the columns unless
/// `columns` does.
pub fn lines<'t>(
    text: &'t str,
    columns: &[String],
) -> impl Iterator<Item = Result<(usize, Value), LineFault>> + 't {
    let first = text.lines().next().unwrap_or_default();
    let records = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .delimiter(separator(first).unwrap_or(b','))
        .from_reader(text.as_bytes())
        .into_records();
    let mut names: Vec<String> = columns.to_vec();
    records.filter_map(move |record| {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, |at| at.line() as usize);
                return Some(Err(LineFault { line, reason: error.to_string() }));
            }
        };
        let number = record.position().map_or(0, |at| at.line() as usize);
        let fault = |reason: String| Some(Err(LineFault { line: number, reason }));
        if record.len() > MAX_COLUMNS {
            return fault(format!("{} columns, more than {MAX_COLUMNS}", record.len()));
        }
        if names.is_empty() {
            names = record.iter().map(|name| name.trim_start_matches('\u{feff}').to_owned()).collect();
            return None;
        }
        if record.len() > names.len() {
            return fault(format!("{} values in {} columns", record.len(), names.len()));
        }
        record.iter().any(|cell| !cell.is_empty()).then(|| Ok((number, row(&names, &record))))
    })
}

fn row(names: &[String], line: &csv::StringRecord) -> Value {
    let is_plain = names.iter().any(|name| name == "machine_id" || name == "machineId");
    let has_value = names.iter().any(|name| name == "value");
    let mut row = Map::new();
    let mut values = Map::new();
    for (name, cell) in names.iter().zip(line) {
        let describes = DESCRIBING.contains(&name.as_str()) || time::key_rank(name).is_some();
        let to = if is_plain && !has_value && !describes { &mut values } else { &mut row };
        // an empty description is none, an empty value is one that is absent
        if !(describes && cell.is_empty()) {
            to.insert(name.clone(), Value::String(cell.to_owned()));
        }
    }
    if is_plain && !has_value {
        row.insert("values".to_owned(), Value::Object(values));
    }
    Value::Object(row)
}

/// The separator of a line: the most frequent of the usual ones.
fn separator(line: &str) -> Option<u8> {
    [b';', b'\t', b',', b'|']
        .into_iter()
        .map(|separator| (line.bytes().filter(|byte| *byte == separator).count(), separator))
        .filter(|(count, _)| *count > 0)
        .max_by_key(|(count, separator)| (*count, *separator != b','))
        .map(|(_, separator)| separator)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_header_names_the_columns() {
        let text = "machine_id;time;temp;\"press; abs\"\r\nm1;2026-11-30T07:43:15Z;61,5;1\r\nm1;;;2\r\n\r\n";
        let Some(Ok(rows)) = unmistakable(text) else { panic!("a table") };
        assert_eq!(
            rows.rows,
            [
                json!({"machine_id": "m1", "time": "2026-11-30T07:43:15Z", "values": {"temp": "61,5", "press; abs": "1"}}),
                json!({"machine_id": "m1", "values": {"temp": "", "press; abs": "2"}}),
            ]
        );
        let rows = read("1,2\n3,4,5\n", &["a".to_owned(), "b".to_owned()]).unwrap_or_default();
        assert_eq!(rows.rows, [json!({"a": "1", "b": "2"})]);
        assert_eq!(rows.faults, ["line 2: 3 values in 2 columns"]);
    }

    #[test]
    fn other_texts_are_no_table() {
        for text in ["not json", "a,b\n1,2", "machine_id\nm1", ""] {
            assert_eq!(unmistakable(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "[a-z,;\"\n\t|0-9]{0,60}") {
            let _ = read(&text, &[]);
        }
    }
}
