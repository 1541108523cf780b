//! What a request makes of a setting.

use super::{Definition, InvalidValue, MASK, Visibility, free_value, key_is_writable};
use pm_api::{
    SettingType,
    input::{FieldFault, Patch, Refused},
    setting::{NewSetting, Setting, SettingChange},
};
use serde_json::{Value, json};

impl Definition {
    /// The setting while nothing is stored for it.
    #[must_use]
    pub fn setting(&self) -> Setting {
        let is_secret = self.visibility == Visibility::Secret;
        let default = Some(self.default.to_owned()).filter(|_| !is_secret);
        Setting {
            id: None,
            created_at: None,
            updated_at: None,
            key: self.key.to_owned(),
            value: default.clone(),
            value_type: self.kind.value_type(),
            description: Some(self.description.to_owned()),
            category: self.category().to_owned(),
            is_public: self.visibility == Visibility::Public,
            is_secret,
            metadata: None,
            default_value: default,
        }
    }
}

/// A setting of the administrators' own.
///
/// # Errors
/// Everything that is wrong with it; the value of a secret is not repeated.
pub fn added(new: &NewSetting) -> Result<Setting, Vec<FieldFault>> {
    let setting = Setting {
        id: None,
        created_at: None,
        updated_at: None,
        key: new.key.0.clone(),
        value: new.value.as_deref().map(str::to_owned),
        value_type: new.value_type.unwrap_or(SettingType::String),
        description: new.description.as_deref().map(str::to_owned),
        category: new.category.as_deref().unwrap_or("general").to_owned(),
        is_public: new.is_public.unwrap_or(false),
        is_secret: new.is_secret.unwrap_or(false),
        metadata: new.metadata.clone(),
        default_value: None,
    };
    let mut faults = Vec::new();
    if !key_is_writable(&setting.key) {
        let message = "String should consist of letters, digits, '.', '-' and '_'";
        let refused = Refused::new("string_pattern_mismatch", message);
        faults.push(FieldFault { field: "key", refused, input: setting.key.as_str().into() });
    }
    if setting.is_public && setting.is_secret {
        faults.push(FieldFault::new("is_secret", "A public setting cannot be secret", true));
    }
    faults.extend(invalid(None, &setting));
    if faults.is_empty() { Ok(setting) } else { Err(faults) }
}

/// A setting after a change. `before` is what is stored or, of a known setting without a row, what would be.
///
/// # Errors
/// Everything that is wrong with the change; the value of a secret is not repeated.
pub fn changed(before: Setting, change: &SettingChange) -> Result<Setting, Vec<FieldFault>> {
    let known = Definition::find(&before.key);
    let mut after = before.clone();
    after.value_type = change.value_type.unwrap_or(before.value_type);
    after.is_public = change.is_public.unwrap_or(before.is_public);
    if let Some(category) = &change.category {
        after.category.clone_from(&category.0);
    }
    patch(&mut after.description, &change.description, |text| text.0.clone());
    patch(&mut after.metadata, &change.metadata, Clone::clone);
    // the mask of a secret, sent back, changes nothing
    let is_mask = before.is_secret && change.value.given().is_some_and(|value| &**value == MASK);
    let gives_value = !change.value.is_absent() && !is_mask;
    if gives_value {
        patch(&mut after.value, &change.value, |value| value.0.clone());
    }
    let mut faults = Vec::new();
    if known.is_some() {
        faults.extend(fixed(&before, &after));
    } else if after.is_public && after.is_secret {
        faults.push(FieldFault::new("is_public", "A secret setting cannot be public", true));
    }
    // what was stored of a known setting before may fit no more
    if known.is_none() || gives_value {
        faults.extend(invalid(known, &after));
    }
    if faults.is_empty() { Ok(after) } else { Err(faults) }
}

fn patch<T, U>(field: &mut Option<U>, change: &Patch<T>, convert: impl Fn(&T) -> U) {
    if !change.is_absent() {
        *field = change.given().map(convert);
    }
}

/// Of a setting that the system obeys, only the value and the free object can change.
fn fixed(before: &Setting, after: &Setting) -> Vec<FieldFault> {
    let fault = |field, input: Value| {
        FieldFault::new(field, "This is fixed for a setting that the system obeys", input)
    };
    let mut faults = Vec::new();
    if after.value_type != before.value_type {
        faults.push(fault("value_type", after.value_type.as_str().into()));
    }
    if after.description != before.description {
        faults.push(fault("description", json!(after.description)));
    }
    if after.category != before.category {
        faults.push(fault("category", after.category.as_str().into()));
    }
    if after.is_public != before.is_public {
        faults.push(fault("is_public", after.is_public.into()));
    }
    faults
}

