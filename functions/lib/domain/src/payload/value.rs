//! Measured values: numbers, texts that hold one, and words for 0, 1 and «no value».

use super::field::shown;
use super::{Style, quality, time};
use serde_json::{Map, Value};

/// What became of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Read {
    /// A finite number.
    Number(f64),
    /// There is no value: null, `---`, `unavailable`.
    Absent,
    /// A text, an array or an object that no one takes for a measured value.
    Other,
    /// Something that is meant as a number and is none, and why.
    Broken(String),
}

/// Words for no value.
const ABSENT: &[&str] = &[
    "n/a",
    "n.a.",
    "na",
    "#n/a",
    "nil",
    "none",
    "null",
    "undefined",
    "unknown",
    "unavailable",
    "not available",
    "unset",
    "empty",
    "missing",
    "no value",
    "no data",
    "nodata",
    "no reading",
    "not connected",
];
const ONE: &[&str] = &["on", "true", "yes", "open", "opened", "active", "enabled", "running", "online"];
const ZERO: &[&str] =
    &["off", "false", "no", "closed", "close", "inactive", "disabled", "stopped", "offline"];
/// How C, C#, Java, JavaScript and spreadsheets write what is no finite number, without sign.
const NOT_FINITE: &[&str] = &[
    "nan",
    "nanq",
    "nans",
    "nan(ind)",
    "nan(snan)",
    "inf",
    "infinity",
    "1.#inf",
    "1.#qnan",
    "1.#ind",
    "1.#snan",
    "∞",
];

/// Reads a value.
#[must_use]
pub fn read(value: &Value, style: &Style) -> Read {
    match value {
        Value::Number(number) => finite(number.as_f64().unwrap_or(f64::NAN)),
        Value::Bool(truth) => Read::Number(f64::from(u8::from(*truth))),
        Value::String(text) => of_text(text.trim(), style),
        Value::Null => Read::Absent,
        Value::Array(_) | Value::Object(_) => Read::Other,
    }
}

fn finite(number: f64) -> Read {
    if number.is_finite() { Read::Number(number) } else { Read::Broken("not a finite number".to_owned()) }
}

fn of_text(text: &str, style: &Style) -> Read {
    if style.decimal_comma
        && let Some(number) = with_decimal_comma(text)
    {
        return finite(number);
    }
    if let Ok(number) = text.parse::<f64>() {
        return finite(number);
    }
    let is_one_of = |words: &[&str]| words.iter().any(|known| known.eq_ignore_ascii_case(text));
    if text.chars().all(|c| matches!(c, '-' | '_' | '.' | '*' | '?' | '–' | '—' | ' ')) || is_one_of(ABSENT)
    {
        Read::Absent
    } else if is_one_of(ONE) {
        Read::Number(1.0)
    } else if is_one_of(ZERO) {
        Read::Number(0.0)
    } else if NOT_FINITE.iter().any(|known| known.eq_ignore_ascii_case(text.trim_start_matches(['+', '-']))) {
        Read::Broken("not a finite number".to_owned())
    } else if is_meant_as_number(text) {
        Read::Broken(format!("{} is not a number", shown(text)))
    } else {
        Read::Other
    }
}

/// A number in another style (`12,5`, `1.234.567`, `12 345`), or one with its unit (`21.5 °C`, `93%`).
fn is_meant_as_number(text: &str) -> bool {
    let text = text.trim_start_matches(['+', '-', '<', '>', '~', ' ']);
    let is_of_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '\'' | '\u{a0}' | '\u{202f}');
    let (number, rest) = text.split_at(text.find(|c| !is_of_number(c)).unwrap_or(text.len()));
    number.starts_with(|c: char| c.is_ascii_digit()) && (rest.is_empty() || rest.starts_with([' ', '°', '%']))
}

/// `1.234,5` is 1234.5; points, blanks and apostrophes separate groups of three digits.
fn with_decimal_comma(text: &str) -> Option<f64> {
    let (whole, fraction) = text.split_once(',').unwrap_or((text, ""));
    let sign = if whole.starts_with('-') { -1.0 } else { 1.0 };
    let whole = whole.trim_start_matches(['+', '-']);
    let mut groups = whole.split(['.', ' ', '\'', '\u{a0}', '\u{202f}']);
    let first = groups.next().filter(|first| !first.is_empty())?;
    let mut digits = first.to_owned();
    for group in groups {
        (group.len() == 3 && first.len() <= 3).then_some(())?;
        digits.push_str(group);
    }
    digits.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()).then_some(())?;
    Some(sign * format!("{digits}.{fraction}0").parse::<f64>().ok()?)
}

/// A value with its time, quality and unit next to it: `{"value": 61.5, "timestamp": …, "quality": "good"}`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Described<'a> {
    /// The value itself.
    pub value: Option<&'a Value>,
    /// Key and value of its time.
    pub time: Option<(&'a str, &'a Value)>,
    /// Key and value of its quality.
    pub quality: Option<(&'a str, &'a Value)>,
    /// Its unit.
    pub unit: Option<&'a Value>,
}

