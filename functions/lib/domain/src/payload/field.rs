//! Single fields of a payload: names, labels, status words, metadata.

use super::MAX_METADATA_BYTES;
use pm_api::ReadingStatus;
use pm_api::ingest::MAX_NAME_BYTES;
use serde_json::{Map, Value};

/// The text without characters that a database text or a log line cannot carry.
#[must_use]
pub fn clean(text: &str) -> String {
    if !text.chars().any(char::is_control) {
        return text.to_owned();
    }
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Identifier of a machine or sensor: a text or an integer, 1 to 100 bytes.
///
/// # Errors
/// What is wrong with it.
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
///
/// # Errors
/// What is wrong with it.
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

/// A describing text, such as a unit, cut to 100 bytes; `None` if it is empty or no text.
#[must_use]
pub fn label(value: &Value) -> Option<String> {
    let text = short_label(value.as_str()?.trim());
    (!text.is_empty()).then_some(text)
}

/// The text without control characters, cut to 100 bytes.
#[must_use]
pub fn short_label(text: &str) -> String {
    let mut text = clean(text);
    let end = (0..=text.len().min(MAX_NAME_BYTES)).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0);
    text.truncate(end);
    text
}

/// The status that a sender claims; `None` for a word that is none.
#[must_use]
pub fn status(value: &Value) -> Option<ReadingStatus> {
    let word = value.as_str()?.trim();
    let is_one_of = |words: &[&str]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
    if is_one_of(&["normal", "ok", "good"]) {
        Some(ReadingStatus::Normal)
    } else if is_one_of(&["warning", "warn"]) {
        Some(ReadingStatus::Warning)
    } else if is_one_of(&["critical", "alarm", "error", "fault"]) {
        Some(ReadingStatus::Critical)
    } else {
        None
    }
}

/// The payload's `metadata` as JSON text; something other than an object is put under the key `metadata`.
///
/// # Errors
/// It is too long.
pub fn metadata(value: Option<&Value>) -> Result<Option<String>, String> {
    let text = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(fields)) if fields.is_empty() => return Ok(None),
        Some(map @ Value::Object(_)) => {
            let text = map.to_string();
            if text.contains("\\u0000") { without_nul(map).to_string() } else { text }
        }
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
            Value::Object(fields.collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

/// The start of a text in quotation marks.
#[must_use]
pub fn shown(text: &str) -> String {
    let mut start: String = text.chars().take(40).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    format!("\"{start}\"")
}
