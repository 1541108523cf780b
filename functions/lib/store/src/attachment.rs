//! Files attached to alarms and tickets. Their events are written by triggers; so is the list of objects that a store
//! should no longer keep.

use crate::{
    Actor, Db, StoreError,
    list::{Id, Key, List, Total, lists},
    statement::{actor, statements},
    value::{Columns, id, optional, text},
};
use pm_api::{
    AttachmentId, Resource, UserId,
    attachment::{Attachment, AttachmentFilter},
    list::{ListQuery, Page},
    sort::AttachmentSort,
};
use pm_domain::{quota::Stored, retention::UNATTACHED_OBJECT_S};
use spin_sdk::pg::ParameterValue;
use uuid::Uuid;

macro_rules! columns {
    () => {
        "id, created_at at time zone 'utc', updated_at at time zone 'utc', filename, content_type, file_size,
         encode(sha256, 'hex'), resource_type, resource_id, uploaded_by"
    };
}

lists! {
    LIST: AttachmentSort = List {
        columns: columns!(),
        rows: "
            from attachments
            where ($1::text is null or resource_type = $1) and ($2::uuid is null or resource_id = $2)
              and ($3::uuid is null or uploaded_by = $3)",
        id: Id::Uuid("id"),
        key: |sort| match sort {
            AttachmentSort::CreatedAt => Key::Time("created_at"),
            AttachmentSort::Filename => Key::Text("filename"),
            AttachmentSort::FileSize => Key::Number("file_size"),
        },
        total: Total::Exact,
        one_plan: false,
    };
}

statements! {
    GET = concat!("select ", columns!(), " from attachments where id = $1");
    CONTENT = "
        select a.storage_key, c.content
        from attachments a left join attachment_contents c on c.attachment_id = a.id where a.id = $1";
    CREATE = concat!("
        -- the lock keeps alarm or ticket until the file is there
        with alarm as (select id from alarms where $7 = 'alarm' and id = $8 for key share),
        ticket as (select id from tickets where $7 = 'ticket' and id = $8 for key share),
        stored as (
            insert into attachments (id, filename, content_type, file_size, sha256, resource_type, resource_id,
                                     uploaded_by, storage_key)
            select $2::uuid, $3::text, $4::text, $5::int8, $6::bytea, $7::text, r.id, $9::uuid, $10::text
            from ", actor!(), ",
                 (select id from alarm union all select id from ticket union all
                  select $8::uuid where $7 = 'general') r
            returning *),
        content as (
            insert into attachment_contents (attachment_id, content)
            select id, $11::bytea from stored where $11::bytea is not null),
        kept as (delete from stray_objects where storage_key in (select storage_key from stored))
        select ", columns!(), " from stored");
    STORED = "
        select coalesce(sum(file_size) filter (where uploaded_by = $1), 0)::int8, coalesce(sum(file_size), 0)::int8
        from attachments";
    DELETE = concat!("delete from attachments using ", actor!(), " where id = $2");
    ANNOUNCE = "
        insert into stray_objects (storage_key, remove_after) values ($1, now() + $2::int8 * interval '1 second')
        on conflict (storage_key) do update set remove_after = excluded.remove_after";
    STRAYS = "select storage_key from stray_objects where remove_after <= now() order by remove_after limit $1";
    FORGET = "delete from stray_objects where storage_key = $1";
}

/// A page of the attachments.
pub async fn list(
    db: &Db,
    filter: &AttachmentFilter,
    query: &ListQuery<AttachmentSort>,
) -> Result<Page<Attachment>, StoreError> {
    let filter = vec![
        optional(filter.resource_type, |r| text(r.as_str())),
        optional(filter.resource_id, id),
        optional(filter.uploaded_by, |u| id(u.0)),
    ];
    LIST.page(db, query, filter, attachment).await
}

/// One attachment.
pub async fn get(db: &Db, attachment_id: AttachmentId) -> Result<Option<Attachment>, StoreError> {
    db.first(GET, vec![id(attachment_id.0)], attachment).await
}

/// What is stored, by this account and in all.
pub async fn stored(db: &Db, user_id: UserId) -> Result<Stored, StoreError> {
    db.one(STORED, vec![id(user_id.0)], |c| Ok(Stored { by_account: c.take()?, in_all: c.take()? })).await
}

/// Where the content of an attachment is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Here.
    Inline(Vec<u8>),
    /// In the object store, under this key.
    Stored(String),
}

