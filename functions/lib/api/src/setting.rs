//! Settings (`/settings`).

use crate::input::{Text, input};
use crate::{Metadata, SettingId, SettingType, Timestamp};
use serde::{Deserialize, Serialize};

/// A setting: one of those that the functions obey, or one that administrators added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Setting {
    /// Identifier; none while a known setting has its default.
    pub id: Option<SettingId>,
    /// When it was first stored; none while a known setting has its default.
    pub created_at: Option<Timestamp>,
    /// When it was last changed; none while a known setting has its default.
    pub updated_at: Option<Timestamp>,
    /// Its name, letters, digits, `.`, `-` and `_`. Known settings are named `category.name_unit`.
    pub key: String,
    /// The value in force as text: `true`, `12.5`, a JSON document, … A secret that is set is shown as `********`.
    pub value: Option<String>,
    /// How the value is to be read.
    pub value_type: SettingType,
    /// What it does, for people.
    pub description: Option<String>,
    /// Group that it is shown in.
    pub category: String,
    /// May every signed-in user read it?
    pub is_public: bool,
    /// Is its value kept from everybody?
    pub is_secret: bool,
    /// Free object.
    pub metadata: Option<Metadata>,
    /// The value without anybody's doing; none for a setting that administrators added.
    pub default_value: Option<String>,
}

/// Body of `POST /settings`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewSetting {
    /// Its name, 1 to 128 of letters, digits, `.`, `-` and `_`.
    pub key: String,
    /// The value as text; must fit the type. At most 10,000 characters.
    pub value: Option<String>,
    /// How the value is to be read; «string» unless given.
    pub value_type: Option<SettingType>,
    /// What it does, for people.
    pub description: Option<String>,
    /// Group that it is shown in; «general» unless given.
    pub category: Option<String>,
    /// May every signed-in user read it? False unless given.
    pub is_public: Option<bool>,
    /// Keep its value from everybody? False unless given; not together with `is_public`.
    pub is_secret: Option<bool>,
    /// Free object.
    pub metadata: Option<Metadata>,
}

/// Body of `PATCH /settings/{key}`: what to change. Of a known setting only `value` and `metadata` can change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SettingChange {
    /// The value as text; must fit the type. Null gives a known setting its default back; `********` leaves a secret.
    pub value: Option<String>,
    /// How the value is to be read.
    pub value_type: Option<SettingType>,
    /// What it does, for people.
    pub description: Option<String>,
    /// Group that it is shown in.
    pub category: Option<String>,
    /// May every signed-in user read it?
    pub is_public: Option<bool>,
    /// Free object.
    pub metadata: Option<Metadata>,
}

input! {
    /// Filters of `GET /settings`.
    SettingFilter {
        optional {
            /// Of this category.
            category: Text<0, 200>,
        }
    }
}
