//! Storing a file.

use crate::{
    form::Form,
    objects::{self, Objects},
    subject,
};
use bytes::Bytes;
use pm_api::{
    AttachmentId, Resource,
    attachment::Attachment,
    route::{
        Operation, op,
        operation::{Created, NoQuery, Upload},
    },
};
use pm_domain::{
    attachment::{FileRefusal, clean_filename, judge},
    quota::Quota,
    settings::{Key, Values},
};
use pm_store::{
    Db,
    attachment::{self, Content, NewAttachment},
    setting,
};
use pm_web::{Call, Input, Refusal};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

const SETTINGS: [Key; 3] = [Key::AttachmentsMaxBytes, Key::AttachmentsAllowedTypes, Key::AttachmentsStore];

/// `POST /attachments`.
pub(crate) async fn upload(input: Input<op::UploadAttachment>) -> Result<Attachment, Refusal> {
    let form = Form::read(&input).await?;
    let (kind, id) = form.target(&input.query)?;
    store(&input, &form, kind, id).await?.ok_or_else(|| {
        let message = format!("There is no such {kind}");
        let id = id.map(|id| id.to_string());
        Refusal::field("value_error", &["body", "resource_id"], message, id.into())
    })
}

/// Attaches a file to the alarm or ticket of the path.
pub(crate) async fn attach<O>(input: Input<O>) -> Result<Attachment, Refusal>
where
    O: Operation<Query = NoQuery, Body = Upload, Answer = Created<Attachment>>,
{
    let subject = subject(&input)?;
    let form = Form::read(&input).await?;
    store(&input, &form, subject.kind, Some(subject.id)).await?.ok_or(Refusal::NotFound)
}

/// Stores the file of a form; `None`: there is no such alarm or ticket.
async fn store(
    call: &Call,
    form: &Form,
    resource_type: Resource,
    resource_id: Option<Uuid>,
) -> Result<Option<Attachment>, Refusal> {
    let db = call.db().await?;
    let settings = setting::read(&db, &[SETTINGS.as_slice(), &Quota::ATTACHMENT_KEYS].concat()).await?;
    let size = i64::try_from(form.file.len()).unwrap_or(i64::MAX);
    if size > settings.integer(Key::AttachmentsMaxBytes) {
        return Err(Refusal::TooLarge);
    }
    let filename = clean_filename(&form.filename);
    let allowed = settings.list(Key::AttachmentsAllowedTypes);
    let found = judge(&filename, form.declared.as_deref(), &form.file, &allowed)
        .map_err(|e| refuse(&e, &filename))?;
    let actor = call.actor(&db).await?;
    let quota = Quota::of_attachments(&settings);
    let fits = quota.check(attachment::stored(&db, actor.user_id).await?, size);
    fits.map_err(|exceeded| Refusal::Conflict(exceeded.to_string()))?;
    let id = AttachmentId(Uuid::now_v7());
    let content = keep(&db, &settings, id, &form.file).await?;
    let new = NewAttachment {
        id,
        filename,
        content_type: found.media_type,
        file_size: size,
        sha256: Sha256::digest(&form.file).to_vec(),
        resource_type,
        resource_id,
        content,
    };
    let stored = attachment::create(&db, &actor, new).await?;
    objects::sweep(&db).await;
    Ok(stored)
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
