//! What a form changed, as the body of a `PATCH`: field names come from the type, so that they are spelled once.

use serde::Serialize;
use serde_json::{Map, Value};

/// The fields of `new` that differ from `old`.
#[must_use]
pub fn changes<T: Serialize>(old: &T, new: &T) -> Map<String, Value> {
    let (Ok(Value::Object(old)), Ok(Value::Object(new))) =
        (serde_json::to_value(old), serde_json::to_value(new))
    else {
        return Map::new();
    };
    new.into_iter().filter(|(name, value)| old.get(name) != Some(value)).collect()
}

/// The text of a form's field as a value that may be absent.
#[must_use]
pub fn given(text: &str) -> Option<String> {
    Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A number typed by a person, with a point or a comma; `Err` holds what could not be read.
pub fn number(text: &str) -> Result<Option<f64>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let read = text.replace(',', ".").parse::<f64>().ok().filter(|n| n.is_finite());
    read.map(Some).ok_or_else(|| format!("«{text}» is no number"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pm_api::sensor::LatestReading;
    use pm_api::{ReadingStatus, Timestamp};

    #[test]
    fn only_what_differs() {
        let old = LatestReading { timestamp: Timestamp(1), value: 1.0, status: ReadingStatus::Normal };
        let new = LatestReading { value: 2.5, ..old.clone() };
        let body = changes(&old, &new);
        assert_eq!(serde_json::to_string(&body).unwrap(), r#"{"value":2.5}"#);
        assert!(changes(&old, &old).is_empty());
    }

    #[test]
    fn numbers_as_people_type_them() {
        assert_eq!(number(" 4,5 "), Ok(Some(4.5)));
        assert_eq!(number(""), Ok(None));
        assert!(number("hot").is_err());
        assert!(number("inf").is_err());
    }
}
