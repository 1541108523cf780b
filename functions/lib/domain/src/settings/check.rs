//! Does a text fit a setting?

use super::Kind;
use crate::{
    address,
    identity_provider::{providers, secrets},
};
use pm_api::{SettingType, input::MailAddress};
use serde_json::Value;

/// Why a text does not fit, for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidValue(pub String);

/// The thresholds a sensor may have, by their field names.
const THRESHOLDS: [&str; 4] = ["min_threshold", "max_threshold", "warning_threshold", "critical_threshold"];
/// Most entries of a list.
const MAX_LIST_ENTRIES: usize = 200;

/// May a setting have this key? Letters, digits, dot, hyphen and underscore, so that it can stand in a path as it is.
#[must_use]
pub fn key_is_writable(key: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    !key.is_empty() && key.len() <= 128 && key.chars().all(fits) && !key.chars().all(|c| c == '.')
}

/// Checks the value of a setting that administrators added.
///
/// # Errors
/// [`InvalidValue`] with a sentence for people.
pub fn free_value(value_type: SettingType, text: &str) -> Result<(), InvalidValue> {
    match value_type {
        SettingType::String => Ok(()),
        SettingType::Number => number(text).map(drop),
        SettingType::Boolean => boolean(text).map(drop),
        SettingType::Json => json(text).map(drop),
    }
}

impl Kind {
    /// Does the text fit?
    ///
    /// # Errors
    /// [`InvalidValue`] with a sentence for people.
    pub fn check(self, text: &str) -> Result<(), InvalidValue> {
        match self {
            Self::Boolean => boolean(text).map(drop),
            Self::Integer(min, max) => integer(text, min, max),
            Self::Text(longest) => length(text, longest),
            Self::Url if text.is_empty() => Ok(()),
            Self::Url => address::url(text).map_err(InvalidValue),
            Self::Word(words) if words.contains(&text) => Ok(()),
            Self::Word(words) => invalid(format!("Input should be '{}'", words.join("', '"))),
            Self::Texts => texts(text, |_| Ok(())),
            Self::Addresses => texts(text, |entry| MailAddress::check(entry).map_err(str::to_owned)),
            Self::Origins => texts(text, |entry| if entry == "*" { Ok(()) } else { address::origin(entry) }),
            Self::Thresholds => thresholds(text),
            Self::Numbers(min, max) => numbers(text, min, max),
            Self::Providers => providers(text).map(drop).map_err(InvalidValue),
            Self::ProviderSecrets => secrets(text).map(drop).map_err(InvalidValue),
        }
    }
}

fn invalid<T>(text: impl Into<String>) -> Result<T, InvalidValue> {
    Err(InvalidValue(text.into()))
}

pub(super) fn boolean(text: &str) -> Result<bool, InvalidValue> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => invalid("Input should be 'true' or 'false'"),
    }
}

fn number(text: &str) -> Result<f64, InvalidValue> {
    let number = text.parse().ok().filter(|n: &f64| n.is_finite());
    number.ok_or_else(|| InvalidValue("Input should be a valid number".to_owned()))
}

fn integer(text: &str, min: i64, max: i64) -> Result<(), InvalidValue> {
    match text.parse::<i64>() {
        Ok(n) if (min..=max).contains(&n) => Ok(()),
        Ok(_) => invalid(format!("Input should be between {min} and {max}")),
        Err(_) => invalid("Input should be a whole number"),
    }
}

fn length(text: &str, longest: usize) -> Result<(), InvalidValue> {
    if text.chars().count() > longest {
        return invalid(format!("String should have at most {longest} characters"));
    }
    Ok(())
}

fn json(text: &str) -> Result<Value, InvalidValue> {
    serde_json::from_str(text).map_err(|e| InvalidValue(format!("Input should be valid JSON: {e}")))
}

fn texts(text: &str, fits: impl Fn(&str) -> Result<(), String>) -> Result<(), InvalidValue> {
    let Value::Array(entries) = json(text)? else {
        return invalid("Input should be a JSON array of strings");
    };
    if entries.len() > MAX_LIST_ENTRIES {
        return invalid(format!("The list should have at most {MAX_LIST_ENTRIES} entries"));
    }
    for entry in &entries {
        let Some(entry) = entry.as_str().filter(|e| !e.trim().is_empty()) else {
            return invalid("Input should be a JSON array of strings, none of them empty");
        };
        fits(entry).map_err(|why| InvalidValue(format!("{entry}: {why}")))?;
    }
    Ok(())
}

