//! Numbers and truth values, also in their text form.

use super::{Refused, Scalar, read_as_scalar};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A finite number; a text that spells one is accepted.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(inline))]
#[serde(transparent)]
pub struct Number(pub f64);

impl Scalar for Number {
    fn read(value: &Value) -> Result<Self, Refused> {
        let number = value.as_f64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()));
        let number = number.filter(|number| number.is_finite());
        number.map(Self).ok_or_else(|| Refused::new("float_type", "Input should be a valid number"))
    }
}

read_as_scalar!(Number);

/// A number from `MIN` to `MAX`; a text that spells one is accepted.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Between<const MIN: i64, const MAX: i64>(pub f64);

impl<const MIN: i64, const MAX: i64> Scalar for Between<MIN, MAX> {
    fn read(value: &Value) -> Result<Self, Refused> {
        let Number(number) = Number::read(value)?;
        if number >= MIN as f64 && number <= MAX as f64 {
            return Ok(Self(number));
        }
        let message = format!("Input should be at least {MIN} and at most {MAX}");
        Err(Refused::new(if number < MIN as f64 { "greater_than_equal" } else { "less_than_equal" }, message))
    }
}

read_as_scalar!(Between<MIN, MAX>, const MIN: i64, const MAX: i64);

#[cfg(feature = "schema")]
impl<const MIN: i64, const MAX: i64> schemars::JsonSchema for Between<MIN, MAX> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Between_{MIN}_{MAX}").into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "number", "minimum": MIN, "maximum": MAX })
    }

    fn inline_schema() -> bool {
        true
    }
}

/// A whole number from `MIN` to `MAX`; a text that spells one is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Whole<const MIN: i64, const MAX: i64>(pub i64);

impl<const MIN: i64, const MAX: i64> Scalar for Whole<MIN, MAX> {
    fn read(value: &Value) -> Result<Self, Refused> {
        let number = match value {
            Value::String(text) => text.trim().parse().ok().ok_or((
                "int_parsing",
                "Input should be a valid integer, unable to parse string as an integer",
            )),
            Value::Number(number) => {
                let whole = number.as_f64().filter(|f| f.fract() == 0.0 && f.abs() < 9e15).map(|f| f as i64);
                number.as_i64().or(whole).ok_or(("int_type", "Input should be a valid integer"))
            }
            _ => Err(("int_type", "Input should be a valid integer")),
        };
        match number {
            Ok(number) if number < MIN => Err(Refused::new(
                "greater_than_equal",
                format!("Input should be greater than or equal to {MIN}"),
            )),
            Ok(number) if number > MAX => {
                Err(Refused::new("less_than_equal", format!("Input should be less than or equal to {MAX}")))
            }
            Ok(number) => Ok(Self(number)),
            Err((kind, message)) => Err(Refused::new(kind, message)),
        }
    }
}

read_as_scalar!(Whole<MIN, MAX>, const MIN: i64, const MAX: i64);

#[cfg(feature = "schema")]
impl<const MIN: i64, const MAX: i64> schemars::JsonSchema for Whole<MIN, MAX> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Whole_{MIN}_{MAX}").into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }

    fn inline_schema() -> bool {
        true
    }
}

/// A truth value in a query: `true`, `1`, `yes`, `on`, or their opposites.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(inline))]
#[serde(transparent)]
pub struct Flag(pub bool);

impl Scalar for Flag {
    fn read(value: &Value) -> Result<Self, Refused> {
        let text = value.as_str().map(str::to_ascii_lowercase);
        match (value, text.as_deref()) {
            (Value::Bool(flag), _) => Ok(Self(*flag)),
            (_, Some("true" | "1" | "yes" | "on")) => Ok(Self(true)),
            (_, Some("false" | "0" | "no" | "off")) => Ok(Self(false)),
            _ => Err(Refused::new(
                "bool_parsing",
                "Input should be a valid boolean, unable to interpret input",
            )),
        }
    }
}

read_as_scalar!(Flag);
