//! The settings that the functions obey: each key once, with its type, bounds, default and meaning.
//!
//! A setting is stored as text. A row need not exist: then, and when a stored text no longer fits, the default holds.
//! Administrators may add settings of their own beside these; nothing here obeys them.

mod change;
mod check;
mod table;
mod values;

pub use change::{added, changed};
pub use check::{InvalidValue, free_value, key_is_writable};
pub use table::{DEFINITIONS, Key};
pub use values::Values;

use pm_api::SettingType;

/// What is shown instead of a secret's value, and what leaves it as it is when sent back.
pub const MASK: &str = "********";

/// What a setting may hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// `true` or `false`.
    Boolean,
    /// A whole number within bounds, both allowed.
    Integer(i64, i64),
    /// A text of at most so many characters; it may be empty.
    Text(usize),
    /// An `http` or `https` address without query; it may be empty.
    Url,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A JSON array of texts.
    Texts,
    /// A JSON array of mail addresses.
    Addresses,
    /// A JSON array of web origins (`https://host[:port]`), or `["*"]`.
    Origins,
    /// A JSON object: sensor type → `{"min_threshold"?, "max_threshold"?, "warning_threshold"?, "critical_threshold"?}`.
    Thresholds,
    /// A JSON object: a name → a whole number within bounds, both allowed.
    Numbers(i64, i64),
    /// A JSON array of identity providers ([`crate::identity_provider::Provider`]).
    Providers,
    /// A JSON object: identity provider's name → the secret that it has given this system.
    ProviderSecrets,
}

impl Kind {
    /// The type under which the API shows it.
    #[must_use]
    pub fn value_type(self) -> SettingType {
        match self {
            Self::Boolean => SettingType::Boolean,
            Self::Integer(..) => SettingType::Number,
            Self::Text(_) | Self::Url | Self::Word(_) => SettingType::String,
            Self::Texts
            | Self::Addresses
            | Self::Origins
            | Self::Thresholds
            | Self::Numbers(..)
            | Self::Providers
            | Self::ProviderSecrets => SettingType::Json,
        }
    }
}

/// Who sees a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Every signed-in user.
    Public,
    /// Engineers and administrators.
    Private,
    /// Nobody: it can be written, and is shown as [`MASK`].
    Secret,
}

/// A setting that the functions obey.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    /// Its key as a value.
    pub id: Key,
    /// Its key as text: `category.name_unit`.
    pub key: &'static str,
    /// What it may hold.
    pub kind: Kind,
    /// The value without a row.
    pub default: &'static str,
    /// Who sees it.
    pub visibility: Visibility,
    /// What it does, for people.
    pub description: &'static str,
}

impl Definition {
    /// The setting with this key.
    #[must_use]
    pub fn find(key: &str) -> Option<&'static Self> {
        DEFINITIONS.iter().find(|known| known.key == key)
    }

    /// Whether administrators alone may change it, and no custom role that may change settings. Whoever sets one of these
    /// decides who gets in: links for new passwords begin with the public address, pages of other origins call with the
    /// rights of their visitors, attachments go to the object store.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        matches!(self.category(), "cors" | "login" | "password" | "registration" | "session")
            || self.id == Key::GeneralPublicUrl
            || self.key.starts_with("attachments.s3_")
            || self.id == Key::AttachmentsStore
    }

    /// The part of the key before the dot.
    #[must_use]
    pub fn category(&self) -> &'static str {
        self.key.split('.').next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn what_trust_rests_on_is_reserved() {
        let reserved = |key: &str| Definition::find(key).map(Definition::is_reserved);
        for key in [
            "general.public_url",
            "registration.policy",
            "cors.origins",
            "password.min_length",
            "session.access_minutes",
            "login.providers",
            "login.provider_secrets",
        ] {
            assert_eq!(reserved(key), Some(true), "{key}");
        }
        for key in ["retention.raw_days", "notifications.mail_enabled", "attachments.max_bytes"] {
            assert_eq!(reserved(key), Some(false), "{key}");
        }
    }

    #[test]
    fn every_default_fits_and_every_key_is_well_formed() {
        let mut keys = BTreeSet::new();
        for known in DEFINITIONS {
            assert_eq!(known.kind.check(known.default), Ok(()), "{}", known.key);
            assert!(keys.insert(known.key), "{} twice", known.key);
            assert!(key_is_writable(known.key) && known.key.split('.').count() == 2, "{}", known.key);
            assert_eq!(Definition::find(known.key).map(|k| k.id), Some(known.id));
            assert!(known.description.ends_with('.'), "{}", known.key);
        }
    }
}
