//! Asking identity providers for component `auth`, which holds password hashes and reaches nobody.

use pm_api::{
    route::op,
    sign_in::{ProviderAnswer, ProviderRequest},
};
use pm_domain::target;
use pm_web::{Input, Refusal, get_external, post_external, variable};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(5);
/// Longest answer. Sets of keys with certificates are the longest documents.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// `POST /internal/identity-provider`.
pub(crate) async fn ask(input: Input<op::AskIdentityProvider>) -> Result<ProviderAnswer, Refusal> {
    let ProviderRequest { url, form, authorization } = &input.body;
    let allow_private = variable("identity_provider_allow_private").await? == "true";
    if let Err(refused) = target::check(url, allow_private) {
        return Ok(ProviderAnswer::NoResponse(refused.to_string()));
    }
    if !allow_private && !url.starts_with("https://") {
        return Ok(ProviderAnswer::NoResponse("The URL is without TLS".to_owned()));
    }
    let mut headers = vec![("accept".to_owned(), "application/json".to_owned())];
    headers.extend(authorization.clone().map(|value| ("authorization".to_owned(), value)));
    let answer = match form {
        Some(form) => {
            headers.push(("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
            post_external(url, &headers, form, TIMEOUT, MAX_ANSWER_BYTES).await
        }
        None => get_external(url, &headers, TIMEOUT, MAX_ANSWER_BYTES).await,
    };
    Ok(match answer {
        Ok(response) => ProviderAnswer::Response(response.status, response.body),
        Err(why) => ProviderAnswer::NoResponse(why),
    })
}
