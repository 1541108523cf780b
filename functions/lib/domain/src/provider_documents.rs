//! What an identity provider publishes of itself: where its parts are (OpenID Connect Discovery 1.0) and its keys. Both are
//! kept for a while, because every sign-in needs them.

use crate::{
    duration::HOUR_S,
    identity_provider::{ClientSecret, Provider},
    target,
};
use pm_api::Timestamp;
use serde::Deserialize;

/// How long they are kept, seconds.
const KEEP_S: i64 = HOUR_S;
/// How soon they are fetched again for a token with a key that is not among them, seconds: keys rotate, and tokens may be
/// made up.
const MIN_AGE_S: i64 = 5;

/// Where the parts of a provider are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Configuration {
    issuer: String,
    /// Where browsers sign in.
    pub authorization_endpoint: String,
    /// Where a code is exchanged for tokens.
    pub token_endpoint: String,
    /// Where its keys are.
    pub jwks_uri: String,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

impl Configuration {
    /// Where a secret goes: into the header, if the provider takes it there or says nothing (OpenID Connect Discovery 1.0,
    /// section 3).
    #[must_use]
    pub fn client_secret<'s>(&self, secret: Option<&'s str>) -> ClientSecret<'s> {
        let methods = self.token_endpoint_auth_methods_supported.as_ref();
        let in_header = methods.is_none_or(|all| all.iter().any(|method| method == "client_secret_basic"));
        match secret {
            None => ClientSecret::Absent,
            Some(secret) if in_header => ClientSecret::InHeader(secret),
            Some(secret) => ClientSecret::InForm(secret),
        }
    }
}

/// Where a provider says where its parts are.
#[must_use]
pub fn configuration_url(provider: &Provider) -> String {
    format!("{}/.well-known/openid-configuration", provider.issuer.trim_end_matches('/'))
}

/// Reads what a provider says of itself.
///
/// # Errors
/// Why it is not to be believed.
pub fn configuration(provider: &Provider, document: &str) -> Result<Configuration, String> {
    let read: Configuration =
        serde_json::from_str(document).map_err(|e| format!("its configuration: {e}"))?;
    if read.issuer != provider.issuer {
        return Err(format!("its configuration names another issuer, {}", read.issuer));
    }
    for url in [&read.authorization_endpoint, &read.token_endpoint, &read.jwks_uri] {
        // who may be called is decided where it is called
        target::check(url, true).map_err(|why| format!("{url}: {why}"))?;
        if provider.issuer.starts_with("https://") && !url.starts_with("https://") {
            return Err(format!("{url} is without TLS"));
        }
    }
    Ok(read)
}

/// Are documents of that time good, or have they to be fetched again? `key_is_missing`: a token has a key that they lack.
#[must_use]
pub fn are_current(fetched_at: Timestamp, key_is_missing: bool, now: Timestamp) -> bool {
    let keep_s = if key_is_missing { MIN_AGE_S } else { KEEP_S };
    // a clock that was set back does not keep them for ever
    fetched_at <= now.plus_seconds(MIN_AGE_S) && now < fetched_at.plus_seconds(keep_s)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(issuer: &str) -> Provider {
        let text = format!(r#"[{{"name":"a","label":"A","issuer":"{issuer}","client_id":"pm"}}]"#);
        let mut all = crate::identity_provider::providers(&text).unwrap_or_default();
        all.pop().unwrap_or_else(|| panic!("no provider in {text}"))
    }

    #[test]
    fn a_configuration_is_believed_from_its_own_issuer_and_over_tls_only() {
        let document = |issuer: &str, token: &str| {
            format!(
                r#"{{"issuer":"{issuer}","authorization_endpoint":"https://a.example/auth","token_endpoint":"{token}",
                     "jwks_uri":"https://a.example/keys"}}"#
            )
        };
        let good = provider("https://a.example");
        assert_eq!(configuration_url(&good), "https://a.example/.well-known/openid-configuration");
        assert_eq!(
            configuration_url(&provider("https://a.example/realms/plant/")),
            "https://a.example/realms/plant/.well-known/openid-configuration"
        );
        for (issuer, token, is_good) in [
            ("https://a.example", "https://a.example/token", true),
            ("https://b.example", "https://a.example/token", false),
            ("https://a.example", "http://a.example/token", false),
            ("https://a.example", "http://ingest.spin.internal/token", false),
            ("https://a.example", "file:///token", false),
        ] {
            let read = configuration(&good, &document(issuer, token));
            assert_eq!(read.is_ok(), is_good, "{issuer} {token}");
        }
        assert!(configuration(&good, "{}").is_err() && configuration(&good, "<html>").is_err());
        let plain = provider("http://127.0.0.1:3000");
        assert!(
            configuration(&plain, &document("http://127.0.0.1:3000", "http://127.0.0.1:3000/token")).is_ok()
        );
    }

    #[test]
    fn a_secret_goes_where_the_provider_takes_it() {
        let read = |methods: &str| -> Configuration {
            let document = format!(
                r#"{{"issuer":"i","authorization_endpoint":"a","token_endpoint":"t","jwks_uri":"k",
                     "token_endpoint_auth_methods_supported":{methods}}}"#
            );
            serde_json::from_str(&document).unwrap_or_else(|why| panic!("{why}"))
        };
        for (methods, expected) in [
            ("null", ClientSecret::InHeader("s")),
            (r#"["client_secret_post","client_secret_basic"]"#, ClientSecret::InHeader("s")),
            (r#"["client_secret_post"]"#, ClientSecret::InForm("s")),
        ] {
            assert_eq!(read(methods).client_secret(Some("s")), expected, "{methods}");
            assert_eq!(read(methods).client_secret(None), ClientSecret::Absent);
        }
    }

    #[test]
    fn documents_are_fetched_again_after_an_hour_or_for_a_missing_key_but_not_at_once() {
        let now = Timestamp(1_800_000_000_000_000);
        for (age_s, key_is_missing, current) in [
            (0, false, true),
            (3599, false, true),
            (3600, false, false),
            (4, true, true),
            (5, true, false),
            (-3600, false, false),
        ] {
            assert_eq!(are_current(now.plus_seconds(-age_s), key_is_missing, now), current, "{age_s}");
        }
    }
}
