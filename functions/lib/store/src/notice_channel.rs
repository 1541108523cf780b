//! Services that notices of alarms go to.

use crate::{
    Actor, Db, StoreError,
    list::{Id, Key, List, Total, lists},
    on_call::Deletion,
    statement::{actor, statements},
    value::{Columns, id, optional, text},
};
use pm_api::{
    ChannelKind, NoticeChannelId,
    escalation::NoticeChannel,
    input::{Patch, Secret},
    list::{ListQuery, Page},
    sort::NoticeChannelSort,
};
use uuid::Uuid;

macro_rules! columns {
    () => {
        "id, created_at at time zone 'utc', updated_at at time zone 'utc', name, kind, url, secret is not null"
    };
}

lists! {
    LIST: NoticeChannelSort = List {
        columns: columns!(),
        rows: "from notice_channels where true",
        id: Id::Uuid("id"),
        key: |sort| match sort {
            NoticeChannelSort::Name => Key::Text("name"),
            NoticeChannelSort::CreatedAt => Key::Time("created_at"),
        },
        total: Total::Exact,
        one_plan: false,
    };
}

statements! {
    GET = concat!("select ", columns!(), " from notice_channels where id = $1");
    SECRET = "select kind, url, secret from notice_channels where id = $1";
    CREATE = concat!("
        insert into notice_channels (id, name, kind, url, secret) select $2, $3, $4, $5, $6 from ", actor!(), "
        returning ", columns!());
    UPDATE = concat!("
        update notice_channels set
            name = coalesce($3, name), url = coalesce($4, url), secret = case when $5 then $6 else secret end
        from ", actor!(), " where id = $2
        returning ", columns!());
    DELETE = concat!("
        with used as (
            select exists (select from escalation_chains c
                           where c.steps @> jsonb_build_array(jsonb_build_object('channel_id', $2::uuid))) as is_used),
        gone as (
            delete from notice_channels n using used, ", actor!(), " where n.id = $2 and not used.is_used returning n.id)
        select is_used, exists (select from gone) from used");
}

fn channel(c: &mut Columns) -> Result<NoticeChannel, StoreError> {
    Ok(NoticeChannel {
        id: c.take()?,
        created_at: c.take()?,
        updated_at: c.take()?,
        name: c.take()?,
        kind: c.word()?,
        url: c.take()?,
        has_secret: c.take()?,
    })
}

/// A page of the channels.
pub async fn list(db: &Db, query: &ListQuery<NoticeChannelSort>) -> Result<Page<NoticeChannel>, StoreError> {
    LIST.page(db, query, Vec::new(), channel).await
}

/// One channel.
pub async fn get(db: &Db, channel_id: NoticeChannelId) -> Result<Option<NoticeChannel>, StoreError> {
    db.first(GET, vec![id(channel_id.0)], channel).await
}

/// Kind, address and secret of a channel.
pub async fn secret(
    db: &Db,
    channel_id: NoticeChannelId,
) -> Result<Option<(ChannelKind, String, Option<String>)>, StoreError> {
    db.first(SECRET, vec![id(channel_id.0)], |c| Ok((c.word()?, c.take()?, c.take()?))).await
}

/// Adds a channel.
///
/// # Errors
/// Constraint `notice_channels_name_unique`.
pub async fn create(
    db: &Db,
    actor: &Actor,
    name: &str,
    kind: ChannelKind,
    url: &str,
    secret: Option<&str>,
) -> Result<NoticeChannel, StoreError> {
    let params = vec![
        actor.setting(),
        id(Uuid::now_v7()),
        text(name),
        text(kind.as_str()),
        text(url),
        optional(secret, text),
    ];
    db.one(CREATE, params, channel).await
}

/// Changes a channel; `None`: there is no such channel.
///
/// # Errors
/// Constraint `notice_channels_name_unique`.
pub async fn update(
    db: &Db,
    actor: &Actor,
    channel_id: NoticeChannelId,
    name: Option<&str>,
    url: Option<&str>,
    secret: &Patch<Secret<1, 500>>,
) -> Result<Option<NoticeChannel>, StoreError> {
    let new_secret = match secret {
        Patch::Set(secret) => Some(secret.0.as_str()),
        _ => None,
    };
    let params = vec![
        actor.setting(),
        id(channel_id.0),
        optional(name, text),
        optional(url, text),
        (!Patch::is_absent(secret)).into(),
        optional(new_secret, text),
    ];
    db.first(UPDATE, params, channel).await
}

/// Deletes a channel, unless a step names it.
pub async fn delete(db: &Db, actor: &Actor, channel_id: NoticeChannelId) -> Result<Deletion, StoreError> {
    db.one(DELETE, vec![actor.setting(), id(channel_id.0)], Deletion::read).await
}
