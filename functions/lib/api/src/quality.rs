//! How senders tell the quality of a value: one list of words and codes for JSON, OPC UA and Sparkplug.

use crate::Quality;
use serde_json::Value;

#[expect(clippy::derivable_impls, reason = "the macro that makes the enum marks no default")]
impl Default for Quality {
    fn default() -> Self {
        Self::Good
    }
}

const GOOD: &[&str] = &["ok", "valid", "true", "normal", "online", "fresh", "live", "g", "raw"];
const UNCERTAIN: &[&str] = &[
    "questionable",
    "doubtful",
    "suspect",
    "suspicious",
    "estimated",
    "substituted",
    "substitute",
    "interpolated",
    "simulated",
    "engineeringunitsexceeded",
    "subnormal",
    "calculated",
    "u",
];
const BAD: &[&str] = &[
    "invalid",
    "false",
    "error",
    "fault",
    "faulty",
    "failed",
    "failure",
    "nok",
    "notok",
    "notvalid",
    "notgood",
    "poor",
    "outofservice",
    "devicefailure",
    "sensorfailure",
    "commfailure",
    "communicationerror",
    "configurationerror",
    "overrange",
    "underrange",
    "outofrange",
    "overflow",
    "underflow",
    "b",
    "nan",
    "none",
    "null",
];
const STALE: &[&str] = &[
    "old",
    "notconnected",
    "disconnected",
    "offline",
    "timeout",
    "lastknown",
    "lastusable",
    "lastusablevalue",
    "expired",
    "notrefreshed",
    "waitingforinitialdata",
    "nodata",
    "frozen",
    "cached",
];

