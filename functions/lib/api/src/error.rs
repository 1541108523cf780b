//! The bodies of refusals, as documented: `{"detail": …}`, and for invalid input a list of located errors.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Any refusal but a validation error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Detail {
    /// What went wrong, for people.
    pub detail: String,
}

/// Answer 401 to a login with the right password that lacks a good code of the second factor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SecondFactorRequired {
    /// What to do, for people.
    pub detail: String,
    /// Always true.
    pub second_factor_required: bool,
}

/// Answer 403 to a person who has to do something before the account can be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ActionRequired {
    /// What to do, for people.
    pub detail: String,
    /// `change_password` or `set_up_second_factor`.
    pub action_required: String,
}

/// Answers 500 and 503: not the caller's fault. The log says more under the same request id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Fault {
    /// What went wrong, for people, without inner details.
    pub detail: String,
    /// The request's id, as in the header `x-request-id`.
    pub request_id: String,
}

/// Answer 404: no such path, or no such resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NotFound {
    /// «Endpoint not found: » and the path.
    pub detail: String,
    /// For people.
    pub message: String,
    /// Name → path of some places to go on.
    pub available_endpoints: BTreeMap<String, String>,
    /// For people.
    pub tip: String,
}

impl NotFound {
    /// The answer for a path.
    #[must_use]
    pub fn of(path: &str) -> Self {
        let endpoints = [
            ("root", "/"),
            ("health", "/health"),
            ("status", "/status"),
            ("api_docs", "/docs"),
            ("openapi", "/openapi.json"),
            ("dashboard", "/dashboard/overview"),
            ("ai_status", "/ai/status"),
            ("mqtt_status", "/mqtt/status"),
            ("machines", "/machines"),
            ("sensors", "/sensors"),
            ("predictions", "/predictions"),
            ("alarms", "/alarms"),
            ("tickets", "/tickets"),
            ("reports", "/reports/generate"),
        ];
        Self {
            detail: format!("Endpoint not found: {path}"),
            message: "The requested endpoint does not exist. Here are some available endpoints:".to_owned(),
            available_endpoints: endpoints.map(|(name, path)| (name.to_owned(), path.to_owned())).into(),
            tip: "Visit /docs for the complete API documentation".to_owned(),
        }
    }
}

/// Answer 422: the request could be read but its content is invalid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
