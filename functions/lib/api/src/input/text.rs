//! Texts with a length between two bounds.

use super::{Refused, Scalar, read_as_scalar};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::ops::Deref;

/// A text of `MIN` to `MAX` characters without NUL, which PostgreSQL cannot store. With a `MIN` of 1 or more it is not
/// blank either.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text<const MIN: usize, const MAX: usize>(pub String);

/// A [`Text`] that no error repeats and no log shows.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret<const MIN: usize, const MAX: usize>(pub String);

fn checked<const MIN: usize, const MAX: usize>(value: &Value) -> Result<String, Refused> {
    let Value::String(text) = value else {
        return Err(Refused::new("string_type", "Input should be a valid string"));
    };
    if text.chars().count() > MAX {
        return Err(Refused::new("string_too_long", format!("String should have at most {MAX} characters")));
    }
    if text.contains('\0') {
        return Err(Refused::new("value_error", "String should not contain NUL characters"));
    }
    if text.chars().count() < MIN || (MIN > 0 && text.trim().is_empty()) {
        let characters = if MIN == 1 { "character" } else { "characters" };
        let message = format!("String should have at least {MIN} {characters}");
        return Err(Refused::new("string_too_short", message));
    }
    Ok(text.clone())
}

impl<const MIN: usize, const MAX: usize> Scalar for Text<MIN, MAX> {
    fn read(value: &Value) -> Result<Self, Refused> {
        checked::<MIN, MAX>(value).map(Self)
    }
}

impl<const MIN: usize, const MAX: usize> Scalar for Secret<MIN, MAX> {
    const SECRET: bool = true;

    fn read(value: &Value) -> Result<Self, Refused> {
        checked::<MIN, MAX>(value).map(Self)
    }
}

read_as_scalar!(Text<MIN, MAX>, const MIN: usize, const MAX: usize);
read_as_scalar!(Secret<MIN, MAX>, const MIN: usize, const MAX: usize);

impl<const MIN: usize, const MAX: usize> std::fmt::Debug for Secret<MIN, MAX> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

macro_rules! is_a_string {
    ($name:ident) => {
        impl<const MIN: usize, const MAX: usize> Deref for $name<MIN, MAX> {
            type Target = str;
            fn deref(&self) -> &str {
                &self.0
            }
        }

        /// Unchecked: the reader of the request checks.
        impl<const MIN: usize, const MAX: usize> From<String> for $name<MIN, MAX> {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl<const MIN: usize, const MAX: usize> From<&str> for $name<MIN, MAX> {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl<const MIN: usize, const MAX: usize> From<$name<MIN, MAX>> for String {
            fn from(text: $name<MIN, MAX>) -> Self {
                text.0
            }
        }

        #[cfg(feature = "schema")]
        impl<const MIN: usize, const MAX: usize> schemars::JsonSchema for $name<MIN, MAX> {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                format!("{}_{MIN}_{MAX}", stringify!($name)).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let mut schema = schemars::json_schema!({ "type": "string", "maxLength": MAX });
                if MIN > 0 {
                    schema.insert("minLength".to_owned(), MIN.into());
                }
                schema
            }

            fn inline_schema() -> bool {
                true
            }
        }
    };
}

is_a_string!(Text);
is_a_string!(Secret);