/// Keys of a described value's number.
const VALUE_KEYS: &[&str] = &["value", "Value", "v", "Body"];
/// Keys of its unit.
const UNIT_KEYS: &[&str] = &["unit", "units", "uom", "engUnit", "unitCode"];

/// Keys that describe a value and are not read.
const MORE_KEYS: &[&str] = &["Type", "UaType", "SourcePicoseconds", "ServerPicoseconds", "dataType", "type"];

/// Is the object one value with its description, and not a group of values?
#[must_use]
pub fn is_described(object: &Map<String, Value>) -> bool {
    let of_status_code =
        || object.keys().all(|key| quality::is_status_code(key) || time::key_rank(key).is_some());
    if object.contains_key("value") || object.contains_key("Value") {
        return true;
    }
    // a voltage among others is a group: {"v": 230, "i": 2}
    let is_description = |key: &String| {
        VALUE_KEYS.contains(&key.as_str())
            || MORE_KEYS.contains(&key.as_str())
            || UNIT_KEYS.contains(&key.as_str())
            || quality::is_key(key)
            || time::key_rank(key).is_some()
    };
    let has_value = object.keys().any(|key| VALUE_KEYS.contains(&key.as_str()));
    // OPC UA leaves out a value that it does not have
    (has_value && object.keys().all(is_description))
        || (object.keys().any(|key| quality::is_status_code(key)) && of_status_code())
}

/// The description in an object; `ignore` gets the keys that are none.
pub fn described<'a>(object: &'a Map<String, Value>, mut ignore: impl FnMut(&str)) -> Described<'a> {
    let mut described = Described::default();
    let mut best_time = usize::MAX;
    for (key, value) in object {
        if VALUE_KEYS.contains(&key.as_str()) {
            // OPC UA: {"Value": {"Type": 11, "Body": 61.5}}
            described.value =
                Some(value.as_object().and_then(|variant| variant.get("Body")).unwrap_or(value));
        } else if let Some(rank) = time::key_rank(key) {
            if rank < best_time && !value.is_null() {
                best_time = rank;
                described.time = Some((key, value));
            }
        } else if quality::is_key(key) {
            described.quality = Some((key, value));
        } else if UNIT_KEYS.contains(&key.as_str()) {
            described.unit = Some(value);
        } else if !MORE_KEYS.contains(&key.as_str()) {
            ignore(key);
        }
    }
    described
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn number(value: &Value, decimal_comma: bool) -> Option<f64> {
        match read(value, &Style { decimal_comma, ..Style::default() }) {
            Read::Number(number) => Some(number),
            _ => None,
        }
    }

    #[test]
    fn numbers_and_switches_are_numbers() {
        for (value, expected) in [
            (json!(1.5), 1.5),
            (json!(" -1.5e2 "), -150.0),
            (json!("+7"), 7.0),
            (json!(true), 1.0),
            (json!("False"), 0.0),
            (json!("ON"), 1.0),
            (json!("off"), 0.0),
            (json!("Open"), 1.0),
            (json!("closed"), 0.0),
        ] {
            assert_eq!(number(&value, false), Some(expected), "{value}");
        }
    }

    #[test]
    fn other_texts_are_distinguished() {
        let style = Style::default();
        for text in ["---", "--", "-", "", " ", "?", "N/A", "unknown", "Unavailable", "null", "none", "—"] {
            assert_eq!(read(&json!(text), &style), Read::Absent, "{text}");
        }
        for text in ["LOT-17", "auto", "2.1.0-beta", "v2"] {
            assert_eq!(read(&json!(text), &style), Read::Other, "{text}");
        }
        for text in ["nan", "-NaN", "Inf", "-Infinity", "1.#QNAN", "1e999", "12,5", "1.234.567", "-nan(ind)"]
        {
            assert!(matches!(read(&json!(text), &style), Read::Broken(_)), "{text}");
        }
    }

    #[test]
    fn a_decimal_comma_is_a_setting() {
        for (text, expected) in [
            ("12,5", Some(12.5)),
            ("-0,25", Some(-0.25)),
            ("1.234,5", Some(1234.5)),
            ("1.234", Some(1234.0)),
            ("1 234 567,5", Some(1_234_567.5)),
            ("61.25", Some(61.25)),
            ("12", Some(12.0)),
            ("1.5e3", Some(1500.0)),
            ("1,2,3", None),
            ("12,5 °C", None),
        ] {
            assert_eq!(number(&json!(text), true), expected, "{text}");
        }
        assert_eq!(number(&json!("12,5"), false), None);
    }

    proptest::proptest! {
        #[test]
        fn every_number_survives_as_text(number in proptest::num::f64::NORMAL) {
            proptest::prop_assert_eq!(read(&json!(number.to_string()), &Style::default()), Read::Number(number));
        }

        #[test]
        fn no_text_panics(text in ".{0,30}|[0-9.,' -]{0,20}") {
            let _ = read(&json!(text), &Style { decimal_comma: true, ..Style::default() });
        }
    }
}
