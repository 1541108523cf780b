//! Storing a file.

use crate::{
    form::Form,
    objects::{self, Objects},
};
use bytes::Bytes;
use http::StatusCode;
use pm_api::AttachmentId;
use pm_domain::{
    attachment::{FileRefusal, classify, clean_filename},
    settings::{Key, Values},
};
use pm_store::{
    Db,
    attachment::{self, Content, NewAttachment},
    comment::Subject,
    setting,
};
use pm_web::{Call, Outcome, Refusal, json};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

const SETTINGS: &[Key] = &[Key::AttachmentsMaxBytes, Key::AttachmentsAllowedTypes, Key::AttachmentsStore];

/// `POST /attachments`, or to the alarm or ticket of the path.
pub(crate) async fn upload(call: &Call, path: Option<Subject>) -> Outcome {
    let form = Form::read(call).await?;
    let (kind, resource_id) = match path {
        Some(subject) => (subject.kind, Some(subject.id)),
        None => form.resource(call)?,
    };
    let db = call.db().await?;
    let settings = setting::read(&db, SETTINGS).await?;
    let size = i64::try_from(form.file.len()).unwrap_or(i64::MAX);
    if size > settings.integer(Key::AttachmentsMaxBytes) {
        return Err(Refusal::TooLarge);
    }
    let filename = clean_filename(&form.filename);
    let allowed = settings.list(Key::AttachmentsAllowedTypes);
    let found = classify(&filename, form.declared.as_deref(), &form.file, &allowed)
        .map_err(|e| refuse(&e, &filename))?;
    let actor = call.actor(&db).await?;
    let id = AttachmentId(Uuid::now_v7());
    let content = keep(&db, &settings, id, &form.file).await?;
    let new = NewAttachment {
        id,
        filename,
        content_type: found.media_type,
        file_size: size,
        sha256: Sha256::digest(&form.file).to_vec(),
        resource_type: kind,
        resource_id,
        content,
    };
    let stored = attachment::create(&db, &actor, new).await?;
    objects::sweep(&db).await;
    match stored {
        Some(attachment) => Ok(json(StatusCode::CREATED, &attachment)),
        None if path.is_some() => Err(Refusal::NotFound),
        None => {
            let message = format!("There is no such {kind}");
            let id = resource_id.map(|id| id.to_string());
            Err(Refusal::field("value_error", &["body", "resource_id"], message, id.into()))
        }
    }
}

/// Puts the content where contents are kept.
async fn keep(db: &Db, settings: &Values, id: AttachmentId, file: &Bytes) -> Result<Content, Refusal> {
    if settings.text(Key::AttachmentsStore) != "s3" {
        return Ok(Content::Inline(file.to_vec()));
    }
    let objects = Objects::named(db).await?;
    let key = attachment::storage_key(id);
    attachment::announce(db, &key).await?;
    objects.put(&key, file.clone()).await?;
    Ok(Content::Stored(key))
}

fn refuse(refusal: &FileRefusal, filename: &str) -> Refusal {
    let error = |kind| {
        vec![pm_api::error::FieldError::new(
            kind,
            &["body", "file"],
            refusal.to_string(),
            Value::from(filename),
        )]
    };
    match refusal {
        FileRefusal::Empty => Refusal::Invalid(error("value_error")),
        FileRefusal::Mismatch { .. } => Refusal::Invalid(error("content_type_mismatch")),
        FileRefusal::Unsupported(_) => Refusal::UnsupportedType(error("content_type_not_accepted")),
    }
}
