//! The form of an upload (`multipart/form-data`, RFC 7578).

use bytes::Bytes;
use futures::stream;
use http::header;
use multer::Multipart;
use pm_api::Resource;
use pm_web::{Call, Refusal};
use serde_json::Value;
use std::convert::Infallible;
use uuid::Uuid;

/// Longest text field that is read, bytes.
const LONGEST_TEXT: usize = 1000;

/// What a form says.
#[derive(Debug, Default)]
pub(crate) struct Form {
    /// The file.
    pub(crate) file: Bytes,
    /// The sender's name for it.
    pub(crate) filename: String,
    /// The sender's media type for it.
    pub(crate) declared: Option<String>,
    resource_type: Option<String>,
    resource_id: Option<String>,
}

impl Form {
    /// Reads the form of a request; it must have a file.
    ///
    /// # Errors
    /// 422 naming the field.
    pub(crate) async fn read(call: &Call) -> Result<Self, Refusal> {
        let missing = || Refusal::field("missing", &["body", "file"], "Field required", Value::Null);
        let content_type = call.header(header::CONTENT_TYPE.as_str()).unwrap_or_default();
        // another kind of body has no file either
        let boundary = multer::parse_boundary(content_type).map_err(|_| missing())?;
        let body = call.body.clone();
        let mut parts = Multipart::new(stream::once(async { Ok::<_, Infallible>(body) }), boundary);
        let mut form = Self::default();
        let mut found = false;
        while let Some(part) = parts.next_field().await.map_err(unreadable)? {
            match part.name() {
                Some("file") if !found => {
                    found = true;
                    form.filename = part.file_name().unwrap_or_default().to_owned();
                    form.declared = part.content_type().map(ToString::to_string);
                    form.file = part.bytes().await.map_err(unreadable)?;
                }
                Some("resource_type") => form.resource_type = text(part).await?,
                Some("resource_id") => form.resource_id = text(part).await?,
                _ => {}
            }
        }
        if found { Ok(form) } else { Err(missing()) }
    }

    /// What the file is attached to: as the query says, else as the form says, else nothing in particular.
    ///
    /// # Errors
    /// 422 naming the field.
    pub(crate) fn resource(&self, call: &Call) -> Result<(Resource, Option<Uuid>), Refusal> {
        let kind = match (call.query.word("resource_type")?, self.resource_type.as_deref()) {
            (Some(kind), _) => kind,
            (None, None | Some("")) => Resource::General,
            (None, Some(word)) => word.parse().map_err(|e: pm_api::word::UnknownWord| {
                Refusal::field("enum", &["body", "resource_type"], e.to_string(), word.into())
            })?,
        };
        let id = match (call.query.id("resource_id")?, self.resource_id.as_deref()) {
            (Some(id), _) => Some(id),
            (None, None | Some("")) => None,
            (None, Some(text)) => Some(Uuid::parse_str(text).map_err(|e| {
                let message = format!("Input should be a valid UUID, {e}");
                Refusal::field("uuid_parsing", &["body", "resource_id"], message, text.into())
            })?),
        };
        if id.is_none() && kind != Resource::General {
            let message = format!("A file for a {kind} needs its id");
            return Err(Refusal::field("missing", &["body", "resource_id"], message, Value::Null));
        }
        Ok((kind, id))
    }
}

async fn text(part: multer::Field<'_>) -> Result<Option<String>, Refusal> {
    let name = part.name().unwrap_or_default().to_owned();
    let bytes = part.bytes().await.map_err(unreadable)?;
    if bytes.len() > LONGEST_TEXT {
        let message = format!("String should have at most {LONGEST_TEXT} bytes");
        return Err(Refusal::field("string_too_long", &["body", &name], message, Value::Null));
    }
    Ok(Some(String::from_utf8_lossy(&bytes).trim().to_owned()))
}

fn unreadable(error: multer::Error) -> Refusal {
    Refusal::field("multipart_invalid", &["body"], format!("The form cannot be read: {error}"), Value::Null)
}