/// Why the value does not fit the setting.
fn invalid(known: Option<&Definition>, setting: &Setting) -> Option<FieldFault> {
    let value = setting.value.as_deref()?;
    let fit = known.map_or_else(|| free_value(setting.value_type, value), |known| known.kind.check(value));
    let InvalidValue(message) = fit.err()?;
    let input = if setting.is_secret { Value::Null } else { value.into() };
    Some(FieldFault::new("value", message, input))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::DEFINITIONS;
    use proptest::prelude::*;

    fn fields<T>(outcome: Result<T, Vec<FieldFault>>) -> Vec<&'static str> {
        outcome.err().unwrap_or_default().into_iter().map(|fault| fault.field).collect()
    }

    fn new(key: &str) -> NewSetting {
        NewSetting {
            key: key.into(),
            value: None,
            value_type: None,
            description: None,
            category: None,
            is_public: None,
            is_secret: None,
            metadata: None,
        }
    }

    fn value(text: &str) -> SettingChange {
        SettingChange { value: Patch::Set(text.into()), ..SettingChange::default() }
    }

    #[test]
    fn a_new_setting_is_refused_for_all_its_faults_and_its_secret_is_not_repeated() {
        let bad = NewSetting {
            value: Some("x".into()),
            value_type: Some(SettingType::Number),
            is_public: Some(true),
            is_secret: Some(true),
            ..new("a b")
        };
        let faults = added(&bad).err().unwrap_or_default();
        let of: Vec<_> = faults.iter().map(|fault| (fault.field, &fault.input)).collect();
        assert_eq!(of, [("key", &json!("a b")), ("is_secret", &json!(true)), ("value", &Value::Null)]);
        let plain = added(&new("a")).map(|setting| (setting.category, setting.value_type));
        assert_eq!(plain, Ok(("general".to_owned(), SettingType::String)));
    }

    #[test]
    fn a_known_setting_keeps_everything_but_its_value_and_free_object() {
        for known in DEFINITIONS {
            let before = known.setting();
            let said = SettingChange {
                value_type: Some(before.value_type),
                category: Some(before.category.as_str().into()),
                is_public: Some(before.is_public),
                description: Patch::Set(known.description.into()),
                ..SettingChange::default()
            };
            assert_eq!(changed(before.clone(), &said), Ok(before.clone()), "{}", known.key);
            let other = SettingChange {
                category: Some("other".into()),
                is_public: Some(!before.is_public),
                description: Patch::Clear,
                ..SettingChange::default()
            };
            assert_eq!(fields(changed(before, &other)), ["description", "category", "is_public"]);
        }
    }

    #[test]
    fn a_stored_value_that_fits_no_more_does_not_hinder_other_changes() {
        let Some(known) = Definition::find("retention.raw_days") else { panic!("no such setting") };
        let before = Setting { value: Some("many".to_owned()), ..known.setting() };
        let metadata = json!({ "a": 1 }).as_object().cloned().unwrap_or_default();
        let change = SettingChange { metadata: Patch::Set(metadata.clone()), ..SettingChange::default() };
        assert_eq!(changed(before.clone(), &change).map(|after| after.metadata), Ok(Some(metadata)));
        assert_eq!(fields(changed(before, &value("many"))), ["value"]);
    }

    proptest! {
        #[test]
        fn the_value_of_an_added_setting_always_fits_its_type(
            text in "true|[0-9.]{0,3}|\\{\\}|[a-z]{0,3}",
            later in "true|[0-9.]{0,3}|\\{\\}|[a-z]{0,3}",
            type_index in 0..SettingType::ALL.len(),
            later_index in 0..SettingType::ALL.len(),
        ) {
            let value_type = SettingType::ALL[type_index];
            let new = NewSetting { value: Some(text.as_str().into()), value_type: Some(value_type), ..new("k") };
            let Ok(setting) = added(&new) else {
                prop_assert!(free_value(value_type, &text).is_err());
                return Ok(());
            };
            let change = SettingChange { value_type: Some(SettingType::ALL[later_index]), ..value(&later) };
            if let Ok(after) = changed(setting, &change) {
                prop_assert!(free_value(after.value_type, after.value.as_deref().unwrap_or_default()).is_ok());
            } else {
                prop_assert!(free_value(SettingType::ALL[later_index], &later).is_err());
            }
        }

        #[test]
        fn the_mask_of_a_secret_changes_nothing(secret in "[a-z*]{0,12}") {
            let new = NewSetting { value: Some(secret.as_str().into()), is_secret: Some(true), ..new("k") };
            let setting = added(&new).map_err(|faults| TestCaseError::fail(format!("{faults:?}")))?;
            prop_assert_eq!(changed(setting.clone(), &value(MASK)), Ok(setting));
        }
    }
}
