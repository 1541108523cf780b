//! Sign-in by an identity provider: OpenID Connect Core 1.0, the code flow with PKCE (RFC 7636). Which providers there are,
//! what is asked of them, what their answer is worth, which account it opens. What they publish is `provider_documents`.
//!
//! A provider is trusted with the accounts that it opens: with their role, if it names one, and with their second factor.

use crate::duration::{HOUR_S, MINUTE_S};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use hmac_sha256::Hash;
use pm_api::{Role, Timestamp, input::MailAddress, route::url_encoded};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// How far the provider's clock may be from ours, seconds.
pub const CLOCK_SKEW_S: i64 = MINUTE_S;
/// Oldest ID token that is accepted: it is fetched a moment after it was issued.
const MAX_TOKEN_AGE_S: i64 = HOUR_S;
/// Most characters of the id by which a provider knows a person (OpenID Connect Core 1.0, section 2).
const MAX_SUBJECT_CHARS: usize = 255;
/// Most characters of a person's name.
const MAX_NAME_CHARS: usize = 200;

/// A provider, as the setting `login.providers` describes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Its name in addresses and in `login.provider_secrets`.
    pub name: String,
    /// Its name for people.
    pub label: String,
    /// Its address, exactly as it names itself.
    pub issuer: String,
    /// The name under which it knows this system.
    pub client_id: String,
    /// What is asked for besides `openid`.
    #[serde(default = "default_scopes")]
    pub scopes: Vec<String>,
    /// The claim that says what a person may do, with dots for a claim within a claim; none: roles are given here.
    #[serde(default)]
    pub roles_claim: Option<String>,
    /// Which value of that claim gives which role; of several the highest counts.
    #[serde(default)]
    pub roles: BTreeMap<String, Role>,
    /// The role of a person to whom no value gives one; none: the person is refused. Without `roles_claim`, the role of a new
    /// account, operator unless given.
    #[serde(default)]
    pub default_role: Option<Role>,
    /// Does a person without an account get one?
    #[serde(default = "yes")]
    pub create_accounts: bool,
    /// Does a person get the account with the same mail address, if the provider has verified that?
    #[serde(default)]
    pub link_by_email: bool,
}

fn default_scopes() -> Vec<String> {
    ["email", "profile"].map(str::to_owned).to_vec()
}

fn yes() -> bool {
    true
}

/// The providers that a setting describes.
///
/// # Errors
/// A sentence for people.
pub fn providers(setting: &str) -> Result<Vec<Provider>, String> {
    let providers: Vec<Provider> = serde_json::from_str(setting).map_err(|e| e.to_string())?;
    for (index, provider) in providers.iter().enumerate() {
        check(provider).map_err(|why| format!("{}: {why}", provider.name))?;
        if providers[..index]
            .iter()
            .any(|other| other.name == provider.name || other.issuer == provider.issuer)
        {
            return Err(format!("{}: another provider has the same name or issuer", provider.name));
        }
    }
    Ok(providers)
}

fn check(provider: &Provider) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if provider.name.is_empty() || provider.name.len() > 32 || !provider.name.chars().all(plain) {
        return Err("name should have 1 to 32 lower-case letters, digits and hyphens".to_owned());
    }
    if provider.label.trim().is_empty() || provider.label.chars().count() > 64 {
        return Err("label should have 1 to 64 characters".to_owned());
    }
    crate::address::url(&provider.issuer).map_err(|why| format!("issuer: {why}"))?;
    if provider.client_id.is_empty() || provider.client_id.len() > 200 {
        return Err("client_id should have 1 to 200 characters".to_owned());
    }
    let is_scope = |scope: &String| !scope.is_empty() && scope.bytes().all(|byte| byte.is_ascii_graphic());
    if !provider.scopes.iter().all(is_scope) {
        return Err("scopes should be words".to_owned());
    }
    if provider.roles_claim.is_none() && !provider.roles.is_empty() {
        return Err("roles need a roles_claim".to_owned());
    }
    Ok(())
}

/// The secrets that a setting gives by the provider's name.
///
/// # Errors
/// A sentence for people, without any of them.
pub fn secrets(setting: &str) -> Result<BTreeMap<String, String>, String> {
    serde_json::from_str(setting)
        .map_err(|_| "Input should be a JSON object: provider's name → secret".to_owned())
}

/// What is asked of a browser that has begun a sign-in, when it comes back.
#[must_use]
pub fn challenge(code_verifier: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Hash::hash(code_verifier.as_bytes()))
}

