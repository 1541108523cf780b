//! The form of an upload (`multipart/form-data`, RFC 7578).

use bytes::Bytes;
use futures::stream;
use http::header;
use multer::Multipart;
use pm_api::{Resource, attachment::AttachmentTarget};
use pm_web::{Call, Refusal, read_form};
use serde_json::{Map, Value};
use std::convert::Infallible;
use uuid::Uuid;

/// Longest text field that is read, bytes.
const MAX_FIELD_CHARS: usize = 1000;

/// What a form says.
#[derive(Debug, Default)]
pub(crate) struct Form {
    /// The file.
    pub(crate) file: Bytes,
    /// The sender's name for it.
    pub(crate) filename: String,
    /// The sender's media type for it.
    pub(crate) declared: Option<String>,
    /// What it says the file belongs to.
    target: Map<String, Value>,
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
                Some("file") if found => {
                    let message = "One file in each request; this one has several";
                    return Err(Refusal::field("value_error", &["body", "file"], message, Value::Null));
                }
                Some("file") => {
                    found = true;
                    form.filename = part.file_name().unwrap_or_default().to_owned();
                    form.declared = part.content_type().map(ToString::to_string);
                    form.file = part.bytes().await.map_err(unreadable)?;
                }
                Some(name @ ("resource_type" | "resource_id")) => {
                    let name = name.to_owned();
                    form.target.insert(name, text(part).await?.into());
                }
                _ => {}
            }
        }
        if found { Ok(form) } else { Err(missing()) }
    }

    /// What the file is attached to: as the query says, else as the form says, else nothing in particular.
    ///
    /// # Errors
    /// 422 naming the fields.
    pub(crate) fn target(&self, query: &AttachmentTarget) -> Result<(Resource, Option<Uuid>), Refusal> {
        let filled = self.target.iter().filter(|(_, text)| *text != "");
        let form: AttachmentTarget =
            read_form(filled.map(|(name, text)| (name.clone(), text.clone())).collect())?;
        let kind = query.resource_type.or(form.resource_type).unwrap_or(Resource::General);
        let id = query.resource_id.or(form.resource_id);
        if id.is_none() && kind != Resource::General {
            let message = format!("A file for a {kind} needs its id");
            return Err(Refusal::field("missing", &["body", "resource_id"], message, Value::Null));
        }
        Ok((kind, id))
    }
}

async fn text(part: multer::Field<'_>) -> Result<String, Refusal> {
    let name = part.name().unwrap_or_default().to_owned();
    let bytes = part.bytes().await.map_err(unreadable)?;
    if bytes.len() > MAX_FIELD_CHARS {
        let message = format!("String should have at most {MAX_FIELD_CHARS} bytes");
        return Err(Refusal::field("string_too_long", &["body", &name], message, Value::Null));
    }
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}

fn unreadable(error: multer::Error) -> Refusal {
    Refusal::field("multipart_invalid", &["body"], format!("The form cannot be read: {error}"), Value::Null)
}
