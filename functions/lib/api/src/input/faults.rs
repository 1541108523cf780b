//! Collects every fault of an input in the documented shape.

use super::{Refused, Scalar};
use crate::error::FieldError;
use deserr::{DeserializeError, ErrorKind, IntoValue, MergeWithError, ValueKind, ValuePointerRef};
use serde_json::Value;
use std::{fmt, ops::ControlFlow};

/// Faults that one answer names; reading stops after them.
pub const MAX_FAULTS: usize = 100;

/// The faults of one input. Their places begin at the input itself, without `body` or `query`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Faults(pub Vec<FieldError>);

impl Faults {
    fn at(location: ValuePointerRef<'_>, refused: Refused, input: Value) -> Self {
        Self(vec![FieldError {
            kind: refused.kind.to_owned(),
            loc: place(location),
            msg: refused.message,
            input,
        }])
    }
}

/// For people: each place with what is wrong there.
impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, fault) in self.0.iter().enumerate() {
            let separator = if number == 0 { "" } else { "; " };
            write!(f, "{separator}{}: {}", Value::from(fault.loc.clone()), fault.msg)?;
        }
        Ok(())
    }
}

/// A fault that shows when fields are looked at together, told at one of them.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldFault {
    /// The field.
    pub field: &'static str,
    /// Why, and the sentence for people.
    pub refused: Refused,
    /// The refused value.
    pub input: Value,
}

impl FieldFault {
    /// A fault of `field`, of the kind `value_error`.
    pub fn new(field: &'static str, message: impl Into<String>, input: impl Into<Value>) -> Self {
        Self { field, refused: Refused::new("value_error", message), input: input.into() }
    }
}

/// The path to a location: names and indices.
fn place(location: ValuePointerRef<'_>) -> Vec<Value> {
    match location {
        ValuePointerRef::Origin => Vec::new(),
        ValuePointerRef::Key { key, prev } => [place(*prev), vec![key.into()]].concat(),
        ValuePointerRef::Index { index, prev } => [place(*prev), vec![index.into()]].concat(),
    }
}

impl MergeWithError<Faults> for Faults {
    /// `location` is where the two meet; each fault knows its own place already.
    fn merge(known: Option<Self>, more: Faults, _: ValuePointerRef<'_>) -> ControlFlow<Self, Self> {
        let mut all = known.unwrap_or_default();
        all.0.extend(more.0);
        if all.0.len() < MAX_FAULTS { ControlFlow::Continue(all) } else { ControlFlow::Break(all) }
    }
}

impl MergeWithError<Refused> for Faults {
    fn merge(
        known: Option<Self>,
        refused: Refused,
        location: ValuePointerRef<'_>,
    ) -> ControlFlow<Self, Self> {
        Self::merge(known, Self::at(location, refused, Value::Null), location)
    }
}

impl MergeWithError<FieldFault> for Faults {
    fn merge(
        known: Option<Self>,
        fault: FieldFault,
        location: ValuePointerRef<'_>,
    ) -> ControlFlow<Self, Self> {
        let field = location.push_key(fault.field);
        Self::merge(known, Self::at(field, fault.refused, fault.input), location)
    }
}

impl DeserializeError for Faults {
    fn error<V: IntoValue>(
        known: Option<Self>,
        error: ErrorKind<'_, V>,
        location: ValuePointerRef<'_>,
    ) -> ControlFlow<Self, Self> {
        let more = match error {
            ErrorKind::MissingField { field } => {
                Self::at(location.push_key(field), Refused::new("missing", "Field required"), Value::Null)
            }
            ErrorKind::IncorrectValueKind { actual, accepted } => {
                Self::at(location, wrong_kind(accepted), actual.into())
            }
            ErrorKind::UnknownValue { value, accepted } => {
                let refused = Refused::new("enum", format!("Input should be '{}'", accepted.join("', '")));
                Self::at(location, refused, value.into())
            }
            ErrorKind::UnknownKey { key, .. } => {
                let refused = Refused::new("extra_forbidden", "Extra inputs are not permitted");
                Self::at(location.push_key(key), refused, Value::Null)
            }
            ErrorKind::BadSequenceLen { expected, .. } => {
                let message = format!("List should have {expected} items");
                Self::at(location, Refused::new("value_error", message), Value::Null)
            }
            ErrorKind::Unexpected { msg } => {
                Self::at(location, Refused::new("value_error", msg), Value::Null)
            }
        };
        Self::merge(known, more, location)
    }
}

/// What is said of a value of another JSON type than expected.
fn wrong_kind(accepted: &[ValueKind]) -> Refused {
    match accepted.first() {
        Some(ValueKind::Boolean) => Refused::new("bool_type", "Input should be a valid boolean"),
        Some(ValueKind::String) => Refused::new("string_type", "Input should be a valid string"),
        Some(ValueKind::Sequence) => Refused::new("list_type", "Input should be a valid list"),
        Some(ValueKind::Map) => Refused::new(
            "model_attributes_type",
            "Input should be a valid dictionary or object to extract fields from",
        ),
        _ => Refused::new("float_type", "Input should be a valid number"),
    }
}

/// Reads a scalar; null is refused like any other value of the wrong type.
pub(crate) fn scalar<T: Scalar, V: IntoValue>(
    value: deserr::Value<V>,
    location: ValuePointerRef<'_>,
) -> Result<T, Faults> {
    let value: Value = value.into();
    T::read(&value).map_err(|refused| {
        let input = if T::SECRET { Value::Null } else { value };
        Faults::at(location, refused, input)
    })
}