/// A secret of the browser that begins a sign-in (RFC 7636, section 4.1).
#[must_use]
pub fn code_verifier(random: [u8; 32]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(random)
}

/// A sign-in that was begun.
#[derive(Debug, Clone, Copy)]
pub struct Begun<'b> {
    /// Where the provider sends the browser back to.
    pub redirect_uri: &'b str,
    /// What it sends with it, unchanged.
    pub state: &'b str,
    /// What its token has to repeat.
    pub nonce: &'b str,
    /// [`challenge`] of the browser's secret.
    pub challenge: &'b str,
}

/// Where a browser signs in at the provider.
#[must_use]
pub fn authorization_url(provider: &Provider, endpoint: &str, begun: &Begun<'_>) -> String {
    let asked = provider.scopes.iter().filter(|scope| *scope != "openid");
    let query = url_encoded(&json!({
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": begun.redirect_uri,
        "scope": asked.fold("openid".to_owned(), |scopes, scope| scopes + " " + scope),
        "state": begun.state,
        "nonce": begun.nonce,
        "code_challenge": begun.challenge,
        "code_challenge_method": "S256",
    }));
    format!("{endpoint}{}{query}", if endpoint.contains('?') { '&' } else { '?' })
}

/// The secret that the provider has given this system, and where it takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientSecret<'s> {
    /// There is none.
    Absent,
    /// In the header `authorization`.
    InHeader(&'s str),
    /// In the form.
    InForm(&'s str),
}

/// What the provider's token endpoint is asked: a form, and the header `authorization` if the client's secret goes there.
#[must_use]
pub fn token_request(
    provider: &Provider,
    secret: ClientSecret<'_>,
    code: &str,
    redirect_uri: &str,
    code_verifier: &str,
) -> (String, Option<String>) {
    let (in_header, in_form) = match secret {
        ClientSecret::Absent => (None, None),
        ClientSecret::InHeader(secret) => (Some(secret), None),
        ClientSecret::InForm(secret) => (None, Some(secret)),
    };
    let form = url_encoded(&json!({
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": code_verifier,
        "client_id": in_header.is_none().then_some(&provider.client_id),
        "client_secret": in_form,
    }));
    // RFC 6749, section 2.3.1: both are form-encoded first
    let encoded = |text: &str| url_encoded(&json!({ "x": text }))[2..].to_owned();
    let header = in_header.map(|secret| {
        let pair = format!("{}:{}", encoded(&provider.client_id), encoded(secret));
        format!("Basic {}", BASE64_STANDARD.encode(pair))
    });
    (form, header)
}

/// The claims of an ID token whose signature is good.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Claims {
    iss: String,
    aud: Audience,
    #[serde(default)]
    azp: Option<String>,
    sub: String,
    exp: i64,
    iat: i64,
    #[serde(default)]
    nbf: Option<i64>,
    #[serde(default)]
    nonce: Option<String>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// Why an ID token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// It is another provider's.
    #[error("the ID token has another issuer")]
    Issuer,
    /// It was issued for another client of the provider.
    #[error("the ID token is for another audience")]
    Audience,
    /// It is too old.
    #[error("the ID token has expired")]
    Expired,
    /// It is of the future.
    #[error("the ID token is not valid yet: the provider's clock differs from ours")]
    NotYet,
    /// It belongs to another sign-in.
    #[error("the ID token belongs to another sign-in")]
    Nonce,
    /// It names nobody.
    #[error("the ID token names nobody")]
    Subject,
}

/// Checks the claims of an ID token that was fetched for a sign-in with this nonce (OpenID Connect Core 1.0, section
/// 3.1.3.7).
///
/// # Errors
/// The first thing that is wrong.
pub fn check_claims(
    claims: &Claims,
    provider: &Provider,
    nonce: &str,
    now: Timestamp,
) -> Result<(), Untrusted> {
    let now_s = now.0.div_euclid(Timestamp::SECOND);
    let ours = |audience: &String| *audience == provider.client_id;
    let for_us = match &claims.aud {
        Audience::One(audience) => ours(audience),
        Audience::Several(all) => all.iter().any(ours) && (all.len() == 1 || claims.azp.is_some()),
    };
    let faults = [
        (claims.iss != provider.issuer, Untrusted::Issuer),
        (!for_us || claims.azp.as_ref().is_some_and(|azp| !ours(azp)), Untrusted::Audience),
        (claims.exp.saturating_add(CLOCK_SKEW_S) <= now_s, Untrusted::Expired),
        (claims.iat.saturating_add(MAX_TOKEN_AGE_S) <= now_s, Untrusted::Expired),
        (claims.iat.max(claims.nbf.unwrap_or(i64::MIN)) > now_s + CLOCK_SKEW_S, Untrusted::NotYet),
        (claims.nonce.as_deref() != Some(nonce), Untrusted::Nonce),
        (claims.sub.is_empty() || claims.sub.chars().count() > MAX_SUBJECT_CHARS, Untrusted::Subject),
    ];
    faults.into_iter().find(|(is_wrong, _)| *is_wrong).map_or(Ok(()), |(_, why)| Err(why))
}

