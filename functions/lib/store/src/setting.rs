//! Settings. What is stored here overrules the defaults of `pm_domain::settings`.

use crate::{
    Actor, Db, StoreError,
    statement::{actor, statements},
    value::{Columns, id, json, optional, text, texts},
};
use pm_api::setting::Setting;
use pm_domain::settings::{Key, Values};
use spin_sdk::pg::ParameterValue;
use uuid::Uuid;

statements! {
    READ = "select key, value from settings where key = any ($1::text[])";
    LIST = "
        select id, created_at at time zone 'utc', updated_at at time zone 'utc', key, value, value_type, description,
               category, is_public, is_secret, metadata
        from settings order by key";
    GET = "
        select id, created_at at time zone 'utc', updated_at at time zone 'utc', key, value, value_type, description,
               category, is_public, is_secret, metadata
        from settings where key = $1";
    CREATE = concat!("
        insert into settings (id, key, value, value_type, description, category, is_public, is_secret, metadata)
        select $2, $3, $4, $5, $6, $7, $8, $9, $10 from ", actor!(), "
        returning id, created_at at time zone 'utc', updated_at at time zone 'utc', key, value, value_type, description,
                  category, is_public, is_secret, metadata");
    PUT = concat!("
        insert into settings (id, key, value, value_type, description, category, is_public, is_secret, metadata)
        select $2, $3, $4, $5, $6, $7, $8, $9, $10 from ", actor!(), "
        on conflict (key) do update set
            value = excluded.value, value_type = excluded.value_type, description = excluded.description,
            category = excluded.category, is_public = excluded.is_public, is_secret = excluded.is_secret,
            metadata = excluded.metadata
        returning id, created_at at time zone 'utc', updated_at at time zone 'utc', key, value, value_type, description,
                  category, is_public, is_secret, metadata");
    DELETE = concat!("
        delete from settings using ", actor!(), " where key = $2");
}

fn setting(c: &mut Columns) -> Result<Setting, StoreError> {
    Ok(Setting {
        id: c.take()?,
        created_at: c.take()?,
        updated_at: c.take()?,
        key: c.take()?,
        value: c.take()?,
        value_type: c.word()?,
        description: c.take()?,
        category: c.take()?,
        is_public: c.take()?,
        is_secret: c.take()?,
        metadata: c.take()?,
        default_value: None,
    })
}

fn parameters(actor: &Actor, setting: &Setting) -> Result<Vec<ParameterValue>, StoreError> {
    Ok(vec![
        actor.setting(),
        id(Uuid::now_v7()),
        text(&setting.key),
        optional(setting.value.as_deref(), text),
        text(setting.value_type.as_str()),
        optional(setting.description.as_deref(), text),
        text(&setting.category),
        setting.is_public.into(),
        setting.is_secret.into(),
        setting.metadata.as_ref().map_or(Ok(ParameterValue::DbNull), json)?,
    ])
}

/// The values in force of the given settings, in one statement. A setting that was not asked for has its default.
pub async fn read(db: &Db, keys: &[Key]) -> Result<Values, StoreError> {
    let keys = texts(keys.iter().map(|key| key.definition().key));
    Ok(Values::new(db.rows(READ, vec![keys], |c| Ok((c.take()?, c.take()?))).await?))
}

/// Everything stored, by key; secrets in clear.
pub async fn list(db: &Db) -> Result<Vec<Setting>, StoreError> {
    db.rows(LIST, vec![], setting).await
}

/// What is stored under a key; a secret in clear.
pub async fn get(db: &Db, key: &str) -> Result<Option<Setting>, StoreError> {
    db.first(GET, vec![text(key)], setting).await
}

/// Stores a new setting, a secret in clear; its id and times are made here.
///
/// # Errors
/// Constraint `settings_key_unique` if there is one of this name.
pub async fn create(db: &Db, actor: &Actor, new: &Setting) -> Result<Setting, StoreError> {
    db.one(CREATE, parameters(actor, new)?, setting).await
}

/// Stores a setting, new or not, a secret in clear.
pub async fn put(db: &Db, actor: &Actor, changed: &Setting) -> Result<Setting, StoreError> {
    db.one(PUT, parameters(actor, changed)?, setting).await
}

/// Removes what is stored under a key. False: nothing was.
pub async fn delete(db: &Db, actor: &Actor, key: &str) -> Result<bool, StoreError> {
    Ok(db.execute(DELETE, vec![actor.setting(), text(key)]).await? > 0)
}
