//! Requests by operation: method, path, body and answer are those of the table of routes.

use super::{Api, ApiError, client::parse};
use gloo_net::http::Method;
use pm_api::route::{
    Operation,
    operation::{
        Accepted, Attempt, Created, CreatedOrKept, Json, List, NoBody, NoContent, OptionalJson, Probe,
    },
};
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Display;

/// A body that the page can send.
pub trait Sent {
    /// What is sent.
    type Value;
    /// As JSON; `None`: no body.
    fn json(value: &Self::Value) -> Result<Option<String>, ApiError>;
}

fn to_json(value: &impl Serialize) -> Result<Option<String>, ApiError> {
    serde_json::to_string(value).map(Some).map_err(|error| ApiError::Malformed(error.to_string()))
}

impl Sent for NoBody {
    type Value = ();
    fn json((): &()) -> Result<Option<String>, ApiError> {
        Ok(None)
    }
}

impl<T: Serialize> Sent for Json<T> {
    type Value = T;
    fn json(value: &T) -> Result<Option<String>, ApiError> {
        to_json(value)
    }
}

impl<T: Serialize> Sent for OptionalJson<T> {
    type Value = Option<T>;
    fn json(value: &Option<T>) -> Result<Option<String>, ApiError> {
        value.as_ref().map_or(Ok(None), to_json)
    }
}

/// An answer that the page can read.
pub trait Received {
    /// What it reads.
    type Value: DeserializeOwned;
}

macro_rules! received {
    ($($kind:ident),*) => {$(
        impl<T: DeserializeOwned> Received for $kind<T> {
            type Value = T;
        }
    )*};
}

received!(Json, Created, CreatedOrKept, Accepted, Attempt, Probe);

impl Received for NoContent {
    type Value = ();
}

impl<T: DeserializeOwned, S, const LIMIT: i64> Received for List<T, S, LIMIT> {
    type Value = Vec<T>;
}

impl Api {
    /// Sends the request of an operation; `path` are the parameters of its path, in order.
    pub async fn request<O>(
        self,
        _: O,
        path: &[&dyn Display],
        body: &<O::Body as Sent>::Value,
    ) -> Result<<O::Answer as Received>::Value, ApiError>
    where
        O: Operation<Body: Sent, Answer: Received>,
    {
        let route = O::OP.route();
        let method = Method::from_bytes(route.method.as_bytes());
        let method = method.map_err(|_| ApiError::Malformed(route.method.to_owned()))?;
        parse(&self.request_text(method, &route.path_with(path), O::Body::json(body)?).await?)
    }
}
