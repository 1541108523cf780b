//! Lists with bounds.

use super::{Faults, Refused, Scalar};
use crate::error::FieldError;
use deserr::{Deserr, IntoValue, MergeWithError, Sequence, Value, ValuePointerRef, take_cf_content};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    ops::{ControlFlow, Deref},
};

/// A list of `MIN` to `MAX` items. The faults of all its items are told.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Many<T, const MIN: usize, const MAX: usize>(pub Vec<T>);

impl<T, const MIN: usize, const MAX: usize> Deref for Many<T, MIN, MAX> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

/// Collects what was read of each item, or the faults of all items.
fn read_all<T, C: FromIterator<T>>(
    items: impl Iterator<Item = Result<T, Faults>>,
    location: ValuePointerRef<'_>,
) -> Result<C, Faults> {
    let (mut read, mut faults) = (Vec::new(), None);
    for item in items {
        match item {
            Ok(item) => read.push(item),
            Err(more) => match <Faults as MergeWithError<Faults>>::merge(faults, more, location) {
                ControlFlow::Continue(all) => faults = Some(all),
                ControlFlow::Break(all) => return Err(all),
            },
        }
    }
    faults.map_or_else(|| Ok(read.into_iter().collect()), Err)
}

fn items(count: usize) -> String {
    format!("{count} item{}", if count == 1 { "" } else { "s" })
}

impl<T: Deserr<Faults>, const MIN: usize, const MAX: usize> Deserr<Faults> for Many<T, MIN, MAX> {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef,
    ) -> Result<Self, Faults> {
        let refuse = |kind: &'static str, message: String| {
            let refused = Refused::new(kind, message);
            Err(take_cf_content(<Faults as MergeWithError<Refused>>::merge(None, refused, location)))
        };
        let Value::Sequence(sequence) = value else {
            return refuse("list_type", "Input should be a valid list".to_owned());
        };
        if sequence.len() < MIN {
            return refuse("too_short", format!("List should have at least {}", items(MIN)));
        }
        if sequence.len() > MAX {
            return refuse("too_long", format!("List should have at most {}", items(MAX)));
        }
        let items = sequence
            .into_iter()
            .enumerate()
            .map(|(index, item)| T::deserialize_from_value(item.into_value(), location.push_index(index)));
        read_all(items, location).map(Self)
    }
}

#[cfg(feature = "schema")]
impl<T: schemars::JsonSchema, const MIN: usize, const MAX: usize> schemars::JsonSchema for Many<T, MIN, MAX> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("{}_{MIN}_{MAX}", Vec::<T>::schema_name()).into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let items = generator.subschema_for::<T>();
        let mut schema = schemars::json_schema!({ "type": "array", "items": items, "maxItems": MAX });
        if MIN > 0 {
            schema.insert("minItems".to_owned(), MIN.into());
        }
        schema
    }

    fn inline_schema() -> bool {
        true
    }
}

/// Values by name; the names are the client's. The faults of all its values are told (deserr 0.6 reads a `BTreeMap` too,
/// but leaves its faults out).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct ByName<T>(pub BTreeMap<String, T>);

impl<T: Deserr<Faults>> Deserr<Faults> for ByName<T> {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef,
    ) -> Result<Self, Faults> {
        let Value::Map(map) = value else {
            let kinds = &[deserr::ValueKind::Map];
            let error = deserr::ErrorKind::IncorrectValueKind { actual: value, accepted: kinds };
            return Err(take_cf_content(<Faults as deserr::DeserializeError>::error(None, error, location)));
        };
        let values = deserr::Map::into_iter(map).map(|(name, value)| {
            let value = T::deserialize_from_value(value.into_value(), location.push_key(&name))?;
            Ok((name, value))
        });
        read_all(values, location).map(Self)
    }
}

/// A parameter of a query with up to `MAX` values, separated by commas. Every bad value is a fault of the parameter.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct CommaSeparated<T, const MAX: usize>(pub Vec<T>);

impl<T, const MAX: usize> Deref for CommaSeparated<T, MAX> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Scalar, const MAX: usize> Deserr<Faults> for CommaSeparated<T, MAX> {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef,
    ) -> Result<Self, Faults> {
        let fault = |refused: Refused, input: &str| {
            let name = location.last_field().unwrap_or_default();
            Faults(vec![FieldError::new(refused.kind, &[name], refused.message, input.into())])
        };
        let Value::String(text) = value else {
            return Err(fault(Refused::new("string_type", "Input should be a valid string"), ""));
        };
        let parts: Vec<_> = text.split(',').map(str::trim).collect();
        if parts.len() > MAX {
            let message = format!("List should have at most {}", items(MAX));
            return Err(fault(Refused::new("too_long", message), &text));
        }
        let read = |part: &str| T::read(&part.into()).map_err(|refused| fault(refused, part));
        read_all(parts.into_iter().map(read), location).map(Self)
    }
}

#[cfg(feature = "schema")]
impl<T: schemars::JsonSchema, const MAX: usize> schemars::JsonSchema for CommaSeparated<T, MAX> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Many::<T, 0, MAX>::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Many::<T, 0, MAX>::json_schema(generator)
    }

    fn inline_schema() -> bool {
        true
    }
}