fn numbers(text: &str, min: i64, max: i64) -> Result<(), InvalidValue> {
    let shape =
        || InvalidValue(format!("Input should be a JSON object: name → whole number from {min} to {max}"));
    let by_name = json(text)?;
    let by_name = by_name.as_object().ok_or_else(shape)?;
    if by_name.len() > MAX_LIST_ENTRIES {
        return invalid(format!("The object should have at most {MAX_LIST_ENTRIES} entries"));
    }
    let fits = |value: &Value| value.as_i64().is_some_and(|n| (min..=max).contains(&n));
    if by_name.iter().all(|(name, value)| !name.trim().is_empty() && fits(value)) {
        Ok(())
    } else {
        Err(shape())
    }
}

fn thresholds(text: &str) -> Result<(), InvalidValue> {
    let shape = || {
        InvalidValue(format!(
            "Input should be a JSON object: sensor type → object of numbers named {}",
            THRESHOLDS.join(", ")
        ))
    };
    let by_type = json(text)?;
    for limits in by_type.as_object().ok_or_else(shape)?.values() {
        for (name, value) in limits.as_object().ok_or_else(shape)? {
            if !THRESHOLDS.contains(&name.as_str()) || !(value.is_number() || value.is_null()) {
                return Err(shape());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_accepts_its_values_only() {
        for (kind, good, bad) in [
            (Kind::Boolean, &["true", "false"][..], &["", "True", "1", "yes"][..]),
            (Kind::Integer(1, 10), &["1", "10"], &["0", "11", "1.5", "", "x", "99999999999999999999"]),
            (Kind::Text(3), &["", "abc", "äöü"], &["abcd"]),
            (
                Kind::Url,
                &["", "https://a.example/x", "http://127.0.0.1:9000"],
                &["a.example", "ftp://a", "http://"],
            ),
            (Kind::Word(&["a", "b"]), &["a", "b"], &["", "A", "c"]),
            (Kind::Texts, &["[]", r#"["x"]"#], &["", "{}", "[1]", r#"[""]"#, "x"]),
            (Kind::Addresses, &["[]", r#"["a@b.example"]"#], &[r#"["a"]"#, r#"["a@b"]"#, "a@b.example"]),
            (
                Kind::Origins,
                &[r#"["*"]"#, r#"["https://a.example","http://localhost:3000"]"#],
                &[r#"["a.example"]"#, r#"["https://a.example/"]"#, r#"["https://a.example/x"]"#],
            ),
            (
                Kind::Thresholds,
                &["{}", r#"{"temperature":{"warning_threshold":80,"critical_threshold":null}}"#],
                &["[]", r#"{"t":1}"#, r#"{"t":{"warning":1}}"#, r#"{"t":{"warning_threshold":"1"}}"#],
            ),
            (
                Kind::Providers,
                &["[]", r#"[{"name":"a","label":"A","issuer":"https://a.example","client_id":"pm"}]"#],
                &["{}", r#"[{"name":"a"}]"#, r#"[{"name":"a","label":"A","issuer":"a","client_id":"pm"}]"#],
            ),
            (
                Kind::Numbers(1, 100),
                &["{}", r#"{"pump":3}"#],
                &[
                    "[]",
                    r#"{"pump":0}"#,
                    r#"{"pump":101}"#,
                    r#"{"pump":1.5}"#,
                    r#"{"pump":"3"}"#,
                    r#"{"":3}"#,
                ],
            ),
            (Kind::ProviderSecrets, &["{}", r#"{"a":"secret"}"#], &["[]", r#"{"a":1}"#]),
        ] {
            for text in good {
                assert_eq!(kind.check(text), Ok(()), "{kind:?} {text}");
            }
            for text in bad {
                assert!(kind.check(text).is_err(), "{kind:?} {text}");
            }
        }
    }

    #[test]
    fn free_values_fit_their_type() {
        for (value_type, good, bad) in [
            (SettingType::String, &["", "x"][..], &[][..]),
            (SettingType::Number, &["1", "-2.5", "1e3"], &["", "x", "NaN", "inf"]),
            (SettingType::Boolean, &["true"], &["TRUE", "0"]),
            (SettingType::Json, &["null", "[1]", r#"{"a":1}"#], &["", "{", "x"]),
        ] {
            for text in good {
                assert_eq!(free_value(value_type, text), Ok(()), "{value_type} {text}");
            }
            for text in bad {
                assert!(free_value(value_type, text).is_err(), "{value_type} {text}");
            }
        }
    }

    #[test]
    fn keys_have_letters_digits_dot_hyphen_and_underscore_only() {
        assert!(key_is_writable("k1795429393") && key_is_writable("A.b-c_d"));
        for bad in ["", ".", "..", "a b", "a/b", "ä", "a%20", &"x".repeat(129)] {
            assert!(!key_is_writable(bad), "{bad}");
        }
    }
}
