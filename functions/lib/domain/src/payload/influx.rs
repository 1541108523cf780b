//! Influx line protocol: `measurement,tag=value field=1.5,other=2i 1796024595000000000`.

use super::rows::{MAX_ROWS, Rows};
use super::time;
use pm_api::{Timestamp, WritePrecision};
use serde_json::{Map, Number, Value, json};

/// The rows of a text all lines of which are line protocol; `None` if it is something else.
pub fn unmistakable(text: &str) -> Option<Result<Rows, String>> {
    let (_, first) = lines(text).next()?;
    line(first, None).is_ok().then(|| read(text))
}

/// Reads lines of line protocol.
///
/// # Errors
/// There are too many.
pub fn read(text: &str) -> Result<Rows, String> {
    let mut rows = Rows::default();
    for (index, (number, text)) in lines(text).enumerate() {
        if index >= MAX_ROWS {
            return Err(format!("payload: more than {MAX_ROWS} lines"));
        }
        match line(text, None) {
            Ok(row) => rows.rows.push(row),
            Err(reason) => rows.faults.push(format!("line {number}: {reason}")),
        }
    }
    Ok(rows)
}

/// The lines that are neither empty nor comments, with their numbers from 1. The text of a field may hold line breaks.
pub fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let (mut rest, mut number) = (text, 1);
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let (found, after) = rest.split_at(end_of_line(rest));
            let at = number;
            number += found.matches('\n').count() + 1;
            rest = after.strip_prefix('\n').unwrap_or(after);
            let found = found.trim();
            if !found.is_empty() && !found.starts_with('#') {
                return Some((at, found));
            }
        }
        None
    })
}

/// Where the first line ends: at a line break outside of the text of a field. Quotation marks that are not closed are no
/// reason to take in the lines that follow.
fn end_of_line(text: &str) -> usize {
    let first = text.find('\n').unwrap_or(text.len());
    if text.trim_start().starts_with('#') {
        return first;
    }
    let (mut in_fields, mut quoted, mut escaped) = (false, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'\n' if !quoted => return at,
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b' ' => in_fields = true,
            b'"' if in_fields => quoted = !quoted,
            _ => {}
        }
    }
    if quoted { first } else { text.len() }
}

/// One line as Telegraf writes it in JSON: name, tags, fields, timestamp. Without a precision, the size of the timestamp
/// says what it counts.
///
/// # Errors
/// What is wrong with it.
pub fn line(text: &str, precision: Option<WritePrecision>) -> Result<Value, String> {
    let (key, rest) = split(text, ' ', false).ok_or("no fields")?;
    let (fields, time) = split(rest.trim_start(), ' ', true).unwrap_or((rest.trim_start(), ""));
    let mut key = pieces(key, false);
    let name = plain(key.next().unwrap_or_default());
    if name.is_empty() {
        return Err("no measurement".to_owned());
    }
    let mut tags = Map::new();
    for tag in key {
        let (name, value) = split(tag, '=', false).ok_or_else(|| format!("{tag}: a tag without ="))?;
        if name.is_empty() || value.is_empty() {
            return Err(format!("{tag}: a tag without name or value"));
        }
        tags.insert(plain(name), Value::String(plain(value)));
    }
    let mut values = Map::new();
    for field in pieces(fields, true) {
        let (name, value) = split(field, '=', false).ok_or_else(|| format!("{field}: a field without ="))?;
        values
            .insert(plain(name), field_value(value).ok_or_else(|| format!("{field}: no value of a field"))?);
    }
    let mut row = json!({ "name": name, "tags": tags, "fields": values });
    let time = time.trim();
    if !time.is_empty() {
        let count: i64 = time.parse().map_err(|_| format!("{time}: no timestamp"))?;
        row["timestamp"] = match precision {
            None => json!(count),
            Some(precision) => json!(instant(count, precision)?),
        };
    }
    Ok(row)
}

/// The instant that a timestamp counts to.
fn instant(count: i64, precision: WritePrecision) -> Result<Timestamp, String> {
    let count = i128::from(count);
    let us = match precision {
        WritePrecision::Nanosecond => count.div_euclid(1000),
        WritePrecision::Microsecond => count,
        WritePrecision::Millisecond => count * 1000,
        WritePrecision::Second => count * 1_000_000,
        WritePrecision::Minute => count * 60_000_000,
        WritePrecision::Hour => count * 3_600_000_000,
    };
    time::check("timestamp", us)
}

fn field_value(text: &str) -> Option<Value> {
    match text {
        "t" | "T" | "true" | "True" | "TRUE" => return Some(Value::Bool(true)),
        "f" | "F" | "false" | "False" | "FALSE" => return Some(Value::Bool(false)),
        _ => {}
    }
    if let Some(inner) = text.strip_prefix('"') {
        return inner
            .strip_suffix('"')
            .map(|inner| Value::String(inner.replace("\\\"", "\"").replace("\\\\", "\\")));
    }
    if let Some(integer) = text.strip_suffix(['i', 'u']) {
        return integer
            .parse::<i64>()
            .map(Value::from)
            .or_else(|_| integer.parse::<u64>().map(Value::from))
            .ok();
    }
    let number: f64 = text.parse().ok()?;
    // NaN and infinities stay texts, which are refused as such
    Some(Number::from_f64(number).map_or_else(|| Value::String(text.to_owned()), Value::Number))
}

