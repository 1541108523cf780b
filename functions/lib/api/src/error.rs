//! The bodies of refusals, as documented: `{"detail": …}`, and for invalid input a list of located errors.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Any refusal but a validation error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// What went wrong, for people.
    pub detail: String,
}

/// Answer 422: the request could be read but its content is invalid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ValidationProblem {
    /// Always «Validation error».
    pub detail: String,
    /// A sentence for people.
    pub message: String,
    /// Each invalid field.
    pub errors: Vec<FieldError>,
    /// The path asked for.
    pub path: String,
}

/// One invalid field. Example: type `missing`, loc `["body","name"]`, msg `Field required`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldError {
    /// Kind of error, in the words of the documented API (`missing`, `uuid_parsing`, `string_type`, …).
    #[serde(rename = "type")]
    pub kind: String,
    /// Where: `body`, `query` or `path`, then the field's path (names and array indices).
    pub loc: Vec<Value>,
    /// What is wrong, for people.
    pub msg: String,
    /// The refused input.
    pub input: Value,
}

impl FieldError {
    /// An error at `loc` (first element: `body`, `query` or `path`).
    #[must_use]
    pub fn new(kind: &str, loc: &[&str], msg: impl Into<String>, input: Value) -> Self {
        Self {
            kind: kind.to_owned(),
            loc: loc.iter().map(|s| Value::from(*s)).collect(),
            msg: msg.into(),
            input,
        }
    }
}
