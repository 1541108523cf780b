//! Settings (`/settings`).

use crate::{
    Metadata, SettingId, SettingType, Timestamp,
    input::{Patch, Secret, Text, input},
};
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

/// The value of a setting as text. No fault repeats it, because it may be a secret.
pub type SettingValue = Secret<0, 10_000>;

input! {
    /// Filters of `GET /settings`.
    SettingFilter {
        optional {
            /// Of this category.
            category: Text<0, 200>,
        }
    }
    /// Body of `POST /settings`.
    NewSetting {
        required {
            /// Its name: letters, digits, `.`, `-` and `_`.
            key: Text<1, 128>,
        }
        optional {
            /// The value as text; must fit the type.
            value: SettingValue,
            /// How the value is to be read; «string» unless given.
            value_type: SettingType,
            /// What it does, for people.
            description: Text<0, 2000>,
            /// Group that it is shown in; «general» unless given.
            category: Text<1, 64>,
            /// May every signed-in user read it? False unless given.
            is_public: bool,
            /// Keep its value from everybody? False unless given; not together with `is_public`.
            is_secret: bool,
            /// Free object; `metadata_json` is the same.
            metadata: Metadata,
        }
    }
    /// Body of `PATCH /settings/{key}`: what to change. Of a known setting only `value` and `metadata` can change.
    SettingChange {
        optional {
            /// How the value is to be read.
            value_type: SettingType,
            /// Group that it is shown in.
            category: Text<1, 64>,
            /// May every signed-in user read it?
            is_public: bool,
        }
        patch {
            /// The value as text; must fit the type. Null gives a known setting its default back; `********` leaves a secret.
            value: SettingValue,
            /// What it does, for people.
            description: Text<0, 2000>,
            /// Free object; `metadata_json` is the same.
            metadata: Metadata,
        }
    }
}
