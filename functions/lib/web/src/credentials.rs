//! Who is asking, and may they?

use crate::{
    Refusal,
    access_rights::{self, Caller, Presented},
    database::database,
    trace::Trace,
};
use http::{Method, header};
use pm_api::{
    api_key::API_KEY_PREFIX,
    route::{Access, Route},
};
use pm_auth::token::Signer;
use pm_domain::settings::Key;
use pm_store::{api_key::KeyName, session, setting};
use sha2::{Digest, Sha256};
use spin_sdk::http::Request;
use std::sync::OnceLock;
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// What an event stream says to a caller without token, as documented.
const STREAM_NEEDS_TOKEN: &str =
    "Authentication required. Provide token as query parameter '?token=...' or Authorization header";

/// Checks the caller against the route's access.
pub(crate) async fn check(
    route: &Route,
    request: &Request,
    trace: &Trace,
) -> Result<Option<Caller>, Refusal> {
    let token = match (bearer(request), route.access) {
        (_, Access::Public) => return Ok(None),
        (Some(token), _) => token,
        (None, Access::Stream) => {
            token_in_query(request).ok_or_else(|| Refusal::Unauthorized(STREAM_NEEDS_TOKEN.to_owned()))?
        }
        (None, Access::Registration) if registration_is_open().await? => return Ok(None),
        (None, _) => return Err(Refusal::NotAuthenticated),
    };
    // while the service token rotates, some still show the previous one
    let secrets: &[&str] = match route.access {
        Access::Service => &["service_token", "service_token_previous", "component_token"],
        Access::Metrics => &["metrics_token"],
        _ => &[],
    };
    for name in secrets {
        let expected = crate::variable(name).await?;
        if !expected.is_empty() && bool::from(token.as_bytes().ct_eq(expected.as_bytes())) {
            return Ok(None);
        }
    }
    if route.access == Access::Service {
        return Err(Refusal::BadToken);
    }
    let (presented, ticket_id) = presented(&token, route).await?;
    // a request that changes something is admitted by the rights of this moment
    let reads = request.method() == Method::GET || request.method() == Method::HEAD;
    let enough = |caller: &Caller| reads && caller.admit(route).is_ok();
    let caller = access_rights::recent(&presented, enough).await?.ok_or(Refusal::BadToken)?;
    trace.user.set(Some(caller.identity.user_id));
    let registers = route.access == Access::Registration && registration_is_open().await?;
    if let Err(refusal) = caller.admit(route)
        && !registers
    {
        return Err(refusal);
    }
    if let Some(ticket_id) = ticket_id
        && !session::spend_ticket(&database().await?, ticket_id).await?
    {
        return Err(Refusal::BadToken);
    }
    Ok(Some(caller))
}

/// What the token is; and its id if it is a ticket, which works once.
async fn presented(token: &str, route: &Route) -> Result<(Presented, Option<Uuid>), Refusal> {
    if token.starts_with(API_KEY_PREFIX) {
        return Ok((Presented::Key(KeyName::Hash(Sha256::digest(token.as_bytes()).into())), None));
    }
    let signer = signer().await?;
    match (signer.check_access(token), route.access) {
        (Ok(identity), _) => Ok((Presented::Token(identity), None)),
        (Err(_), Access::Stream) => {
            let (identity, ticket_id) = signer.check_ticket(token).map_err(|_| Refusal::BadToken)?;
            Ok((Presented::Token(identity), Some(ticket_id)))
        }
        (Err(_), _) => Err(Refusal::BadToken),
    }
}

/// May anyone create an account?
async fn registration_is_open() -> Result<bool, Refusal> {
    let settings = setting::read(&database().await?, &[Key::RegistrationPolicy]).await?;
    Ok(settings.text(Key::RegistrationPolicy) == "open")
}

fn bearer(request: &Request) -> Option<String> {
    let header = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = header.split_once(' ')?;
    let token = token.trim();
    // what writes to InfluxDB says Token
    let known = ["bearer", "token"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    (known && !token.is_empty()).then(|| token.to_owned())
}

fn token_in_query(request: &Request) -> Option<String> {
    let query = request.uri().query()?;
    let token = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "token")?.1.into_owned();
    (!token.is_empty()).then_some(token)
}

/// The signer, made once per instance. The secret does not change while an instance lives.
pub(crate) async fn signer() -> Result<&'static Signer, Refusal> {
    static SIGNER: OnceLock<Signer> = OnceLock::new();
    if let Some(signer) = SIGNER.get() {
        return Ok(signer);
    }
    let secret = crate::variable("jwt_secret").await?;
    let signer = Signer::new(&secret).map_err(|e| Refusal::Internal(e.to_string()))?;
    Ok(SIGNER.get_or_init(|| signer))
}
