//! API keys: only the SHA-256 of a key is stored.

use crate::{
    Actor, Db, StoreError,
    list::{Id, Key, List, Total, lists},
    statement::{actor, statements},
    user::AccessRights,
    value::{Columns, bytes, id, optional, text, texts},
};
use pm_api::{
    UserId,
    api_key::ApiKey,
    list::{ListQuery, Page},
    sort::ApiKeySort,
};
use pm_domain::session::USE_RECORDED_EVERY_S;
use uuid::Uuid;

/// The columns that [`api_key`] reads, of a key `k`.
macro_rules! columns {
    () => {
        "k.id, k.created_at at time zone 'utc', k.name, k.prefix, k.permissions, k.expires_at at time zone 'utc',
         k.last_used_at at time zone 'utc'"
    };
}

lists! {
    LIST: ApiKeySort = List {
        columns: columns!(),
        rows: "from api_keys k where k.user_id = $1 and k.revoked_at is null and k.expires_at > now()",
        id: Id::Uuid("k.id"),
        key: |ApiKeySort::CreatedAt| Key::Time("k.created_at"),
        total: Total::Exact,
        one_plan: false,
    };
}

statements! {
    CREATE = concat!("
        insert into api_keys as k (user_id, name, prefix, token_hash, permissions, expires_at)
        select u.id, $3, $4, $5, $6::text[], now() + $7::int8 * interval '1 day'
        from users u, ", actor!(), " where u.id = $2 and u.is_active
        returning ", columns!());
    END = concat!("
        update api_keys set revoked_at = now()
        from ", actor!(), " where id = $3 and user_id = $2 and revoked_at is null");
    RIGHTS = "
        with key as (
            select k.id, k.user_id, k.permissions, k.last_used_at from api_keys k
            where (k.token_hash = $1 or k.id = $2) and k.revoked_at is null and k.expires_at > now()),
        used as (
            update api_keys k set last_used_at = now() from key
            where k.id = key.id and coalesce(key.last_used_at, '-infinity') < now() - $3::int8 * interval '1 second')
        select u.role, array(
                   select distinct p from user_roles h join roles r on r.id = h.role_id, unnest(r.permissions) p
                   where h.user_id = u.id),
               key.id, u.id, u.email, key.permissions
        from key join users u on u.id = key.user_id
        where u.is_active";
}

/// How a key is named when its rights are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyName {
    /// By its SHA-256.
    Hash([u8; 32]),
    /// By its id.
    Id(Uuid),
}

/// A key that is good, and its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// What the account may do.
    pub rights: AccessRights,
    /// The key.
    pub key_id: Uuid,
    /// The account.
    pub user_id: UserId,
    /// Its mail address.
    pub email: String,
    /// What the key is limited to.
    pub permissions: Vec<String>,
}

fn api_key(c: &mut Columns) -> Result<ApiKey, StoreError> {
    Ok(ApiKey {
        id: c.take()?,
        created_at: c.take()?,
        name: c.take()?,
        prefix: c.take()?,
        permissions: c.take()?,
        expires_at: c.take()?,
        last_used_at: c.take()?,
    })
}

/// A new key.
#[derive(Debug)]
pub struct New<'n> {
    /// What it is for.
    pub name: &'n str,
    /// How it begins.
    pub prefix: &'n str,
    /// Its SHA-256.
    pub hash: [u8; 32],
    /// What it is limited to.
    pub permissions: &'n [String],
    /// Days until it ends.
    pub valid_days: i64,
}

/// Stores a new key of an account. `None`: there is no such active account.
pub async fn create(
    db: &Db,
    actor: &Actor,
    user_id: UserId,
    new: &New<'_>,
) -> Result<Option<ApiKey>, StoreError> {
    let params = vec![
        actor.setting(),
        id(user_id.0),
        text(new.name),
        text(new.prefix),
        bytes(&new.hash),
        texts(new.permissions),
        new.valid_days.into(),
    ];
    db.first(CREATE, params, api_key).await
}

/// A page of the keys of an account that are good.
pub async fn list(
    db: &Db,
    user_id: UserId,
    query: &ListQuery<ApiKeySort>,
) -> Result<Page<ApiKey>, StoreError> {
    LIST.page(db, query, vec![id(user_id.0)], api_key).await
}

/// Ends a key of an account. False: there is none.
pub async fn end(db: &Db, actor: &Actor, user_id: UserId, key_id: Uuid) -> Result<bool, StoreError> {
    Ok(db.execute(END, vec![actor.setting(), id(user_id.0), id(key_id)]).await? > 0)
}

/// What a key may be used for now, and notes that it is in use; `None` if it is unknown or has ended, or its account is gone
/// or inactive.
pub async fn rights(db: &Db, key: KeyName) -> Result<Option<Holder>, StoreError> {
    let (hash, key_id) = match key {
        KeyName::Hash(hash) => (Some(hash), None),
        KeyName::Id(key_id) => (None, Some(key_id)),
    };
    let params = vec![optional(hash, |hash| bytes(&hash)), optional(key_id, id), USE_RECORDED_EVERY_S.into()];
    db.first(RIGHTS, params, |c| {
        Ok(Holder {
            rights: crate::user::access_rights(c)?,
            key_id: c.take()?,
            user_id: c.take()?,
            email: c.take()?,
            permissions: c.take()?,
        })
    })
    .await
}
