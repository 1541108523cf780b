//! Adding and changing settings.

use crate::show;
use http::StatusCode;
use pm_api::SettingType;
use pm_domain::settings::{Definition, InvalidValue, MASK, Visibility, free_value, key_is_writable};
use pm_store::{
    StoreError,
    setting::{self, Content},
};
use pm_web::{Call, Fields, Outcome, Refusal, json};

const VALUE: usize = 10_000;
const DESCRIPTION: usize = 2000;
const CATEGORY: usize = 64;
/// The free object is accepted under both names that clients use.
const METADATA: &[&str] = &["metadata", "metadata_json"];

/// `POST /settings`: a setting of the administrators' own.
pub(crate) async fn create(call: &Call) -> Outcome {
    let mut fields = call.fields()?;
    let new = Content {
        key: fields.required_text("key", 128),
        value: fields.text("value", VALUE).flatten(),
        value_type: fields.word("value_type").unwrap_or(SettingType::String),
        description: fields.text("description", DESCRIPTION).flatten(),
        category: category(&mut fields).unwrap_or_else(|| "general".to_owned()),
        is_public: fields.boolean("is_public").unwrap_or(false),
        is_secret: fields.boolean("is_secret").unwrap_or(false),
        metadata: fields.object(METADATA).flatten(),
    };
    if !new.key.is_empty() && !key_is_writable(&new.key) {
        fields.refuse(
            "string_pattern_mismatch",
            "key",
            "String should consist of letters, digits, '.', '-' and '_'",
        );
    }
    if let Some(value) = &new.value {
        refuse_misfit(&mut fields, free_value(new.value_type, value), new.is_secret);
    }
    if new.is_public && new.is_secret {
        fields.refuse("value_error", "is_secret", "A public setting cannot be secret");
    }
    fields.end()?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    let exists = || Refusal::BadRequest("Setting with this key already exists".to_owned());
    if Definition::find(&new.key).is_some() {
        return Err(exists());
    }
    match setting::create(&db, &actor, new).await {
        Ok(created) => Ok(json(StatusCode::CREATED, &show::stored(created))),
        Err(StoreError::Constraint(name)) if name == "settings_key_unique" => Err(exists()),
        Err(other) => Err(other.into()),
    }
}

/// `PATCH /settings/{key}`.
pub(crate) async fn update(call: &Call) -> Outcome {
    let key = call.param("key");
    let fields = call.fields()?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    let row = setting::get(&db, key).await?;
    let was = |s: pm_api::setting::Setting| Content {
        key: s.key,
        value: s.value,
        value_type: s.value_type,
        description: s.description,
        category: s.category,
        is_public: s.is_public,
        is_secret: s.is_secret,
        metadata: s.metadata,
    };
    let changed = match (Definition::find(key), row) {
        (Some(known), row) => of_known(known, fields, row.map(was))?,
        (None, Some(row)) => of_added(fields, was(row))?,
        (None, None) => return Err(Refusal::NotFound),
    };
    Ok(json(StatusCode::OK, &show::stored(setting::put(&db, &actor, changed).await?)))
}

/// Value and free object can change; what is said of the rest must be what holds.
fn of_known(known: &Definition, mut fields: Fields, row: Option<Content>) -> Result<Content, Refusal> {
    let mut content = was_known(known, row);
    let fixed = "This is fixed for a setting that the system obeys";
    if fields.word("value_type").is_some_and(|t: SettingType| t != content.value_type) {
        fields.refuse("value_error", "value_type", fixed);
    }
    if fields.text("description", DESCRIPTION).is_some_and(|d| d.as_deref() != Some(known.description)) {
        fields.refuse("value_error", "description", fixed);
    }
    if category(&mut fields).is_some_and(|c| c != content.category) {
        fields.refuse("value_error", "category", fixed);
    }
    if fields.boolean("is_public").is_some_and(|p| p != content.is_public) {
        fields.refuse("value_error", "is_public", fixed);
    }
    if let Some(value) = new_value(&mut fields, content.is_secret) {
        if let Some(value) = &value {
            refuse_misfit(&mut fields, known.kind.check(value), content.is_secret);
        }
        content.value = value;
    }
    if let Some(metadata) = fields.object(METADATA) {
        content.metadata = metadata;
    }
    fields.end().map(|()| content)
}

fn was_known(known: &Definition, row: Option<Content>) -> Content {
    let (value, metadata) = row.map_or((None, None), |r| (r.value, r.metadata));
    Content {
        key: known.key.to_owned(),
        value,
        value_type: known.kind.value_type(),
        description: Some(known.description.to_owned()),
        category: known.category().to_owned(),
        is_public: known.visibility == Visibility::Public,
        is_secret: known.visibility == Visibility::Secret,
        metadata,
    }
}

fn of_added(mut fields: Fields, mut content: Content) -> Result<Content, Refusal> {
    if let Some(value_type) = fields.word("value_type") {
        content.value_type = value_type;
    }
    if let Some(description) = fields.text("description", DESCRIPTION) {
        content.description = description;
    }
    if let Some(category) = category(&mut fields) {
        content.category = category;
    }
    if let Some(is_public) = fields.boolean("is_public") {
        content.is_public = is_public;
    }
    if let Some(value) = new_value(&mut fields, content.is_secret) {
        content.value = value;
    }
    if let Some(metadata) = fields.object(METADATA) {
        content.metadata = metadata;
    }
    if content.is_public && content.is_secret {
        fields.refuse("value_error", "is_public", "A secret setting cannot be public");
    }
    if let Some(value) = &content.value {
        refuse_misfit(&mut fields, free_value(content.value_type, value), content.is_secret);
    }
    fields.end().map(|()| content)
}

/// The value of a change; the mask of a secret, sent back, changes nothing.
fn new_value(fields: &mut Fields, is_secret: bool) -> Option<Option<String>> {
    let value = if is_secret { fields.secret("value", VALUE) } else { fields.text("value", VALUE) };
    value.filter(|v| !(is_secret && v.as_deref() == Some(MASK)))
}

fn category(fields: &mut Fields) -> Option<String> {
    let category = fields.text("category", CATEGORY).flatten();
    if category.as_ref().is_some_and(|c| c.trim().is_empty()) {
        fields.refuse("string_too_short", "category", "String should have at least 1 character");
    }
    category
}

fn refuse_misfit(fields: &mut Fields, fit: Result<(), InvalidValue>, is_secret: bool) {
    match fit {
        Ok(()) => {}
        Err(misfit) if is_secret => fields.refuse_secret("value_error", "value", misfit.to_string()),
        Err(misfit) => fields.refuse("value_error", "value", misfit.to_string()),
    }
}