impl Claims {
    /// The id by which the provider knows the person, for ever.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.sub
    }

    /// The person's mail address, if the provider has verified it.
    #[must_use]
    pub fn verified_email(&self) -> Option<&str> {
        // some providers write it as a text
        let verified = match self.others.get("email_verified") {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => text == "true",
            _ => false,
        };
        let email = self.others.get("email").and_then(Value::as_str).map(str::trim);
        email.filter(|email| verified && MailAddress::check(email).is_ok())
    }

    /// The person's name.
    #[must_use]
    pub fn full_name(&self) -> Option<String> {
        let name = self.others.get("name").and_then(Value::as_str)?.replace('\0', "");
        let name: String = name.trim().chars().take(MAX_NAME_CHARS).collect();
        (!name.is_empty()).then_some(name)
    }

    /// The texts of a claim, with dots for a claim within a claim.
    fn texts(&self, path: &str) -> Vec<&str> {
        let mut steps = path.split('.');
        // a claim may have a dot in its own name, such as an address
        let found = self.others.get(path).or_else(|| {
            let first = self.others.get(steps.next()?)?;
            steps.try_fold(first, |value, step| value.get(step))
        });
        match found {
            Some(Value::String(text)) => vec![text],
            Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }
}

/// What is known of an account that a person might get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Is the person known to be its owner?
    pub is_linked: bool,
    /// Its role.
    pub role: Role,
    /// Can it be used?
    pub is_active: bool,
    /// Is it an account of programs?
    pub is_service: bool,
}

/// How a person gets in. A role is given if the account's has to become another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// With the account that is theirs.
    Enter(Option<Role>),
    /// With the account of the same mail address, which becomes theirs.
    Link(Option<Role>),
    /// With a new account.
    Create(Role),
}

/// Why a person does not get in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAdmitted {
    /// The provider gives no role.
    #[error("Your account at the identity provider has no role here")]
    NoRole,
    /// The account is no longer in use.
    #[error("Your account is not active")]
    Inactive,
    /// The provider knows no verified mail address.
    #[error("The identity provider gives no verified mail address")]
    NoEmail,
    /// Another account has it.
    #[error(
        "An account with your mail address exists; an administrator has to allow that the identity provider opens it"
    )]
    EmailTaken,
    /// There is no account.
    #[error("You have no account here")]
    NoAccount,
}

/// Which account a person gets: `known` is the one that is linked, or else that of the same verified mail address.
///
/// # Errors
/// Why there is none.
pub fn admit(provider: &Provider, claims: &Claims, known: Option<Known>) -> Result<Admission, NotAdmitted> {
    // the provider says what a person may do, each time anew, or it is said here
    let given = match &provider.roles_claim {
        None => None,
        Some(path) => {
            let of_values =
                claims.texts(path).into_iter().filter_map(|value| provider.roles.get(value)).max();
            Some(of_values.copied().or(provider.default_role).ok_or(NotAdmitted::NoRole)?)
        }
    };
    let Some(known) = known else {
        claims.verified_email().ok_or(NotAdmitted::NoEmail)?;
        let role = given.or(provider.default_role).unwrap_or(Role::Operator);
        return if provider.create_accounts {
            Ok(Admission::Create(role))
        } else {
            Err(NotAdmitted::NoAccount)
        };
    };
    let change = given.filter(|role| *role != known.role);
    match known {
        Known { is_linked: false, is_service, .. } if is_service || !provider.link_by_email => {
            Err(NotAdmitted::EmailTaken)
        }
        Known { is_active: false, .. } => Err(NotAdmitted::Inactive),
        Known { is_linked: true, .. } => Ok(Admission::Enter(change)),
        Known { is_linked: false, .. } => Ok(Admission::Link(change)),
    }
}

#[cfg(test)]
mod tests;
