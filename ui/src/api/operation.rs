//! What the page sends and reads, by the types of the table of routes.

use super::ApiError;
use pm_api::route::{
    operation::{
        Accepted, Attempt, Created, CreatedOrKept, Form, Json, List, NoBody, NoContent, OptionalJson, Probe,
        SignIn, Upload,
    },
    url_encoded,
};
use serde::{Serialize, de::DeserializeOwned};

/// A body as the browser sends it.
pub enum Content {
    /// No body.
    None,
    /// JSON.
    Json(String),
    /// `application/x-www-form-urlencoded`.
    Form(String),
    /// `multipart/form-data`.
    Multipart(web_sys::FormData),
}

/// A body that the page can send.
pub trait Sent {
    /// What is sent.
    type Value: ?Sized;
    /// As the browser sends it.
    fn content(value: &Self::Value) -> Result<Content, ApiError>;
}

/// A value as JSON.
pub fn json(value: &(impl Serialize + ?Sized)) -> Result<Content, ApiError> {
    serde_json::to_string(value).map(Content::Json).map_err(|error| ApiError::Malformed(error.to_string()))
}

impl Sent for NoBody {
    type Value = ();
    fn content((): &()) -> Result<Content, ApiError> {
        Ok(Content::None)
    }
}

impl<T: Serialize> Sent for Json<T> {
    type Value = T;
    fn content(value: &T) -> Result<Content, ApiError> {
        json(value)
    }
}

impl<T: Serialize> Sent for OptionalJson<T> {
    type Value = Option<T>;
    fn content(value: &Option<T>) -> Result<Content, ApiError> {
        value.as_ref().map_or(Ok(Content::None), json)
    }
}

impl<T: Serialize> Sent for Form<T> {
    type Value = T;
    fn content(value: &T) -> Result<Content, ApiError> {
        Ok(Content::Form(url_encoded(value)))
    }
}

impl Sent for Upload {
    type Value = web_sys::File;
    fn content(file: &web_sys::File) -> Result<Content, ApiError> {
        let refused = |_| ApiError::Malformed("no form".to_owned());
        let form = web_sys::FormData::new().map_err(refused)?;
        form.append_with_blob_and_filename("file", file, &file.name()).map_err(refused)?;
        Ok(Content::Multipart(form))
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

received!(Json, SignIn, Created, CreatedOrKept, Accepted, Attempt, Probe);

impl Received for NoContent {
    type Value = ();
}

impl<T: DeserializeOwned, S, const LIMIT: i64> Received for List<T, S, LIMIT> {
    type Value = Vec<T>;
}
