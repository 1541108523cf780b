//! How request bodies and queries are read: field types that carry their bounds, and every fault of an input at once.
//!
//! A body or query is a struct that the macro [`input!`] defines. It is read by [`deserr`], which reads on after a fault, so
//! one answer names all of them. A bound stands in the field's type (`Text<1, 200>`), from which both the check and the
//! schema of openapi.json follow. Unknown fields are ignored, because old clients send some.
//!
//! A query is read by the same types: its parameters are texts, so numbers and truth values accept their text form.

mod define;
pub(crate) mod faults;
mod list;
mod mail_address;
mod number;
mod patch;
#[cfg(test)]
mod tests;
mod text;
mod time;

pub(crate) use define::input;
pub use faults::{Faults, FieldFault, MAX_FAULTS};
pub use list::{ByName, CommaSeparated, Many};
pub use mail_address::{MAX_MAIL_ADDRESS_CHARS, MailAddress, is_host_label};
pub use number::{Between, Flag, Number, Whole};
pub use patch::Patch;
pub use text::{Secret, Text};
pub use time::Day;

use crate::word::UnknownWord;
use deserr::Deserr;
use serde_json::Value;
use std::str::FromStr;

/// Reads a value that is already JSON: stored, or a part of a request that was read in another way.
///
/// # Errors
/// Every fault.
pub fn read<T: Deserr<Faults>>(value: Value) -> Result<T, Faults> {
    deserr::deserialize(value)
}

/// Why a value was refused: kind of error in the words of the documented API, and a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// For example `string_too_long`.
    pub kind: &'static str,
    /// For example `String should have at most 200 characters`.
    pub message: String,
}

impl Refused {
    /// A refusal.
    pub fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

/// A type that is read from one JSON value.
pub trait Scalar: Sized {
    /// Is the value withheld from the error, because it is a secret?
    const SECRET: bool = false;

    /// Reads a value that is present and not null.
    ///
    /// # Errors
    /// Why it cannot be.
    fn read(value: &Value) -> Result<Self, Refused>;
}

/// Reads a word of a vocabulary.
pub(crate) fn word<T: FromStr<Err = UnknownWord>>(value: &Value) -> Result<T, Refused> {
    let text = value.as_str().ok_or_else(|| Refused::new("string_type", "Input should be a valid string"))?;
    text.parse().map_err(|unknown: UnknownWord| Refused::new("enum", unknown.to_string()))
}

/// Implements `Deserr` for scalars: a fault carries the refused value unless it is secret.
macro_rules! read_as_scalar {
    ($name:ty $(, $($generics:tt)+)?) => {
        impl<$($($generics)+)?> deserr::Deserr<$crate::input::Faults> for $name {
            fn deserialize_from_value<V: deserr::IntoValue>(
                value: deserr::Value<V>,
                location: deserr::ValuePointerRef,
            ) -> Result<Self, $crate::input::Faults> {
                $crate::input::faults::scalar(value, location)
            }
        }
    };
}
pub(crate) use read_as_scalar;
