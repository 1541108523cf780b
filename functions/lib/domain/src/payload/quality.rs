//! The quality of a value in a payload; the words and codes are [`pm_api::quality`].

use super::field;
use pm_api::Quality;
use serde_json::Value;

/// Is this the key of a quality?
#[must_use]
pub fn is_key(key: &str) -> bool {
    key.eq_ignore_ascii_case("quality")
        || matches!(
            key,
            "q" | "Q"
                | "qc"
                | "opcQuality"
                | "OpcQuality"
                | "opc_quality"
                | "quality_code"
                | "qualityCode"
                | "QualityCode"
        )
        || is_status_code(key)
}

/// Keys of OPC UA status codes, of which 0 is good; elsewhere 0 is bad.
#[must_use]
pub fn is_status_code(key: &str) -> bool {
    key.eq_ignore_ascii_case("statuscode") || key.eq_ignore_ascii_case("status_code")
}

/// The quality that stands under `key`; `None` if it is not understood or absent.
#[must_use]
pub fn read(key: &str, value: &Value) -> Option<Quality> {
    if is_status_code(key) { Quality::of_status(value) } else { Quality::of_json(value) }
}

/// A quality or an error as a dead letter shows it: `BadCommunicationError`, `2158690304`, `bad`.
#[must_use]
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => field::short_label(text),
        Value::Object(fields) => {
            let named = ["Symbol", "symbol", "Code", "code"].iter().find_map(|key| fields.get(*key));
            named
                .filter(|inner| !inner.is_object())
                .map_or_else(|| field::short_label(&value.to_string()), shown)
        }
        other => field::short_label(&other.to_string()),
    }
}
