//! The values in force.

use super::{Definition, Key, check::boolean};
use serde_json::Value;
use std::collections::BTreeMap;

/// The values in force of some settings: what is stored where it fits, else the default.
#[derive(Debug, Clone, Default)]
pub struct Values(BTreeMap<Key, String>);

impl Values {
    /// Takes what is stored: pairs of key and value. Keys that nobody knows and values that do not fit are left out.
    pub fn new(stored: impl IntoIterator<Item = (String, Option<String>)>) -> Self {
        let fitting = |(key, value): (String, Option<String>)| {
            let known = Definition::find(&key)?;
            let value = value.filter(|v| known.kind.check(v).is_ok())?;
            Some((known.id, value))
        };
        Self(stored.into_iter().filter_map(fitting).collect())
    }

    /// As text; empty where the default is.
    #[must_use]
    pub fn text(&self, key: Key) -> &str {
        self.0.get(&key).map_or(key.definition().default, String::as_str)
    }

    /// A switch. False for a setting that is none.
    #[must_use]
    pub fn boolean(&self, key: Key) -> bool {
        boolean(self.text(key)).unwrap_or_default()
    }

    /// A whole number. 0 for a setting that is none.
    #[must_use]
    pub fn integer(&self, key: Key) -> i64 {
        self.text(key).parse().unwrap_or_default()
    }

    /// A list of texts. Empty for a setting that is none.
    #[must_use]
    pub fn list(&self, key: Key) -> Vec<String> {
        serde_json::from_str(self.text(key)).unwrap_or_default()
    }

    /// A JSON value. Null for a setting that is none.
    #[must_use]
    pub fn json(&self, key: Key) -> Value {
        serde_json::from_str(self.text(key)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_value_that_does_not_fit_gives_the_default() {
        let values = Values::new(
            [
                ("retention.raw_days", Some("7")),
                ("retention.hour_days", Some("-1")),
                ("retention.minute_days", None),
                ("notifications.mail_enabled", Some("false")),
                ("cors.origins", Some(r#"["https://a.example"]"#)),
                ("of.nobody", Some("1")),
            ]
            .map(|(key, value)| (key.to_owned(), value.map(str::to_owned))),
        );
        assert_eq!(values.integer(Key::RetentionRawDays), 7);
        assert_eq!(values.integer(Key::RetentionHourDays), 3650);
        assert_eq!(values.integer(Key::RetentionMinuteDays), 365);
        assert!(
            !values.boolean(Key::NotificationsMailEnabled)
                && values.boolean(Key::NotificationsWebhooksEnabled)
        );
        assert_eq!(values.list(Key::CorsOrigins), ["https://a.example"]);
        assert_eq!(values.text(Key::RegistrationPolicy), "admin");
        assert_eq!(values.json(Key::SensorsDefaultThresholds), serde_json::json!({}));
    }
}
