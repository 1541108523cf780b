//! What identity providers publish: fetched, and kept in the database.

use pm_api::sign_in::{ProviderAnswer, ProviderRequest};
use pm_domain::{
    identity_provider::Provider,
    provider_documents::{Configuration, are_current, configuration, configuration_url},
};
use pm_store::{Db, identity};
use pm_web::{Component, Refusal, log_warning, variable};

/// What a provider publishes.
pub(crate) struct Documents {
    /// Where its parts are.
    pub(crate) configuration: Configuration,
    /// Its keys.
    pub(crate) keys: String,
}

/// What a provider publishes: as it is kept, or fetched.
pub(crate) async fn documents(db: &Db, provider: &Provider) -> Result<Documents, Refusal> {
    match kept(db, provider, false).await? {
        Some(documents) => Ok(documents),
        None => fetched(db, provider).await,
    }
}

/// The same, fetched again because a token has a key that is missing. None if it was fetched a moment ago.
pub(crate) async fn newer_documents(db: &Db, provider: &Provider) -> Result<Option<Documents>, Refusal> {
    match kept(db, provider, true).await? {
        Some(_) => Ok(None),
        None => fetched(db, provider).await.map(Some),
    }
}

async fn kept(db: &Db, provider: &Provider, key_is_missing: bool) -> Result<Option<Documents>, Refusal> {
    let kept = identity::documents(db, &provider.issuer).await?;
    let current = kept.filter(|kept| are_current(kept.fetched_at, key_is_missing, kept.now));
    // what an earlier version of this program took may not be good for this one
    Ok(current.and_then(|kept| {
        let configuration = configuration(provider, &kept.configuration).ok()?;
        Some(Documents { configuration, keys: kept.keys })
    }))
}

async fn fetched(db: &Db, provider: &Provider) -> Result<Documents, Refusal> {
    let document = fetch(provider, configuration_url(provider)).await?;
    let configuration = configuration(provider, &document).map_err(|why| unusable(provider, &why))?;
    let keys = fetch(provider, configuration.jwks_uri.clone()).await?;
    identity::keep_documents(db, &provider.issuer, &document, &keys).await?;
    Ok(Documents { configuration, keys })
}

async fn fetch(provider: &Provider, url: String) -> Result<String, Refusal> {
    match ask(provider, &ProviderRequest { url, form: None, authorization: None }).await? {
        (200, body) => Ok(body),
        (status, _) => Err(unusable(provider, &format!("it answered {status}"))),
    }
}

/// Asks a provider: gives status code and body.
pub(crate) async fn ask(provider: &Provider, request: &ProviderRequest) -> Result<(u16, String), Refusal> {
    let token = variable("component_token").await?;
    let answer: Result<ProviderAnswer, _> =
        Component("notifier").post_json("/internal/identity-provider", request, &token).await;
    match answer.map_err(|e| Refusal::Unavailable(format!("notifier {e}")))? {
        ProviderAnswer::Response(status, body) => Ok((status, body)),
        ProviderAnswer::NoResponse(why) => Err(unusable(provider, &format!("{}: {why}", request.url))),
    }
}

/// The provider gives no answer that can be used; the reason goes to the log.
pub(crate) fn unusable(provider: &Provider, why: &str) -> Refusal {
    log_warning(&format!("identity provider {}: {why}", provider.name));
    Refusal::BadGateway(format!(
        "{} gives no answer that can be used. Please try again later.",
        provider.label
    ))
}
