//! Influx line protocol: `measurement,tag=value field=1.5,other=2i 1796024595000000000`.

use super::rows::{MAX_ROWS, Rows};
use serde_json::{Map, Number, Value, json};

/// The rows of a text all lines of which are line protocol; `None` if it is something else.
pub fn unmistakable(text: &str) -> Option<Result<Rows, String>> {
    let first = lines(text).next()?;
    line(first).is_ok().then(|| read(text))
}

/// Reads lines of line protocol.
///
/// # Errors
/// There are too many.
pub fn read(text: &str) -> Result<Rows, String> {
    let mut rows = Rows::default();
    for (index, text) in lines(text).enumerate() {
        if index >= MAX_ROWS {
            return Err(format!("payload: more than {MAX_ROWS} lines"));
        }
        match line(text) {
            Ok(row) => rows.rows.push(row),
            Err(reason) => rows.faults.push(format!("line {}: {reason}", index + 1)),
        }
    }
    Ok(rows)
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// One line as Telegraf writes it in JSON: name, tags, fields, timestamp.
fn line(text: &str) -> Result<Value, String> {
    let (key, rest) = split(text, ' ').ok_or("no fields")?;
    let (fields, time) = split(rest.trim_start(), ' ').unwrap_or((rest.trim_start(), ""));
    let mut key = pieces(key);
    let name = plain(key.next().unwrap_or_default());
    if name.is_empty() {
        return Err("no measurement".to_owned());
    }
    let mut tags = Map::new();
    for tag in key {
        let (name, value) = split(tag, '=').ok_or_else(|| format!("{tag}: a tag without ="))?;
        tags.insert(plain(name), Value::String(plain(value)));
    }
    let mut values = Map::new();
    for field in pieces(fields) {
        let (name, value) = split(field, '=').ok_or_else(|| format!("{field}: a field without ="))?;
        values
            .insert(plain(name), field_value(value).ok_or_else(|| format!("{field}: no value of a field"))?);
    }
    let mut row = json!({ "name": name, "tags": tags, "fields": values });
    let time = time.trim();
    if !time.is_empty() {
        let time: i64 = time.parse().map_err(|_| format!("{time}: no timestamp"))?;
        row["timestamp"] = json!(time);
    }
    Ok(row)
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

/// Splits at the first separator that is neither escaped nor in quotation marks.
fn split(text: &str, separator: char) -> Option<(&str, &str)> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            c if c == separator && !quoted => return Some((&text[..at], &text[at + c.len_utf8()..])),
            _ => {}
        }
    }
    None
}

fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let (piece, after) = split(text, ',').map_or((text, None), |(piece, after)| (piece, Some(after)));
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
        for text in ["not json", "temp=5", "21.5", "a b c", "m v=", "m v=1 now", "", "a,b c=1"] {
            assert_eq!(unmistakable(text), None, "{text}");
        }
        let rows = read("m v=1\nbroken\n").unwrap_or_default();
        assert_eq!((rows.rows.len(), rows.faults), (1, vec!["line 2: no fields".to_owned()]));
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "[a-z,= \\\\\"0-9i.\n]{0,60}") {
            let _ = read(&text);
        }
    }
}
