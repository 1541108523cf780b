//! Single fields of a payload: names, numbers, times, status words.

use super::MAX_METADATA_BYTES;
use pm_api::ingest::MAX_NAME_BYTES;
use pm_api::{ReadingStatus, Timestamp};
use serde_json::{Map, Value};

/// Last representable instant, the end of the year 9999.
pub const END_OF_TIME_US: i64 = 253_402_300_799_999_999;

/// First of the keys that is there and not null.
pub fn first<'a>(object: &'a Map<String, Value>, keys: &[&'static str]) -> Option<(&'static str, &'a Value)> {
    keys.iter().find_map(|key| object.get(*key).filter(|v| !v.is_null()).map(|v| (*key, v)))
}

/// The text without characters that a database text or a log line cannot carry.
pub fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Identifier of a machine or sensor: a text or an integer, 1 to 100 bytes.
pub fn name(key: &str, value: &Value) -> Result<String, String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
        _ => return Err(format!("{key}: not a text")),
    };
    check_name(key, &text)?;
    Ok(text)
}

/// Checks length and characters of an identifier.
pub fn check_name(key: &str, text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err(format!("{key}: empty"));
    }
    if text.len() > MAX_NAME_BYTES {
        return Err(format!("{key}: {} bytes, more than {MAX_NAME_BYTES}", text.len()));
    }
    if text.chars().any(char::is_control) {
        return Err(format!("{key}: holds a control character"));
    }
    Ok(())
}

/// A describing text, such as a unit; cut to 100 bytes. Anything but a text counts as absent: it describes, it is
/// not measured.
pub fn label(object: &Map<String, Value>, keys: &[&'static str]) -> Option<String> {
    let text = clean(keys.iter().find_map(|key| object.get(*key)?.as_str())?.trim());
    let end = (0..=text.len().min(MAX_NAME_BYTES)).rev().find(|&i| text.is_char_boundary(i))?;
    (end > 0).then(|| text[..end].to_owned())
}

/// A measured value: a number or a text that holds one. `None`: JSON null.
pub fn number(key: &str, value: &Value) -> Result<Option<f64>, String> {
    let number = match value {
        Value::Null => return Ok(None),
        Value::Number(number) => number.as_f64(),
        Value::String(text) => {
            let parsed = text.trim().parse::<f64>();
            Some(parsed.map_err(|_| format!("{key}: {} is not a number", shown(text)))?)
        }
        Value::Bool(_) => return Err(format!("{key}: a boolean, not a number")),
        Value::Array(_) => return Err(format!("{key}: an array, not a number")),
        Value::Object(_) => return Err(format!("{key}: an object, not a number")),
    };
    match number.filter(|n| n.is_finite()) {
        Some(number) => Ok(Some(number)),
        None => Err(format!("{key}: not a finite number")),
    }
}

/// A time: ISO 8601 text (without zone: UTC) or a number since 1970 in seconds, ms, µs or ns, distinguished by size.
pub fn time(value: &Value) -> Result<Timestamp, String> {
    let us = match value {
        Value::Number(number) => epoch(number)?,
        Value::String(text) => match text.trim().parse::<serde_json::Number>() {
            Ok(number) => epoch(&number)?,
            Err(_) => i128::from(iso(text)?.0),
        },
        _ => return Err("timestamp: neither a text nor a number".to_owned()),
    };
    match i64::try_from(us) {
        Ok(at) if (0..=END_OF_TIME_US).contains(&at) => Ok(Timestamp(at)),
        _ => Err("timestamp: not between 1970 and 9999".to_owned()),
    }
}

fn iso(text: &str) -> Result<Timestamp, String> {
    let text = text.trim();
    let fails = |_| format!("timestamp: {} is not an ISO 8601 time", shown(text));
    text.parse()
        .or_else(|error| match text.len().checked_sub(4) {
            // Basic offset form: +0100
            Some(at)
                if text.is_char_boundary(at)
                    && text[at..].bytes().all(|b| b.is_ascii_digit())
                    && text[..at].ends_with(['+', '-']) =>
            {
                format!("{}:{}", &text[..at + 2], &text[at + 2..]).parse()
            }
            _ => Err(error),
        })
        .map_err(fails)
}

/// Microseconds since 1970 of an epoch number. Seconds up to 1e11 (the year 5138), then ms, µs, ns.
fn epoch(number: &serde_json::Number) -> Result<i128, String> {
    if let Some(integer) = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from)) {
        return Ok(match integer.unsigned_abs() {
            n if n < 100_000_000_000 => integer * 1_000_000,
            n if n < 100_000_000_000_000 => integer * 1000,
            n if n < 100_000_000_000_000_000 => integer,
            _ => integer.div_euclid(1000),
        });
    }
    let real = number.as_f64().filter(|n| n.is_finite());
    let real = real.ok_or_else(|| "timestamp: not a finite number".to_owned())?;
    let us = match real.abs() {
        n if n < 1e11 => real * 1e6,
        n if n < 1e14 => real * 1e3,
        n if n < 1e17 => real,
        _ => real / 1e3,
    };
    Ok(us.round() as i128)
}

/// The status that a sender claims. An unknown word counts as no claim.
pub fn status(object: &Map<String, Value>) -> Option<ReadingStatus> {
    let word = object.get("status")?.as_str()?.trim().to_ascii_lowercase();
    match word.as_str() {
        "normal" | "ok" | "good" => Some(ReadingStatus::Normal),
        "warning" | "warn" => Some(ReadingStatus::Warning),
        "critical" | "alarm" | "error" | "fault" => Some(ReadingStatus::Critical),
        _ => None,
    }
}

/// The payload's `metadata` as JSON text; something other than an object is kept under the key `metadata`.
pub fn metadata(object: &Map<String, Value>) -> Result<Option<String>, String> {
    let text = match object.get("metadata") {
        None | Some(Value::Null) => return Ok(None),
        Some(map @ Value::Object(fields)) if !fields.is_empty() => without_nul(map).to_string(),
        Some(Value::Object(_)) => return Ok(None),
        Some(other) => serde_json::json!({ "metadata": without_nul(other) }).to_string(),
    };
    if text.len() > MAX_METADATA_BYTES {
        return Err(format!("metadata: {} bytes, more than {MAX_METADATA_BYTES}", text.len()));
    }
    Ok(Some(text))
}

/// JSON whose texts hold no NUL, which the database cannot store.
fn without_nul(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace('\0', "\u{fffd}")),
        Value::Array(items) => items.iter().map(without_nul).collect(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(k, v)| (k.replace('\0', "\u{fffd}"), without_nul(v)));
            Value::Object(fields.collect())
        }
        other => other.clone(),
    }
}

fn shown(text: &str) -> String {
    let mut start: String = text.chars().take(40).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    format!("\"{start}\"")
}
