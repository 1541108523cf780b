//! Adding and changing settings.

use crate::show;
use pm_api::{route::op, setting::Setting};
use pm_domain::settings::{Definition, added, changed};
use pm_store::{Actor, Db, StoreError, setting};
use pm_web::{Call, Input, Refusal};

/// `POST /settings`: a setting of the administrators' own.
pub(crate) async fn create(input: Input<op::CreateSetting>) -> Result<Setting, Refusal> {
    let new = added(&input.body).map_err(Refusal::in_body)?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    let exists = || Refusal::BadRequest("Setting with this key already exists".to_owned());
    if Definition::find(&new.key).is_some() {
        return Err(exists());
    }
    match setting::create(&db, &actor, &new).await {
        Ok(created) => Ok(show::stored(created)),
        Err(StoreError::Constraint(name)) if name == "settings_key_unique" => Err(exists()),
        Err(other) => Err(other.into()),
    }
}

/// `PATCH /settings/{key}`.
pub(crate) async fn update(input: Input<op::UpdateSetting>) -> Result<Setting, Refusal> {
    let key = input.param("key");
    let db = input.db().await?;
    let actor = author(&input, &db, key).await?;
    let before = match (Definition::find(key), setting::get(&db, key).await?) {
        (Some(known), row) => {
            let (value, metadata) = row.map_or((None, None), |row| (row.value, row.metadata));
            Setting { value, metadata, ..known.setting() }
        }
        (None, Some(row)) => row,
        (None, None) => return Err(Refusal::NotFound),
    };
    let after = changed(before, &input.body).map_err(Refusal::in_body)?;
    Ok(show::stored(setting::put(&db, &actor, &after).await?))
}

/// The author of a change of this setting.
///
/// # Errors
/// 403 for one that is reserved for administrators.
pub(crate) async fn author(call: &Call, db: &Db, key: &str) -> Result<Actor, Refusal> {
    match Definition::find(key).filter(|known| known.is_reserved()) {
        Some(known) => call.administrator(db, &format!("The setting {}", known.key)).await,
        None => call.actor(db).await,
    }
}