impl Quality {
    /// The quality that a sender's word tells: `GOOD`, `Bad_CommunicationError`, `not connected`, `192`, … Upper and lower
    /// case, blanks, `_`, `-` and `.` make no difference. `None`: no known word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        // "0x80050000", "OK (0x0)", "StatusBadNodeIDUnknown (0x80340000)"
        if let Some((_, digits)) = word.split_once("0x").or_else(|| word.split_once("0X")) {
            let digits = digits.split(|c: char| !c.is_ascii_hexdigit()).next().unwrap_or_default();
            return u32::from_str_radix(digits, 16).ok().map(Self::of_status_code);
        }
        // "192", "192 (Good)"
        if let Some(code) = word.split([' ', '(']).find(|part| !part.is_empty()).and_then(|n| n.parse().ok())
        {
            return Self::of_code(code, Self::of_number);
        }
        let plain: String =
            word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        let plain = plain.strip_prefix("status").map_or(plain.clone(), str::to_owned);
        // OPC names a reason behind the word: BadSensorFailure, UncertainLastUsableValue
        for (prefix, quality) in [
            ("good", Self::Good),
            ("stale", Self::Stale),
            ("uncertainlastusable", Self::Stale),
            ("uncertain", Self::Uncertain),
            ("badlastknown", Self::Stale),
            ("bad", Self::Bad),
        ] {
            if plain.starts_with(prefix) {
                return Some(quality);
            }
        }
        [(GOOD, Self::Good), (UNCERTAIN, Self::Uncertain), (BAD, Self::Bad), (STALE, Self::Stale)]
            .into_iter()
            .find(|(words, _)| words.contains(&plain.as_str()))
            .map(|(_, quality)| quality)
    }

    /// The quality of a number in a field called quality. Up to 255 it is the byte of OPC DA, whose upper two bits count
    /// (192 and more is good, 64 to 127 uncertain, the rest bad); 1 is a truth value. Sparkplug has 0, 192 and 500 (stale);
    /// Ignition has more codes of three digits. One of more than 16 bits is a status code of OPC UA.
    #[must_use]
    pub fn of_number(code: u32) -> Self {
        match code {
            1 | 192..=255 => Self::Good,
            64..=127 | 256..=299 => Self::Uncertain,
            500 => Self::Stale,
            0..=0xffff => Self::Bad,
            _ => Self::of_status_code(code),
        }
    }

    /// The quality of a code that may be written as a negative number of 32 bits.
    fn of_code(code: i64, of: fn(u32) -> Self) -> Option<Self> {
        let unsigned = u32::try_from(code).ok().or_else(|| i32::try_from(code).ok().map(i32::cast_unsigned));
        unsigned.map(of)
    }

    /// The quality of an OPC UA status code, whose upper two bits are its severity. 0 is good.
    #[must_use]
    pub fn of_status_code(code: u32) -> Self {
        match code >> 30 {
            0 => Self::Good,
            1 => Self::Uncertain,
            _ => Self::Bad,
        }
    }

    /// The quality that a value of a payload's quality field tells: a word, a number or a truth value. An object is asked
    /// for its `Code` or `Symbol`, as OPC UA writes status codes.
    #[must_use]
    pub fn of_json(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(true) => Some(Self::Good),
            Value::Bool(false) => Some(Self::Bad),
            Value::Number(_) => Self::of_code(value.as_i64()?, Self::of_number),
            Value::String(word) => Self::of_word(word.trim()),
            Value::Object(status) => {
                let member = |keys: [&str; 2]| keys.iter().find_map(|key| status.get(*key));
                match member(["Code", "code"]).or_else(|| member(["Symbol", "symbol"])) {
                    Some(status) => Self::of_status(status),
                    // a property of Sparkplug in JSON: {"type": "Int32", "value": 192}
                    None => status.get("value").filter(|inner| !inner.is_object()).and_then(Self::of_json),
                }
            }
            Value::Null | Value::Array(_) => None,
        }
    }

    /// The same of a field that holds an OPC UA status (`StatusCode`, `Status`): there the number 0 is good.
    #[must_use]
    pub fn of_status(value: &Value) -> Option<Self> {
        match value {
            Value::Number(_) => Self::of_code(value.as_i64()?, Self::of_status_code),
            Value::String(text) => match text.trim().parse() {
                Ok(code) => Self::of_code(code, Self::of_status_code),
                Err(_) => Self::of_word(text.trim()),
            },
            other => Self::of_json(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Quality::{Bad, Good, Stale, Uncertain};
    use serde_json::json;

    #[test]
    fn words_and_codes_of_senders_tell_a_quality() {
        for (value, quality) in [
            (json!("GOOD"), Some(Good)),
            (json!("Good, Non-specific"), Some(Good)),
            (json!(true), Some(Good)),
            (json!(192), Some(Good)),
            (json!("192"), Some(Good)),
            (json!(216), Some(Good)),
            (json!(0), Some(Bad)),
            (json!(false), Some(Bad)),
            (json!("bad"), Some(Bad)),
            (json!("Bad_CommunicationError"), Some(Bad)),
            (json!("BadSensorFailure"), Some(Bad)),
            (json!("out of service"), Some(Bad)),
            (json!(24), Some(Bad)),
            (json!(64), Some(Uncertain)),
            (json!("UNCERTAIN"), Some(Uncertain)),
            (json!("questionable"), Some(Uncertain)),
            (json!("UncertainLastUsableValue"), Some(Stale)),
            (json!("Stale"), Some(Stale)),
            (json!("not connected"), Some(Stale)),
            (json!(500), Some(Stale)),
            (json!(2_147_811_328_u32), Some(Bad)),
            (json!(1_083_179_008_u32), Some(Uncertain)),
            (json!("0x80050000"), Some(Bad)),
            (json!({"Code": 2_147_811_328_u32, "Symbol": "BadCommunicationError"}), Some(Bad)),
            (json!({"Symbol": "Good"}), Some(Good)),
            (json!("purple"), None),
            (json!(""), None),
            (json!(null), None),
            (json!(-1), Some(Bad)),
            (json!(1), Some(Good)),
            (json!(257), Some(Uncertain)),
            (json!(512), Some(Bad)),
            (json!(-2_147_483_136), Some(Bad)),
            (json!("192 (Good)"), Some(Good)),
            (json!("OK (0x0)"), Some(Good)),
            (json!("The operation succeeded. StatusGood (0x0)"), Some(Good)),
            (json!("StatusBadNodeIDUnknown (0x80340000)"), Some(Bad)),
            (json!({"type": "Int32", "value": 0}), Some(Bad)),
            (json!({"symbol": "Uncertain"}), Some(Uncertain)),
        ] {
            assert_eq!(Quality::of_json(&value), quality, "{value}");
        }
        assert_eq!(Quality::of_status(&json!(0)), Some(Good));
        assert_eq!(Quality::of_status(&json!("0")), Some(Good));
        assert_eq!(Quality::of_status(&json!({"Code": 0})), Some(Good));
        assert_eq!(Quality::of_status(&json!(2_147_811_328_u32)), Some(Bad));
    }

    #[test]
    fn no_word_stands_for_two_qualities() {
        let lists = [GOOD, UNCERTAIN, BAD, STALE];
        for (i, list) in lists.iter().enumerate() {
            for word in *list {
                assert!(lists.iter().skip(i + 1).all(|other| !other.contains(word)), "{word}");
                assert!(word.chars().all(|c| c.is_ascii_lowercase()), "{word}");
            }
        }
    }
}
