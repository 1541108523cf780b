//! Mail addresses.

use super::{Refused, Scalar, Text, read_as_scalar};
use serde::Serialize;
use serde_json::Value;
use std::ops::Deref;

/// Longest mail address, characters (RFC 5321: 64 before the @, 255 after it).
pub const MAX_MAIL_ADDRESS_CHARS: usize = 320;
/// Longest part before the @, characters.
const MAX_NAME_CHARS: usize = 64;

/// A mail address, without blanks around it. Whether it receives mail is not checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct MailAddress(pub String);

impl MailAddress {
    /// Is it a mail address?
    ///
    /// # Errors
    /// The reason, in the words of the documented API.
    pub fn check(text: &str) -> Result<(), &'static str> {
        let Some((name, host)) = text.rsplit_once('@') else {
            return Err("An email address must have an @-sign.");
        };
        if name.is_empty() {
            return Err("There must be something before the @-sign.");
        }
        if host.is_empty() {
            return Err("There must be something after the @-sign.");
        }
        if text.chars().count() > MAX_MAIL_ADDRESS_CHARS || name.chars().count() > MAX_NAME_CHARS {
            return Err("The email address is too long.");
        }
        let odd = |c: char| c.is_whitespace() || c.is_control() || "\"(),:;<>[\\]@".contains(c);
        if name.contains(odd) || name.starts_with('.') || name.ends_with('.') || name.contains("..") {
            return Err("The part before the @-sign contains invalid characters.");
        }
        if !host.contains('.') {
            return Err("The part after the @-sign is not valid. It should have a period.");
        }
        if !host.split('.').all(is_host_label) {
            return Err("The part after the @-sign contains invalid characters.");
        }
        Ok(())
    }
}

/// Is it a label of a host name? Letters beyond ASCII are allowed (RFC 5890).
#[must_use]
pub fn is_host_label(text: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || c == '-';
    !text.is_empty()
        && text.len() <= 63
        && text.chars().all(fits)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

impl Scalar for MailAddress {
    fn read(value: &Value) -> Result<Self, Refused> {
        let Text(text) = Text::<1, MAX_MAIL_ADDRESS_CHARS>::read(value)?;
        let text = text.trim();
        Self::check(text).map_err(|why| {
            Refused::new("value_error", format!("value is not a valid email address: {why}"))
        })?;
        Ok(Self(text.to_owned()))
    }
}

read_as_scalar!(MailAddress);

impl Deref for MailAddress {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

/// Unchecked: the reader of the request checks.
impl From<String> for MailAddress {
    fn from(text: String) -> Self {
        Self(text)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for MailAddress {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "MailAddress".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "email", "maxLength": MAX_MAIL_ADDRESS_CHARS })
    }

    fn inline_schema() -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_addresses_are_checked_with_the_documented_reasons() {
        for good in ["a@b.example", "first.last+tag@sub.example.com", "jürgen@müller.example", "o'neil@x.y"]
        {
            assert_eq!(MailAddress::check(good), Ok(()), "{good}");
        }
        assert_eq!(MailAddress::check("nope"), Err("An email address must have an @-sign."));
        let (long_name, long_label) =
            (format!("{}@b.example", "a".repeat(65)), format!("a@{}.example", "b".repeat(64)));
        for bad in [
            "",
            "@",
            "a@",
            "@b.example",
            "a@b",
            "a@b.",
            "a@.example",
            "a b@c.example",
            "a@b c.example",
            ".a@b.example",
            "a..b@c.example",
            "a@-b.example",
            "a,b@c.example",
            "a@b@c.example",
            "a\n@b.example",
            &long_name,
            &long_label,
        ] {
            assert!(MailAddress::check(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn blanks_around_an_address_are_left_out() {
        assert_eq!(MailAddress::read(&" a@b.example\n".into()), Ok(MailAddress("a@b.example".to_owned())));
        for (bad, kind) in [(Value::from(" "), "string_too_short"), (7.into(), "string_type")] {
            assert_eq!(MailAddress::read(&bad).map_err(|refused| refused.kind), Err(kind));
        }
    }
}
