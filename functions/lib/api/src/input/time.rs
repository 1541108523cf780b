//! Instants and calendar days.

use super::{Refused, Scalar, read_as_scalar};
use crate::{Metadata, Timestamp};
use deserr::{Deserr, IntoValue, ValuePointerRef};
use serde::{Deserialize, Serialize};
use serde_json::Value;

impl Scalar for Timestamp {
    fn read(value: &Value) -> Result<Self, Refused> {
        let time = value.as_str().and_then(|text| text.parse().ok());
        time.ok_or_else(|| Refused::new("datetime_parsing", "Input should be a valid datetime"))
    }
}

read_as_scalar!(Timestamp);

/// A calendar day, `YYYY-MM-DD`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Day(pub String);

impl Scalar for Day {
    fn read(value: &Value) -> Result<Self, Refused> {
        let text = value.as_str().filter(|text| text.len() == 10 && text.parse::<Timestamp>().is_ok());
        text.map(|text| Self(text.to_owned())).ok_or_else(|| {
            Refused::new("date_from_datetime_parsing", "Input should be a valid date, e.g. 2026-11-23")
        })
    }
}

read_as_scalar!(Day);

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Day {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Day".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "date" })
    }

    fn inline_schema() -> bool {
        true
    }
}

/// Does a text in it contain NUL, which PostgreSQL cannot store?
fn contains_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(contains_nul),
        Value::Object(object) => object.iter().any(|(key, value)| key.contains('\0') || contains_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

impl Scalar for Metadata {
    fn read(value: &Value) -> Result<Self, Refused> {
        match value {
            Value::Object(_) if contains_nul(value) => {
                Err(Refused::new("value_error", "Texts should not contain NUL characters"))
            }
            Value::Object(object) => Ok(object.clone()),
            _ => Err(Refused::new("dict_type", "Input should be a valid dictionary")),
        }
    }
}

impl Deserr<super::Faults> for Metadata {
    fn deserialize_from_value<V: IntoValue>(
        value: deserr::Value<V>,
        location: ValuePointerRef,
    ) -> Result<Self, super::Faults> {
        super::faults::scalar(value, location)
    }
}
