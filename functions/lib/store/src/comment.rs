//! Comments on alarms and tickets. Their events are written by triggers.

use crate::{
    Actor, Db, StoreError,
    list::{Id, Key, List, Total, lists},
    statement::{actor, statements},
    value::{Columns, id, optional, text},
};
use pm_api::{
    CommentId, Resource,
    comment::{Comment, CommentUpdate, NewComment},
    list::{ListQuery, Page},
    sort::CommentSort,
};
use uuid::Uuid;

macro_rules! columns {
    () => {
        "c.id, c.created_at at time zone 'utc', c.updated_at at time zone 'utc', c.resource_type, c.resource_id,
         c.user_id, c.content, c.is_internal, u.full_name, u.email"
    };
}

lists! {
    LIST: CommentSort = List {
        columns: columns!(),
        rows: "
            from comments c join users u on u.id = c.user_id
            where c.resource_type = $1 and c.resource_id = $2 and ($3 or not c.is_internal)",
        id: Id::Uuid("c.id"),
        key: |sort| match sort {
            CommentSort::CreatedAt => Key::Time("c.created_at"),
            CommentSort::UpdatedAt => Key::Time("c.updated_at"),
        },
        total: Total::Exact,
        one_plan: false,
    };
}

statements! {
    EXISTS = "
        select case $1 when 'alarm' then exists (select from alarms where id = $2)
                       else exists (select from tickets where id = $2) end";
    GET = concat!("
        select ", columns!(), " from comments c join users u on u.id = c.user_id
        where c.id = $1 and c.resource_type = $2 and c.resource_id = $3");
    CREATE = concat!("
        -- the lock keeps alarm or ticket until the comment is there
        with alarm as (select id from alarms where $3 = 'alarm' and id = $4 for key share),
        ticket as (select id from tickets where $3 = 'ticket' and id = $4 for key share),
        c as (
            insert into comments (id, resource_type, resource_id, user_id, content, is_internal)
            select $2::uuid, $3::text, r.id, $5::uuid, $6::text, $7::bool
            from ", actor!(), ", (select id from alarm union all select id from ticket) r
            returning *)
        select ", columns!(), " from c join users u on u.id = c.user_id");
    CHANGE = concat!("
        with c as (
            update comments set content = coalesce($5, content), is_internal = coalesce($6, is_internal)
            from ", actor!(), "
            where id = $2 and resource_type = $3 and resource_id = $4
            returning comments.*)
        select ", columns!(), " from c join users u on u.id = c.user_id");
    DELETE = concat!("
        delete from comments using ", actor!(), "
        where id = $2 and resource_type = $3 and resource_id = $4");
}

/// What comments are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// Alarm or ticket.
    pub kind: Resource,
    /// Which one.
    pub id: Uuid,
}

/// Is there such an alarm or ticket?
pub async fn exists(db: &Db, subject: Subject) -> Result<bool, StoreError> {
    db.one(EXISTS, vec![text(subject.kind.as_str()), id(subject.id)], |c| c.take()).await
}

/// A page of the comments on something; internal ones only where asked for.
pub async fn list(
    db: &Db,
    subject: Subject,
    with_internal: bool,
    query: &ListQuery<CommentSort>,
) -> Result<Page<Comment>, StoreError> {
    let filter = vec![text(subject.kind.as_str()), id(subject.id), with_internal.into()];
    LIST.page(db, query, filter, comment).await
}

/// One comment on something.
pub async fn get(db: &Db, subject: Subject, comment_id: CommentId) -> Result<Option<Comment>, StoreError> {
    db.first(GET, vec![id(comment_id.0), text(subject.kind.as_str()), id(subject.id)], comment).await
}

/// Writes a comment; `None`: there is no such alarm or ticket.
pub async fn create(
    db: &Db,
    actor: &Actor,
    subject: Subject,
    new: &NewComment,
) -> Result<Option<Comment>, StoreError> {
    let params = vec![
        actor.setting(),
        id(Uuid::now_v7()),
        text(subject.kind.as_str()),
        id(subject.id),
        id(actor.user_id.0),
        text(&*new.content),
        new.is_internal.unwrap_or(false).into(),
    ];
    db.first(CREATE, params, comment).await
}

/// Changes a comment; `None`: there is no such comment.
pub async fn change(
    db: &Db,
    actor: &Actor,
    subject: Subject,
    comment_id: CommentId,
    change: &CommentUpdate,
) -> Result<Option<Comment>, StoreError> {
    let params = vec![
        actor.setting(),
        id(comment_id.0),
        text(subject.kind.as_str()),
        id(subject.id),
        optional(change.content.as_deref(), text),
        optional(change.is_internal, Into::into),
    ];
    db.first(CHANGE, params, comment).await
}

/// Deletes a comment; false: there was none.
pub async fn delete(
    db: &Db,
    actor: &Actor,
    subject: Subject,
    comment_id: CommentId,
) -> Result<bool, StoreError> {
    let params = vec![actor.setting(), id(comment_id.0), text(subject.kind.as_str()), id(subject.id)];
    Ok(db.execute(DELETE, params).await? > 0)
}

fn comment(c: &mut Columns) -> Result<Comment, StoreError> {
    Ok(Comment {
        id: c.take()?,
        created_at: c.take()?,
        updated_at: c.take()?,
        resource_type: c.word()?,
        resource_id: c.take()?,
        user_id: c.take()?,
        content: c.take()?,
        is_internal: c.take()?,
        author_name: c.take()?,
        author_email: c.take()?,
    })
}