/// The content of an attachment, or where it is.
pub async fn content(db: &Db, attachment_id: AttachmentId) -> Result<Option<Content>, StoreError> {
    let row = db
        .first(CONTENT, vec![id(attachment_id.0)], |c| {
            Ok((c.take::<Option<String>>()?, c.take::<Option<Vec<u8>>>()?))
        })
        .await?;
    match row {
        None => Ok(None),
        Some((Some(key), _)) => Ok(Some(Content::Stored(key))),
        Some((None, Some(content))) => Ok(Some(Content::Inline(content))),
        Some((None, None)) => Err(StoreError::Failed(format!("attachment {attachment_id} has no content"))),
    }
}

/// A file to attach.
#[derive(Debug, Clone)]
pub struct NewAttachment {
    /// Identifier.
    pub id: AttachmentId,
    /// Cleaned name.
    pub filename: String,
    /// Media type, found by the content.
    pub content_type: &'static str,
    /// Length, bytes.
    pub file_size: i64,
    /// SHA-256 of the content.
    pub sha256: Vec<u8>,
    /// What it belongs to.
    pub resource_type: Resource,
    /// The alarm or ticket.
    pub resource_id: Option<Uuid>,
    /// The content, or where it has been stored.
    pub content: Content,
}

/// Stores a file; `None`: there is no such alarm or ticket.
pub async fn create(db: &Db, actor: &Actor, new: NewAttachment) -> Result<Option<Attachment>, StoreError> {
    let (key, content) = match new.content {
        Content::Inline(content) => (ParameterValue::DbNull, ParameterValue::Binary(content)),
        Content::Stored(key) => (text(key), ParameterValue::DbNull),
    };
    let params = vec![
        actor.setting(),
        id(new.id.0),
        text(new.filename),
        text(new.content_type),
        new.file_size.into(),
        ParameterValue::Binary(new.sha256),
        text(new.resource_type.as_str()),
        optional(new.resource_id, id),
        id(actor.user_id.0),
        key,
        content,
    ];
    db.first(CREATE, params, attachment).await
}

/// Deletes an attachment; false: there was none.
pub async fn delete(db: &Db, actor: &Actor, attachment_id: AttachmentId) -> Result<bool, StoreError> {
    Ok(db.execute(DELETE, vec![actor.setting(), id(attachment_id.0)]).await? > 0)
}

/// Notes that an object is about to be stored, so that it is removed if no attachment of it follows within the hour.
pub async fn announce(db: &Db, storage_key: &str) -> Result<(), StoreError> {
    db.execute(ANNOUNCE, vec![text(storage_key), UNATTACHED_OBJECT_S.into()]).await.map(|_| ())
}

/// Objects of the store that belong to no attachment, at most `limit`.
pub async fn strays(db: &Db, limit: i64) -> Result<Vec<String>, StoreError> {
    db.rows(STRAYS, vec![limit.into()], |c| c.take()).await
}

/// Notes that an object is gone from the store.
pub async fn forget(db: &Db, storage_key: &str) -> Result<(), StoreError> {
    db.execute(FORGET, vec![text(storage_key)]).await.map(|_| ())
}

fn attachment(c: &mut Columns) -> Result<Attachment, StoreError> {
    let id: AttachmentId = c.take()?;
    Ok(Attachment {
        id,
        created_at: c.take()?,
        updated_at: c.take()?,
        filename: c.take()?,
        file_path: storage_key(id),
        content_type: c.take()?,
        file_size: c.take()?,
        sha256: c.take()?,
        resource_type: c.word()?,
        resource_id: c.take()?,
        uploaded_by: c.take()?,
    })
}

/// The generated name under which an attachment is stored.
#[must_use]
pub fn storage_key(attachment_id: AttachmentId) -> String {
    format!("attachments/{attachment_id}")
}