/// Splits at the first separator that is not escaped and, among fields, not in quotation marks. Elsewhere a quotation mark
/// is a character like others.
fn split(text: &str, separator: char, in_fields: bool) -> Option<(&str, &str)> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' if in_fields => quoted = !quoted,
            c if c == separator && !quoted => return Some((&text[..at], &text[at + c.len_utf8()..])),
            _ => {}
        }
    }
    None
}

fn pieces(text: &str, in_fields: bool) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let (piece, after) =
            split(text, ',', in_fields).map_or((text, None), |(piece, after)| (piece, Some(after)));
        rest = after;
        Some(piece)
    })
}

/// Without the backslashes before commas, blanks and equals signs.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some(&next @ (',' | ' ' | '=' | '\\'))) => {
                out.push(next);
                chars.next();
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_rows() {
        let text = "# comment\nopcua,host=gw1,id=ns\\=2;i\\=3 Temp=21.5,Count=3i,Run=t,Quality=\"Good, \\\"x\\\"\" 1796024595000000000\nm\\ 1 v=1e3\n";
        let Some(Ok(rows)) = unmistakable(text) else { panic!("line protocol") };
        assert_eq!(
            rows.rows,
            [
                json!({"name": "opcua", "tags": {"host": "gw1", "id": "ns=2;i=3"},
                       "fields": {"Temp": 21.5, "Count": 3, "Run": true, "Quality": "Good, \"x\""},
                       "timestamp": 1_796_024_595_000_000_000_i64}),
                json!({"name": "m 1", "tags": {}, "fields": {"v": 1000.0}}),
            ]
        );
        assert_eq!(rows.faults, [""; 0]);
    }

    #[test]
    fn other_texts_are_no_line_protocol() {
        for text in [
            "not json",
            "temp=5",
            "21.5",
            "a b c",
            "m v=",
            "m v=1 now",
            "",
            "a,b c=1",
            "a,b= c=1",
            "a,=b c=1",
        ] {
            assert_eq!(unmistakable(text), None, "{text}");
        }
        let rows = read("m v=1\n# comment\n\nbroken\n").unwrap_or_default();
        assert_eq!((rows.rows.len(), rows.faults), (1, vec!["line 4: no fields".to_owned()]));
    }

    #[test]
    fn a_line_break_in_a_text_ends_no_line_and_an_open_text_takes_in_no_other_line() {
        let numbered = |text| lines(text).map(|(number, line)| (number, line.to_owned())).collect::<Vec<_>>();
        let owned =
            |lines: &[(usize, &str)]| lines.iter().map(|(n, l)| (*n, (*l).to_owned())).collect::<Vec<_>>();
        assert_eq!(
            numbered("m t=\"a\nb \\\" c\",v=1\r\n# \"comment\nn v=2\n"),
            owned(&[(1, "m t=\"a\nb \\\" c\",v=1"), (4, "n v=2")])
        );
        assert_eq!(numbered("m t=\"open\nn v=2"), owned(&[(1, "m t=\"open"), (2, "n v=2")]));
        assert_eq!(numbered("m,size=5\" v=1\nn v=2"), owned(&[(1, "m,size=5\" v=1"), (2, "n v=2")]));
        let inch = line("pipe,size=5\" v=1", None).unwrap_or_default();
        assert_eq!(inch["tags"]["size"], "5\"");
    }

    #[test]
    fn the_precision_says_what_a_timestamp_counts() {
        use WritePrecision::{Hour, Microsecond, Millisecond, Minute, Nanosecond, Second};
        for (precision, count, time) in [
            (Nanosecond, 1_796_024_595_502_000_001_i64, "2026-11-30T07:43:15.502000Z"),
            (Microsecond, 1_796_024_595_502_000, "2026-11-30T07:43:15.502000Z"),
            (Millisecond, 1_796_024_595_502, "2026-11-30T07:43:15.502000Z"),
            (Second, 1_796_024_595, "2026-11-30T07:43:15.000000Z"),
            (Minute, 29_933_743, "2026-11-30T07:43:00.000000Z"),
            (Hour, 498_895, "2026-11-30T07:00:00.000000Z"),
        ] {
            let row = line(&format!("m v=1 {count}"), Some(precision)).unwrap_or_default();
            assert_eq!(row["timestamp"], time, "{precision}");
        }
        // a second that is taken for a nanosecond, and a nanosecond that is taken for a second
        assert!(line("m v=1 1796024595", Some(Nanosecond)).is_err_and(|reason| reason.contains("clock")));
        assert!(line("m v=1 1796024595502000000", Some(Second)).is_err_and(|reason| reason.contains("9999")));
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "[a-z,= \\\\\"0-9i.\n]{0,60}") {
            let _ = read(&text);
        }
    }
}
